"""Where things stand: apart, several of a kind, or one partly before another."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import clear, inside, place_name, reading_order
from tam_widget.demo.scenery.drawing import Placement
from tam_widget.demo.scenery.things.catalogue import ARTISTS, THINGS, UNSEEN
from tam_widget.demo.scenery.things.drawing import PlacedThing, shape_of, share_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from tam_widget.demo.scenery.things.catalogue import Artist
    from tam_widget.demo.scenery.things.grounds import Ground

MOST_THINGS = 4
_MAX_TRIES, _MAX_LAYOUTS = 20, 100
_SHARES = {"apart": 0.62, "alike": 0.2, "covering": 0.18}
_NUMBER_SHARES = (0.24, 0.42, 0.22, 0.12)  # one to four things
# The longer side of a drawing as a share of the picture's shorter side.
_SIZES = {"small": (0.26, 0.36), "middle": (0.31, 0.45), "large": (0.38, 0.55)}
_CROWD = (1.0, 1.0, 0.86, 0.74)  # of these sizes, where there are one to four things
_TURN = 0.2  # radians, at most, to either side
_GAP = 0.02  # of the shorter side, between the boxes of things that stand apart
_COVERED = (0.1, 0.4)  # share of the thing behind that the one before it hides
_RIGHT_WAY_ROUND = frozenset(("clock", "watch", "guitar"))


def place_things(
    rng: np.random.Generator,
    width: int,
    height: int,
    ground: Ground,
    *,
    objects: int | None = None,
    unseen: bool = False,
) -> tuple[Placement, str]:
    """Place one to four things so that every caption about them is unambiguous.

    Parameters
    ----------
    rng : numpy.random.Generator
        Where all chance comes from.
    width, height : int
        Size of the picture in pixels.
    ground : Ground
        What it shows itself is not placed.
    objects : int, optional
        How many things; by chance when left out.
    unseen : bool
        Whether one of the things is drawn as no training sees it; if not, none is.

    Returns
    -------
    placement : Placement
        From left to right; a thing that lies before another comes after it.
    relation : str
        ``"in front of"`` where one thing covers a part of another, else empty.
    """
    for _ in range(_MAX_TRIES):
        kind, names = _chosen(rng, ground, objects, unseen=unseen)
        artists = [_artist(rng, name, unseen=unseen) for name in names]
        for _ in range(_MAX_LAYOUTS):
            things = [
                draw_one(rng, name, width, height, len(names), artist=artist)
                for name, artist in zip(names, artists, strict=True)
            ]
            placed = _arranged(kind, things, rng, width, height)
            if placed is not None:
                return Placement(width, height, tuple(placed)), "in front of" if kind == "covering" else ""
    raise ValueError(f"things do not fit into {width}×{height} pixels")


def names_and_artists(
    rng: np.random.Generator, number: int, ground: Ground, *, unseen: bool = False
) -> list[tuple[str, Artist]]:
    """Choose different things that a ground does not show, and who has drawn each."""
    return [(name, _artist(rng, name, unseen=unseen)) for name in _names(rng, number, ground, unseen=unseen)]


def _chosen(rng: np.random.Generator, ground: Ground, objects: int | None, *, unseen: bool) -> tuple[str, list[str]]:
    """Choose how things stand to each other, and which."""
    possible = {"apart": (1, 2, 3, 4), "alike": (2, 3, 4), "covering": (2,)}
    kinds = [kind for kind in _SHARES if objects is None or objects in possible[kind]]
    shares = [_SHARES[kind] for kind in kinds]
    kind = kinds[int(rng.choice(len(kinds), p=[share / sum(shares) for share in shares]))]
    if kind == "covering":
        return kind, _names(rng, 2, ground, unseen=unseen)
    if kind == "apart":
        number = 1 + int(rng.choice(MOST_THINGS, p=_NUMBER_SHARES)) if objects is None else objects
        return kind, _names(rng, number, ground, unseen=unseen)
    number = int(rng.choice((2, 3, 4), p=(0.5, 0.35, 0.15))) if objects is None else objects
    stranger = objects is None and number < MOST_THINGS and rng.random() < 0.4  # noqa: PLR2004
    first, *others = _names(rng, 1 + stranger, ground, unseen=unseen)
    return kind, [first] * number + others


def _arranged(
    kind: str, things: list[PlacedThing], rng: np.random.Generator, width: int, height: int
) -> list[PlacedThing] | None:
    """Put things in order; None where they touch, or where what is said of them would hang on a few pixels."""
    if kind == "covering":
        return _before(things, rng, width, height)
    if not (inside(things, width, height) and standing_apart(things, min(width, height))):
        return None
    if kind == "alike":
        return sorted(things, key=lambda thing: thing.x)
    ordered = reading_order(things)
    return ordered if sayable(ordered, width, height) else None


def _names(rng: np.random.Generator, number: int, ground: Ground, *, unseen: bool) -> list[str]:
    """Choose different things; the first is one that has an unseen drawing where one is asked for."""
    free = [name for name in THINGS if name not in ground.shows]
    chosen = [free[int(at)] for at in rng.permutation(len(free))[:number]]
    if unseen:
        special = [name for name in UNSEEN if name not in ground.shows]
        first = special[int(rng.integers(len(special)))]
        chosen = [first, *(name for name in chosen if name != first)][:number]
    return chosen


def _artist(rng: np.random.Generator, name: str, *, unseen: bool) -> Artist:
    artist = ARTISTS[int(rng.integers(len(ARTISTS)))]
    if name not in UNSEEN:
        return artist
    return UNSEEN[name] if unseen else next(other for other in ARTISTS if other != UNSEEN[name])


def draw_one(
    rng: np.random.Generator, name: str, width: int, height: int, among: int, *, artist: Artist
) -> PlacedThing:
    """Draw by chance how large one of `among` things is, where it stands and which way it looks."""
    low, high = _SIZES[THINGS[name].size]
    shorter = min(width, height)
    radius = rng.uniform(low, high) * _CROWD[min(among, MOST_THINGS) - 1] * shorter / 2
    flipped = bool(rng.random() < 0.5) and name not in _RIGHT_WAY_ROUND  # noqa: PLR2004
    return PlacedThing(
        shape=name,
        colour=THINGS[name].colours[artist],
        size="",
        x=rng.uniform(radius + 4, width - radius - 4),
        y=rng.uniform(radius + 4, height - radius - 4),
        radius=radius,
        rotation=rng.uniform(-_TURN, _TURN),
        artist=artist,
        flipped=flipped,
    )


def box(thing: PlacedThing) -> tuple[float, float]:
    """Return the width and height, in pixels, of the upright box around a turned drawing."""
    wide, high = (2 * thing.radius * share for share in shape_of(thing.shape, thing.artist))
    cos, sin = abs(math.cos(thing.rotation)), abs(math.sin(thing.rotation))
    return wide * cos + high * sin, wide * sin + high * cos


def _meet(one: PlacedThing, other: PlacedThing, gap: float) -> bool:
    """Whether less than a gap lies between two boxes."""
    (wide, high), (other_wide, other_high) = box(one), box(other)
    beside = abs(one.x - other.x) >= (wide + other_wide) / 2 + gap
    return not beside and abs(one.y - other.y) < (high + other_high) / 2 + gap


def standing_apart(things: Sequence[PlacedThing], shorter: int) -> bool:
    """Whether the boxes of no two things meet."""
    shown = [thing for thing in things if thing.shown]
    return not any(_meet(one, other, _GAP * shorter) for one, other in itertools.combinations(shown, 2))


def sayable(things: Sequence[PlacedThing], width: int, height: int) -> bool:
    """Whether a caption about things that stand apart, in reading order, does not hang on a few pixels."""
    match things:
        case [only]:
            return place_name(only, width, height) is not None
        case [first, second]:
            return clear(first, second, min(width, height))
        case _:
            return min(b.x - a.x for a, b in itertools.pairwise(things)) >= 0.09 * width


def _before(things: list[PlacedThing], rng: np.random.Generator, width: int, height: int) -> list[PlacedThing] | None:
    """Move the second thing before a part of the first, beside or below its middle."""
    behind, front = things
    angle = rng.uniform(-0.25, 1.25) * math.pi  # not above: what is nearer stands lower
    (wide, high), (own_wide, own_high) = box(behind), box(front)
    reach = rng.uniform(0.5, 0.95)
    front = replace(
        front,
        x=behind.x + reach * math.cos(angle) * (wide + own_wide) / 2,
        y=behind.y + reach * math.sin(angle) * (high + own_high) / 2,
    )
    if not inside([behind, front], width, height):
        return None
    hidden = share_hidden(behind, front, width, height)
    return [behind, front] if _COVERED[0] <= hidden <= _COVERED[1] else None
