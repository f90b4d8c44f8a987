"""Gemma 3: the picture stretched to one square; with pan-and-scan, crops of it after that, from the left or the top."""

from __future__ import annotations

from math import ceil, isqrt
from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view, or a global one and a view for each crop.

    How many crops there are follows from the number of placeholders.

    Raises
    ------
    LayoutError
        The placeholders are not whole squares.
    """
    tokens = int(place.config.mm_tokens_per_image)
    side = isqrt(tokens)
    found = place.placeholders
    if len(found) % tokens:
        raise LayoutError(f"{place} has {len(found)} vision tokens, which are not squares of {tokens}")
    whole, *parts = found.reshape(-1, tokens)
    if not parts:
        return [place.view("main", whole, side, side)]
    crops = [
        place.view("crop", run, side, side, box) for run, box in zip(parts, _crops(place, len(parts)), strict=True)
    ]
    return [place.view("global", whole, side, side), *crops]


def _crops(place: Place, count: int) -> list[Box]:
    """Return the boxes of crops along the longer side: whole pixels, so that the last one may be smaller."""
    long = max(place.width, place.height)
    step = ceil(long / count)
    ends = [(float(start), float(min(start + step, long))) for start in range(0, step * count, step)]
    if place.width >= place.height:
        return [(start, 0.0, end, float(place.height)) for start, end in ends]
    return [(0.0, start, float(place.width), end) for start, end in ends]
