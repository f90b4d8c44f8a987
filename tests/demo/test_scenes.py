import numpy as np
import pytest

from tam_widget import demo
from tam_widget.demo.drawing import COLOURS, SHAPES, SIZES, draw, place
from tam_widget.demo.language import UNKNOWN_ANSWER, ask
from tam_widget.demo.scenes import TRAINING


def test_a_seed_gives_the_same_scene():
    first, second = demo.scene(7), demo.scene(7)
    assert first.image.tobytes() == second.image.tobytes()
    assert first.caption == second.caption
    assert first.questions == second.questions
    assert demo.scene(8).image.tobytes() != first.image.tobytes()


@pytest.mark.parametrize("seed", range(12))
def test_masks_are_the_pixels_of_their_objects(seed):
    scene = demo.scene(seed, objects=1 + seed % 3)
    pixels = np.asarray(scene.image, float)
    for thing in scene.objects:
        assert thing.mask.shape == pixels.shape[:2]
        # The colour inside the mask is the object's own, up to its jitter and the ground's noise.
        assert np.abs(pixels[thing.mask].mean(0) - COLOURS[thing.colour]).max() < 20
        assert thing.name == f"{thing.size} {thing.colour} {thing.shape}"
        assert thing.name in scene.caption
    assert np.sum([thing.mask for thing in scene.objects], axis=0).max() == 1
    outside = ~np.logical_or.reduce([thing.mask for thing in scene.objects])
    assert pixels[outside].std(0).max() < 45


def test_a_word_s_mask_joins_all_it_speaks_of():
    scene = demo.scene(0)  # two circles
    assert (scene.mask("circle") == (scene.objects[0].mask | scene.objects[1].mask)).all()
    assert (scene.mask("blue") == scene.objects[0].mask).all()
    with pytest.raises(KeyError, match="large blue circle"):
        scene.mask("star")


def test_every_word_occurs():
    things = [thing for seed in range(150) for thing in demo.scene(seed).objects]
    assert {thing.shape for thing in things} == set(SHAPES)
    assert {thing.colour for thing in things} == set(COLOURS)
    assert {thing.size for thing in things} == set(SIZES)
    kinds = {question.kind for seed in range(20) for question in demo.scene(seed).questions}
    assert kinds == {"colour", "shape", "count", "total", "place", "existence", "size", "unknown"}


@pytest.mark.parametrize("seed", range(30))
def test_questions_are_answered_by_the_picture(seed):
    scene = demo.scene(seed)
    for question in scene.questions:
        words = question.text.rstrip("?").split()
        match question.kind:
            case "colour":
                (thing,) = [thing for thing in scene.objects if thing.shape == words[-1]]
                assert question.answer == f"The {thing.shape} is {thing.colour}."
            case "total":
                number = ["no", "one", "two", "three"][len(scene.objects)]
                assert number in question.answer.split()
            case "existence":
                there = any((thing.colour, thing.shape) == (words[-2], words[-1]) for thing in scene.objects)
                assert question.answer.startswith("Yes" if there else "No")
            case "place":
                (thing,) = [thing for thing in scene.objects if thing.shape == words[-1]]
                row, column = np.argwhere(thing.mask).mean(0) / thing.mask.shape
                assert ("left" in question.answer) == (column < 1 / 3)
                assert ("bottom" in question.answer) == (row > 2 / 3)
            case "unknown":
                assert question.answer == UNKNOWN_ANSWER


def test_training_draws_other_scenes():
    """The streams differ in the first word of their seeds; no held-out picture is among many of training."""
    held_out = {demo.scene(seed).image.tobytes() for seed in range(40)}
    for step in range(40):
        rng = np.random.default_rng([TRAINING, 0, step])
        pixels, _ = draw(place(rng, 224, 224), rng)
        assert pixels.tobytes() not in held_out


def test_training_asks_each_question_once():
    rng = np.random.default_rng(0)
    for _ in range(20):
        texts = [question.text for question in ask(place(rng, 224, 224), rng, 4)]
        assert len(texts) == len(set(texts)) <= 4


@pytest.mark.parametrize(("seed", "objects"), [(-1, None), (0, 0), (0, 4)])
def test_impossible_scenes_are_refused(seed, objects):
    with pytest.raises(ValueError, match="a scene"):
        demo.scene(seed, objects=objects)
