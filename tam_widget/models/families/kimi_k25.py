"""Kimi K2.5: the whole picture at its own aspect ratio, never enlarged, and padded at the right and the bottom.

A video is a run of chunks of a few frames, the whole of each pooled to one grid, with its time before it.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError
from tam_widget.models.families.parts import own_parts

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and one view for each chunk of a video.

    ``image_grid_thw`` states the patches of each picture and ``video_grid_thw`` those of each chunk of all videos;
    ``merge_kernel_size`` of them make one token.

    Raises
    ------
    LayoutError
        They are not as many as the placeholders have room for, or the settings do not lead to them.
    """
    high, wide = (int(n) for n in place.config.vision_config.merge_kernel_size)
    grids = [(int(rows) // high, int(columns) // wide) for _, rows, columns in place.inputs[f"{place.kind}_grid_thw"]]
    own = grids[own_parts(place, [rows * columns for rows, columns in grids])]
    settings: Any = getattr(place.processor, f"{place.kind}_processor")
    box = _canvas(
        place, settings, [n * side * settings.patch_size for n, side in zip(own[0], (high, wide), strict=True)]
    )
    if place.kind == "image":
        return [place.view("main", place.placeholders, *own[0], box)]
    every = int(settings.temporal_patch_size)
    if any(int(frames) > 1 for frames, _, _ in place.inputs["video_grid_thw"]):
        # The model in transformers 5.23 counts a chunk's tokens for each of its frames, and fails on its own count.
        raise LayoutError(
            f"{place} was cut into chunks of {every} frames, which this model fails on; pass "
            'video_kwargs={"temporal_patch_size": 1}, or some frames as pictures'
        )
    if len(own) != ceil(place.frames / every) or len(set(own)) != 1:
        raise LayoutError(
            f"{place} of {place.frames} frames has chunks of {own} cells where one was due for {every} frames"
        )
    runs = place.placeholders.reshape(len(own), -1)
    return [place.view("frame", run, *own[0], box, number * every) for number, run in enumerate(runs)]


def _canvas(place: Place, settings: Any, canvas: list[int]) -> Box:
    """Return what the canvas of whole cells covers; the picture lies in its upper left corner."""
    from transformers.models.kimi_k25.image_processing_kimi_k25 import navit_resize

    if not settings.do_resize:
        return place.whole
    (high, wide), padded = navit_resize(
        place.height,
        place.width,
        patch_size=settings.patch_size,
        merge_kernel_size=settings.merge_size,
        max_patches=settings.max_patches,
        max_size_per_side=settings.size["max_height"],
    )
    if list(padded) != canvas:
        raise LayoutError(
            f"{place} lies on {canvas[1]}×{canvas[0]} pixels where the settings of {type(settings).__name__} make "
            f"{padded[1]}×{padded[0]}"
        )
    return (0.0, 0.0, canvas[1] * place.width / wide, canvas[0] * place.height / high)
