"""Scenes: pictures of a few simple things, drawn together with the exact mask of each.

A scene is placed first (:func:`place`), then drawn (:func:`draw`): training draws thousands of placements,
:func:`scene` gives one of them to a person.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHAPES = ("circle", "square", "triangle", "star", "cross")
COLOURS = {
    "red": (220, 40, 40),
    "green": (40, 170, 60),
    "blue": (45, 80, 220),
    "yellow": (240, 215, 40),
    "purple": (150, 50, 190),
    "orange": (245, 135, 25),
}
# Radii as shares of the scene's scale. On the 16×16 grid of a 224-pixel scene a small thing is 4 cells wide, a large
# one 6 to 7: the filter's 3×3 window erodes what is smaller than 4 cells.
SIZES = {"small": (0.12, 0.14), "large": (0.185, 0.21)}
SCALE = 1.1  # a scene's scale, as a share of its shorter side

_SUPERSAMPLING = 2
_TEXTURE_SIDE = 512
_MAX_TRIES = 500


@dataclass(frozen=True)
class Item:
    """One thing of a scene: what it is and where; lengths in pixels, rotation in radians."""

    shape: str
    colour: str
    size: str
    x: float
    y: float
    radius: float
    rotation: float

    @property
    def name(self) -> str:
        """The thing as a caption names it, such as ``"large blue triangle"``."""
        return f"{self.size} {self.colour} {self.shape}"


@dataclass(frozen=True)
class Placement:
    """Where the things of a scene are, in the order in which its caption names them."""

    width: int
    height: int
    items: tuple[Item, ...]


def place(
    rng: np.random.Generator, width: int, height: int, *, objects: int | None = None, scale: float | None = None
) -> Placement:
    """Place things so that they do not overlap and so that every caption about them is unambiguous.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where all chance comes from.
    width, height : int
        Size of the picture in pixels.
    objects : int, optional
        How many things; 1 to 3 by chance when left out. Where they do not fit, one fewer is placed.
    scale : float, optional
        The length in pixels that :data:`SIZES` are shares of; 1.1 × the shorter side when left out.
    """
    if scale is None:
        scale = SCALE * min(width, height)
    if objects is None:
        objects = int(rng.choice([1, 2, 3], p=[0.25, 0.4, 0.35]))
    for _ in range(_MAX_TRIES):
        items = _order([_item(rng, width, height, scale) for _ in range(objects)])
        if _acceptable(items, width, height, scale):
            return Placement(width, height, tuple(items))
    if objects == 1:
        raise ValueError(f"a thing of scale {scale:.0f} does not fit into {width}×{height} pixels")
    return place(rng, width, height, objects=objects - 1, scale=scale)


def draw(placement: Placement, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a placement on a softly graded, noisy ground.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width, 3)
    masks : ndarray of bool, shape (objects, height, width)
        True where a thing covers more than half of the pixel.
    """
    width, height = placement.width, placement.height
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    right = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    ground = rng.uniform(60, 225) + rng.uniform(-12, 12, 3)
    slope = rng.uniform(-28, 28, 2)
    pixels = ground.astype(np.float32) + np.float32(slope[0]) * right + np.float32(slope[1]) * down
    masks = []
    for item in placement.items:
        coverage = _coverage(item, width, height)
        colour = np.array(COLOURS[item.colour], np.float32) + rng.uniform(-14, 14, 3).astype(np.float32)
        pixels = pixels + coverage[..., None] * (colour - pixels)
        masks.append(coverage > 0.5)  # noqa: PLR2004
    top, left = rng.integers(_TEXTURE_SIDE - height), rng.integers(_TEXTURE_SIDE - width)
    pixels = pixels + np.float32(rng.uniform(1, 7)) * _texture()[top : top + height, left : left + width]
    return np.clip(pixels, 0, 255).astype(np.uint8), np.stack(masks)


@functools.cache
def _texture() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 1, (_TEXTURE_SIDE, _TEXTURE_SIDE, 3)).astype(np.float32)


