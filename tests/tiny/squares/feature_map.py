"""Gemma 3n and FastVLM, whose towers are convolutional.

Both towers are timm's, which is no part of the tests. Their place is taken by a ConvNeXt, and by one convolution: the
maps that they return have the same form.
"""

from functools import cache
from types import SimpleNamespace
from unittest.mock import patch

import torch
from transformers import (
    AutoModel,
    CLIPImageProcessor,
    FastVlmConfig,
    FastVlmForConditionalGeneration,
    Gemma3nAudioFeatureExtractor,
    Gemma3nConfig,
    Gemma3nForConditionalGeneration,
    Gemma3nProcessor,
    LlavaProcessor,
    SiglipImageProcessor,
)

from tiny.case import Case, decoder, silence, template, words

STRIDE, SIDE = 8, 5
SQUARE = {"height": STRIDE * SIDE, "width": STRIDE * SIDE}
GEMMA3N = {
    "boi_token": "<start_of_image>",
    "eoi_token": "<end_of_image>",
    "image_token": "<image_soft_token>",
    "boa_token": "<start_of_audio>",
    "eoa_token": "<end_of_audio>",
    "audio_token": "<audio_soft_token>",
}
SIZES = ((64, 48), (47, 103), (250, 130))


@cache
def fast_tokenizer():
    return words(named={"image_token": "<image>"})


def fast_processor():
    return LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": STRIDE * SIDE}, crop_size=SQUARE),
        fast_tokenizer(),
        patch_size=STRIDE,
        vision_feature_select_strategy="full",
        num_additional_image_tokens=0,
        chat_template=template(),
    )


def fast():
    names = fast_tokenizer()
    vision = {
        "model_type": "convnext",
        "patch_size": STRIDE // 2,
        "num_stages": 2,
        "hidden_sizes": [16, 32],
        "depths": [1, 1],
        "hidden_size": 32,
        "initializer_range": 0.2,
    }
    return FastVlmForConditionalGeneration(
        FastVlmConfig(
            text_config=decoder(names, model_type="qwen2"),
            vision_config=vision,
            image_token_index=names.image_token_id,
        )
    )


def fast_blind(model):
    """Take out the convolutions that reach into other cells."""
    silence(layer.dwconv for stage in model.model.vision_tower.encoder.stages for layer in stage.layers)


def gemma3n_processor():
    return Gemma3nProcessor(
        Gemma3nAudioFeatureExtractor(),
        SiglipImageProcessor(size=SQUARE),
        words(named=GEMMA3N, bos="<bos>"),
        chat_template="<bos>" + template("<image_soft_token>"),
        image_seq_length=SIDE**2,
    )


class Patches(torch.nn.Module):
    """A map of one place for each square of pixels, which follows them in proportion.

    Beside a large bias, the norms scale all places alike; the one whose pixels changed most then changes most.
    """

    def __init__(self, config):
        super().__init__()
        self.convolution = torch.nn.Conv2d(3, config.hidden_size, STRIDE, STRIDE)
        self.convolution.bias.data.normal_(std=20)

    def forward(self, pixel_values, **_):
        return SimpleNamespace(last_hidden_state=self.convolution(pixel_values))


def gemma3n():
    names = gemma3n_processor().tokenizer
    text = decoder(
        names,
        head_dim=16,
        num_kv_shared_layers=0,
        hidden_size_per_layer_input=8,
        vocab_size_per_layer_input=len(names) + 13,
        laurel_rank=8,
        altup_num_inputs=2,
        layer_types=["sliding_attention", "full_attention"],
        sliding_window=64,
    )
    audio = {"hidden_size": 16, "conf_num_hidden_layers": 1, "conf_num_attention_heads": 2}
    ids = {name: getattr(names, f"{name}_id") for name in GEMMA3N}
    config = Gemma3nConfig(
        text_config=text,
        # What lies beyond the words has embeddings of its own; no token here does.
        vision_config={"hidden_size": 32, "vocab_offset": len(names) + 13},
        audio_config=audio | {"vocab_offset": len(names) + 141, "sscp_conv_channel_size": [4, 4]},
        vision_soft_tokens_per_image=SIDE**2,
        tie_word_embeddings=False,
        **{f"{name.removesuffix('_token')}_token_id": number for name, number in ids.items()},
    )
    build = AutoModel.from_config

    def of(part, **options):
        return Patches(part) if part is config.vision_config else build(part, **options)

    with patch.object(AutoModel, "from_config", of):
        return Gemma3nForConditionalGeneration(config)


# An older one does not say where it puts pictures.
GEMMA3N_CASES = (Case("gemma3n", gemma3n, gemma3n_processor, sizes=SIZES[:2], blind=lambda model: None),)
CASES = (
    Case("fast_vlm", fast, fast_processor, sizes=SIZES, blind=fast_blind),
    *(GEMMA3N_CASES if "replace_image_token" in vars(Gemma3nProcessor) else ()),
)
