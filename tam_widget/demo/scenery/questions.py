"""Questions about a scene, each with its only right answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import place_name, reading_order, side_by_side
from tam_widget.demo.scenery.drawing import COLOURS, SHAPES, SIGN, Item, Placement
from tam_widget.demo.scenery.language import NUMBERS, describe, plural, sentence, verb_of, with_article
from tam_widget.demo.scenery.question import Question
from tam_widget.demo.scenery.thing_questions import THINGS_WEIGHTS, about_things, unknown_thing

if TYPE_CHECKING:
    import numpy as np

    from tam_widget.demo.scenery.staging import Staging


# How often each kind is asked in training, among those that a scene allows; places and relations are learned last.
WEIGHTS = {
    "colour": 0.14,
    "shape": 0.13,
    "size": 0.07,
    "place": 0.2,
    "count": 0.13,
    "total": 0.06,
    "existence": 0.2,
    "relation": 0.2,
    "comparison": 0.1,
    "same": 0.1,
    "odd": 0.12,
    "text": 0.4,
    "action": 0.4,
    "picture": 0.3,
    "unknown": 0.04,
}

# A model this small would answer any question with one of its few words. It is taught to say so instead, on these
# words; how well that carries over is measured on the words after them.
UNKNOWN_ANSWER = "I only know simple shapes."
_UNKNOWN_WORDS = (  # noqa: SIM905
    "dog cat car tree house bird person ball book cup table chair flower fish horse boat train plane phone clock "
    "apple banana cake pizza bottle sheep cow elephant bear giraffe hat shoe door window road river cloud sun "
    "moon snow sky man woman child baby face hand eye nose logo box bag key bed sofa lamp knife "
    "fork plate bowl bread cheese milk egg carrot tomato potato juice coffee tea bus truck bike motorcycle bridge "
    "tower church "
).split()
UNSEEN_WORDS = ("zebra", "sandwich", "umbrella", "guitar", "mountain", "spoon", "kite", "robot", "frog", "castle")
_UNKNOWN_QUESTIONS = (
    "Is there a {}?",
    "Where is the {}?",
    "What color is the {}?",
    "How many {}s are there?",
    "How big is the {}?",
    "What is the {} doing?",
    "Do you see a {}?",
    "Who are you?",
    "Hello!",
    "Tell me a joke.",
    "What is the weather like?",
    "What time is it?",
    "Why?",
)


def all_questions(staging: Staging) -> dict[str, list[Question]]:
    """Every question that can be asked about what is in a scene, by kind; questions about what is not, are not."""
    found: dict[str, dict[str, Question]] = {}
    for question in _questions(staging):
        found.setdefault(question.kind, {}).setdefault(question.text, question)
    return {kind: list(questions.values()) for kind, questions in found.items()}


def ask(staging: Staging, rng: np.random.Generator, count: int) -> list[Question]:
    """Draw up to `count` different questions, of the kinds in the proportions of their weights."""
    kinds = THINGS_WEIGHTS if staging.of_things else WEIGHTS
    every = all_questions(staging)
    every["unknown"] = [_unknown(staging, rng)]
    drawn: list[Question] = []
    while every and len(drawn) < count:
        weights = [kinds[kind] for kind in every]
        kind = str(rng.choice(list(every), p=[weight / sum(weights) for weight in weights]))
        questions = every[kind]
        drawn.append(questions.pop(int(rng.integers(len(questions)))))
        if not questions:
            del every[kind]
    return drawn


def follow_up(staging: Staging, rng: np.random.Generator, count: int) -> list[Question]:
    """Draw questions that follow each other about one thing, which after the first is called "it".

    Empty where nothing can be asked twice.
    """
    by_item: dict[int, list[Question]] = {}
    for questions in all_questions(staging).values():
        for question in questions:
            if question.about is not None and question.again:
                by_item.setdefault(question.about, []).append(question)
    several = [questions for questions in by_item.values() if len({question.kind for question in questions}) > 1]
    if not several:
        return []
    questions = several[int(rng.integers(len(several)))]
    first = questions[int(rng.integers(len(questions)))]
    # What the first question says or answers already is not asked again.
    said = set(f"{first.text} {first.answer}".lower().translate({ord(mark): " " for mark in "?.,"}).split())
    rest = [question for question in questions if question.kind != first.kind and not _told(question) <= said]
    if not rest:
        return []
    chosen = {question.kind: question for question in (rest[int(i)] for i in rng.permutation(len(rest)))}
    return [first, *map(_once_more, list(chosen.values())[: count - 1])]


def _once_more(question: Question) -> Question:
    text, answer = question.again
    return Question(question.kind, text, answer, question.about)


def _told(question: Question) -> set[str]:
    """Words of a follow-up's answer that its question does not have."""
    asked, answer = (set(text.lower().rstrip("?.").split()) for text in question.again)
    return answer - asked - {"a", "an", "at", "the"}


def unknown(question: str, word: str) -> Question:
    """Ask about something that is never in a scene; the answer says so."""
    return Question("unknown", question.format(word), UNKNOWN_ANSWER)


