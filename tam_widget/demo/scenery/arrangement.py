"""Where things stand to each other and in the picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, Item, ItemType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import numpy as np

_MAX_TRIES = 500
_GAP = 5.0  # pixels between things that do not touch
_CLEAR = 0.12  # of the scale: what a relation must differ by


def side_by_side(first: Item, second: Item) -> bool:
    """Whether two things stand more beside than above each other."""
    return abs(first.x - second.x) > abs(first.y - second.y)


def reading_order(items: Iterable[ItemType]) -> list[ItemType]:
    """Order what is shown left to right; two things that stand above each other, top to bottom."""
    shown = [item for item in items if item.shown]
    if len(shown) == 2 and not side_by_side(*shown):  # noqa: PLR2004
        return sorted(shown, key=lambda item: item.y)
    return sorted(shown, key=lambda item: item.x)


def place_name(item: Item, width: int, height: int) -> str | None:
    """Name the ninth of the picture that a thing is in, such as ``"top left"``; None too close to a border of it."""
    margin = 0.035
    x, y = item.x / width, item.y / height
    if min(abs(value - third) for value in (x, y) for third in (1 / 3, 2 / 3)) < margin:
        return None
    row = ("top", "", "bottom")[int(y * 3)]
    column = ("left", "", "right")[int(x * 3)]
    return f"{row} {column}".strip() or "center"


def settled(
    make: Callable[[], list[Item]], width: int, height: int, accepts: Callable[[list[Item]], bool] | None = None
) -> list[Item] | None:
    """Draw things again until they are inside of the picture, apart, and accepted; None after 500 times."""
    for _ in range(_MAX_TRIES):
        items = make()
        if inside(items, width, height) and apart(items) and (accepts is None or accepts(items)):
            return items
    return None


def inside(items: Iterable[Item], width: int, height: int) -> bool:
    """Whether all that is shown lies in the picture as a whole."""
    return all(
        item.radius <= item.x <= width - item.radius and item.radius <= item.y <= height - item.radius
        for item in items
        if item.shown
    )


def apart(items: Sequence[Item]) -> bool:
    """Whether no two things touch."""
    return all(
        math.hypot(a.x - b.x, a.y - b.y) >= a.radius + b.radius + _GAP for i, a in enumerate(items) for b in items[:i]
    )


def clear(first: Item, second: Item, scale: float) -> bool:
    """Whether which of two things is left of, or above, the other does not hang on a few pixels."""
    return abs(abs(first.x - second.x) - abs(first.y - second.y)) >= _CLEAR * scale


def draw_thing(
    rng: np.random.Generator,
    width: int,
    height: int,
    radii: tuple[float, float],
    *,
    size: str = "small",
    shape: str | None = None,
    colour: str | None = None,
) -> Item:
    """Draw a thing by chance, in all that is not given; `radii` are the least and the largest, in pixels."""
    radius = rng.uniform(*radii)
    return Item(
        shape=str(rng.choice(SHAPES)) if shape is None else shape,
        colour=str(rng.choice(list(COLOURS))) if colour is None else colour,
        size=size,
        x=rng.uniform(radius + 3, max(radius + 4, width - radius - 3)),
        y=rng.uniform(radius + 3, max(radius + 4, height - radius - 3)),
        radius=radius,
        rotation=rng.uniform(-0.22, 0.22),
    )


def draw_two(rng: np.random.Generator, options: Sequence[str]) -> tuple[str, str]:
    """Draw two different ones."""
    first, second = rng.permutation(len(options))[:2]
    return options[first], options[second]
