"""Granite Docling: stretched to a grid of square tiles, row by row, and the whole picture in one tile after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.families.idefics3 import named_tiles, runs_of

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a view for each tile and a global one.

    ``tile_fine_mask`` says whether cells are half as wide, as the image processor's ``fine_route`` asks for.

    Raises
    ------
    LayoutError
        A tile is no square of whole cells, or the tiles are named in another order.
    """
    vision = place.config.vision_config
    high, wide = (int(n) for n in place.inputs["pixel_values"].shape[-2:])
    cell = int(vision.patch_size) * int(vision.scale_factor) // (2 if "tile_fine_mask" in place.inputs else 1)
    if high != wide or high % cell:
        raise LayoutError(f"{place} was cut into tiles of {wide}×{high} pixels, not into whole cells of {cell}")
    side = high // cell
    runs = runs_of(place)
    if len(runs) == 1:
        return [place.view("main", runs[0], side, side)]
    tiles = [place.view("tile", run, side, side).positions for run in runs[:-1]]
    _, across = named_tiles(place, runs[:-1])
    return [*place.tiles(np.stack(tiles), across, side, side), place.view("global", runs[-1], side, side)]
