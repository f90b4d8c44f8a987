"""What stands in a still picture: separate things, several of one shape, a sign, or one thing on another."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import (
    apart,
    clear,
    draw_thing,
    draw_two,
    inside,
    place_name,
    reading_order,
    settled,
)
from tam_widget.demo.scenery.drawing import (
    COLOURS,
    SCALE,
    SHAPES,
    SIGN,
    SIGN_COLOUR,
    SIGN_WORDS,
    SIZES,
    Item,
    Placement,
)

if TYPE_CHECKING:
    import numpy as np

_MAX_TRIES = 500
_ON = 0.6  # share of the overlaps in which one thing lies wholly on another


def place(
    rng: np.random.Generator, width: int, height: int, *, objects: int | None = None, scale: float | None = None
) -> Placement:
    """Place things so that they do not touch and so that every caption about them is unambiguous.

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

    Raises
    ------
    ValueError
        Not even one fits.
    """
    if scale is None:
        scale = SCALE * min(width, height)
    if objects is None:
        objects = int(rng.choice([1, 2, 3], p=[0.25, 0.4, 0.35]))
    for _ in range(_MAX_TRIES):
        items = reading_order([_item(rng, width, height, scale) for _ in range(objects)])
        if _sayable(items, width, height, scale) and apart(items) and inside(items, width, height):
            return Placement(width, height, tuple(items))
    if objects == 1:
        raise ValueError(f"a thing of scale {scale:.0f} does not fit into {width}×{height} pixels")
    return place(rng, width, height, objects=objects - 1, scale=scale)


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


def _sayable(items: list[Item], width: int, height: int, scale: float, *, gap: float = 0.12) -> bool:
    """Whether a caption about things, in reading order, is unambiguous; `gap` is a share of the width."""
    if len({(item.shape, item.colour) for item in items}) < len(items):
        return False
    match items:
        case [only]:
            return place_name(only, width, height) is not None
        case [first, second]:
            return clear(first, second, scale)
        case _:
            return min(b.x - a.x for a, b in itertools.pairwise(items)) >= gap * width


def place_several(rng: np.random.Generator, width: int, height: int, scale: float) -> Placement:
    """Place two to four things of one shape, half the time of one colour, and maybe one of another shape."""
    number = int(rng.integers(2, 5))
    shape, other = draw_two(rng, SHAPES)
    colour = str(rng.choice(list(COLOURS))) if rng.random() < 0.5 else None  # noqa: PLR2004
    stranger = number < 4 and rng.random() < 0.5  # noqa: PLR2004
    radii = (0.105 * scale, 0.125 * scale)

    def make() -> list[Item]:
        items = [draw_thing(rng, width, height, radii, shape=shape, colour=colour) for _ in range(number)]
        return items + ([draw_thing(rng, width, height, radii, shape=other)] if stranger else [])

    return _placed(settled(make, width, height), width, height, f"{number + stranger} things")


def place_sign(
    rng: np.random.Generator, width: int, height: int, scale: float, objects: int | None = None
) -> Placement:
    """Place a sign with a word or digit, and up to two things; `objects` counts them all."""
    others = int(rng.choice(3, p=[0.3, 0.5, 0.2])) if objects is None else objects - 1
    text = str(rng.choice(SIGN_WORDS))
    radii = (SIZES["small"][0] * scale, SIZES["small"][1] * scale)

    def make() -> list[Item]:
        sign = draw_thing(rng, width, height, (0.19 * scale, 0.22 * scale), shape=SIGN, colour=SIGN_COLOUR, size="")
        sign = replace(sign, text=text, rotation=0.0)
        return reading_order([sign, *(draw_thing(rng, width, height, radii) for _ in range(others))])

    found = settled(make, width, height, lambda items: _sayable(items, width, height, scale, gap=0.1))
    return _placed(found, width, height, "a sign and what is around it")


def place_overlap(rng: np.random.Generator, width: int, height: int, scale: float) -> tuple[Placement, str]:
    """Place one thing wholly on a large one, or in front of a part of it; what is seen whole comes second.

    Returns
    -------
    placement : Placement
    relation : str
        ``"on"`` or ``"in front of"``.
    """
    on = bool(rng.random() < _ON)
    shapes, colours = draw_two(rng, SHAPES), draw_two(rng, tuple(COLOURS))
    if on:
        base = str(rng.choice(["circle", "square"]))  # something to lie on: the others have too little inside
        shapes = (base, str(rng.choice([shape for shape in SHAPES if shape != base])))
    large = (0.25, 0.29) if on else SIZES["large"]
    over_size, over_radii = ("small", (0.115, 0.13)) if on else ("large", SIZES["large"])
    for _ in range(_MAX_TRIES):
        radii = (large[0] * scale, large[1] * scale)
        under = draw_thing(rng, width, height, radii, shape=shapes[0], colour=colours[0], size="large")
        radii = (over_radii[0] * scale, over_radii[1] * scale)
        over = draw_thing(rng, width, height, radii, shape=shapes[1], colour=colours[1], size=over_size)
        angle = rng.uniform(0, 2 * math.pi)
        away = rng.uniform(0, 0.25) * under.radius if on else rng.uniform(1.0, 1.25) * under.radius
        items = (under, replace(over, x=under.x + away * math.cos(angle), y=under.y + away * math.sin(angle)))
        if inside(items, width, height):
            return Placement(width, height, items), "on" if on else "in front of"
    raise ValueError(f"two things that overlap do not fit into {width}×{height} pixels")


def _placed(items: list[Item] | None, width: int, height: int, what: str) -> Placement:
    if items is None:
        raise ValueError(f"{what} do not fit into {width}×{height} pixels")
    return Placement(width, height, tuple(items))
