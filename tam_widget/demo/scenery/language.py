"""What is said about a scene: captions, and how things, places and numbers are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.demo.scenery.arrangement import place_name, reading_order, side_by_side
from tam_widget.demo.scenery.drawing import Item, Placement
from tam_widget.demo.scenery.things.catalogue import THINGS

if TYPE_CHECKING:
    from tam_widget.demo.scenery.changing import Event
    from tam_widget.demo.scenery.staging import Staging

SYSTEM_PROMPT = "You are a helpful assistant."
PICTURE_PROMPTS = (
    "Describe this image.",
    "Describe the image.",
    "Describe this picture.",
    "Describe the scene.",
    "What is in the image?",
    "What do you see?",
)
VIDEO_PROMPTS = ("What happens?", "What happens in the video?", "Describe this video.", "Describe the video.")
PAIR_PROMPTS = ("What changed?", "What has changed?", "What is different?", "What is the difference?")
NUMBERS = ("no", "one", "two", "three", "four", "five")


def prompts_for(kind: str) -> tuple[str, ...]:
    """Return the prompts whose answer is :func:`caption`."""
    return {"moving": VIDEO_PROMPTS, "pair": PAIR_PROMPTS}.get(kind.removeprefix("things-"), PICTURE_PROMPTS)


def plural(shape: str) -> str:
    """``"star"`` → ``"stars"``, ``"cross"`` → ``"crosses"``, ``"mouse"`` → ``"mice"``."""
    return THINGS[shape].plural if shape in THINGS else shape + ("es" if shape.endswith("s") else "s")


def with_article(name: str) -> str:
    """Put the article before a name: ``"a red star"``, ``"an orange star"``."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a full stop."""
    return text[0].upper() + text[1:] + "."


def caption(staging: Staging, *, adjectives: bool = True) -> str:
    """Describe a scene in one sentence that names everything in it.

    Parameters
    ----------
    staging : Staging
    adjectives : bool
        Whether sizes and colours are told: "A small red star is on a large blue circle.", or "A star is on a circle."
        Of the kind ``"overlap"`` only.
    """
    match staging.kind:
        case "count":
            return _told_by_number(staging.first.items)
        case "overlap":
            under, over = (item.name if adjectives else item.shape for item in staging.first.items)
            return sentence(f"{with_article(over)} is {staging.relation} {with_article(under)}")
        case "moving" | "things-moving":
            return _told_by_event(staging)
        case "pair" | "things-pair":
            return _told_by_change(staging)
        case "things" | "things-unseen":
            return _told_of_things(staging)
        case _:
            return describe(staging.first)


def describe(placement: Placement) -> str:
    """Describe one picture of things that do not touch."""
    items = reading_order(placement.items)
    names = [item.name for item in items]
    match items:
        case [only]:
            where = place_name(only, placement.width, placement.height)
            return sentence(f"{with_article(names[0])} is at the {where}")
        case [first, second]:
            relation = "left of" if side_by_side(first, second) else "above"
            return sentence(f"{with_article(names[0])} is {relation} {with_article(names[1])}")
        case _:
            return sentence(f"there is {', '.join(map(with_article, names[:-1]))} and {with_article(names[-1])}")


def verb_of(event: Event) -> str:
    """Say what a thing of a film does: ``"moves left"``, ``"grows"``."""
    return {"move": f"moves {event.direction}"}.get(event.verb, event.verb + "s")


def _told_of_things(staging: Staging) -> str:
    names = [item.shape for item in staging.first.items]
    if staging.relation:
        behind, front = names
        return sentence(f"{with_article(front)} is {staging.relation} {with_article(behind)}")
    if len(set(names)) == len(names):
        return describe(staging.first)
    many = max(names, key=names.count)
    others = [f" and {with_article(name)}" for name in names if name != many]
    return sentence(f"there are {NUMBERS[names.count(many)]} {plural(many)}{''.join(others)}")


def _told_by_number(items: tuple[Item, ...]) -> str:
    shape = items[0].shape
    same = [item for item in items if item.shape == shape]
    colours = {item.colour for item in same}
    many = f"{NUMBERS[len(same)]} {next(iter(colours)) + ' ' if len(colours) == 1 else ''}{plural(shape)}"
    others = [f" and {with_article(item.short)}" for item in items if item.shape != shape]
    return sentence(f"there are {many}{''.join(others)}")


def _told_by_event(staging: Staging) -> str:
    event = staging.event
    assert event is not None  # noqa: S101 - every film has one
    mover = staging.first.items[event.item]
    stays = [f" and {with_article(item.short)} stays" for item in staging.first.items if item is not mover]
    return sentence(f"{with_article(mover.short)} {verb_of(event)}{''.join(stays)}")


def _told_by_change(staging: Staging) -> str:
    event = staging.event
    if event is None:
        return "Nothing changed."
    before, after = (placement.items[event.item] for placement in staging.placements)
    if event.verb == "recolour":
        return f"The {before.shape} changed from {before.colour} to {after.colour}."
    if event.verb == "appear":
        return sentence(f"{with_article(after.short)} appeared")
    past = {"move": f"moved {event.direction}", "grow": "grew", "shrink": "shrank", "disappear": "disappeared"}
    return f"The {before.short} {past[event.verb]}."
