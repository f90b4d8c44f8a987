"""Kinds of scenes: what stands where in one picture, in two that differ, or in the frames of a film."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from tam_widget.demo.scenery.changing import Event, film, pair
from tam_widget.demo.scenery.drawing import SCALE, Placement
from tam_widget.demo.scenery.still import place, place_overlap, place_several, place_sign

if TYPE_CHECKING:
    import numpy as np

Kind: TypeAlias = Literal["objects", "count", "text", "overlap", "moving", "pair"]
KINDS: tuple[Kind, ...] = get_args(Kind)
STILL: tuple[Kind, ...] = ("objects", "count", "text", "overlap")
"""The kinds of one picture."""

PICTURE_SIDE, PAIR_SIDE, FRAME_SIDE = 224, 196, 140  # pixels
FRAMES_IN_A_GRID = 2  # a model that takes films sees their frames in twos

_FRAME_SCALE = 1.3  # as a share of the frame's side: a frame has 10×10 cells, and a thing shall be 4 of them wide


@dataclass(frozen=True)
class Staging:
    """Where everything is, and what happens.

    Attributes
    ----------
    kind : str
        One of :data:`KINDS`.
    placements : tuple of Placement
        One picture, two, or the frames of a film; the things of all correspond by their order.
    relation : str
        How the second of two things stands to the first where they touch: ``"on"`` or ``"in front of"``.
    event : Event, optional
        None in a still picture and where nothing changes.
    """

    kind: Kind
    placements: tuple[Placement, ...]
    relation: str = ""
    event: Event | None = None

    @property
    def first(self) -> Placement:
        """The first picture or frame."""
        return self.placements[0]


def side_of(kind: Kind) -> int:
    """Return the width and height of a kind's pictures in pixels, where nothing else is asked for."""
    return {"moving": FRAME_SIDE, "pair": PAIR_SIDE}.get(kind, PICTURE_SIDE)


def stage(
    kind: Kind,
    rng: np.random.Generator,
    width: int,
    height: int,
    *,
    objects: int | None = None,
    scale: float | None = None,
) -> Staging:
    """Set up a scene of a kind.

    Parameters
    ----------
    kind : str
        ``"objects"``: one to three things that do not touch. ``"count"``: two to four of one shape, and maybe another
        thing. ``"text"``: a sign with a word or digit, and up to two things. ``"overlap"``: one thing on or in front of
        another. ``"moving"``: eight frames in which one thing moves, changes its size, comes or goes. ``"pair"``: two
        pictures and what has changed between them.
    rng : numpy.random.Generator
        Where all chance comes from.
    width, height : int
        Of each picture, in pixels.
    objects : int, optional
        How many things, of the kinds ``"objects"`` and ``"text"`` (1 to 3), ``"moving"`` and ``"pair"`` (1 or 2).
    scale : float, optional
        The length in pixels that sizes are shares of.

    Raises
    ------
    ValueError
        The things do not fit.
    """
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
