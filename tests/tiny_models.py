"""Tiny randomly initialised models of the real classes, with real processors, made here: no file, no network."""

import torch
from PIL import Image, ImageDraw
from tiny.case import decoder
from tiny.case import qwen_tokenizer as tokenizer
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLProcessor,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
    Qwen3VLProcessor,
)
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from

torch.set_num_threads(1)  # models this small only wait for their helpers, above all on a busy machine

FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5")
PATCH, MERGE = 4, 2
CELL = PATCH * MERGE

# As Qwen2-VL's own: ChatML, a default system prompt, placeholders for pictures.
TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}{% endif %}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def processor(family="qwen2_vl", template=TEMPLATE):
    """The family's own processor class without its video part, which would need torchvision."""
    parent = {"qwen2_vl": Qwen2VLProcessor, "qwen2_5_vl": Qwen2_5_VLProcessor}.get(family, Qwen3VLProcessor)

    class ImageOnly(parent):
        def __init__(self, image_processor=None, tokenizer=None, chat_template=None, **kwargs):
            super().__init__(image_processor, tokenizer, None, chat_template=chat_template, **kwargs)

    images = Qwen2VLImageProcessorPil(
        patch_size=PATCH, merge_size=MERGE, size={"shortest_edge": 16 * CELL**2, "longest_edge": 256 * CELL**2}
    )
    return ImageOnly(images, tokenizer(), chat_template=template)


def build(family="qwen2_vl", *, tied=False, seed=0, dtype=torch.float32):
    """A model of the family's real class with random weights, large enough apart that its words differ."""
    words = tokenizer()
    ids = {
        "image_token_id": words.convert_tokens_to_ids("<|image_pad|>"),
        "video_token_id": words.convert_tokens_to_ids("<|video_pad|>"),
        "vision_start_token_id": words.convert_tokens_to_ids("<|vision_start|>"),
        "vision_end_token_id": words.convert_tokens_to_ids("<|vision_end|>"),
    }
    text = decoder(
        words,
        head_dim=16,
        max_position_embeddings=4096,
        rope_parameters={"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
    )
    vision = {
        "depth": 2,
        "num_heads": 2,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "initializer_range": 0.2,
    }
    if family == "qwen2_vl":
        config, kind = Qwen2VLConfig, Qwen2VLForConditionalGeneration
        del text["head_dim"]
        vision |= {"embed_dim": 32, "hidden_size": 64, "mlp_ratio": 2}
    elif family == "qwen2_5_vl":
        config, kind = Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration
        del text["head_dim"]
        vision |= {"hidden_size": 32, "out_hidden_size": 64, "intermediate_size": 64, "window_size": 2 * CELL}
        vision |= {"fullatt_block_indexes": [1]}
    else:
        kinds = {
            "qwen3_vl": (Qwen3VLConfig, Qwen3VLForConditionalGeneration),
            "qwen3_vl_moe": (Qwen3VLMoeConfig, Qwen3VLMoeForConditionalGeneration),
            "qwen3_5": (Qwen3_5Config, Qwen3_5ForConditionalGeneration),
        }
        config, kind = kinds[family]
        text["rope_parameters"]["mrope_interleaved"] = True
        vision |= {"hidden_size": 32, "out_hidden_size": 64, "intermediate_size": 64, "num_position_embeddings": 64}
        if family == "qwen3_5":
            text |= {"layer_types": ["linear_attention", "full_attention"], "linear_num_key_heads": 2}
            text |= {"linear_num_value_heads": 2, "linear_key_head_dim": 16, "linear_value_head_dim": 16}
        else:
            vision |= {"deepstack_visual_indexes": [0, 1]}
        if family == "qwen3_vl_moe":
            text |= {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    torch.manual_seed(seed)
    model = kind(config(text_config=text, vision_config=vision, tie_word_embeddings=tied, **ids))
    model.generation_config.eos_token_id = words.eos_token_id
    model.generation_config.pad_token_id = words.pad_token_id
    return model.to(dtype).eval()


def picture(width=64, height=48, *, box=None, colour="red", ground=(90, 90, 90)):
    """A plain picture, with a filled square where ``box`` says."""
    image = Image.new("RGB", (width, height), ground)
    if box is not None:
        left, top, right, bottom = box
        ImageDraw.Draw(image).rectangle((left, top, right - 1, bottom - 1), fill=colour)
    return image


def hook_count(model):
    """How many hooks hang on any part of the model."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
    return sum(len(getattr(module, kind)) for module in model.modules() for kind in kinds)


def prepared(processor, pictures, prompt, system=None):
    """One question about some pictures, ready for the model."""
    return prepare(processor, conversation_from(pictures, None, prompt, system=system))


def saying(processor, picture, ids, prompt="Describe the image."):
    """A logits processor that makes any model say these tokens, and then end."""
    length = len(prepared(processor, [picture], prompt, None).ids)

    def force(said, scores):
        step = said.shape[1] - length
        scores[:] = -torch.inf
        scores[0, ids[step] if step < len(ids) else processor.tokenizer.eos_token_id] = 0
        return scores

    return [force]
