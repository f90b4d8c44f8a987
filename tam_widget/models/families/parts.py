"""What a processor states for all pictures, or all videos, one part after the other: which of it is whose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.place import Place

__all__ = ["own_parts"]


def own_parts(place: Place, tokens: Sequence[int]) -> slice:
    """Return which parts are this picture's or video's own; the tokens before it tell them.

    Parameters
    ----------
    place : Place
        The picture or video.
    tokens : sequence of int
        How many tokens each part of all pictures, or of all videos, has, in order.

    Raises
    ------
    LayoutError
        No parts begin and end with its placeholders.
    """
    found = place.placeholders
    ends = np.cumsum([0, *tokens])
    before = list(place.ids[: place.span[0]]).count(place.ids[found[0]])
    first, last = (np.flatnonzero(ends == count) for count in (before, before + len(found)))
    if not len(first) or not len(last):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens after {before} others, but its processor states parts of "
            f"{list(tokens)} tokens for all {place.kind}s"
        )
    return slice(int(first[0]), int(last[0]))
