"""Inkling: squares of the picture in its own size, row by row, padded at the right and at the bottom.

There is a column of squares more than needed where the picture's width is a multiple of theirs: all padding.
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view.

    Raises
    ------
    LayoutError
        The pictures are resized before they are cut, or there is another number of placeholders than of squares.
    """
    images = place.processor.image_processor
    if images.rescale_image_frac is not None:
        raise LayoutError(
            f"{place} is resized by rescale_image_frac={images.rescale_image_frac} before it is cut; "
            'image_kwargs={"rescale_image_frac": None} leaves it as it is'
        )
    side = int(images.size["height"])
    rows, columns = ceil(place.height / side), place.width // side + 1
    box = (0.0, 0.0, float(columns * side), float(rows * side))
    return [place.view("main", place.placeholders, rows, columns, box)]
