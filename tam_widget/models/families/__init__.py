"""Model families: for each ``config.model_type`` a function that says which position shows which part of which picture.

A family is a function ``views(config, prepared) -> tuple[View, ...]`` in a file of its own, registered for the
model types it serves. It reads what the processor returned and checks it against the number of placeholders; it
never guesses a geometry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tam_widget.errors import UnsupportedModelError
from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from collections.abc import Callable

    from tam_widget.models.conversation import Prepared
    from tam_widget.models.layout import View

__all__ = ["Family", "family_of", "supported_types"]

Family: TypeAlias = "Callable[[Any, Prepared], tuple[View, ...]]"

_FAMILIES: dict[str, Family] = dict.fromkeys(qwen_vl.MODEL_TYPES, qwen_vl.views)

_CROSS_ATTENTION = "its text sees the picture through cross-attention: no position in the sequence shows a part of it"
_Q_FORMER = "its Q-former hands over queries that belong to no place in the picture"
_WHY_NOT = {
    "mllama": _CROSS_ATTENTION,
    "blip": _CROSS_ATTENTION,
    "blip-2": _Q_FORMER,
    "instructblip": _Q_FORMER,
}


def supported_types() -> tuple[str, ...]:
    """Return the model types that can be explained."""
    return tuple(sorted(_FAMILIES))


def family_of(config: Any) -> Family:
    """Return the family that serves a model's configuration.

    Raises
    ------
    UnsupportedModelError
        No family does; the message says why and which would.
    """
    model_type = getattr(config, "model_type", None) or type(config).__name__
    if model_type in _FAMILIES:
        return _FAMILIES[model_type]
    if getattr(config, "is_encoder_decoder", False):
        why = "it is an encoder-decoder: its answer is not one sequence with the picture"
    elif model_type in _WHY_NOT:
        why = _WHY_NOT[model_type]
    elif not hasattr(config, "vision_config"):
        why = "it has no vision part"
    else:
        why = "its picture layout is not known"
    raise UnsupportedModelError(
        f"a model of type {model_type!r} cannot be explained: {why}. Supported: {', '.join(supported_types())}"
    )
