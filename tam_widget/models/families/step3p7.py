"""Step 3.7: square windows of the picture, row by row, where it is large or long; then the whole of it, stretched.

Of a strip of a few pixels, the model is shown a square: the strip at the top or the left, and black.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]

_HALVINGS = 4
"""Patches of a cell from one side to the other: two convolutions that halve the tower's grid."""


def views(place: Place) -> list[View]:
    """Return a main view for a picture without windows, else a view for each window and a global one.

    ``num_local_patches`` states the windows; their rows are counted by the tokens that the processor writes between
    them. The picture is stretched to whole windows first, so they are of one size.

    Raises
    ------
    LayoutError
        The windows make no grid, or one is no square of whole cells.
    """
    count = int(place.inputs["num_local_patches"][place.row])
    found = place.placeholders
    images = place.processor.image_processor
    length = float(max(place.width, place.height))
    strip = images._is_extreme_aspect(place.width, place.height)  # noqa: SLF001 - by no other way is it said
    shown = (0.0, 0.0, length, length) if strip else place.whole
    whole = _side(place, "pixel_values")
    if not count:
        return [place.view("main", found, whole, whole, shown)]
    side = _side(place, "pixel_values_local")
    local = count * side * side
    rows = 1 + len(place.positions(place.processor.tokenizer.convert_tokens_to_ids("<patch_newline>")))
    if count % rows or len(found) != local + whole * whole:
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {count} windows of {side}×{side} in {rows} rows and "
            f"{whole}×{whole} were due"
        )
    windows = place.tiles(found[:local].reshape(count, -1), count // rows, side, side, shown)
    return [*windows, place.view("global", found[local:], whole, whole, shown)]


def _side(place: Place, name: str) -> int:
    """Return the cells of a square from one side to the other."""
    high, wide = (int(n) for n in place.inputs[name].shape[-2:])
    cell = int(place.config.vision_config.patch_size) * _HALVINGS
    if high != wide or high % cell:
        raise LayoutError(f"{place} was shown as {wide}×{high} pixels, not as a square of whole cells of {cell}")
    return high // cell
