"""HunyuanVL: the whole picture, stretched to whole patches, merged in squares, row by row.

Each row is ended by a newline token; a token stands before the first and after the last one. All have the id of the
vision tokens, and show no part of the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view.

    ``image_grid_thw`` states the patches; ``spatial_merge_size`` squared of them make one token.

    Raises
    ------
    LayoutError
        There are other tokens than these rows, their newlines and two.
    """
    merge = int(place.config.vision_config.spatial_merge_size)
    rows, columns = (int(n) // merge for n in place.inputs["image_grid_thw"][place.row][1:])
    found = place.placeholders
    if len(found) != rows * (columns + 1) + 2:
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {rows} lines of {columns} and a newline, and one token "
            "before and one after them were due"
        )
    return [place.view("main", found[1:-1].reshape(rows, columns + 1)[:, :-1], rows, columns)]
