"""Pictures of things before a ground, with soft shadows, and the exact mask of each."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageFilter

from tam_widget.demo.scenery.drawing import Item
from tam_widget.demo.scenery.things.grounds import GROUNDS, draw_ground
from tam_widget.demo.scenery.things.packed import packed_picture

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.demo.scenery.drawing import Placement
    from tam_widget.demo.scenery.things.catalogue import Artist

__all__ = ["PlacedThing", "draw_things", "shape_of", "share_hidden"]

_MARGIN = 3  # pixels around a drawing, so that its edge stays soft when it is turned
_COARSE = 4
_SHADOW = 0.42  # how dark it is at most
# As shares of a thing's longer side: how far its shadow falls, right and down, and how soft it is.
_FALL, _SOFT = (0.02, 0.05), 0.045


@dataclass(frozen=True)
class PlacedThing(Item):
    """A thing of a scene; its `shape` is its name, and its radius half of the longer side of its drawing.

    Attributes
    ----------
    artist : str
    flipped : bool
        Whether it looks the other way.
    """

    artist: Artist = "fluent"
    flipped: bool = False

    @property
    def short(self) -> str:
        """Its name: what colour it is, is not said in passing."""
        return self.shape

    @property
    def name(self) -> str:
        """The thing as a caption names it."""
        return self.shape


def shape_of(name: str, artist: Artist) -> tuple[float, float]:
    """Return the width and height of a drawing, as shares of the longer one."""
    width, height = (side - 2 * _MARGIN for side in _drawing(name, artist).size)
    longer = max(width, height)
    return width / longer, height / longer


def share_hidden(behind: PlacedThing, front: PlacedThing, width: int, height: int) -> float:
    """Return which share of a thing another one hides, measured at a quarter of the picture's size."""
    whole = (slice(0, height // _COARSE), slice(0, width // _COARSE))
    back, over = (
        _layer(replace(item, x=item.x / _COARSE, y=item.y / _COARSE, radius=item.radius / _COARSE), whole)[..., 3]
        for item in (behind, front)
    )
    return float((np.minimum(back, over)).sum() / back.sum())


def draw_things(
    placements: Sequence[Placement], ground: str, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw pictures of the same things before the same ground.

    Parameters
    ----------
    placements : sequence of Placement
        F pictures of one size, of :class:`PlacedThing`; what comes later in a picture lies on what comes before.
    ground : str
        Its name.
    rng : numpy.random.Generator

    Returns
    -------
    pixels : ndarray of uint8, shape (F, height, width, 3)
    masks : ndarray of bool, shape (F, things, height, width)
        True where a thing is seen in more than half of the pixel.
    """
    width, height = placements[0].width, placements[0].height
    empty = draw_ground(GROUNDS[ground], rng, width, height)
    light = [np.float32(rng.uniform(0.92, 1.06)) for _ in placements[0].items]
    drawn = [_paint(empty, placement, light) for placement in placements]
    pixels = np.stack([pixels for pixels, _ in drawn])
    return np.clip(pixels + 0.5, 0, 255).astype(np.uint8), np.stack([masks for _, masks in drawn])


def _paint(
    ground: NDArray[np.float32], placement: Placement, light: Sequence[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Lay each thing, after its shadow, over the ones before it; return pixels and what is left to see of each."""
    pixels = ground.copy()
    seen = np.zeros((len(placement.items), *pixels.shape[:2]), np.float32)
    for number, (item, brightness) in enumerate(zip(placement.items, light, strict=True)):
        if not item.shown:
            continue
        assert isinstance(item, PlacedThing)  # noqa: S101 - nothing else is placed in such scenes
        part = _around(item, placement.width, placement.height)
        layer = _layer(item, part)
        covers = layer[..., 3] / np.float32(255)
        under = pixels[part] * (1 - np.float32(_SHADOW) * _shadow(covers, item))[..., None]
        pixels[part] = under + covers[..., None] * (layer[..., :3] * brightness - under)
        seen[:number][:, *part] *= 1 - covers
        seen[number][part] = covers
    return pixels, seen > 0.5  # noqa: PLR2004


def _around(item: Item, width: int, height: int) -> tuple[slice, slice]:
    """Return the rows and columns of the part of a picture that holds a thing, however it is turned, and its shadow."""
    reach = 1.75 * item.radius
    return tuple(  # type: ignore[return-value]  # of two
        slice(max(0, math.floor(at - reach)), min(side, math.ceil(at + reach)))
        for at, side in ((item.y, height), (item.x, width))
    )


def _layer(item: PlacedThing, part: tuple[slice, slice]) -> NDArray[np.float32]:
    """Draw a thing alone on a transparent picture, of a part of the whole, from 0 to 255; colours last."""
    drawing = _drawing(item.shape, item.artist)
    if item.flipped:
        drawing = drawing.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = max(drawing.size) - 2 * _MARGIN
    scale = side / (2 * item.radius)
    if scale > 1:  # what shrinks is averaged first
        drawing = drawing.resize([round(side / scale) for side in drawing.size], Image.Resampling.BICUBIC)
        scale = 1.0
    # From a pixel of the part to one of the drawing: shifted, turned back, scaled.
    cos, sin = math.cos(item.rotation) * scale, math.sin(item.rotation) * scale
    x, y = item.x - part[1].start, item.y - part[0].start
    matrix = (
        *(cos, sin, drawing.width / 2 - cos * x - sin * y),
        *(-sin, cos, drawing.height / 2 + sin * x - cos * y),
    )
    size = (part[1].stop - part[1].start, part[0].stop - part[0].start)
    turned = drawing.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)
    layer = np.array(turned, np.float32)
    layer[..., :3] *= 255 / np.maximum(layer[..., 3:], 1)
    return np.clip(layer, 0, 255)


def _shadow(covers: NDArray[np.float32], item: Item) -> NDArray[np.float32]:
    """Return how dark the shadow of a thing that covers so much is, from 0 to 1."""
    side = 2 * item.radius
    cast = Image.fromarray((255 * covers).astype(np.uint8)).filter(ImageFilter.GaussianBlur(_SOFT * side))
    moved = Image.new("L", cast.size)
    moved.paste(cast, (round(_FALL[0] * side), round(_FALL[1] * side)))
    return np.asarray(moved, np.float32) / np.float32(255)


@functools.cache
def _drawing(name: str, artist: Artist) -> Image.Image:
    """Return a drawing, its colours multiplied by its coverage, as ``RGBA`` that is never shown as it is."""
    drawn = np.asarray(packed_picture("drawings.zip", f"{name}-{artist}.webp").convert("RGBA"), np.float32)
    multiplied = drawn.copy()
    multiplied[..., :3] *= drawn[..., 3:] / 255
    framed = np.pad(multiplied, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)))
    return Image.fromarray((framed + 0.5).astype(np.uint8))
