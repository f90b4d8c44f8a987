"""Which words are true of a scene of things: labels of whole pictures, that say nothing of where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import place_name
from tam_widget.demo.scenery.language import NUMBERS, plural
from tam_widget.demo.scenery.things.catalogue import COLOURS, THINGS
from tam_widget.demo.scenery.things.grounds import GROUNDS

if TYPE_CHECKING:
    from tam_widget.demo.scenery.staging import Staging

__all__ = ["GROUNDED_THINGS", "true_of_things"]

_PLACES = ("top", "bottom", "left", "right", "center")
_COUNTS = NUMBERS[2:5]
GROUNDED_THINGS = tuple(dict.fromkeys((*THINGS, *map(plural, THINGS), *COLOURS, *_COUNTS, *_PLACES)))
"""Words that are true of something that can be seen."""


def true_of_things(staging: Staging) -> dict[str, bool]:
    """Return for each grounded word whether it is true of a picture; those left out are unknown."""
    items = staging.first.items
    names = [item.shape for item in items]
    shown = GROUNDS[staging.ground].shows
    truth = {word: name in names for name in THINGS if name not in shown for word in (name, plural(name))}
    if all(item.colour for item in items):
        truth |= {colour: any(item.colour == colour for item in items) for colour in COLOURS}
    counts = {names.count(name) for name in names}
    # "two things" may be said of any two: then the number is neither true nor false of a name.
    truth |= {
        word: number in counts for number, word in enumerate(_COUNTS, 2) if number in counts or number != len(items)
    }
    places = [place_name(item, staging.first.width, staging.first.height) for item in items]
    here = {word for place in places if place for word in place.split()}
    # Something near a border of two places may be said to be in either.
    return truth | {word: word in here for word in _PLACES if word in here or None not in places}
