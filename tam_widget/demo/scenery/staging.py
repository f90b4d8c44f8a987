"""Kinds of scenes: what stands where in one picture, in two that differ, or in the frames of a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from tam_widget.demo.scenery.changing import Event, film, pair
from tam_widget.demo.scenery.drawing import SCALE, Placement
from tam_widget.demo.scenery.still import place, place_overlap, place_several, place_sign
from tam_widget.demo.scenery.things.changing import film_of_things, pair_of_things
from tam_widget.demo.scenery.things.grounds import choose_ground
from tam_widget.demo.scenery.things.placing import place_things

if TYPE_CHECKING:
    import numpy as np

Kind: TypeAlias = Literal[
    "objects", "count", "text", "overlap", "moving", "pair", "things", "things-unseen", "things-pair", "things-moving"
]
KINDS: tuple[Kind, ...] = ("objects", "count", "text", "overlap", "moving", "pair")
"""The kinds of scenes of shapes."""
THINGS_KINDS: tuple[Kind, ...] = ("things", "things-unseen", "things-pair", "things-moving")
"""The kinds of scenes of things."""
STILL: tuple[Kind, ...] = ("objects", "count", "text", "overlap")
"""The kinds of one picture of shapes."""
THINGS_STILL: tuple[Kind, ...] = ("things", "things-unseen")
"""The kinds of one picture of things."""
FILMS: tuple[Kind, ...] = ("moving", "things-moving")

PICTURE_SIDE, PAIR_SIDE, FRAME_SIDE, THINGS_SIDE = 224, 196, 140, 320  # pixels
FRAMES_IN_A_GRID = 2  # a model that takes films sees their frames in twos

_FRAME_SCALE = 1.3  # as a share of the frame's side: a frame has 10×10 cells, and a thing shall be 4 of them wide


@dataclass(frozen=True)
class Staging:
    """Where everything is, and what happens.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS` or :data:`THINGS_KINDS`.
    placements : tuple of Placement
        One picture, two, or the frames of a film; the things of all correspond by their order.
    relation : str
        How the second of two things stands to the first where they touch: ``"on"`` or ``"in front of"``.
    event : Event, optional
        None in a still picture and where nothing changes.
    ground : str
        What things stand before, by name; empty in a scene of shapes.
    """

    kind: Kind
    placements: tuple[Placement, ...]
    relation: str = ""
    event: Event | None = None
    ground: str = ""

    @property
    def of_things(self) -> bool:
        """Whether it is a scene of things, not of shapes."""
        return self.kind in THINGS_KINDS

    @property
    def first(self) -> Placement:
        """The first picture or frame."""
        return self.placements[0]


def side_of(kind: Kind) -> int:
    """Return the width and height of a kind's pictures in pixels, where nothing else is asked for."""
    if kind in THINGS_KINDS:
        return PICTURE_SIDE if kind in FILMS else THINGS_SIDE
    return {"moving": FRAME_SIDE, "pair": PAIR_SIDE}.get(kind, PICTURE_SIDE)


def stage(
    kind: Kind,
    rng: np.random.Generator,
    width: int,
    height: int,
    *,
    objects: int | None = None,
    scale: float | None = None,
    held_out: bool = False,
) -> Staging:
    """Set up a scene of a kind.

    Parameters
    ----------
    kind : str
        ``"objects"``: one to three things that do not touch. ``"count"``: two to four of one shape, and maybe another
        thing. ``"text"``: a sign with a word or digit, and up to two things. ``"overlap"``: one thing on or in front of
        another. ``"moving"``: eight frames in which one thing moves, changes its size, comes or goes. ``"pair"``: two
        pictures and what has changed between them. ``"things"``: one to four things of the world, two or more of a kind
        among them or one partly before another; ``"things-unseen"``: one of them is drawn as no training sees it;
        ``"things-moving"`` and ``"things-pair"``: one of one or two things moves, comes or goes.
    rng : numpy.random.Generator
        Where all chance comes from.
    width, height : int
        Of each picture, in pixels.
    objects : int, optional
        How many things, of the kinds ``"objects"`` and ``"text"`` (1 to 3), ``"moving"`` and ``"pair"`` (1 or 2),
        ``"things-moving"`` and ``"things-pair"`` (1 or 2), ``"things"`` and ``"things-unseen"`` (1 to 4).
    scale : float, optional
        The length in pixels that sizes of shapes are shares of.
    held_out : bool
        Whether things stand before a ground that training does not see, or before one that it does.

    Raises
    ------
    ValueError
        The things do not fit.
    """
    if kind in THINGS_KINDS:
        return _stage_things(kind, rng, width, height, objects, held_out=held_out)
    return _stage_shapes(kind, rng, width, height, objects, scale)


def _stage_shapes(  # noqa: PLR0917 - what a scene depends on
    kind: Kind, rng: np.random.Generator, width: int, height: int, objects: int | None, scale: float | None
) -> Staging:
    if scale is None:
        scale = (_FRAME_SCALE if kind == "moving" else SCALE) * min(width, height)
    match kind:
        case "objects":
            return Staging(kind, (place(rng, width, height, objects=objects, scale=scale),))
        case "count":
            return Staging(kind, (place_several(rng, width, height, scale),))
        case "text":
            return Staging(kind, (place_sign(rng, width, height, scale, objects),))
        case "overlap":
            placement, relation = place_overlap(rng, width, height, scale)
            return Staging(kind, (placement,), relation=relation)
        case "moving":
            frames, event = film(rng, width, height, scale, objects)
            return Staging(kind, frames, event=event)
        case _:
            pictures, change = pair(rng, width, height, scale, objects)
            return Staging(kind, pictures, event=change)


def _stage_things(
    kind: Kind, rng: np.random.Generator, width: int, height: int, objects: int | None, *, held_out: bool
) -> Staging:
    ground = choose_ground(rng, held_out=held_out)
    event = None
    relation = ""
    match kind:
        case "things-moving":
            placements, event = film_of_things(rng, width, height, ground, objects)
        case "things-pair":
            placements, event = pair_of_things(rng, width, height, ground, objects)
        case _:
            unseen = kind == "things-unseen"
            placement, relation = place_things(rng, width, height, ground, objects=objects, unseen=unseen)
            placements = (placement,)
    return Staging(kind, placements, relation, event, ground.name)
