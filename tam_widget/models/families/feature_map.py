"""Gemma 3n and FastVLM: a convolutional tower's feature map of one square picture, row by row."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError
from tam_widget.models.families import llava

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view of the part that the image processor left of the picture.

    Of a square picture these towers make a square map: Gemma 3n's is resampled to the tokens of its configuration,
    FastVLM's has one place for each stride of the tower.

    Raises
    ------
    LayoutError
        The picture was given to the tower as no square, or its tokens are not one for each of the map's places.
    """
    pixels = place.inputs["pixel_values"].shape[-2:]
    found = place.placeholders
    side = isqrt(len(found))
    if pixels[0] != pixels[1] or side * side != len(found) or pixels[0] % side:
        raise LayoutError(
            f"{place} has {len(found)} vision tokens for {pixels[1]}×{pixels[0]} pixels, which make no square map"
        )
    box = llava.shown(place, place.processor.image_processor, pixels, pixels[0] // side)[2]
    return [place.view("main", found, side, side, box)]
