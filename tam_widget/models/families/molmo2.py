"""Molmo 2: the whole picture stretched to one square, then crops of it that overlap. A frame is stretched to a square.

The crops overlap so that each patch is seen with what surrounds it. Of the patches that two crops share, the model
keeps the one that lies further inside its crop: all that are kept make one grid over the picture, and each cell of it
(a square of patches, pooled) has one token. Where the last cells have too few patches, they reach beyond the picture.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a global view and one crop view of all crops together, or of a video one view for each frame.

    ``image_grids`` states the rows and columns of cells of the whole picture and of all crops, ``video_grids`` the
    frames, and the rows and columns of each.

    Raises
    ------
    LayoutError
        The image processor's settings lead to other grids, or the placeholders are not one for each cell.
    """
    if "pixel_values" in place.inputs and "pixel_values_videos" in place.inputs:
        raise LayoutError("a model of type 'molmo2' takes pictures or a video, not both (some frames as pictures work)")
    if place.kind == "video":
        return _frames(place)
    low_rows, low_columns, rows, columns = (int(n) for n in place.inputs["image_grids"][place.row])
    found, first = place.placeholders, low_rows * low_columns
    images = place.processor.image_processor
    side = images.size["height"]
    return [
        place.view(
            "global", found[:first], low_rows, low_columns, _box(place, images, (side, side), low_rows, low_columns)
        ),
        place.view("crop", found[first:], rows, columns, _box(place, images, _canvas(place, images), rows, columns)),
    ]


def _frames(place: Place) -> list[View]:
    videos = place.processor.video_processor
    count, rows, columns = (int(n) for n in place.inputs["video_grids"][place.row])
    side, found = videos.size["height"], place.placeholders
    if count != place.frames or len(found) % count:
        raise LayoutError(f"{place} has {len(found)} vision tokens in {count} frames; {place.frames} were given")
    box = _box(place, videos, (side, side), rows, columns)
    runs = found.reshape(count, -1)
    return [place.view("frame", run, rows, columns, box, number) for number, run in enumerate(runs)]


def _canvas(place: Place, images: Any) -> tuple[int, int]:
    """Return height and width of what all crops together show, the whole picture stretched."""
    from transformers.models.molmo2.image_processing_molmo2 import compute_crop_geometry

    high, wide = compute_crop_geometry(
        place.height,
        place.width,
        max_crops=images.max_crops,
        overlap_margins=images.overlap_margins,
        crop_size=images.size["height"],
        patch_size=images.patch_size,
    )[2:]
    return int(high), int(wide)


def _box(place: Place, settings: Any, pixels: Sequence[int], rows: int, columns: int) -> Box:
    """Return what a grid of cells covers, in pixels of the original: half of the missing patches lie before it."""
    edges = []
    for axis, (length, cells) in enumerate(zip(pixels, (rows, columns), strict=True)):
        patches, pool = length // settings.patch_size, settings.pooling_size[axis]
        if ceil(patches / pool) != cells:
            raise LayoutError(
                f"{place} has {rows}×{columns} cells where the settings of {type(settings).__name__} make "
                f"{pixels[0]}×{pixels[1]} pixels, patches of {settings.patch_size} and cells of {settings.pooling_size}"
            )
        before, scale = (cells * pool - patches) // 2, (place.height, place.width)[axis] / length
        edges += [(-before * settings.patch_size * scale, (cells * pool - before) * settings.patch_size * scale)]
    (top, bottom), (left, right) = edges
    return (left, top, right, bottom)
