"""What changes: in the frames of a film, or between two pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import apart, clear, draw_thing, draw_two, inside, place_name
from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIZES, Item, ItemType, Placement

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

FRAMES = 8
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}

_MAX_TRIES = 500


@dataclass(frozen=True)
class Event:
    """What happens to one thing of a film, or between two pictures.

    Attributes
    ----------
    verb : str
        ``"move"``, ``"grow"``, ``"shrink"``, ``"appear"``, ``"disappear"``, or, between two pictures, ``"recolour"``.
    item : int
        Which thing.
    direction : str
        ``"left"``, ``"right"``, ``"up"`` or ``"down"`` where it moves, else empty.
    """

    verb: str
    item: int
    direction: str = ""


def film(
    rng: np.random.Generator, width: int, height: int, scale: float, objects: int | None = None
) -> tuple[tuple[Placement, ...], Event]:
    """Place one thing to which something happens over eight frames, and maybe another to which nothing does."""
    verb = str(rng.choice(["move", "grow", "shrink", "appear", "disappear"], p=[0.6, 0.1, 0.1, 0.1, 0.1]))
    direction = str(rng.choice(list(DIRECTIONS))) if verb == "move" else ""
    still = int(rng.random() < 0.5) if objects is None else objects - 1  # noqa: PLR2004
    shapes, colours = draw_two(rng, SHAPES), draw_two(rng, tuple(COLOURS))
    radii = (0.12 * scale, 0.145 * scale)
    moment = int(rng.integers(3, FRAMES - 2))  # the frame in which something comes or goes
    for _ in range(_MAX_TRIES):
        start = draw_thing(rng, width, height, radii, shape=shapes[0], colour=colours[0])
        end = start
        if verb == "move":
            end = moved(start, direction, rng.uniform(0.36, 0.55), width, height)
        elif verb in {"grow", "shrink"}:
            small, large = replace(start, radius=0.09 * scale), replace(start, radius=0.18 * scale)
            start, end = (small, large) if verb == "grow" else (large, small)
        stays = [draw_thing(rng, width, height, radii, shape=shapes[1], colour=colours[1]) for _ in range(still)]
        movers = [between(start, end, frame / (FRAMES - 1)) for frame in range(FRAMES)]
        if verb in {"appear", "disappear"}:
            movers = [replace(it, shown=(at >= moment) == (verb == "appear")) for at, it in enumerate(movers)]
        frames = [(mover, *stays) for mover in movers]
        if inside([start, end, *stays], width, height) and all(apart(frame) for frame in frames):
            return tuple(Placement(width, height, frame) for frame in frames), Event(verb, 0, direction)
    raise ValueError(f"a film of scale {scale:.0f} does not fit into {width}×{height} pixels")


def between(start: ItemType, end: ItemType, share: float) -> ItemType:
    """Return a thing on its way from one place and size to another."""
    return replace(
        start,
        x=start.x + share * (end.x - start.x),
        y=start.y + share * (end.y - start.y),
        radius=start.radius + share * (end.radius - start.radius),
    )


def moved(item: ItemType, direction: str, way: float, width: int, height: int) -> ItemType:
    """Move a thing by a share of the picture."""
    right, down = DIRECTIONS[direction]
    return replace(item, x=item.x + right * way * width, y=item.y + down * way * height)


def pair(
    rng: np.random.Generator, width: int, height: int, scale: float, objects: int | None = None
) -> tuple[tuple[Placement, ...], Event | None]:
    """Place one or two things before and after something happened to one of them, or nothing did."""
    verbs = ["recolour", "move", "grow", "shrink", "appear", "disappear", ""]
    verb = str(rng.choice(verbs, p=[0.24, 0.22, 0.1, 0.1, 0.13, 0.13, 0.08]))
    number = int(rng.integers(1, 3)) if objects is None else objects
    if verb in {"appear", "disappear"}:
        number = 2  # neither picture may be empty
    changed = int(rng.integers(number))
    shapes, colours = rng.permutation(SHAPES)[:number], rng.permutation(list(COLOURS))
    direction = str(rng.choice(list(DIRECTIONS))) if verb == "move" else ""
    radii = {size: (low * scale, high * scale) for size, (low, high) in SIZES.items()}
    sizes = [str(rng.choice(["small", "large"])) for _ in range(number)]
    if verb in {"grow", "shrink"}:
        sizes[changed] = "small" if verb == "grow" else "large"

    def resized(item: Item) -> Item:
        size = "large" if verb == "grow" else "small"
        return replace(item, size=size, radius=rng.uniform(*radii[size]))

    after: dict[str, Callable[[Item], Item]] = {
        "recolour": lambda item: replace(item, colour=str(colours[number])),
        "move": lambda item: moved(item, direction, rng.uniform(0.33, 0.5), width, height),
        "grow": resized,
        "shrink": resized,
        "disappear": lambda item: replace(item, shown=False),
    }
    for _ in range(_MAX_TRIES):
        before = [
            draw_thing(rng, width, height, radii[size], size=size, shape=str(shape), colour=str(colours[i]))
            for i, (size, shape) in enumerate(zip(sizes, shapes, strict=True))
        ]
        later = list(before)
        if verb in after:
            later[changed] = after[verb](before[changed])
        if verb == "appear":
            before[changed] = replace(before[changed], shown=False)
        both = (before, later)
        if all(
            inside(items, width, height) and apart(items) and _sayable(items, width, height, scale) for items in both
        ):
            placements = tuple(Placement(width, height, tuple(items)) for items in (before, later))
            return placements, Event(verb, changed, direction) if verb else None
    if objects == 1:
        raise ValueError(f"what changes does not fit into {width}×{height} pixels")
    return pair(rng, width, height, scale, 1)


def _possible(items: list[Item], width: int, height: int, scale: float) -> bool:
    return inside(items, width, height) and apart(items) and _sayable(items, width, height, scale)


def _sayable(items: list[Item], width: int, height: int, scale: float) -> bool:
    """Whether what a caption says of the things that are shown does not hang on a few pixels."""
    match [item for item in items if item.shown]:
        case [only]:
            return place_name(only, width, height) is not None
        case [first, second]:
            return clear(first, second, scale)
        case _:
            return True
