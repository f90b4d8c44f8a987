"""Pictures of a few simple things, drawn together with the exact mask of each."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Sequence

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
SIGN = "sign"
SIGN_COLOUR = "white"
SIGN_WORDS = ("stop", "go", "exit", "open", "yes", "no", *"123456789")
# Radii as shares of the scene's scale. On the 16×16 grid of a 224-pixel scene a small thing is 4 cells wide, a large
# one 6 to 7: the filter's 3×3 window erodes what is smaller than 4 cells.
SIZES = {"small": (0.12, 0.14), "large": (0.185, 0.21)}
SCALE = 1.1  # a scene's scale, as a share of its shorter side

_PAPER, _INK = (246, 245, 238), (24, 24, 28)
_SIGN_HEIGHT = 0.75  # of its width
_LETTERS = {1: 1.5, 2: 1.15, 3: 0.95}  # height of the letters of a short text, in radii
_LONG_LETTERS = 0.82
_SUPERSAMPLING = 2
_TEXTURE_SIDE = 512


@dataclass(frozen=True)
class Item:
    """One thing of a scene: what it is and where; lengths in pixels, rotation in radians.

    A sign is as wide as two radii and has a `text`; its colour is white and its size goes without saying. What is not
    `shown` keeps its place among the things of its scene: it comes later, or is gone.
    """

    shape: str
    colour: str
    size: str
    x: float
    y: float
    radius: float
    rotation: float
    text: str = ""
    shown: bool = True

    @property
    def short(self) -> str:
        """The thing by colour and shape, a sign by its kind alone."""
        return SIGN if self.shape == SIGN else f"{self.colour} {self.shape}"

    @property
    def name(self) -> str:
        """The thing as a caption names it, such as ``"large blue triangle"`` or ``'sign that says "go"'``."""
        if self.shape == SIGN:
            return f'sign that says "{self.text}"'
        return f"{self.size} {self.colour} {self.shape}"


ItemType = TypeVar("ItemType", bound=Item)
"""Any kind of item, the same throughout."""


@dataclass(frozen=True)
class Placement:
    """Where the things of one picture are; what comes later in the tuple lies on what comes before."""

    width: int
    height: int
    items: tuple[Item, ...]


def draw(placement: Placement, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw a placement on a softly graded, noisy ground.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width, 3)
    masks : ndarray of bool, shape (objects, height, width)
        True where a thing is seen in more than half of the pixel.
    """
    pixels, masks = draw_frames([placement], rng)
    return pixels[0], masks[0]


def draw_frames(
    placements: Sequence[Placement], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw pictures of the same things on the same ground, each with noise of its own.

    Parameters
    ----------
    placements : sequence of Placement
        F pictures of one size; the things of all correspond by their order.

    Returns
    -------
    pixels : ndarray of uint8, shape (F, height, width, 3)
    masks : ndarray of bool, shape (F, objects, height, width)
    """
    width, height = placements[0].width, placements[0].height
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None, None]
    right = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None]
    ground = rng.uniform(60, 225) + rng.uniform(-12, 12, 3)
    slope = rng.uniform(-28, 28, 2)
    empty = ground.astype(np.float32) + np.float32(slope[0]) * right + np.float32(slope[1]) * down
    tints = [rng.uniform(-14, 14, 3).astype(np.float32) for _ in placements[0].items]
    drawn = [_paint(empty, placement, tints) for placement in placements]
    corners = [(rng.integers(_TEXTURE_SIDE - height), rng.integers(_TEXTURE_SIDE - width)) for _ in placements]
    strength = np.float32(rng.uniform(1, 7))
    noisy = [
        pixels + strength * _texture()[top : top + height, left : left + width]
        for (pixels, _), (top, left) in zip(drawn, corners, strict=True)
    ]
    return np.clip(np.stack(noisy), 0, 255).astype(np.uint8), np.stack([masks for _, masks in drawn])


def _paint(
    pixels: NDArray[np.float32], placement: Placement, tints: Sequence[NDArray[np.float32]]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Lay the things on a ground, each over the ones before it; return pixels and what is left to see of each."""
    height, width = pixels.shape[:2]
    seen = np.zeros((len(placement.items), height, width), np.float32)
    for number, (item, tint) in enumerate(zip(placement.items, tints, strict=True)):
        if not item.shown:
            continue
        coverage = _coverage(item, width, height)
        own = _PAPER if item.shape == SIGN else COLOURS[item.colour]
        colour = np.array(own, np.float32) + (0 if item.shape == SIGN else tint)
        pixels = pixels + coverage[..., None] * (colour - pixels)
        if item.shape == SIGN:
            pixels = pixels + _writing(item, width, height)[..., None] * (np.array(_INK, np.float32) - pixels)
        seen[:number] *= 1 - coverage
        seen[number] = coverage
    return pixels, seen > 0.5  # noqa: PLR2004


@functools.cache
def _texture() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(0, 1, (_TEXTURE_SIDE, _TEXTURE_SIDE, 3)).astype(np.float32)


def _outline(item: Item) -> list[tuple[float, float]]:
    """Corners of a shape around (0, 0) for radius 1, before its rotation; a circle has none."""

    def ring(radii: list[float], start: float) -> list[tuple[float, float]]:
        step = 2 * math.pi / len(radii)
        return [(r * math.cos(start + i * step), r * math.sin(start + i * step)) for i, r in enumerate(radii)]

    match item.shape:
        case "sign":
            return [(-1, -_SIGN_HEIGHT), (1, -_SIGN_HEIGHT), (1, _SIGN_HEIGHT), (-1, _SIGN_HEIGHT)]
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


def _writing(item: Item, width: int, height: int) -> NDArray[np.float32]:
    """Share of each pixel that a sign's text and border cover, shape (height, width), in [0, 1]."""
    k = _SUPERSAMPLING
    canvas = Image.new("L", (width * k, height * k), 0)
    pen = ImageDraw.Draw(canvas)
    x, y, r = item.x * k, item.y * k, item.radius * k
    h = r * _SIGN_HEIGHT
    pen.rectangle([x - r, y - h, x + r, y + h], outline=255, width=max(2, round(r * 0.06)))
    font = ImageFont.load_default(size=r * _LETTERS.get(len(item.text), _LONG_LETTERS))
    pen.text((x, y), item.text, fill=255, font=font, anchor="mm")
    return np.asarray(canvas.reduce(k), dtype=np.float32) / np.float32(255)
