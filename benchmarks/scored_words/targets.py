"""Which words of an answer can be seen, and where: the mask that belongs to each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.changing import DIRECTIONS
from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIGN, SIZES
from tam_widget.demo.scenery.language import plural
from tam_widget.demo.scenery.staging import FILMS
from tam_widget.demo.scenery.things.catalogue import COLOURS as THINGS_COLOURS
from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.demo.scenery.truth import ACTIONS, CHANGES, COUNTS, PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scored_words.held_out import HeldOut

NAMES: dict[str, frozenset[str]] = {
    "shape": frozenset((*SHAPES, *map(plural, SHAPES), SIGN, *THINGS, *map(plural, THINGS))),
    "colour": frozenset((*COLOURS, *THINGS_COLOURS)),
    "size": frozenset(SIZES),
}

NAMING = ("shape", "colour")  # the groups whose words Obj-IoU and F1-IoU of whole captions are of


@dataclass(frozen=True, eq=False)
class Target:
    """A word and what it speaks of.

    Attributes
    ----------
    word : int
        Its place among the answer's words.
    group : str
        The kind of word: ``"shape"``, ``"colour"``, ``"size"``, ``"text"``, ``"number"``, ``"location"``, ``"action"``
        or ``"change"``.
    mask : ndarray of bool, shape (grids, height, width)
        Not empty.
    """

    word: int
    group: str
    mask: NDArray[np.bool_]


def plain(word: str) -> str:
    """Return a word as masks know it: in lower case, without the marks around it."""
    return word.strip(" \n.,?!\"'").lower()


def caption_targets(words: Sequence[str], held: HeldOut) -> list[Target]:
    """Find the words of a right caption that have a mask.

    Shape, colour and size words and names of things have that of all things they are true of; a sign's word that of the
    sign; a number that of all it counts. What a thing does is held against it from the second group of frames on, and
    what changed against the thing in the second picture: before, nothing has happened. "disappears" leaves nothing to
    see, and of the directions between two pictures training says nothing: neither is scored.

    Parameters
    ----------
    words : sequence of str
        The caption's, punctuation marks included.
    held : HeldOut
    """
    found = ((place, _caption_target(plain(word), held)) for place, word in enumerate(words))
    return [Target(place, *target) for place, target in found if target is not None and target[1].any()]


def _caption_target(word: str, held: HeldOut) -> tuple[str, NDArray[np.bool_]] | None:
    for group, names in NAMES.items():
        if word in names:
            return group, held.called(word)
    if held.staging.event is not None:
        return _action(word, held) if held.kind in FILMS else _change(word, held)
    match held.kind:
        case "text" if word in {thing.text for thing in held.scene.objects if thing.text}:
            return "text", held.called(word)
        case "count" if word in COUNTS:
            return "number", held.called(held.scene.objects[0].shape)  # a caption counts the first thing's shape
        case "things" | "things-unseen" if word in COUNTS:
            names = [thing.shape for thing in held.scene.objects]
            return "number", held.called(max(names, key=names.count))
        case _:
            return None


def _action(word: str, held: HeldOut) -> tuple[str, NDArray[np.bool_]] | None:
    event = held.staging.event
    if event is None:
        return None
    if word == "stays" and len(held.scene.objects) > 1:
        return "action", held.of_thing(1 - event.item, later=True)
    if word in {event.verb + "s", event.direction} & {*ACTIONS, *DIRECTIONS}:
        return "action", held.of_thing(event.item, later=True)
    return None


def _change(word: str, held: HeldOut) -> tuple[str, NDArray[np.bool_]] | None:
    event = held.staging.event
    if event is None or word not in CHANGES:
        return None
    return "change", held.of_thing(event.item, later=True)


def answer_targets(words: Sequence[str], held: HeldOut, asked: str, about: int) -> list[Target]:
    """Find the words that a right answer about one thing tells of it; their mask is that thing's.

    Parameters
    ----------
    words : sequence of str
        The answer's, punctuation marks included.
    held : HeldOut
    asked : str
        The kind of question.
    about : int
        The thing.
    """
    told = {
        "shape": NAMES["shape"],
        "colour": NAMES["colour"],
        "size": NAMES["size"],
        "place": frozenset(PLACES),
        "action": frozenset((*ACTIONS, *DIRECTIONS)),
    }.get(asked, frozenset())
    group = "location" if asked == "place" else asked
    mask = held.of_thing(about, later=asked == "action")
    if not mask.any():
        return []
    return [Target(place, group, mask) for place, word in enumerate(words) if plain(word) in told]