def _item(rng: np.random.Generator, width: int, height: int, scale: float) -> Item:
    size = "small" if rng.random() < 0.5 else "large"  # noqa: PLR2004
    radius = rng.uniform(*SIZES[size]) * scale
    return Item(
        shape=SHAPES[rng.integers(len(SHAPES))],
        colour=list(COLOURS)[rng.integers(len(COLOURS))],
        size=size,
        x=rng.uniform(radius + 3, max(radius + 3, width - radius - 3)),
        y=rng.uniform(radius + 3, max(radius + 3, height - radius - 3)),
        radius=radius,
        rotation=rng.uniform(-0.22, 0.22),
    )


def side_by_side(first: Item, second: Item) -> bool:
    """Whether two things stand more beside than above each other."""
    return abs(first.x - second.x) > abs(first.y - second.y)


def _order(items: list[Item]) -> list[Item]:
    """Left to right; two things that stand above each other, top to bottom."""
    if len(items) == 2 and not side_by_side(*items):  # noqa: PLR2004
        return sorted(items, key=lambda item: item.y)
    return sorted(items, key=lambda item: item.x)


def place_name(item: Item, width: int, height: int) -> str | None:
    """Name the ninth of the picture that a thing is in, such as ``"top left"``; None too close to a border of it."""
    margin = 0.035
    x, y = item.x / width, item.y / height
    if min(abs(value - third) for value in (x, y) for third in (1 / 3, 2 / 3)) < margin:
        return None
    row = ("top", "", "bottom")[int(y * 3)]
    column = ("left", "", "right")[int(x * 3)]
    return f"{row} {column}".strip() or "center"


def _acceptable(items: list[Item], width: int, height: int, scale: float) -> bool:
    if len({(item.shape, item.colour) for item in items}) < len(items):
        return False
    pairs = [(a, b) for i, a in enumerate(items) for b in items[:i]]
    if any(math.hypot(a.x - b.x, a.y - b.y) < a.radius + b.radius + 5 for a, b in pairs):
        return False
    if any(i.x + i.radius > width or i.y + i.radius > height for i in items):
        return False
    match items:
        case [only]:
            return place_name(only, width, height) is not None
        case [first, second]:  # a relation must not hang on a few pixels
            return abs(abs(first.x - second.x) - abs(first.y - second.y)) >= 0.12 * scale
        case _:
            return min(b.x - a.x for a, b in itertools.pairwise(items)) >= 0.12 * width


def _outline(item: Item) -> list[tuple[float, float]]:
    """Corners of a shape around (0, 0) for radius 1, before its rotation; a circle has none."""

    def ring(radii: list[float], start: float) -> list[tuple[float, float]]:
        step = 2 * math.pi / len(radii)
        return [(r * math.cos(start + i * step), r * math.sin(start + i * step)) for i, r in enumerate(radii)]

    match item.shape:
        case "square":
            return ring([1.0] * 4, math.pi / 4)
        case "triangle":
            return ring([1.08] * 3, -math.pi / 2)
        case "star":
            return ring([1.08, 0.5] * 5, -math.pi / 2)
        case "cross":
            arm, end = 0.38, 1.0
            quarter = [(arm, -end), (arm, -arm), (end, -arm)]
            corners = []
            for _ in range(4):
                corners += quarter
                quarter = [(-y, x) for x, y in quarter]
            return corners
        case _:
            return []


def _coverage(item: Item, width: int, height: int) -> NDArray[np.float32]:
    """Share of each pixel that a thing covers, shape (height, width), in [0, 1]; drawn at twice the size."""
    k = _SUPERSAMPLING
    canvas = Image.new("L", (width * k, height * k), 0)
    pen = ImageDraw.Draw(canvas)
    if item.shape == "circle":
        r = item.radius * 0.93
        pen.ellipse([(item.x - r) * k, (item.y - r) * k, (item.x + r) * k, (item.y + r) * k], fill=255)
    else:
        cos, sin = math.cos(item.rotation), math.sin(item.rotation)
        corners = [(item.radius * (x * cos - y * sin), item.radius * (x * sin + y * cos)) for x, y in _outline(item)]
        pen.polygon([((item.x + x) * k, (item.y + y) * k) for x, y in corners], fill=255)
    return np.asarray(canvas.reduce(k), dtype=np.float32) / np.float32(255)
