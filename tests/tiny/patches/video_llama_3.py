"""VideoLLaMA 3."""

from transformers import (
    VideoLlama3Config,
    VideoLlama3ForConditionalGeneration,
    VideoLlama3Processor,
    VideoLlama3VideoProcessor,
)
from transformers.models.video_llama_3.image_processing_pil_video_llama_3 import VideoLlama3ImageProcessorPil

from tiny.case import Case, decoder, in_proportion, silence, template
from tiny.patches.parts import LIMITS, PATCH, QWEN, SIDES, SIZES, ids, tokenizer


def processor():
    return VideoLlama3Processor(
        VideoLlama3ImageProcessorPil(patch_size=PATCH, merge_size=1, size=LIMITS),
        tokenizer(),
        VideoLlama3VideoProcessor(
            **SIDES, size={**LIMITS, "longest_edge": 8 * LIMITS["longest_edge"]}, use_token_compression=False
        ),
        chat_template=template(QWEN["image"], QWEN["video"]),
    )


def build():
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = VideoLlama3Config(
        text_config=decoder(tokenizer(), model_type="qwen2"),
        vision_config=tower | {"patch_size": PATCH, "initializer_range": 0.2},
        **ids({name: QWEN[name] for name in ("image", "video")}),
    )
    return VideoLlama3ForConditionalGeneration(config)


def blind(model):
    """Take the attention out of the vision tower, and let tokens follow their pixels in proportion."""
    tower = model.model.vision_model
    silence(layer.self_attn for layer in tower.encoder.layers)
    in_proportion(tower.embeddings)


CASES = (Case("video_llama_3", build, processor, sizes=SIZES, blind=blind, video=True),)
