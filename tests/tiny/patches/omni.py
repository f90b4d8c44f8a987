"""The thinkers of Qwen's omni models: the part that sees and writes. What they hear is left out."""

from functools import cache, partial

from transformers import (
    Qwen2_5OmniProcessor,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2VLVideoProcessor,
    Qwen3OmniMoeProcessor,
    Qwen3OmniMoeThinkerConfig,
    Qwen3OmniMoeThinkerForConditionalGeneration,
    WhisperFeatureExtractor,
)

from tiny.case import Case, words
from tiny.patches import parts
from tiny.patches.parts import LIMITS, QWEN, SIZES, blind, ids, text, vision

NAMED = {
    "image_token": QWEN["image"],
    "video_token": QWEN["video"],
    "audio_token": "<|audio_pad|>",
    "vision_bos_token": QWEN["vision_start"],
    "vision_eos_token": QWEN["vision_end"],
    "audio_bos_token": "<|audio_bos|>",
    "audio_eos_token": "<|audio_eos|>",
}
HEARING = {"num_mel_bins": 16, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 32, "d_model": 32}
HEARING |= {"output_dim": 64, "n_window": 4}


@cache
def tokenizer():
    return words(named=NAMED)


def processor(kind):
    made = parts.processor(
        kind, Qwen2VLVideoProcessor, tokenizer(), feature_extractor=WhisperFeatureExtractor(feature_size=16)
    )
    if hasattr(made, "videos_kwargs"):
        made.videos_kwargs = made.videos_kwargs | {"size": LIMITS}  # the processor's own size overrules its parts'
    return made


def marks():
    """The ids that the thinkers read in their configuration."""
    names = {"image": QWEN["image"], "video": QWEN["video"], "vision_start": QWEN["vision_start"]}
    return ids(names | {"audio": "<|audio_pad|>", "audio_start": "<|audio_bos|>"}, tokenizer())


def qwen2_5_omni_thinker():
    settings = text(tokenizer())
    del settings["head_dim"]
    config = Qwen2_5OmniThinkerConfig(
        text_config=settings,
        vision_config=vision(window_size=16, fullatt_block_indexes=[1]),
        audio_config=HEARING,
        **marks(),
    )
    return Qwen2_5OmniThinkerForConditionalGeneration(config)


def qwen3_omni_moe_thinker():
    settings = text(tokenizer(), num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32)
    settings["rope_parameters"] |= {"mrope_interleaved": True}
    config = Qwen3OmniMoeThinkerConfig(
        text_config=settings,
        vision_config=vision(num_position_embeddings=64, deepstack_visual_indexes=[0, 1]),
        audio_config=HEARING | {"downsample_hidden_size": 8},
        **marks(),
    )
    return Qwen3OmniMoeThinkerForConditionalGeneration(config)


CASES = tuple(
    Case(build.__name__, build, partial(processor, kind), sizes=SIZES, blind=blind, video=True)
    for build, kind in (
        (qwen2_5_omni_thinker, Qwen2_5OmniProcessor),
        (qwen3_omni_moe_thinker, Qwen3OmniMoeProcessor),
    )
)
