"""Kinds of model that cannot be explained, and why."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["why_not"]

_CROSS_ATTENTION = "its text sees the picture through cross-attention: no position in the sequence shows a part of it"
_Q_FORMER = "its Q-former hands over queries that belong to no place in the picture"
_QUERIES = "its vision tokens are learned queries, each of which reads the whole picture: none belongs to a place in it"
_NAMES_OF_QUERIES = re.compile("num_quer(y_tokens|ies)|latent_query|to_query|resampler|perceiver|qformer")
_CODES = (
    "its pictures become codes among its words, and no family says which code is of which place; "
    "tam_widget.register_family() can teach it"
)
_UNTOLD = "its processor does not say where in the text a picture stands"
_WHOLE_OMNI = "the part of it that sees and writes can be: pass model.thinker"

_WHY_NOT = {
    "aria": _QUERIES,
    "blip": _CROSS_ATTENTION,
    "blip-2": _Q_FORMER,
    "chameleon": _CODES,
    "deepseek_ocr2": _QUERIES,
    "diffusion_gemma": "it writes words in blocks, by diffusion: no step chooses one word after those before it",
    "emu3": _CODES,
    "evolla": "it reads proteins, not pictures",
    "git": "it puts the picture before its input by itself: no position of what the processor makes shows a part of it",
    "idefics": _CROSS_ATTENTION,
    "idefics2": _QUERIES,
    "instructblip": _Q_FORMER,
    "instructblipvideo": _Q_FORMER,
    "kosmos-2": _QUERIES,
    "kosmos-2.5": _QUERIES,
    "mllama": _CROSS_ATTENTION,
    "nemotron_h_omni": _UNTOLD,
    "pi0": "it answers with movements of a robot, not with words",
    "pp_chart2table": _UNTOLD,
    "qwen2_5_omni": _WHOLE_OMNI,
    "qwen3_omni_moe": _WHOLE_OMNI,
    "shieldgemma2": "it judges pictures by the scores of two words, and writes no answer",
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
        names = _named_queries(config)
        return f"{_QUERIES} (its configuration has {', '.join(names)})" if names else None
    if getattr(config, "image_token_id", None) is not None:
        return (
            "it takes pictures straight into its text, without a vision tower, and no family says where; "
            "tam_widget.register_family() can teach it"
        )
    return "it has no vision part"


def _named_queries(config: Any) -> list[str]:
    """Return the settings of a configuration by which its vision tokens are queries: their number may be a square."""
    settings = {**vars(config), **vars(config.vision_config)}
    return sorted(name for name, value in settings.items() if value and _NAMES_OF_QUERIES.search(name))
