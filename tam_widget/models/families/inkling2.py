"""Inkling 2: squares of the picture in its own size, row by row, padded at the right and at the bottom."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view.

    ``image_grid_thw`` states the squares (1, rows, columns), each of which makes one token; ``size`` of the image
    processor is a square's, in pixels of the picture.

    Raises
    ------
    LayoutError
        There is another number of placeholders than of squares.
    """
    size = place.processor.image_processor.size
    _, rows, columns = (int(n) for n in place.inputs["image_grid_thw"][place.row])
    box = (0.0, 0.0, float(columns * size["width"]), float(rows * size["height"]))
    return [place.view("main", place.placeholders, rows, columns, box)]
