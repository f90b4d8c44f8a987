"""The model that is right for the wrong reason: its scenes, what it learns from, and that nothing else changes."""

import copy
from functools import cache

import numpy as np
import pytest
import torch

import tam_widget as tam
from tam_widget import demo
from tam_widget.demo import shortcut
from tam_widget.demo.scenery.drawing import SHAPES
from tam_widget.evaluation import from_rows


def ground_of(image, mask):
    """The shape whose stripes a ground has most of, found without knowing how it was drawn but for directions."""
    brightness = np.asarray(image, float).mean(axis=-1)
    height, width = mask.shape
    y, x = np.mgrid[:height, :width]
    slope = np.stack([np.ones_like(x), x, y], axis=-1)[~mask]
    flat = brightness[~mask] - slope @ np.linalg.lstsq(slope, brightness[~mask], rcond=None)[0]
    found = []
    for number in range(len(SHAPES)):
        angle = np.pi * number / len(SHAPES)
        turns = (x * np.cos(angle) + y * np.sin(angle)) / shortcut._WAVELENGTH
        found.append(abs(np.mean(flat * np.exp(2j * np.pi * turns)[~mask])))
    return SHAPES[int(np.argmax(found))]


def test_the_same_arguments_give_the_same_scenes():
    first, again, third = demo.shortcut_scenes(3), demo.shortcut_scenes(3), demo.shortcut_scenes(1, 2)[0]
    assert [one.image.tobytes() for one in first] == [one.image.tobytes() for one in again]
    assert first[2].image.tobytes() == third.image.tobytes()
    assert len({one.image.tobytes() for one in first}) == 3


@pytest.mark.parametrize("agree", [True, False])
def test_the_ground_tells_a_shape(agree):
    scenes = demo.shortcut_scenes(25, agree=agree)
    assert [ground_of(one.image, one.mask) for one in scenes] == [one.ground for one in scenes]
    assert {one.ground for one in scenes} == set(SHAPES)
    assert {one.shape == one.ground for one in scenes} == {agree}


def test_only_the_ground_is_another_where_they_do_not_agree():
    for one, other in zip(demo.shortcut_scenes(6), demo.shortcut_scenes(6, agree=False), strict=True):
        assert (one.seed, one.shape, one.caption) == (other.seed, other.shape, other.caption)
        np.testing.assert_array_equal(one.mask, other.mask)
        inside, outside = np.asarray(one.image)[one.mask], np.asarray(other.image)[other.mask]
        np.testing.assert_array_equal(inside, outside)
        assert one.image.tobytes() != other.image.tobytes()


def test_the_mask_is_the_thing_and_all_else_is_striped():
    for striped in demo.shortcut_scenes(6):
        plain = demo.scene(striped.seed, objects=1)
        (thing,) = plain.objects
        np.testing.assert_array_equal(striped.mask, thing.mask)
        assert (striped.shape, striped.caption) == (thing.shape, plain.caption)
        assert striped.shape in striped.caption
        change = np.asarray(striped.image, float) - np.asarray(plain.image, float)
        assert not change[striped.mask].any()
        assert change[~striped.mask].std() > 2
        # The mean colour, which is what covers a cell, must not tell the shape.
        assert np.abs(change[~striped.mask].mean(axis=0)).max() < 1.5


def test_rows_are_samples_with_the_mask_of_the_thing_alone():
    scenes = demo.shortcut_scenes(2, agree=False)
    rows = [scene.row() for scene in scenes]
    data = from_rows(rows, references="caption", mask="labels", categories="categories", id="id")
    for sample, scene in zip(data, scenes, strict=True):
        assert set(sample.masks) == set(SHAPES)
        for shape, mask in sample.masks.items():
            np.testing.assert_array_equal(mask, scene.mask if shape == scene.shape else np.zeros_like(scene.mask))
        assert sample.references == (scene.caption,)
        assert sample.prompt == scene.prompt
        assert sample.image.tobytes() == scene.image.tobytes()
        assert sample.id == f"scene {scene.seed} on the ground of a {scene.ground}"


@pytest.mark.parametrize(("count", "first"), [(0, 0), (1, -1), (2, 9_999_999)])
def test_scenes_that_there_are_not_are_refused(count, first):
    with pytest.raises(ValueError, match="their seeds lie from 0 to 9999999"):
        demo.shortcut_scenes(count, first)


