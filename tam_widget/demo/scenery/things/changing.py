"""Things that come, go or move: in the frames of a film, or between two pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import inside, reading_order
from tam_widget.demo.scenery.changing import DIRECTIONS, FRAMES, Event, between, moved
from tam_widget.demo.scenery.drawing import Placement
from tam_widget.demo.scenery.things.placing import draw_one, names_and_artists, sayable, standing_apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tam_widget.demo.scenery.things.drawing import PlacedThing
    from tam_widget.demo.scenery.things.grounds import Ground

__all__ = ["film_of_things", "pair_of_things"]

_MAX_TRIES = 500
_VERBS = {"move": 0.6, "appear": 0.2, "disappear": 0.2}
_PAIR_VERBS = {"move": 0.45, "appear": 0.22, "disappear": 0.22, "": 0.11}
_WAY = (0.34, 0.52)  # share of the picture that a thing moves


def film_of_things(
    rng: np.random.Generator, width: int, height: int, ground: Ground, objects: int | None = None
) -> tuple[tuple[Placement, ...], Event]:
    """Place a thing that moves, comes or goes over eight frames, and maybe another to which nothing happens."""
    verb = str(rng.choice(list(_VERBS), p=list(_VERBS.values())))
    direction = str(rng.choice(list(DIRECTIONS))) if verb == "move" else ""
    number = int(rng.integers(1, 3)) if objects is None else objects
    moment = int(rng.integers(3, FRAMES - 2))  # the frame in which something comes or goes
    for _ in range(_MAX_TRIES):
        start, *others = _drawn(rng, number, width, height, ground)
        end = moved(start, direction, rng.uniform(*_WAY), width, height) if direction else start
        movers = [between(start, end, frame / (FRAMES - 1)) for frame in range(FRAMES)]
        if verb != "move":
            movers = [replace(it, shown=(at >= moment) == (verb == "appear")) for at, it in enumerate(movers)]
        frames = [(mover, *others) for mover in movers]
        if inside([start, end, *others], width, height) and _all_apart(frames, width, height):
            return tuple(Placement(width, height, frame) for frame in frames), Event(verb, 0, direction)
    raise ValueError(f"a film of things does not fit into {width}×{height} pixels")


def pair_of_things(
    rng: np.random.Generator, width: int, height: int, ground: Ground, objects: int | None = None
) -> tuple[tuple[Placement, ...], Event | None]:
    """Place one or two things before and after one of them has moved, come or gone, or nothing has changed."""
    verb = str(rng.choice(list(_PAIR_VERBS), p=list(_PAIR_VERBS.values())))
    number = int(rng.integers(1, 3)) if objects is None else objects
    if verb in {"appear", "disappear"}:
        number = 2  # neither picture may be empty
    direction = str(rng.choice(list(DIRECTIONS))) if verb == "move" else ""
    changed = int(rng.integers(number))
    for _ in range(_MAX_TRIES):
        before = _drawn(rng, number, width, height, ground)
        after = list(before)
        if direction:
            after[changed] = moved(before[changed], direction, rng.uniform(*_WAY), width, height)
        elif verb:
            hidden = before if verb == "appear" else after
            hidden[changed] = replace(hidden[changed], shown=False)
        both = (before, after)
        if all(_possible(things, width, height) for things in both):
            placements = tuple(Placement(width, height, tuple(things)) for things in both)
            return placements, Event(verb, changed, direction) if verb else None
    raise ValueError(f"a pair of pictures of things does not fit into {width}×{height} pixels")


def _drawn(rng: np.random.Generator, number: int, width: int, height: int, ground: Ground) -> list[PlacedThing]:
    return [
        draw_one(rng, name, width, height, 2, artist=artist) for name, artist in names_and_artists(rng, number, ground)
    ]


def _all_apart(frames: Sequence[Sequence[PlacedThing]], width: int, height: int) -> bool:
    return all(standing_apart(things, min(width, height)) for things in frames)


def _possible(things: Sequence[PlacedThing], width: int, height: int) -> bool:
    """Whether a picture holds its things, apart, and what a caption says of them does not hang on a few pixels."""
    placed = inside(things, width, height) and _all_apart([things], width, height)
    return placed and sayable(reading_order(things), width, height)