def _unknown(staging: Staging, rng: np.random.Generator) -> Question:
    if staging.of_things:
        return unknown_thing(rng)
    return unknown(str(rng.choice(_UNKNOWN_QUESTIONS)), str(rng.choice(_UNKNOWN_WORDS)))


def held_out_unknown(number: int) -> Question:
    """Ask with a word that no training asks about; another for another number, without any chance."""
    return unknown(_UNKNOWN_QUESTIONS[number % 4], UNSEEN_WORDS[number % len(UNSEEN_WORDS)])


def _questions(staging: Staging) -> Iterator[Question]:
    match staging.kind:
        case "things" | "things-unseen":
            yield from about_things(staging.first.items, staging.first, staging.relation, staging.ground)
        case "objects":
            yield from _about_things(staging.first)
            yield from _about_number(staging.first)
            yield from _about_existence(staging.first)
            yield from _about_two(staging.first)
        case "count":
            yield from _about_things(staging.first, sizes=False, places=False)
            yield from _about_number(staging.first)
            yield from _about_odd(staging.first)
        case "text":
            yield from _about_things(staging.first)
            yield from _about_sign(staging.first)
            yield from _about_neighbours(staging.first)
        case "overlap":
            yield from _about_things(staging.first)
            yield from _about_number(staging.first)
            yield from _about_touch(staging)
            yield from _about_existence(staging.first)
        case "things-moving":
            yield from _about_event(staging)
        case "moving":
            yield from _about_things(staging.first, sizes=False, places=False)
            yield from _about_event(staging)
        case _:
            yield from _about_pictures(staging)


def _about_things(placement: Placement, *, sizes: bool = True, places: bool = True) -> Iterator[Question]:
    """Colour, shape, size and place of everything that one word or two point out."""
    for number, item in enumerate(placement.items):
        where = place_name(item, placement.width, placement.height) if places else None
        if _unique(placement.items, "shape", item):
            name = f"the {item.shape}"
            if item.shape != SIGN:
                yield _is("colour", "What color is {}?", name, item.colour, number)
                if sizes:
                    yield _is("size", "How big is {}?", name, item.size, number)
            if where:
                yield _is("place", "Where is {}?", name, f"at the {where}", number)
        if item.shape != SIGN and _unique(placement.items, "colour", item):
            name = f"the {item.colour} object"
            yield _is("shape", "What shape is {}?", name, with_article(item.shape), number)
            if where:
                yield _is("place", "Where is {}?", name, f"at the {where}", number)


def _is(kind: str, asked: str, name: str, said: str, about: int) -> Question:
    """Ask what a thing is, by its name, and once more with "it"."""
    return Question(
        kind,
        asked.format(name),
        sentence(f"{name} is {said}"),
        about,
        (asked.format("it"), f"It is {said}."),
    )


def _about_number(placement: Placement) -> Iterator[Question]:
    items = placement.items
    absent = [shape for shape in SHAPES if not any(item.shape == shape for item in items)]
    for shape in (*{item.shape: None for item in items}, absent[int(items[0].x) % len(absent)]):
        count = sum(item.shape == shape for item in items)
        answer = f"There is one {shape}." if count == 1 else f"There are {NUMBERS[count]} {plural(shape)}."
        yield Question("count", f"How many {plural(shape)} are there?", answer)
    answer = "There is one object." if len(items) == 1 else f"There are {NUMBERS[len(items)]} objects."
    yield Question("total", "How many objects are there?", answer)


def _about_existence(placement: Placement) -> Iterator[Question]:
    """Ask for what is there, and for as much that is not: by shape, by colour, and by both."""
    items = placement.items
    at = int(items[0].x + items[0].y)  # any number that follows from the scene
    for shape, there in _there_and_not([item.shape for item in items], SHAPES, at):
        yield _existence(shape, there=there)
    for colour, there in _there_and_not([item.colour for item in items], COLOURS, at):
        yield _existence(f"{colour} object", there=there)
    for (shape, colour), there in _pairs_there_and_not(items):
        yield _existence(f"{colour} {shape}", there=there)


def _existence(name: str, *, there: bool) -> Question:
    answer = f"Yes, there is {with_article(name)}." if there else f"No, there is no {name}."
    return Question("existence", f"Is there {with_article(name)}?", answer)


def _there_and_not(present: Iterable[str], names: Iterable[str], at: int) -> Iterator[tuple[str, bool]]:
    """Give each name that is there once, and as many that are not."""
    there = dict.fromkeys(present)
    absent = [name for name in names if name not in there]
    yield from ((name, True) for name in there)
    for number in range(min(len(there), len(absent))):
        yield absent[(at + number) % len(absent)], False


