"""Which words are true of a picture: labels of whole pictures, or frames, that say nothing of where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import place_name
from tam_widget.demo.scenery.changing import DIRECTIONS
from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIGN, SIGN_WORDS, SIZES, Placement
from tam_widget.demo.scenery.language import NUMBERS, plural

if TYPE_CHECKING:
    from tam_widget.demo.scenery.staging import Staging

PLACES = ("top", "bottom", "left", "right", "center")
COUNTS = NUMBERS[2:5]
ACTIONS = ("moves", "grows", "shrinks", "appears", "stays")
CHANGES = ("changed", "moved", "grew", "shrank", "appeared")
GROUNDED: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *SHAPES,
            *map(plural, SHAPES),
            SIGN,
            *COLOURS,
            *SIZES,
            *SIGN_WORDS,
            *COUNTS,
            *PLACES,
            *DIRECTIONS,
            *ACTIONS,
            *CHANGES,
        )
    )
)
"""Words that are true of something that can be seen. "left" is a place in pictures and a direction in films."""


def true_words(staging: Staging, grid: int, frames: tuple[int, ...]) -> dict[str, bool]:
    """Return for each grounded word whether it is true of one picture, or of some frames; those left out are unknown.

    Parameters
    ----------
    staging : Staging
    grid : int
        Which picture, or group of frames.
    frames : tuple of int
        The placements that it shows.
    """
    truth = _of_things([staging.placements[frame] for frame in frames])
    match staging.kind:
        case "moving":
            truth |= _of_film(staging, grid, frames)
        case "pair":
            truth |= _of_change(staging, grid)
        case _:
            truth |= dict.fromkeys((*ACTIONS, *CHANGES, "up", "down"), False)
            truth |= _of_places(staging.first) | _of_numbers(staging.first)
    if staging.kind in {"count", "moving"}:  # sizes are not spoken of
        truth = {word: true for word, true in truth.items() if word not in SIZES}
    return truth


def _of_things(placements: list[Placement]) -> dict[str, bool]:
    items = [item for placement in placements for item in placement.items if item.shown]
    said = {word for item in items for word in (item.shape, plural(item.shape), item.colour, item.size, item.text)}
    return {word: word in said for word in (*SHAPES, *map(plural, SHAPES), SIGN, *COLOURS, *SIZES, *SIGN_WORDS)}


def _of_places(placement: Placement) -> dict[str, bool]:
    names = [place_name(item, placement.width, placement.height) for item in placement.items]
    here = {word for name in names if name for word in name.split()}
    # Something near a border of two places may be said to be in either.
    return {word: word in here for word in PLACES if word in here or None not in names}


def _of_numbers(placement: Placement) -> dict[str, bool]:
    shapes = [item.shape for item in placement.items]
    counts = {shapes.count(shape) for shape in shapes}
    # "two objects" may be said of any two: then the number is neither true nor false of a shape.
    return {
        word: number in counts
        for number, word in enumerate(COUNTS, 2)
        if number in counts or number != len(placement.items)
    }


def _of_film(staging: Staging, grid: int, frames: tuple[int, ...]) -> dict[str, bool]:
    event = staging.event
    assert event is not None  # noqa: S101 - every film has one
    truth = dict.fromkeys(CHANGES, False)
    if grid == 0:  # what it has come from is not yet known
        return truth
    verb = event.verb + "s"
    truth |= {word: word in {verb, event.direction} for word in (*ACTIONS, *DIRECTIONS)}
    truth["stays"] = len(staging.first.items) > 1
    if event.verb == "appear":
        truth["appears"] = any(staging.placements[frame].items[event.item].shown for frame in frames)
    return truth


def _of_change(staging: Staging, grid: int) -> dict[str, bool]:
    truth = dict.fromkeys((*ACTIONS, *CHANGES, "up", "down"), False)
    event = staging.event
    if grid == 0 or event is None:
        return truth
    verb = {"recolour": "changed", "move": "moved", "grow": "grew", "shrink": "shrank", "appear": "appeared"}
    truth |= {word: word == verb.get(event.verb) for word in CHANGES}
    # A thing that is gone leaves nothing to see, and the change of place is a direction: neither is a place.
    return truth | {word: word == event.direction for word in ("up", "down")}
