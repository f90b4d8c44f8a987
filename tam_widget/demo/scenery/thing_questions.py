"""Questions about a scene of things, each with its only right answer."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import place_name, reading_order, side_by_side
from tam_widget.demo.scenery.language import NUMBERS, plural, sentence, with_article
from tam_widget.demo.scenery.question import Question
from tam_widget.demo.scenery.things.catalogue import THINGS
from tam_widget.demo.scenery.things.grounds import GROUNDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from tam_widget.demo.scenery.drawing import Item, Placement

__all__ = [
    "THINGS_WEIGHTS",
    "UNKNOWN_THING_ANSWER",
    "UNSEEN_NAMES",
    "about_things",
    "held_out_unknown_thing",
    "unknown_thing",
]

_LARGER = 1.2  # times as wide: what is called larger
_CLEAR = 0.09  # of the width: what "on the left" must differ by

# How often each kind is asked in training, among those that a scene allows.
THINGS_WEIGHTS = {
    "colour": 0.12,
    "place": 0.2,
    "what": 0.14,
    "count": 0.15,
    "total": 0.06,
    "existence": 0.22,
    "relation": 0.22,
    "comparison": 0.2,
    "unknown": 0.06,
}

# As with shapes: what the model was taught not to know, and words after them to measure how well that carries over.
UNKNOWN_THING_ANSWER = "I only know some everyday things."
_UNKNOWN_NAMES = (  # noqa: SIM905
    "bench bridge cheese potato onion bowl plate fork spoon knife window road river person man woman child baby face "
    "hand eye nose logo sign lamp mirror carpet curtain pillow blanket oven fridge sink towel ruler eraser needle rope "
    "chain ladder saw axe screw nail wheel engine tram ship submarine taxi wolf goat deer eagle parrot lobster whale "
    "seal ant worm tulip mountain island desert circle square triangle violin flute piano skateboard lantern anchor "
    "feather coin stamp map flag kettle pan jar barrel cage fence gate"
).split()
UNSEEN_NAMES = ("pumpkin", "hippo", "zipper", "harp", "glove", "sock", "cherry", "magnet", "igloo", "statue")
_UNKNOWN_QUESTIONS = (
    "Is there {a}?",
    "Where is the {name}?",
    "What color is the {name}?",
    "How many {name}s are there?",
    "What is left of the {name}?",
    "What is the {name} doing?",
    "Do you see {a}?",
    "Who are you?",
    "Hello!",
    "Tell me a joke.",
    "What is the weather like?",
    "What time is it?",
    "Who took this picture?",
    "Why?",
)


def unknown_thing(rng: np.random.Generator) -> Question:
    """Ask about something that no scene has; the answer says that it is not known."""
    return _unknown(str(rng.choice(_UNKNOWN_QUESTIONS)), str(rng.choice(_UNKNOWN_NAMES)))


def held_out_unknown_thing(number: int) -> Question:
    """Ask with a name that no training asks about; another for another number, without any chance."""
    return _unknown(_UNKNOWN_QUESTIONS[number % 4], UNSEEN_NAMES[number % len(UNSEEN_NAMES)])


def _unknown(question: str, name: str) -> Question:
    return Question("unknown", question.format(a=with_article(name), name=name), UNKNOWN_THING_ANSWER)


def about_things(items: Sequence[Item], placement: Placement, relation: str, ground: str) -> Iterator[Question]:
    """Ask everything that can be asked about one picture of things.

    Parameters
    ----------
    items : sequence of Item
    placement : Placement
        What they are part of.
    relation : str
        ``"in front of"`` where the second thing covers a part of the first, else empty.
    ground : str
        What they stand before: what it shows is not asked about.
    """
    counts = Counter(item.shape for item in items)
    yield from _each(items, counts, placement)
    yield from _numbers(items, counts, ground)
    if relation:
        yield from _covering(items)
    elif len(counts) == len(items):
        yield from _beside(items, placement)
    yield from _sizes([item for item in items if counts[item.shape] == 1])


def _each(items: Sequence[Item], counts: Counter[str], placement: Placement) -> Iterator[Question]:
    """Colour and place of everything that its name points out, and what there is at its place."""
    places = [place_name(item, placement.width, placement.height) for item in items]
    for number, (item, where) in enumerate(zip(items, places, strict=True)):
        name = f"the {item.shape}"
        if item.colour and counts[item.shape] == 1:
            yield _is("colour", "What color is {}?", name, item.colour, number)
        if where and counts[item.shape] == 1:
            yield _is("place", "Where is {}?", name, f"at the {where}", number)
        if where and places.count(where) == 1 and None not in places:
            answer = sentence(f"{with_article(item.shape)} is at the {where}")
            yield Question("what", f"What is at the {where}?", answer, number)


def _is(kind: str, asked: str, name: str, said: str, about: int) -> Question:
    again = (asked.format("it"), f"It is {said}.")
    return Question(kind, asked.format(name), sentence(f"{name} is {said}"), about, again)


def _numbers(items: Sequence[Item], counts: Counter[str], ground: str) -> Iterator[Question]:
    """How many there are, and whether there are any: of each thing that is there, and of as many that are not."""
    at = int(items[0].x + items[0].y)  # any number that follows from the scene
    absent = [name for name in THINGS if name not in counts and name not in GROUNDS[ground].shows]
    missing = [absent[(at + 31 * number) % len(absent)] for number in range(len(counts))]
    for name in (*counts, missing[0]):
        count = counts[name]
        answer = f"There is one {name}." if count == 1 else f"There are {NUMBERS[count]} {plural(name)}."
        yield Question("count", f"How many {plural(name)} are there?", answer)
    answer = "There is one thing." if len(items) == 1 else f"There are {NUMBERS[len(items)]} things."
    yield Question("total", "How many things are there?", answer)
    for name in counts:
        yield Question("existence", f"Is there {with_article(name)}?", f"Yes, there is {with_article(name)}.")
    for name in missing:
        yield Question("existence", f"Is there {with_article(name)}?", f"No, there is no {name}.")


def _covering(items: Sequence[Item]) -> Iterator[Question]:
    behind, front = items
    for one, other, how in ((front, behind, "in front of"), (behind, front, "behind")):
        of = f"{how} the {other.shape}"
        yield Question("relation", f"What is {of}?", sentence(f"{with_article(one.shape)} is {of}"))


def _beside(items: Sequence[Item], placement: Placement) -> Iterator[Question]:
    """Ask what stands left of, right of, above or below what; of three or four things, what stands at either end."""
    if len(items) == 2:  # noqa: PLR2004
        first, second = reading_order(items)
        before, after = ("left of", "right of") if side_by_side(first, second) else ("above", "below")
        for one, other, word, wrong in ((first, second, before, after), (second, first, after, before)):
            of = f"{word} the {other.shape}"
            yield Question("relation", f"What is {of}?", sentence(f"{with_article(one.shape)} is {of}"))
            yield Question("relation", f"Is the {one.shape} {of}?", f"Yes, the {one.shape} is {of}.")
            text = f"Is the {one.shape} {wrong} the {other.shape}?"
            yield Question("relation", text, f"No, the {one.shape} is {of}.")
    elif len(items) > 2:  # noqa: PLR2004
        ordered = sorted(items, key=lambda item: item.x)
        for item, neighbour, where in ((ordered[0], ordered[1], "left"), (ordered[-1], ordered[-2], "right")):
            if abs(item.x - neighbour.x) >= _CLEAR * placement.width:
                answer = sentence(f"{with_article(item.shape)} is on the {where}")
                yield Question("relation", f"What is on the {where}?", answer)


def _sizes(named: Sequence[Item]) -> Iterator[Question]:
    """Which of two things is larger or smaller in the picture."""
    for one, other in itertools.combinations(named, 2):
        small, large = sorted((one, other), key=lambda item: item.radius)
        if large.radius >= _LARGER * small.radius:
            for word, answer in (("larger", large), ("smaller", small)):
                text = f"Which is {word}, the {one.shape} or the {other.shape}?"
                yield Question("comparison", text, f"The {answer.shape} is {word}.")