def _pairs_there_and_not(items: tuple[Item, ...]) -> Iterator[tuple[tuple[str, str], bool]]:
    """Give each thing's shape and colour, and as many that are not there: one's shape and another's, or any, colour."""
    there = dict.fromkeys((item.shape, item.colour) for item in items)
    crossed = [(one.shape, other.colour) for one in items for other in items if one is not other]
    colours = list(COLOURS)
    for item in items:
        at = int(item.x + item.y)
        crossed.append((item.shape, colours[at % len(colours)]))
        crossed.append((SHAPES[at % len(SHAPES)], item.colour))
    absent = [pair for pair in dict.fromkeys(crossed) if pair not in there]
    yield from ((pair, True) for pair in there)
    yield from ((pair, False) for pair in absent[: len(items)])


def _about_two(placement: Placement) -> Iterator[Question]:
    """Relations and comparisons of things that one word each points out."""
    items = placement.items
    yield from _about_neighbours(placement)
    if len(items) == 3:  # noqa: PLR2004 - from left to right
        for item, where in zip(items, ("on the left", "in the middle", "on the right"), strict=True):
            yield Question("relation", f"What is {where}?", sentence(f"{with_article(item.short)} is {where}"))
    named = [item for item in items if _unique(items, "shape", item)]
    for one, other in ((one, other) for i, one in enumerate(named) for other in named[i + 1 :]):
        if one.size != other.size:
            larger = one if one.size == "large" else other
            for word, answer in (("larger", larger), ("smaller", other if larger is one else one)):
                text = f"Which is {word}, the {one.shape} or the {other.shape}?"
                yield Question("comparison", text, f"The {answer.shape} is {word}.")
        text = f"Do the {one.shape} and the {other.shape} have the same color?"
        if one.colour == other.colour:
            yield Question("same", text, f"Yes, both are {one.colour}.")
        else:
            told = f"No, the {one.shape} is {one.colour} and the {other.shape} is {other.colour}."
            yield Question("same", text, told)


def _about_neighbours(placement: Placement) -> Iterator[Question]:
    items = placement.items
    if len(items) != 2:  # noqa: PLR2004
        return
    first, second = reading_order(items)
    relations = ("left of", "right of") if side_by_side(first, second) else ("above", "below")
    for one, other, relation in ((first, second, relations[0]), (second, first, relations[1])):
        if first.shape == second.shape:
            continue
        of = f"{relation} the {other.shape}"
        yield Question("relation", f"What is {of}?", sentence(f"{with_article(one.short)} is {of}"))
        yield Question("relation", f"Is the {one.shape} {of}?", f"Yes, the {one.shape} is {of}.")
        wrong = relations[1] if relation == relations[0] else relations[0]
        text = f"Is the {one.shape} {wrong} the {other.shape}?"
        yield Question("relation", text, f"No, the {one.shape} is {of}.")


def _about_odd(placement: Placement) -> Iterator[Question]:
    others = [item for item in placement.items if item.shape != placement.items[0].shape]
    for item in others:
        yield Question("odd", "Which object is different?", f"The {item.shape} is different.")


def _about_sign(placement: Placement) -> Iterator[Question]:
    for item in placement.items:
        if item.shape == SIGN:
            answer = f'The sign says "{item.text}".'
            yield Question("text", "What does the sign say?", answer)
            yield Question("text", "What is written on the sign?", answer)
            yield Question("text", "Read the sign.", answer)


def _about_touch(staging: Staging) -> Iterator[Question]:
    under, over = staging.first.items
    relation, back = staging.relation, "under" if staging.relation == "on" else "behind"
    for one, other, how in ((over, under, relation), (under, over, back)):
        of = f"{how} the {other.shape}"
        yield Question("relation", f"What is {of}?", sentence(f"{with_article(one.short)} is {of}"))


def _about_event(staging: Staging) -> Iterator[Question]:
    event = staging.event
    assert event is not None  # noqa: S101 - every film has one
    for number, item in enumerate(staging.first.items):
        does = verb_of(event) if number == event.item else "stays"
        for name in (f"the {item.shape}", f"the {item.short}"):
            yield Question(
                "action",
                f"What does {name} do?",
                sentence(f"{name} {does}"),
                number,
                ("What does it do?", f"It {does}."),
            )
    if event.verb == "move":
        mover = staging.first.items[event.item]
        yield Question("action", "What moves?", f"The {mover.short} moves.", event.item)
        text = f"Which way does the {mover.shape} move?"
        again = ("Which way does it move?", f"It moves {event.direction}.")
        yield Question("action", text, f"The {mover.shape} moves {event.direction}.", event.item, again)


def _about_pictures(staging: Staging) -> Iterator[Question]:
    for number, placement in zip(("first", "second"), staging.placements, strict=True):
        yield Question("picture", f"What is in the {number} image?", describe(placement))
    shapes = [{item.shape for item in placement.items if item.shown} for placement in staging.placements]
    for shape in sorted(shapes[0] ^ shapes[1]):
        number = "first" if shape in shapes[0] else "second"
        yield Question(
            "picture", f"Which image has {with_article(shape)}?", f"The {number} image has {with_article(shape)}."
        )


def _unique(items: tuple[Item, ...], attribute: str, item: Item) -> bool:
    return [getattr(other, attribute) for other in items].count(getattr(item, attribute)) == 1
