"""LLaVA-NeXT and its kin: the whole picture stretched to a square, then tiles of it at its own aspect ratio.

The tiles' cells are laid side by side, the rows and columns of padding cut off, and each row ended by a newline token,
which has the id of the vision tokens. A video is a run of frames, pooled; LLaVA-OneVision ends it with one newline.
"""

from __future__ import annotations

from fractions import Fraction
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.families import llava

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]

_SHRUNK_ABOVE = 1.1
"""LLaVA-OneVision's own threshold: with more cells than its maximum, in this ratio of their sides, it makes fewer."""


def views(place: Place) -> list[View]:
    """Return a global view and one tile view of all tiles together, or of a video one view for each frame.

    Of pictures that the processor was given as one group, LLaVA-OneVision sees each as one padded square: a main view.
    """
    if place.kind == "video":
        return _frames(place)
    vision = place.config.vision_config
    tile, cell = int(vision.image_size), _cell(place.config)
    _check_tile(place, tile)
    side = int(tile // cell)
    found = place.placeholders
    cut = float(side * cell / tile)  # the tower drops the pixels beyond the last whole patch
    groups = [int(n) for n in place.inputs.get("batch_num_images", ())]
    if groups and [n for n in groups for _ in range(n)][place.row] != 1:
        square = max(place.width, place.height)
        left, top = -float((square - place.width) // 2), -float((square - place.height) // 2)
        return [place.view("main", found[:-1], side, side, (left, top, left + square * cut, top + square * cut))]
    rows, columns, box = _tiled(place, tile, cell)
    whole, lines = found[: side * side], found[side * side :]
    if len(lines) != rows * (columns + 1):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {side}×{side} and {rows} lines of {columns} and a newline "
            "were due"
        )
    base = place.view("global", whole, side, side, (0.0, 0.0, place.width * cut, place.height * cut))
    if not rows * columns:
        return [base]
    return [base, place.view("tile", lines.reshape(rows, -1)[:, :-1], rows, columns, box)]


def _cell(config: Any) -> Fraction:
    """Return how many pixels of a tile a cell is wide: a patch's, or more where patches become fewer (Granite)."""
    rate = getattr(config, "downsample_rate", None) or 1
    return int(config.vision_config.patch_size) / Fraction(rate)


def _check_tile(place: Place, tile: int) -> None:
    """Make sure that the processor cuts tiles of the size that the vision tower takes, and changes none of them."""
    images = place.processor.image_processor
    settings = [images.size, images.crop_size or {}]
    named = {setting.get(name) for setting in settings for name in ("shortest_edge", "height", "width")}
    sides = (named - {None}) | set(place.inputs["pixel_values"].shape[-2:])
    if sides != {tile}:
        raise LayoutError(
            f"{type(images).__name__} makes tiles of {sorted(sides)} pixels where the vision tower takes {tile}"
        )


def _tiled(place: Place, tile: int, cell: Fraction) -> tuple[int, int, Box]:
    """Return the rows and columns of cells that the model keeps of the tiles, and what they cover."""
    import torch
    from transformers.image_processing_utils import get_patch_output_size, select_best_resolution
    from transformers.models.llava_next.modeling_llava_next import unpad_image

    size = [int(n) for n in place.inputs["image_sizes"][place.row]]
    canvas = select_best_resolution(size, place.processor.image_processor.image_grid_pinpoints)
    if canvas != select_best_resolution(size, place.config.image_grid_pinpoints) or any(n % tile for n in canvas):
        raise LayoutError(
            f"{place} was cut from {canvas[1]}×{canvas[0]} pixels, which the model does not take for tiles of {tile}"
        )
    side = int(tile // cell)
    grid = [n // tile * side for n in canvas]
    # The model's own function says which cells it keeps, by rounding that differs from the processor's.
    kept = unpad_image(torch.arange(grid[0] * grid[1]).reshape(1, *grid), size)[0]
    if not kept.numel():  # nothing but newlines, of a picture many times as long as wide
        return int(kept.shape[0]), int(kept.shape[1]), place.whole
    corner = divmod(int(kept[0, 0]), grid[1])
    resized = get_patch_output_size(np.empty((1, *size), np.uint8), canvas, "channels_first")
    edges = []
    for axis, original in enumerate((place.height, place.width)):
        padding, scale = (canvas[axis] - resized[axis]) // 2, original / resized[axis]
        first, last = corner[axis], corner[axis] + kept.shape[axis] - 1
        # A tile may be a little larger than its cells together: one grid lies on several tiles to half a cell.
        start, end = (tile * (number // side) + cell * (number % side) for number in (first, last))
        edges.append((float((start - padding) * scale), float((end + cell - padding) * scale)))
    rows, columns = _shrunk(place, int(kept.shape[0]), int(kept.shape[1]), side)
    (top, bottom), (left, right) = edges
    return rows, columns, (left, top, right, bottom)


def _shrunk(place: Place, rows: int, columns: int, side: int) -> tuple[int, int]:
    """Return how many cells are left of too many, interpolated over the same box."""
    limit = getattr(place.config, "vision_aspect_ratio", None)
    if limit is None:
        return rows, columns
    ratio = sqrt(rows * columns / (int(limit.removeprefix("anyres_max_")) * side**2))
    return (int(rows // ratio), int(columns // ratio)) if ratio > _SHRUNK_ABOVE else (rows, columns)


def _frames(place: Place) -> list[View]:
    """Return a view for each frame: the square that is shown of it, its patches pooled."""
    count, _, *pixels = place.inputs["pixel_values_videos"][place.row].shape
    patch = int(place.config.vision_config.patch_size)
    rows, columns, box = llava.shown(place, place.processor.video_processor, pixels, patch)
    rows, columns, newlines = _pooled(place, rows, columns)
    found = place.placeholders
    if count != place.frames or len(found) != count * rows * columns + newlines:
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {place.frames} frames of {rows}×{columns} and {newlines} "
            "newlines were due"
        )
    runs = found[: count * rows * columns].reshape(count, -1)
    return [place.view("frame", run, rows, columns, box, number) for number, run in enumerate(runs)]


def _pooled(place: Place, rows: int, columns: int) -> tuple[int, int, int]:
    """Return the rows and columns of cells that a frame's patches become, and the newlines after the last frame."""
    stride = getattr(place.config, "spatial_pool_stride", None)
    if stride is None:  # LLaVA-OneVision interpolates, so that nothing is left over
        return ceil(rows / 2), ceil(columns / 2), 1
    if rows != columns or rows % stride:  # LLaVA-NeXT-Video takes every frame for a square
        raise LayoutError(f"the frames of {place} have {rows}×{columns} patches, which are no square of {stride}s")
    return rows // stride, columns // stride, 0
