"""What can be said about a scene: its caption, and questions with their answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tam_widget.demo.drawing import COLOURS, SHAPES, Item, Placement, place_name, side_by_side

if TYPE_CHECKING:
    import numpy as np

SYSTEM_PROMPT = "You are a helpful assistant."
CAPTION_PROMPTS = (
    "Describe this image.",
    "Describe the image.",
    "Describe this picture.",
    "Describe the scene.",
    "What is in the image?",
    "What do you see?",
)
_NUMBERS = ("no", "one", "two", "three")


@dataclass(frozen=True)
class Question:
    """A question about a scene and its only right answer; `kind` names what is asked for."""

    kind: str
    text: str
    answer: str


# How often each kind is asked in training; "place" is the slowest to learn.
KINDS = {
    "colour": 0.19,
    "shape": 0.16,
    "count": 0.12,
    "total": 0.06,
    "place": 0.2,
    "existence": 0.15,
    "size": 0.08,
    "unknown": 0.04,
}

# A model this small would answer any question with one of its few words. It is taught to say so instead, on these
# words; how well that carries over is measured on the words after them.
UNKNOWN_ANSWER = "I only know simple shapes."
_UNKNOWN_WORDS = (  # noqa: SIM905
    "dog cat car tree house bird person ball book cup table chair flower fish horse boat train plane phone clock "
    "apple banana cake pizza bottle sheep cow elephant bear giraffe hat shoe door window road river cloud sun "
    "moon snow sky man woman child baby face hand eye nose logo word letter sign box bag key bed sofa lamp knife "
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
    "What happens next?",
    "Why?",
)


def plural(shape: str) -> str:
    """``"star"`` → ``"stars"``, ``"cross"`` → ``"crosses"``."""
    return shape + ("es" if shape.endswith("s") else "s")


def caption(placement: Placement) -> str:
    """Describe a scene in one sentence that names everything in it."""
    names = [item.name for item in placement.items]
    match placement.items:
        case (only,):
            return f"A {only.name} is at the {place_name(only, placement.width, placement.height)}."
        case (first, second):
            relation = "left of" if side_by_side(first, second) else "above"
            return f"A {first.name} is {relation} a {second.name}."
        case _:
            return f"There is a {', a '.join(names[:-1])} and a {names[-1]}."


def ask(placement: Placement, rng: np.random.Generator, count: int) -> list[Question]:
    """Draw up to `count` different questions, of the kinds in the proportions of :data:`KINDS`."""
    questions: dict[str, Question] = {}
    kinds, weights = list(KINDS), list(KINDS.values())
    for _ in range(50):
        if len(questions) == count:
            break
        question = _question(str(rng.choice(kinds, p=weights)), placement, rng)
        if question is not None:
            questions.setdefault(question.text, question)
    return list(questions.values())


def all_questions(placement: Placement) -> Iterator[Question]:
    """Every question that can be asked about what is in a scene, each kind in turn."""
    items = placement.items
    for item in items:
        if _unique(items, "shape", item):
            yield _colour(item)
            yield _size(item)
            where = _place(item, placement)
            if where is not None:
                yield where
        if _unique(items, "colour", item):
            yield _shape(item)
    for shape in SHAPES:
        yield _count(shape, items)
    yield _total(items)
    for shape, colour in [(item.shape, item.colour) for item in items]:
        yield _existence(shape, colour, items)
    absent = [(item.shape, colour) for item in items for colour in COLOURS if not _present(item.shape, colour, items)]
    for shape, colour in absent[: len(items)]:
        yield _existence(shape, colour, items)
    # A different pair for different scenes, without any chance.
    here = int(items[0].x)
    yield _unknown(_UNKNOWN_QUESTIONS[here % 4], UNSEEN_WORDS[here % len(UNSEEN_WORDS)])


def _question(kind: str, placement: Placement, rng: np.random.Generator) -> Question | None:  # noqa: PLR0911
    """One question of a kind about a thing chosen by chance; None where it would be ambiguous."""
    items = placement.items
    item = items[rng.integers(len(items))]
    match kind:
        case "colour":
            return _colour(item) if _unique(items, "shape", item) else None
        case "size":
            return _size(item) if _unique(items, "shape", item) else None
        case "place":
            return _place(item, placement) if _unique(items, "shape", item) else None
        case "shape":
            return _shape(item) if _unique(items, "colour", item) else None
        case "count":
            return _count(str(rng.choice(SHAPES)) if rng.random() < 0.4 else item.shape, items)  # noqa: PLR2004
        case "total":
            return _total(items)
        case "unknown":
            return _unknown(str(rng.choice(_UNKNOWN_QUESTIONS)), str(rng.choice(_UNKNOWN_WORDS)))
        case _:
            return _existence(*_candidate(item, items, rng), items)


def _candidate(item: Item, items: tuple[Item, ...], rng: np.random.Generator) -> tuple[str, str]:
    """Choose a shape and a colour to ask for: present, crossed between two things, or any."""
    chance = rng.random()
    if chance < 0.4:  # noqa: PLR2004
        return item.shape, item.colour
    if chance < 0.7:  # noqa: PLR2004
        return items[rng.integers(len(items))].shape, items[rng.integers(len(items))].colour
    return str(rng.choice(SHAPES)), str(rng.choice(list(COLOURS)))


def _unique(items: tuple[Item, ...], attribute: str, item: Item) -> bool:
    return [getattr(other, attribute) for other in items].count(getattr(item, attribute)) == 1


def _present(shape: str, colour: str, items: tuple[Item, ...]) -> bool:
    return any((item.shape, item.colour) == (shape, colour) for item in items)


def _colour(item: Item) -> Question:
    return Question("colour", f"What color is the {item.shape}?", f"The {item.shape} is {item.colour}.")


def _size(item: Item) -> Question:
    return Question("size", f"How big is the {item.shape}?", f"The {item.shape} is {item.size}.")


def _shape(item: Item) -> Question:
    text = f"What shape is the {item.colour} object?"
    return Question("shape", text, f"The {item.colour} object is a {item.shape}.")


def _place(item: Item, placement: Placement) -> Question | None:
    name = place_name(item, placement.width, placement.height)
    if name is None:
        return None
    return Question("place", f"Where is the {item.shape}?", f"The {item.shape} is at the {name}.")


def _count(shape: str, items: tuple[Item, ...]) -> Question:
    count = sum(item.shape == shape for item in items)
    answer = f"There is one {shape}." if count == 1 else f"There are {_NUMBERS[count]} {plural(shape)}."
    return Question("count", f"How many {plural(shape)} are there?", answer)


def _total(items: tuple[Item, ...]) -> Question:
    answer = "There is one object." if len(items) == 1 else f"There are {_NUMBERS[len(items)]} objects."
    return Question("total", "How many objects are there?", answer)


def _unknown(question: str, word: str) -> Question:
    return Question("unknown", question.format(word), UNKNOWN_ANSWER)


def _existence(shape: str, colour: str, items: tuple[Item, ...]) -> Question:
    article = "an" if colour == "orange" else "a"
    text = f"Is there {article} {colour} {shape}?"
    if _present(shape, colour, items):
        return Question("existence", text, f"Yes, there is {article} {colour} {shape}.")
    return Question("existence", text, f"No, there is no {colour} {shape}.")
