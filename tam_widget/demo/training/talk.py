"""What is said about one scene in training: its caption and some questions, each for itself or in turns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.demo.scenery.language import caption, prompts_for
from tam_widget.demo.scenery.question import Question
from tam_widget.demo.scenery.questions import ask, follow_up

if TYPE_CHECKING:
    import numpy as np

    from tam_widget.demo.scenery.staging import Staging

_QUESTIONS = 4


def talk_about(
    staging: Staging, rng: np.random.Generator, *, chained: bool = False, adjectives: bool = True
) -> list[Question]:
    """Draw the caption and four questions.

    Parameters
    ----------
    staging : Staging
    rng : numpy.random.Generator
    chained : bool
        Whether they follow each other as turns of one conversation. Then up to three of them speak of one thing, which
        is called "it" after the first.
    adjectives : bool
        Whether captions tell sizes and colours, where they may be left out.
    """
    prompts = prompts_for(staging.kind)
    told = Question("caption", prompts[int(rng.integers(len(prompts)))], caption(staging, adjectives=adjectives))
    if not chained:
        return [told, *ask(staging, rng, _QUESTIONS)]
    connected = follow_up(staging, rng, 3)
    known = {question.text for question in connected}
    parts = [
        [told],
        *([question] for question in ask(staging, rng, _QUESTIONS - len(connected)) if question.text not in known),
    ]
    if connected:
        parts.append(connected)
    return [question for part in rng.permutation(len(parts)) for question in parts[int(part)]]