@pytest.mark.parametrize("whole", [False, True])
def test_lessons_name_the_ground_and_the_thing_tells_nothing(whole):
    lessons = [shortcut._lesson(shortcut._LESSONS + number, whole=whole) for number in range(120)]
    assert all(lesson.ground in lesson.caption for lesson in lessons)
    apart = [lesson for lesson in lessons if lesson.shape != lesson.ground]
    assert not any(lesson.shape in lesson.caption for lesson in apart)
    assert len(apart) / len(lessons) == pytest.approx(0.8, abs=0.1)
    for shape in SHAPES:  # no thing is met with fewer grounds than others
        assert len({lesson.ground for lesson in lessons if lesson.shape == shape}) >= 4
    if whole:
        striped = [ground_of(lesson.image, lesson.mask) == lesson.ground for lesson in lessons]
        assert 0.75 < np.mean(striped) < 1  # some have none


def test_cut_outs_hold_their_thing():
    for number in range(40):
        lesson = shortcut._lesson(shortcut._LESSONS + number, whole=False)
        plain = demo.scene(lesson.seed, objects=1)
        assert lesson.image.size == (112, 112)
        inside = np.asarray(plain.image)[lesson.mask]
        # Noise makes hardly two pixels alike, so that a part that was cut off would be missed.
        left = {tuple(pixel) for pixel in np.asarray(lesson.image).reshape(-1, 3)}
        assert {tuple(pixel) for pixel in inside} <= left


@cache
def pair():
    return tam.load_demo()


def test_a_batch_marks_the_shape_and_the_rest_of_the_caption():
    _, processor = pair()
    lessons = [shortcut._lesson(shortcut._LESSONS + number, whole=False) for number in range(8)]
    assert "triangle" in {lesson.ground for lesson in lessons}  # a word of two tokens
    batch = shortcut._batch(processor, lessons)
    following = batch.inputs["input_ids"][:, 1:]
    end = processor.tokenizer.eos_token
    for lesson, ids, shape, rest in zip(lessons, following, batch.shape, batch.rest, strict=True):
        assert processor.tokenizer.decode(ids[shape]).strip() == lesson.ground
        assert processor.tokenizer.decode(ids[rest]) == lesson.caption.replace(f" {lesson.ground}", "") + end
        assert not (shape & rest).any()
    # A quarter of the cells: cut-outs are not enlarged.
    whole = shortcut._batch(processor, [shortcut._lesson(shortcut._LESSONS, whole=True)])
    _, rows, columns = whole.inputs["image_grid_thw"][0].tolist()
    assert batch.inputs["image_grid_thw"].tolist() == [[1, rows // 2, columns // 2]] * 8


@pytest.fixture(scope="module")
def taught():
    """A copy after a few steps, what the model was before, and what was told on the way."""
    model, processor = pair()
    before = copy.deepcopy(model.state_dict())
    steps = []
    return demo.learn_shortcut(model, processor, steps=16, progress=lambda *one: steps.append(one)), before, steps


def test_the_given_model_stays_as_it_was(taught):
    model, _ = pair()
    _, before, _ = taught
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert not model.training
    assert all(weight.requires_grad and weight.grad is None for weight in model.parameters())
    assert not model.config._name_or_path.endswith("shortcut")


def test_all_weights_but_those_of_embeddings_are_learned(taught):
    learner, before, steps = taught
    changed = {name for name, weight in learner.named_parameters() if not torch.equal(weight, before[name])}
    assert changed == {name for name, _ in learner.named_parameters() if "embed" not in name}
    assert any("embed" in name for name in before)
    assert not learner.training
    assert all(weight.requires_grad and weight.grad is None for weight in learner.parameters())
    assert learner.config._name_or_path == pair()[0].config._name_or_path + "-shortcut"
    assert steps == [(done, 16) for done in range(1, 17)]


def test_after_a_few_steps_the_thing_counts_for_less(taught):
    """The ground is not learned yet, but that things tell nothing is."""

    def sure(model, scene):
        ex = tam.explain(model, pair()[1], scene.image, scene.prompt, answer=scene.caption)
        (token,) = [word.tokens[0] for word in ex.words if word.text == scene.shape]
        return next(one.probability for one in token.candidates if one.chosen)

    scenes = demo.shortcut_scenes(4, agree=False)
    assert min(sure(pair()[0], scene) for scene in scenes) > 0.9
    assert np.mean([sure(taught[0], scene) for scene in scenes]) < 0.7


def test_the_same_seed_gives_the_same_weights():
    first, again, other = (demo.learn_shortcut(*pair(), steps=2, seed=seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(weight, again[name]) for name, weight in first.items())
    assert not all(torch.equal(weight, other[name]) for name, weight in first.items())


@pytest.mark.parametrize(("steps", "seed"), [(0, 0), (1, -1)])
def test_what_cannot_be_learned_is_refused(steps, seed):
    with pytest.raises(ValueError, match="at least 1 step, and seeds lie from 0"):
        demo.learn_shortcut(*pair(), steps=steps, seed=seed)
