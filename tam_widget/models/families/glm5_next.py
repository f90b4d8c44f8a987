"""GLM-5-Next: the whole picture, enlarged or shrunk at its own aspect ratio, and padded at the right and the bottom."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return what :func:`tam_widget.models.families.qwen_vl.grids` does, over a box that has the padding too."""
    return qwen_vl.grids(place, _canvas(place))


def _canvas(place: Place) -> Box:
    """Return what the canvas of whole cells covers, by the scale that the processor gave the picture on it."""
    settings: Any = getattr(place.processor, f"{place.kind}_processor")
    canvas = [int(n) * settings.patch_size for n in place.inputs[f"{place.kind}_grid_thw"][place.row][1:]]
    if not settings.do_resize:
        return place.whole
    merged = settings.temporal_patch_size
    frames = merged if place.kind == "image" else place.frames
    scale = min(canvas[0] / place.height, canvas[1] / place.width)
    if frames * place.height * place.width >= merged * _cell(settings) ** 2 * settings.min_image_tokens:
        scale = min(1.0, scale)  # a picture that has pixels enough is not enlarged
    high, wide = (
        max(1, min(room, floor(n * scale))) for room, n in zip(canvas, (place.height, place.width), strict=True)
    )
    return (0.0, 0.0, canvas[1] * place.width / wide, canvas[0] * place.height / high)


def _cell(settings: Any) -> int:
    """Return how many pixels one token is wide, as the processor counts them when it looks at what a picture has."""
    side = int(settings.patch_size * settings.merge_size)
    return side if getattr(settings, "backend", None) == "pil" else side * int(settings.patch_expand_factor)
