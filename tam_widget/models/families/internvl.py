"""InternVL, Aya Vision and Cohere2 Vision: stretched to a grid of square tiles, row by row, and a thumbnail after them.

A video is a run of frames, each stretched to one tile.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["tiled", "views"]


def views(place: Place) -> list[View]:
    """Return what :func:`tiled` does; a cell is a square of patches, so many to a side as the configuration says."""
    config = place.config
    # InternVL's has the inverse of it.
    return tiled(place, getattr(config, "downsample_factor", None) or round(1 / config.downsample_ratio))


def tiled(place: Place, factor: int) -> list[View]:
    """Return a main view for a picture of one tile, else a view for each tile and a global one; frames for a video.

    The processor does not say how many tiles there are and how they lie. The number of placeholders says the first, and
    the function by which the image processor arranges tiles the second; both must agree.

    Parameters
    ----------
    place : Place
        The picture or video.
    factor : int
        Patches of a cell from one side to the other.

    Raises
    ------
    LayoutError
        They do not, or a tile is no square of whole cells.
    """
    side = _side(place, factor)
    found = place.placeholders
    count, rest = divmod(len(found), side * side)
    if rest:
        raise LayoutError(f"{place} has {len(found)} vision tokens, which are not tiles of {side}×{side}")
    runs = found.reshape(count, -1)
    if place.kind == "video":
        if getattr(place.processor.video_processor, "do_center_crop", None):
            raise LayoutError(f"the video processor crops the frames of {place}; set its do_center_crop to False")
        if count != place.frames:
            raise LayoutError(f"{place} has {count} tiles where one was due for each of {place.frames} frames")
        return [place.view("frame", run, side, side, frame=number) for number, run in enumerate(runs)]
    if count == 1:  # however the processor came to it, one tile shows the whole picture
        return [place.view("main", found, side, side)]
    across, down = _arrangement(place)
    if across * down != count - 1:
        raise LayoutError(f"{place} has {count - 1} tiles and a thumbnail where {down}×{across} tiles were due")
    return [*place.tiles(runs[:-1], across, side, side), place.view("global", runs[-1], side, side)]


def _side(place: Place, factor: int) -> int:
    """Return the cells of a tile from one side to the other."""
    high, wide = (int(n) for n in place.inputs["pixel_values"].shape[-2:])
    patch = place.config.vision_config.patch_size
    patch_high, patch_wide = (patch, patch) if isinstance(patch, int) else patch
    if high != wide or patch_high != patch_wide or high % (patch_high * factor):
        raise LayoutError(
            f"{place} was cut into tiles of {wide}×{high} pixels and patches of {patch_wide}×{patch_high}, not into "
            f"squares of whole cells of {factor} patches a side"
        )
    return int(high // (patch_high * factor))


def _arrangement(place: Place) -> tuple[int, int]:
    """Return how many tiles lie side by side and one above the other, as the image processor decides it."""
    images = place.processor.image_processor
    given: dict[str, Any] = getattr(place.processor, "images_kwargs", None) or {}
    tile = tuple(place.inputs["pixel_values"].shape[-2:])
    fewest, most = (given.get(name, getattr(images, name, None)) for name in ("min_patches", "max_patches"))
    for kind in type(images).__mro__:
        canvas = getattr(sys.modules[kind.__module__], "get_optimal_tiled_canvas", None)
        if canvas is not None:
            across, down = canvas((place.height, place.width), tile, fewest, most)
            return int(across), int(down)
    raise LayoutError(f"{type(images).__name__} does not say how it arranges the tiles of a picture")
