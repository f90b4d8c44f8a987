"""What is asked, answered and held for true of a scene follows from its pixels."""

import numpy as np
import pytest

from tam_widget import demo
from tam_widget.demo.scenery.language import NUMBERS, caption, plural
from tam_widget.demo.scenery.questions import UNKNOWN_ANSWER, UNSEEN_WORDS, WEIGHTS, all_questions, ask, follow_up
from tam_widget.demo.scenery.staging import KINDS, stage
from tam_widget.demo.scenery.truth import GROUNDED, true_words

ASKED = {
    "objects": {
        "colour", "shape", "size", "place", "count", "total", "existence", "relation", "comparison", "same", "unknown"
    },
    "count": {"colour", "shape", "count", "total", "odd", "unknown"},
    "text": {"colour", "shape", "size", "place", "text", "relation", "unknown"},
    "overlap": {"colour", "shape", "size", "place", "count", "total", "relation", "existence", "unknown"},
    "moving": {"colour", "shape", "action", "unknown"},
    "pair": {"picture", "unknown"},
}  # fmt: skip


def staged(kind, seed=0, count=30):
    rng = np.random.default_rng(seed)
    side = {"moving": 140, "pair": 196}.get(kind, 224)
    return [stage(kind, rng, side, side) for _ in range(count)]


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_scenes_are_asked_their_kinds_of_questions(kind):
    questions = [question for scene in demo.scenes(40, kind) for question in scene.questions]
    assert {question.kind for question in questions} == ASKED[kind]
    assert ASKED[kind] <= WEIGHTS.keys()
    for question in questions:
        assert question.answer.endswith(".")
        assert question.answer[0].isupper()
        assert " a orange" not in question.text + question.answer
        assert (question.kind == "unknown") == (question.answer == UNKNOWN_ANSWER)
        if question.kind == "unknown":
            assert any(word in question.text for word in UNSEEN_WORDS)


@pytest.mark.parametrize("seed", range(30))
def test_questions_are_answered_by_the_picture(seed):
    scene = demo.scene(seed)
    for question in scene.questions:
        words = question.text.rstrip("?").split()
        if question.about is not None:
            thing = scene.objects[question.about]
            middle = np.argwhere(thing.mask).mean(0) / thing.mask.shape
        match question.kind:
            case "colour":
                assert [thing.shape for thing in scene.objects].count(words[-1]) == 1
                assert question.answer == f"The {words[-1]} is {thing.colour}."
            case "size":
                assert question.answer == f"The {thing.shape} is {thing.size}."
            case "shape":
                assert question.answer == f"The {thing.colour} object is a {thing.shape}."
            case "total":
                assert NUMBERS[len(scene.objects)] in question.answer.split()
            case "count":
                count = sum(plural(thing.shape) == words[2] for thing in scene.objects)
                assert NUMBERS[count] in question.answer.split()
            case "existence":
                asked = set(question.text.rstrip("?").split()) - {"Is", "there", "a", "an", "object"}
                there = any(asked <= {thing.colour, thing.shape} for thing in scene.objects)
                assert question.answer.startswith("Yes" if there else "No")
            case "place":
                assert ("left" in question.answer) == (middle[1] < 1 / 3)
                assert ("bottom" in question.answer) == (middle[0] > 2 / 3)


def middle_of(scene, shape):
    return np.argwhere(scene.mask(shape)).mean(0)


@pytest.mark.parametrize("seed", range(40))
def test_relations_and_comparisons_hold(seed):
    scene = demo.scene(seed, objects=2)
    by_shape = {thing.shape: thing for thing in scene.objects}
    for question in scene.questions:
        words = question.answer.rstrip(".").replace(",", "").split()
        if question.kind == "relation":
            subject, other = words[2], words[-1]
            (down, right) = middle_of(scene, other) - middle_of(scene, subject)
            relation = next(word for word in ("left", "right", "above", "below") if word in words)
            assert {"left": right, "right": -right, "above": down, "below": -down}[relation] > 0
            if question.text.startswith("Is"):
                assert (f" {relation} " in question.text) == (words[0] == "Yes")
        elif question.kind == "comparison":
            winner = by_shape[words[1]]
            assert winner.size == {"larger": "large", "smaller": "small"}[words[-1]]
        elif question.kind == "same":
            colours = {thing.colour for thing in scene.objects}
            assert (words[0] == "Yes") == (len(colours) == 1)


