"""Ovis2: a thumbnail of the whole picture, then square tiles of the stretched picture, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a global one and a view for each tile.

    The rows and columns are read off the tokens that the processor writes between tiles.

    Raises
    ------
    LayoutError
        The tokens make no grid, or a tile is no square of whole cells.
    """
    side = _side(place)
    found = place.placeholders
    whole, tiles = found[: side * side], found[side * side :]
    if not len(tiles):
        return [place.view("main", whole, side, side)]
    within, between = (
        len(place.positions(place.processor.tokenizer.convert_tokens_to_ids(name)))
        for name in ("<IMG_COL>", "<IMG_ROW>")
    )
    down = between + 1
    across = within // down + 1
    if within != (across - 1) * down or len(tiles) != across * down * side * side:
        raise LayoutError(
            f"{place} has {len(tiles)} vision tokens in tiles of {side}×{side}, with {within} breaks between columns "
            f"and {between} between rows"
        )
    return [place.view("global", whole, side, side), *place.tiles(tiles, across, side, side)]


def _side(place: Place) -> int:
    """Return the cells of a tile from one side to the other."""
    vision = place.config.vision_config
    high, wide = (int(n) for n in place.inputs["pixel_values"].shape[-2:])
    cell = int(vision.patch_size) * int(vision.hidden_stride)
    if getattr(place.processor.image_processor, "do_center_crop", None):
        raise LayoutError(f"the image processor crops the tiles of {place}; set its do_center_crop to False")
    if high != wide or high % cell:
        raise LayoutError(
            f"{place} was cut into tiles of {wide}×{high} pixels, not into squares of whole cells of {cell}"
        )
    return high // cell
