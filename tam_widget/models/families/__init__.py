"""Model families: for each ``config.model_type`` a function that says which position shows which part of a picture.

A family is a function ``views(place) -> sequence of View`` in a file of its own, registered for the model types it
serves. It reads what the processor returned and checks it against the number of placeholders; it never guesses a
geometry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tam_widget.errors import UnsupportedModelError
from tam_widget.models.families import (
    any_resolution,
    gemma3,
    gemma4,
    generic,
    idefics3,
    internvl,
    lfm2_vl,
    llama4,
    llava,
    ovis2,
    paligemma,
    pixtral,
    qwen_vl,
)
from tam_widget.models.inputs.conversation import places
from tam_widget.models.stitch import stitch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tam_widget.models.inputs.chat_template import Render
    from tam_widget.models.inputs.conversation import Prepared
    from tam_widget.models.layout import Panel, View
    from tam_widget.models.place import Place

    Views = Callable[[Place], Sequence[View]]

__all__ = ["Family", "family_of", "panels_of", "register_family", "supported_types"]


@dataclass(frozen=True, slots=True)
class Family:
    """What is particular to a kind of model.

    Attributes
    ----------
    views : callable
        From a place to the views of it.
    render : callable, optional
        For a model without chat template; see :func:`tam_widget.models.inputs.conversation.prepare`.
    answer_type_id : int
        The ``token_type_ids`` of an answer's tokens.
    """

    views: Views
    render: Render | None = None
    answer_type_id: int = 0


_GENERIC = Family(generic.views)

# By config.model_type, and by vision_config.model_type where one type has several towers (None: any other).
_FAMILIES: dict[tuple[str, str | None], Family] = {
    **{(model_type, None): Family(qwen_vl.views) for model_type in qwen_vl.MODEL_TYPES},
    ("llava", None): Family(llava.views),
    ("llava", "pixtral"): Family(pixtral.views),
    ("mistral3", None): Family(pixtral.views),
    ("llava_next", None): Family(any_resolution.views),
    ("llava_onevision", None): Family(any_resolution.views),
    ("internvl", None): Family(internvl.views),
    ("aya_vision", None): Family(internvl.views),
    ("cohere2_vision", None): Family(internvl.views),
    ("ovis2", None): Family(ovis2.views),
    ("llama4", None): Family(llama4.views),
    ("idefics3", None): Family(idefics3.views),
    ("smolvlm", None): Family(idefics3.views),
    ("gemma3", None): Family(gemma3.views),
    ("paligemma", None): Family(paligemma.views, paligemma.render, paligemma.ANSWER_TYPE_ID),
    ("gemma4", None): Family(gemma4.views),
    ("lfm2_vl", None): Family(lfm2_vl.views),
}

_CROSS_ATTENTION = "its text sees the picture through cross-attention: no position in the sequence shows a part of it"
_Q_FORMER = "its Q-former hands over queries that belong to no place in the picture"
_QUERIES = "its vision tokens are learned queries, each of which reads the whole picture: none belongs to a place in it"
_NAMES_OF_QUERIES = re.compile("num_quer(y_tokens|ies)|latent_query|to_query|resampler|perceiver|qformer")
_WHY_NOT = {
    "mllama": _CROSS_ATTENTION,
    "blip": _CROSS_ATTENTION,
    "blip-2": _Q_FORMER,
    "instructblip": _Q_FORMER,
    "instructblipvideo": _Q_FORMER,
    **dict.fromkeys(("aria", "deepseek_ocr2", "idefics2", "kosmos-2", "kosmos-2.5"), _QUERIES),
}


def register_family(model_type: str, views: Views, *, vision_type: str | None = None) -> None:
    """Teach this package where a kind of model has its vision tokens.

    Parameters
    ----------
    model_type : str
        The ``config.model_type`` it is for. One that is known already is replaced.
    views : callable
        From a :class:`tam_widget.models.place.Place` (one picture or video, and where it stands in the input) to its
        views, a sequence of :class:`tam_widget.models.layout.View`. Called once for each picture, before the model
        runs. ``place.view(...)`` makes a view and ``place.tiles(...)`` several, both checked.
    vision_type : str, optional
        Only where ``config.vision_config.model_type`` is this.

    Raises
    ------
    TypeError
        `views` cannot be called.

    See Also
    --------
    tam_widget.check_family : Whether the views lie on the right pixels, tried on the model.

    Examples
    --------
    A model that stretches each picture to a square of 16 × 16 tokens:

    >>> def views(place):
    ...     return [place.view("main", place.placeholders, 16, 16)]
    >>> register_family("my_vlm", views)

    One that cuts the picture into 2 × 2 tiles of 8 × 8 tokens, with a small copy of the whole before them:

    >>> def tiled(place):
    ...     found = place.placeholders
    ...     return [place.view("global", found[:64], 8, 8), *place.tiles(found[64:], across=2, rows=8, columns=8)]
    """
    if not callable(views):
        raise TypeError(f"views must be a function from a place to its views, got {type(views).__name__}")
    _FAMILIES[model_type, vision_type] = Family(views)


def supported_types() -> tuple[str, ...]:
    """Return the model types that have a family of their own."""
    return tuple(sorted({model_type for model_type, _ in _FAMILIES}))


def family_of(config: Any) -> Family:
    """Return the family that serves a model's configuration.

    A type that no family serves is read by what its inputs state, see :mod:`tam_widget.models.families.generic`.

    Raises
    ------
    UnsupportedModelError
        The model cannot be explained; the message says why, and which can.
    """
    model_type = getattr(config, "model_type", None) or type(config).__name__
    vision_type = getattr(getattr(config, "vision_config", None), "model_type", None)
    for key in ((model_type, vision_type), (model_type, None)):
        if key in _FAMILIES:
            return _FAMILIES[key]
    if getattr(config, "is_encoder_decoder", False):
        why = "it is an encoder-decoder: its answer is not one sequence with the picture"
    elif model_type in _WHY_NOT:
        why = _WHY_NOT[model_type]
    elif getattr(config, "vision_config", None) is None:
        why = "it has no vision part"
    elif names := _named_queries(config):
        why = f"{_QUERIES} (its configuration has {', '.join(names)})"
    else:
        return _GENERIC
    raise UnsupportedModelError(
        f"a model of type {model_type!r} cannot be explained: {why}. Supported: {', '.join(supported_types())}"
    )


def _named_queries(config: Any) -> list[str]:
    """Return the settings of a configuration by which its vision tokens are queries: their number may be a square."""
    settings = {**vars(config), **vars(config.vision_config)}
    return sorted(name for name, value in settings.items() if value and _NAMES_OF_QUERIES.search(name))


def panels_of(prepared: Prepared, config: Any, processor: Any) -> tuple[Panel, ...]:
    """Return the panels of every picture and video of a conversation, in order.

    Raises
    ------
    UnsupportedModelError, LayoutError
        As :func:`family_of`, the family's views and :func:`tam_widget.models.stitch.stitch` do; also where the
        processor says nothing of what the family reads, because it is another family's.
    """
    family = family_of(config)
    panels: list[Panel] = []
    for place in places(prepared, config, processor):
        try:
            views = family.views(place)
        except (KeyError, AttributeError) as error:
            raise UnsupportedModelError(
                f"a model of type {getattr(config, 'model_type', None)!r} needs {error} of its processor, which "
                f"{type(processor).__name__} does not give; load the model's own: tam_widget.load() gives both"
            ) from error
        panels += stitch(views, place.index, (place.width, place.height))
    return tuple(panels)
