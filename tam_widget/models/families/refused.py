"""Kinds of model that cannot be explained, and why."""

from __future__ import annotations

from typing import Any

__all__ = ["why_not"]

_CROSS_ATTENTION = "its text sees the picture through cross-attention: no position in the sequence shows a part of it"
_QUERIES = "the picture reaches its text as learned queries that belong to no place in the picture"
_CODES = (
    "its pictures become codes among its words, and no family says which code is of which place; "
    "tam_widget.register_family() can teach it"
)
_WHOLE_OMNI = "the part of it that sees and writes can be: pass model.thinker"

_WHY_NOT = {
    "aria": _QUERIES,
    "blip": _CROSS_ATTENTION,
    "blip-2": _QUERIES,
    "chameleon": _CODES,
    "deepseek_ocr2": _QUERIES,
    "diffusion_gemma": "it writes words in blocks, by diffusion: no step chooses one word after those before it",
    "emu3": _CODES,
    "evolla": "it reads proteins, not pictures",
    "git": "it puts the picture before its input by itself: no position of what the processor makes shows a part of it",
    "idefics": _CROSS_ATTENTION,
    "idefics2": _QUERIES,
    "instructblip": _QUERIES,
    "instructblipvideo": _QUERIES,
    "kosmos-2": _QUERIES,
    "kosmos-2.5": _QUERIES,
    "mllama": _CROSS_ATTENTION,
    "pi0": "it answers with movements of a robot, not with words",
    "qwen2_5_omni": _WHOLE_OMNI,
    "qwen3_omni_moe": _WHOLE_OMNI,
}


def why_not(config: Any, model_type: str) -> str | None:
    """Return why a model that no family serves cannot be explained; None where its inputs may state all that is needed.

    Parameters
    ----------
    config : transformers.PretrainedConfig
        The model's configuration.
    model_type : str
        Its ``model_type``.
    """
    if model_type in _WHY_NOT:
        return _WHY_NOT[model_type]
    if getattr(config, "is_encoder_decoder", False):
        return "it is an encoder-decoder: its answer is not one sequence with the picture"
    if getattr(config, "vision_config", None) is not None:
        return None
    if getattr(config, "image_token_id", None) is not None:
        return (
            "it takes pictures straight into its text, without a vision tower, and no family says where; "
            "tam_widget.register_family() can teach it"
        )
    return "it has no vision part"
