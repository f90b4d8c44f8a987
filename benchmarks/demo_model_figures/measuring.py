"""One scene measured: what the model says about it, and how the maps of what it says right fit the masks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from demo_model_figures.asked import CAPTION, SECOND, ask, go_on, questions_of, second_turn_of
from scored_words.function_words import functions_of
from scored_words.held_out import joined
from scored_words.judged import (
    ATTENTION,
    AnswerMaps,
    attention_maps,
    fit,
    points_on,
)
from scored_words.targets import Target, answer_targets, caption_targets, plain

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    import tam_widget as tam
    from scored_words.held_out import HeldOut
    from scored_words.kept import Row
    from scored_words.model import Model
    from tam_widget.demo.scenery.question import Question


def measure(model: Model, held: HeldOut) -> Row:
    """Measure a scene.

    Returns
    -------
    dict
        Ready for JSON. ``answers``: for each question what was asked for, the prompt, what was said and what is right.
        ``words``: of the right caption and the right place, each word's group and scores by method. ``functions``: of
        the caption's function words. ``groups``: of a film, the moving thing's shape word in each group of frames.
        ``second``: of the right second answer.
    """
    ex = ask(model, held, held.scene.prompt)
    row: Row = {"seed": held.scene.seed, "answers": [_answer(CAPTION, held.scene.prompt, ex, held.scene.caption)]}
    row |= {"words": [], "functions": [], "groups": {}, "second": []}
    if ex.answer == held.scene.caption:
        _measure_caption(row, _maps(model, ex), held)
    for question in questions_of(held):
        ex = ask(model, held, question.text)
        row["answers"].append(_answer(question.kind, question.text, ex, question.answer))
        if question.kind == "place" and ex.answer == question.answer and question.about is not None:
            maps = _maps(model, ex)
            targets = answer_targets(maps.words, held, question.kind, question.about)
            row["words"] += [_word(maps, target) for target in targets]
    if turns := second_turn_of(held):
        _measure_second(row, model, held, turns)
    return row


def _maps(model: Model, ex: tam.Explanation) -> AnswerMaps:
    attention = attention_maps(model.model, model.processor, ex)
    return AnswerMaps(ex, {} if attention is None else {ATTENTION: attention})


def _answer(asked: str, prompt: str, ex: tam.Explanation, right: str) -> Row:
    return {"asked": asked, "prompt": prompt, "said": ex.answer, "right": right}


def _word(maps: AnswerMaps, target: Target) -> Row:
    scores = {name: fit(found, target.mask) for name, found in maps.of_target(target.word, target.mask).items()}
    return {"group": target.group, "scores": scores}


def _measure_caption(row: Row, maps: AnswerMaps, held: HeldOut) -> None:
    targets = caption_targets(maps.words, held)
    row["words"] += [_word(maps, target) for target in targets]
    row["functions"] = functions_of(maps, targets)
    event = held.staging.event
    if held.kind == "moving" and event is not None:
        mover = held.scene.objects[event.item].shape
        for target in targets:
            if plain(maps.words[target.word]) == mover:
                row["groups"] = {
                    name: _by_group(found, target) for name, found in maps.of_target(target.word, target.mask).items()
                }


def _by_group(found: list[NDArray[np.float32]], target: Target) -> list[Row | None]:
    """Score each group of frames by itself; None where the thing is not shown."""
    masks = [target.mask[group][None] for group in range(len(target.mask))]
    return [
        fit([one[group][None] for one in found], mask) if joined(mask).any() else None
        for group, mask in enumerate(masks)
    ]


def _measure_second(row: Row, model: Model, held: HeldOut, turns: tuple[Question, Question]) -> None:
    first, second = turns
    ex = go_on(model, held, turns)
    prompt = f"{first.text} {first.answer} {second.text}"
    row["answers"].append(_answer(SECOND, prompt, ex, second.answer))
    if ex.answer != second.answer or second.about is None:
        return
    maps = _maps(model, ex)
    others = held.of_others(second.about) if len(held.scene.objects) > 1 else None
    for target in answer_targets(maps.words, held, second.kind, second.about):
        found = maps.of_target(target.word, target.mask)
        scores = {name: fit(one, target.mask) for name, one in found.items()}
        if others is not None:
            for name, one in found.items():
                scores[name]["elsewhere"] = points_on(one, target.mask, others)
        row["second"].append({"asked": second.kind, "scores": scores})
