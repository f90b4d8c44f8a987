"""What is asked about a held-out scene, always the same: its caption, a question of each kind, a second turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import tam_widget as tam
from tam_widget.demo.scenery.questions import follow_up
from tam_widget.demo.scenery.staging import FILMS, KINDS, THINGS_KINDS

if TYPE_CHECKING:
    from scored_words.held_out import HeldOut
    from scored_words.model import Model
    from tam_widget.demo.scenery.question import Question

CAPTION, SECOND = "caption", "second turn"
_MOST_TOKENS = 48


def ask(model: Model, held: HeldOut, prompt: str) -> tam.Explanation:
    """Ask one question."""
    return tam.explain(model.model, model.processor, prompt=prompt, max_new_tokens=_MOST_TOKENS, **held.scene.media)


def go_on(model: Model, held: HeldOut, turns: tuple[Question, Question]) -> tam.Explanation:
    """Ask the second question, after the first one and its right answer."""
    return tam.explain(
        model.model,
        model.processor,
        messages=messages_of(held, turns),
        max_new_tokens=_MOST_TOKENS,
        **held.scene.media,
    )


def messages_of(held: HeldOut, turns: tuple[Question, Question]) -> list[dict[str, Any]]:
    """Return two turns in the chat format; the media are given beside them."""
    first, second = turns
    medium = {"type": "video"} if held.kind in FILMS else {"type": "image"}
    media = [medium] * (1 if held.kind in FILMS else len(held.scene.images))
    return [
        {"role": "user", "content": [*media, {"type": "text", "text": first.text}]},
        {"role": "assistant", "content": [{"type": "text", "text": first.answer}]},
        {"role": "user", "content": [{"type": "text", "text": second.text}]},
    ]


def questions_of(held: HeldOut) -> list[Question]:
    """Return one question of each kind; which one follows from the seed."""
    by_kind: dict[str, list[Question]] = {}
    for question in held.scene.questions:
        by_kind.setdefault(question.kind, []).append(question)
    return [questions[held.scene.seed % len(questions)] for questions in by_kind.values()]


def second_turn_of(held: HeldOut) -> tuple[Question, Question] | None:
    """Return a question about a thing and one of another kind that calls it "it"; None where there are none."""
    chance = np.random.default_rng([held.scene.seed, (*KINDS, *THINGS_KINDS).index(held.kind)])
    turns = follow_up(held.staging, chance, 2)
    return (turns[0], turns[1]) if len(turns) == 2 else None
