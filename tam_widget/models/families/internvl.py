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

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a view for each tile and a global one; frames for a video.

    The processor says nothing of the grid. How many tiles there are follows from the number of placeholders, how they
    are arranged from the function that the image processor has for it; both must agree.

    Raises
    ------
    LayoutError
        They do not, or a tile is not square.
    """
    side = _side(place)
    found = place.placeholders
    count, rest = divmod(len(found), side * side)
    if rest:
        raise LayoutError(f"{place} has {len(found)} vision tokens, which are not tiles of {side}×{side}")
    runs = found.reshape(count, -1)
    if place.kind == "video":
        if count != place.frames or getattr(place.processor.video_processor, "do_center_crop", None):
            raise LayoutError(f"{place} has {count} tiles where one was due for each of {place.frames} uncropped frames")
        return [place.view("frame", run, side, side, frame=number) for number, run in enumerate(runs)]
    if count == 1:  # however the processor came to it, one tile shows the whole picture
        return [place.view("main", found, side, side)]
    across, down = _arrangement(place)
    if across * down != count - 1:
        raise LayoutError(f"{place} has {count - 1} tiles and a thumbnail where {down}×{across} tiles were due")
    return [*place.tiles(runs[:-1], across, side, side), place.view("global", runs[-1], side, side)]


def _side(place: Place) -> int:
    """Return the cells of a tile from one side to the other."""
    config = place.config
    high, wide = (int(n) for n in place.inputs["pixel_values"].shape[-2:])
    patch = config.vision_config.patch_size
    patches = {patch} if isinstance(patch, int) else set(patch)
    # Cells are made of squares of patches; InternVL's configuration has the side of one, the others' the number in it.
    factor = getattr(config, "downsample_factor", None) or round(1 / config.downsample_ratio)
    if high != wide or len(patches) > 1:
        raise LayoutError(f"{place} was cut into tiles of {wide}×{high} pixels and patches {patch}, not into squares")
    return high // patches.pop() // int(factor)


def _arrangement(place: Place) -> tuple[int, int]:
    """Return how many tiles lie side by side and one above the other, as the image processor decides it."""
    images = place.processor.image_processor
    given: dict[str, Any] = getattr(place.processor, "images_kwargs", None) or {}
    tile = tuple(int(n) for n in place.inputs["pixel_values"].shape[-2:])
    fewest, most = (given.get(name, getattr(images, name, None)) for name in ("min_patches", "max_patches"))
    for kind in type(images).__mro__:
        canvas = getattr(sys.modules[kind.__module__], "get_optimal_tiled_canvas", None)
        if canvas is not None:
            across, down = canvas((place.height, place.width), tile, fewest, most)
            return int(across), int(down)
    raise LayoutError(f"{type(images).__name__} does not say how it arranges the tiles of a picture")
