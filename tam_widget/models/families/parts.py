"""Grids that a processor states for all pictures, or all videos, one after the other: which of them are whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.place import Place

__all__ = ["own_grids"]


def own_grids(place: Place, grids: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return those of several grids that are this picture's or video's own; the tokens before it tell them.

    Parameters
    ----------
    place : Place
        The picture or video.
    grids : sequence of (int, int)
        Rows and columns of cells of each part of all pictures, or of all videos, in order.

    Raises
    ------
    LayoutError
        There are no parts that begin and end with its placeholders.
    """
    found = place.placeholders
    ends = np.cumsum([0, *(rows * columns for rows, columns in grids)])
    before = list(place.ids[: place.span[0]]).count(place.ids[found[0]])
    first, last = (np.flatnonzero(ends == tokens) for tokens in (before, before + len(found)))
    if not len(first) or not len(last):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens after {before} others, but its processor states {list(grids)} "
            f"cells for the parts of all {place.kind}s"
        )
    return list(grids[first[0] : last[0]])
