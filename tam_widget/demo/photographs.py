"""Photographs of things that scenes have too, with masks that were drawn by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw

from tam_widget.demo.scenery.language import sentence, with_article
from tam_widget.demo.scenery.things.packed import packed_picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["PHOTOS", "Photo", "photo"]

# The outline of each thing, as x and y of its corners in pixels.
_OUTLINES: dict[str, dict[str, tuple[int, ...]]] = {
    "camera": {
        "camera": (
            *(197, 111, 200, 108, 225, 109, 247, 111, 248, 108, 253, 108, 254, 120, 250, 122, 249, 142, 240, 143),
            *(225, 144, 208, 139, 203, 137, 203, 120, 198, 117),
        )
    },
    "cat": {
        "cat": (
            *(36, 0, 30, 40, 27, 75, 28, 102, 12, 112, 0, 125, 0, 265, 285, 265, 278, 235, 276, 205, 298, 180),
            *(316, 150, 321, 120, 318, 95, 312, 68, 325, 50, 334, 25, 348, 5, 350, 0),
        )
    },
    "coffee": {
        "cup": (
            *(115, 70, 118, 50, 128, 33, 146, 20, 168, 13, 192, 12, 218, 14, 241, 22, 258, 35, 269, 52, 272, 72),
            *(271, 90, 266, 108, 258, 128, 250, 146, 240, 158, 228, 163, 214, 167, 212, 174, 219, 178, 216, 186),
            *(200, 190, 180, 190, 165, 180, 160, 190, 152, 202, 144, 205, 134, 200, 131, 189, 138, 170, 147, 156),
            *(135, 145, 124, 128, 118, 105),
        )
    },
    "rocket": {
        "rocket": (
            *(201, 79, 205, 84, 208, 92, 209, 110, 207, 114, 208, 150, 208, 253, 194, 253, 194, 114, 193, 110),
            *(194, 92, 197, 84),
        )
    },
}
PHOTOS = tuple(_OUTLINES)
"""The names of the photographs."""


@dataclass(frozen=True, eq=False)
class Photo:
    """A photograph with a mask of what it shows.

    Attributes
    ----------
    name : str
    image : PIL.Image.Image
        RGB, 400 pixels wide.
    masks : dict of str to ndarray of bool, shape (height, width)
        By the name of a thing, where it is; drawn by hand, and right to a few pixels.
    prompt : str
        What to ask.
    caption : str
        What there is: "There is a cat." A model that also tells where it is, is no less right.
    """

    name: str
    image: Image.Image
    masks: dict[str, NDArray[np.bool_]]
    prompt: str
    caption: str

    @property
    def media(self) -> dict[str, Any]:
        """The photograph as :func:`tam_widget.explain` takes it."""
        return {"images": [self.image]}

    def mask(self, word: str) -> NDArray[np.bool_]:
        """Return where a thing is, shape (height, width).

        Raises
        ------
        KeyError
            The photograph has no mask of that name.
        """
        if word not in self.masks:
            raise KeyError(f"there is no mask of {word!r} in this photograph; there is: {', '.join(self.masks)}")
        return self.masks[word]


def photo(name: str) -> Photo:
    """Open a photograph; none of them was used in any training.

    Parameters
    ----------
    name : {"camera", "cat", "coffee", "rocket"}

    Raises
    ------
    ValueError
        There is no photograph of this name.
    """
    if name not in _OUTLINES:
        raise ValueError(f"there is no photograph {name!r}; there are {', '.join(PHOTOS)}")
    image = packed_picture("photographs.zip", f"{name}.webp").convert("RGB")
    masks = {thing: _inside(outline, *image.size) for thing, outline in _OUTLINES[name].items()}
    things = " and ".join(map(with_article, masks))
    return Photo(name, image, masks, "Describe this image.", sentence(f"there is {things}"))


def _inside(outline: tuple[int, ...], width: int, height: int) -> NDArray[np.bool_]:
    canvas = Image.new("1", (width, height))
    ImageDraw.Draw(canvas).polygon(outline, fill=1)
    return np.array(canvas, bool)
