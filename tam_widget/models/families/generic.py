"""A model of no known family: what its inputs state of the geometry is tried, and what they do not is refused.

The processor is given ramps in the place of the pictures: they show which part of a picture lies in which patch, so
stretched, cropped and padded pictures are all told apart, and patches in another order are noticed. That one patch,
or one square of them, makes one token, row by row, is the model's own matter: :func:`tam_widget.check_family` tries it.
"""

from __future__ import annotations

from dataclasses import replace
from math import isqrt, prod
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.families import qwen_vl
from tam_widget.models.families.extent import extent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]

_BATCH = 4  # dimensions of a batch of pictures
_CHANNELS = 3


def views(place: Place) -> list[View]:
    """Return one main view, or one for each frame of a video, where the inputs leave no doubt about it.

    That is: ``image_grid_thw`` or ``video_grid_thw`` with the merge size of the configuration; ``image_sizes`` that are
    whole patches of the resized picture; or a square number of tokens for one square, untiled picture.

    Raises
    ------
    LayoutError
        They leave a doubt; the message says what was found.
    """
    config = place.config
    vision = config.vision_config
    found = place.placeholders
    patch = vision.patch_size if isinstance(getattr(vision, "patch_size", None), int) else 0
    if f"{place.kind}_grid_thw" in place.inputs and hasattr(vision, "spatial_merge_size"):
        return _by_grid(place, patch)
    if place.kind == "image" and "image_sizes" in place.inputs:
        merge = getattr(config, "spatial_merge_size", None) or getattr(vision, "spatial_merge_size", None) or 1
        height, width = (int(n) for n in place.inputs["image_sizes"][place.row])
        cell = patch * int(merge)
        if cell and (height // cell) * (width // cell) == len(found):
            return [_in_one_piece(place, height, width, cell)]
    elif place.kind == "image" and isqrt(len(found)) ** 2 == len(found) == found[-1] - found[0] + 1:
        side = int(place.inputs["pixel_values"].shape[-1]) if "pixel_values" in place.inputs else 0
        cell = _cell(side, isqrt(len(found)), patch)
        if cell:
            return [_in_one_piece(place, side, side, cell)]
    raise _doubt(place, "its inputs do not state how {} was cut")


def _cell(pixels: int, cells: int, patch: int) -> int:
    """Return how many pixels of a square are one of so many cells, in whole patches where those are known; 0 if none.

    Pixels beyond the last whole patch are dropped by the vision tower.
    """
    count, unit = (pixels // patch, patch) if patch else (pixels, 1)
    return count // cells * unit if count % cells == 0 else 0


def _in_one_piece(place: Place, height: int, width: int, cell: int) -> View:
    """Return the view of a picture that stands in ``pixel_values`` in one piece, with what the ramps show in it."""

    def box() -> Box:
        shown = place.ramps.places("pixel_values")
        if shown is not None and shown.ndim == _BATCH and shown.shape[:2] == (place.beside, _CHANNELS):
            one = shown[place.row, :, :height, :width]
            found = extent(one[:2], (place.width, place.height), cell)
            if one.shape[1:] == (height, width) and found is not None and not np.nan_to_num(one[2]).any():
                return found
        raise _doubt(place, f"tried with ramps, its processor shows no {{}} in one piece of {width}×{height} pixels")

    kept = place.ramps.kept(("one piece", place.index, height, width, cell), box)
    return place.view("main", place.placeholders, height // cell, width // cell, kept)


def _by_grid(place: Place, patch: int) -> list[View]:
    """Return the views of a picture or video whose patches are counted, with what the ramps show in them."""
    views = qwen_vl.views(place)
    box, frames = place.ramps.kept(("grid", place.index, patch), lambda: _in_grid(place, patch))
    return [replace(view, box=box, frame=frame) for view, frame in zip(views, frames, strict=True)]


def _in_grid(place: Place, patch: int) -> tuple[Box, list[int]]:
    """Return what all patches together cover, and with which frame each of their layers in time begins."""
    shown = place.ramps.places("pixel_values" if place.kind == "image" else "pixel_values_videos")
    grids = [[int(n) for n in grid] for grid in place.inputs[f"{place.kind}_grid_thw"]]
    counts = [prod(grid) for grid in grids]
    merge = int(place.config.vision_config.spatial_merge_size)
    if shown is not None and len(shown) == sum(counts) and patch:
        first = sum(counts[: place.row])
        own = shown[first : first + counts[place.row]].reshape(counts[place.row], -1)
        for pixels in _laid_out(own, grids[place.row], merge, patch):
            frames = _frames(place, pixels[2], grids[place.row][0])
            one = pixels[:2, 0]
            box = extent(one, (place.width, place.height), patch * merge)
            if box is not None and frames is not None and np.allclose(pixels[:2], one[:, None], equal_nan=True):
                return box, frames
    raise _doubt(place, f"tried with ramps, its processor shows no {{}} in rows of patches as {place.kind}_grid_thw")


def _laid_out(shown: NDArray[np.float64], grid: list[int], merge: int, patch: int) -> Iterator[NDArray[np.float64]]:
    """Yield the pixels (3, frames, height, width) of patches (count, numbers), in the orders that processors write.

    Patches come row by row, or in the squares that are merged; in a patch, colours come first or last.
    """
    (time, high, wide), area = grid, patch * patch * _CHANNELS
    depth = shown.shape[1] // area
    if shown.shape[1] != depth * area or not depth:
        return
    squares = (time, high // merge, wide // merge, merge, merge)
    for inner in ((_CHANNELS, depth, patch, patch), (depth, patch, patch, _CHANNELS)):
        colour, layer, down, across = (5, 6, 7, 8) if inner[0] == _CHANNELS and inner[3] == patch else (8, 5, 6, 7)
        for outer, order in (
            (squares, (colour, 0, layer, 1, 3, down, 2, 4, across)),
            ((time, high // merge, merge, wide // merge, merge), (colour, 0, layer, 1, 2, down, 3, 4, across)),
        ):
            pixels = shown.reshape(*outer, *inner).transpose(order)
            yield pixels.reshape(_CHANNELS, time * depth, high * patch, wide * patch)


def _frames(place: Place, blue: NDArray[np.float64], layers: int) -> list[int] | None:
    """Return the frame with which each layer of patches begins, by its blue; None where they are in no order."""
    shades = [shade[~np.isnan(shade)] for shade in blue[:: len(blue) // layers]]
    numbers = [float(shade.mean()) * (place.frames - 1) if shade.size else -1.0 for shade in shades]
    frames = [round(number) for number in numbers]
    if place.frames == 1 and any(shade.any() for shade in shades):
        return None
    return frames if frames == sorted(set(frames)) and frames[0] == 0 else None


def _doubt(place: Place, what: str) -> LayoutError:
    return LayoutError(
        f"a model of type {place.config.model_type!r} is not known, and {what.format(place)}: "
        f"{len(place.placeholders)} vision tokens, {_shapes(place)}. tam_widget.register_family() can teach it, and "
        "tam_widget.check_family() say whether what was taught is right"
    )


def _shapes(place: Place) -> str:
    shapes = {name: tuple(value.shape) for name, value in place.inputs.items() if hasattr(value, "shape")}
    text = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items() if name not in text) or "no picture inputs"