def test_signs_are_read():
    for scene in demo.scenes(30, "text"):
        (text,) = [thing.text for thing in scene.objects if thing.text]
        answers = {question.answer for question in scene.questions if question.kind == "text"}
        assert answers == {f'The sign says "{text}".'}
        assert f'"{text}"' in scene.caption


def test_the_odd_one_is_the_one_of_its_shape():
    for scene in demo.scenes(30, "count"):
        shapes = [thing.shape for thing in scene.objects]
        odd = [question.answer for question in scene.questions if question.kind == "odd"]
        assert odd == [f"The {shape} is different." for shape in shapes if shapes.count(shape) == 1]


def test_captions_can_leave_the_adjectives_out():
    for staging in staged("overlap"):
        under, over = staging.first.items
        assert caption(staging, adjectives=False).rstrip(".").split() == [
            "A", over.shape, "is", *staging.relation.split(), "a", under.shape
        ]  # fmt: skip
        assert over.colour in caption(staging)


@pytest.mark.parametrize("kind", KINDS)
def test_training_asks_each_question_once(kind):
    rng = np.random.default_rng(0)
    for staging in staged(kind):
        texts = [question.text for question in ask(staging, rng, 4)]
        assert len(texts) == len(set(texts)) <= 4
    every = [question for questions in all_questions(staging).values() for question in questions]
    assert len({question.text for question in every}) == len(every)


@pytest.mark.parametrize("kind", KINDS)
def test_follow_ups_speak_of_one_thing_and_give_nothing_away(kind):
    rng = np.random.default_rng(0)
    chains = [chain for staging in staged(kind, count=60) if (chain := follow_up(staging, rng, 3))]
    assert bool(chains) == (kind not in {"count", "pair"})
    for first, *rest in chains:
        assert " it" not in first.text
        assert 1 <= len(rest) <= 2
        for question in rest:
            assert " it" in question.text
            assert question.answer.startswith("It ")
            assert question.about == first.about
            told = question.answer.rstrip(".").split()[-1]
            assert told not in f"{first.text} {first.answer}".lower().rstrip(".?").split()


@pytest.mark.parametrize("kind", KINDS)
def test_words_that_are_true_are_seen(kind):
    for staging in staged(kind):
        for grid, placement in enumerate(staging.placements):
            truth = true_words(staging, grid, (grid,))
            assert truth.keys() <= set(GROUNDED)
            shown = [item for item in placement.items if item.shown]
            for item in shown:
                assert truth[item.shape]
                assert truth.get(plural(item.shape), item.shape == "sign")
                assert truth.get(item.colour, item.colour == "white")
                assert not item.text or truth[item.text]
            shapes, colours = {item.shape for item in shown}, {item.colour for item in shown}
            for word in ("circle", "square", "star", "cross", "triangle", "sign"):
                assert truth[word] == (word in shapes)
            for word in ("red", "green", "blue", "yellow", "purple", "orange"):
                assert truth[word] == (word in colours)


def test_numbers_and_places_are_true_of_what_stands_there():
    for staging in staged("count"):
        shapes = [item.shape for item in staging.first.items]
        number = NUMBERS[shapes.count(shapes[0])]
        truth = true_words(staging, 0, (0,))
        assert truth[number]
        assert not any(truth.get(word) for word in ("two", "three", "four") if word != number)
    for staging in staged("objects"):
        truth = true_words(staging, 0, (0,))
        if truth.get("top") is False:
            assert min(item.y for item in staging.first.items) > staging.first.height / 3
        if len({item.shape for item in staging.first.items}) == len(staging.first.items) == 2:
            assert "two" not in truth  # "two objects" may be said of them


def test_what_happens_is_not_known_before_it_is_seen():
    for staging in staged("moving", count=60):
        first, last = true_words(staging, 0, (0, 1)), true_words(staging, 3, (6, 7))
        assert "moves" not in first
        assert last["moves"] == (staging.event.verb == "move")
        assert last["stays"] == (len(staging.first.items) == 2)
        if staging.event.direction:
            assert [word for word in ("left", "right", "up", "down") if last[word]] == [staging.event.direction]
    for staging in staged("pair", count=60):
        verbs = ("changed", "moved", "grew", "shrank", "appeared")
        assert not any(true_words(staging, 0, (0,))[verb] for verb in verbs)
        true = [verb for verb in verbs if true_words(staging, 1, (1,))[verb]]
        assert len(true) == (staging.event is not None and staging.event.verb != "disappear")
