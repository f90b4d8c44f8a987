"""The figures of the demo models: which mask belongs to which word, and rows that outlast a stopped run."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from demo_figures import tables
from demo_figures.contexts import contexts_of
from demo_figures.failures import confusion, failures
from demo_figures.held_out import held_out, joined
from demo_figures.judged import bound_map, fit
from demo_figures.kept import rows_of
from demo_figures.targets import answer_targets, caption_targets

from tam_widget.demo.scenery.language import caption
from tam_widget.demo.scenery.staging import KINDS


def split(text):
    return re.findall(r"\w+|[^\w\s]", text)


def found(kind, accepts):
    """The first held-out scene of a kind that is as asked for."""
    return next(held for held in (held_out(seed, kind) for seed in range(60)) if accepts(held))


def targets_of(held):
    words = split(held.scene.caption)
    return {words[target.word].lower(): target for target in caption_targets(words, held)}


@pytest.mark.parametrize("kind", KINDS)
def test_every_shape_and_colour_of_a_caption_has_a_mask(kind):
    grids = {"moving": 4, "pair": 2}.get(kind, 1)
    for held in (held_out(seed, kind) for seed in range(4)):
        words = split(held.scene.caption)
        targets = caption_targets(words, held)
        named = [word for word in map(str.lower, words) if held.things_called(word)]
        judged = [
            words[target.word].lower() for target in targets if target.group in {"shape", "colour", "size", "text"}
        ]
        assert judged == named
        for target in targets:
            assert target.mask.any()
            assert target.mask.shape == (grids, *held.scene.objects[0].mask.shape)


def test_a_word_that_is_true_of_several_things_has_the_masks_of_all():
    held = found("count", lambda held: len(held.scene.objects) > 2)
    shape = held.scene.objects[0].shape
    same = [thing.mask for thing in held.scene.objects if thing.shape == shape]
    targets = {target.group: target for target in caption_targets(split(held.scene.caption), held)}
    for group in ("shape", "number"):
        if group == "shape" and len(same) < len(held.scene.objects):
            continue  # the last shape word is the other thing's
        np.testing.assert_array_equal(targets[group].mask[0], np.logical_or.reduce(same))


def test_both_colours_of_a_pair_stand_in_their_own_picture():
    held = found("pair", lambda held: held.scene.event and held.scene.event.verb == "recolour")
    targets, thing = targets_of(held), held.scene.objects[held.scene.event.item]
    _, before, _, after = held.scene.caption.rstrip(".").split()[-4:]
    assert before == thing.colour
    np.testing.assert_array_equal(targets[before].mask, [thing.masks[0], np.zeros_like(thing.mask)])
    np.testing.assert_array_equal(targets[after].mask, [np.zeros_like(thing.mask), thing.masks[1]])
    np.testing.assert_array_equal(targets["changed"].mask, targets[after].mask)
    np.testing.assert_array_equal(targets[thing.shape].mask, thing.masks)


def test_what_moves_is_where_it_goes_from_the_second_group_on():
    held = found("moving", lambda held: held.scene.event.verb == "move" and len(held.scene.objects) == 2)
    targets, event = targets_of(held), held.scene.event
    mover, still = held.scene.objects
    assert not targets["moves"].mask[0].any()
    np.testing.assert_array_equal(targets["moves"].mask[1], mover.masks[2] | mover.masks[3])
    np.testing.assert_array_equal(targets[event.direction].mask, targets["moves"].mask)
    np.testing.assert_array_equal(targets["stays"].mask[3], still.masks[7])
    assert targets[mover.shape].mask[0].any()


def test_what_disappears_is_nowhere_to_be_seen():
    held = found("moving", lambda held: held.scene.event.verb == "disappear")
    assert "disappears" not in targets_of(held)


def test_a_relation_is_no_place():
    held = found("objects", lambda held: " left of " in held.scene.caption)
    assert "left" not in targets_of(held)


def test_a_place_has_the_mask_of_the_thing_asked_about():
    held = found("text", lambda held: len(held.scene.objects) == 2)
    question = next(question for question in held.scene.questions if question.kind == "place")
    words = split(question.answer)
    targets = answer_targets(words, held, "place", question.about)
    assert targets
    assert {target.group for target in targets} == {"location"}
    assert {words[target.word] for target in targets} <= {"top", "bottom", "left", "right", "center"}
    for target in targets:
        np.testing.assert_array_equal(target.mask[0], held.scene.objects[question.about].mask)


def test_contexts_of_a_caption_with_and_without_adjectives():
    held = found("overlap", lambda held: held.staging.relation == "on")
    bare = split(caption(held.staging, adjectives=False))
    assert [one for one in contexts_of(bare, held) if one] == ["none", "other"]
    assert [one for one in contexts_of(split(held.scene.caption), held) if one] == [
        *("none", "own", "own"),
        *("other", "both", "both"),
    ]


def test_the_best_possible_map_fits():
    mask = np.zeros((2, 28, 28), bool)
    mask[0, 7:21, 7:21] = True
    scores = fit([np.zeros((2, 4, 4), np.float32), bound_map(mask, 4, 4)], mask)
    assert scores["points"] == 1
    assert scores["iou"] > 0.6
    assert bound_map(mask, 4, 4)[0].sum() == pytest.approx(4)
    assert bound_map(mask, 3, 3).sum() == pytest.approx(4 * (3 / 4) ** 2)  # cells of 9 1/3 pixels
    assert joined(mask).shape == (56, 28)


@pytest.mark.parametrize(
    ("said", "right", "named"),
    [
        ("The star is orange.", "The star is red.", "orange for red"),
        ("The star is at the top right.", "The star is at the top.", "right too much"),
        ("The star is at the top.", "The star is at the top left.", "left left out"),
        ("There are no stars.", "There is one star.", "are no stars for is one star"),
        ("A red star and a star.", "A blue star and a cross.", "red for blue, star for cross"),
        ("I only know simple shapes.", "The star is red.", "another sentence"),
        ("", "The star is red.", "another sentence"),
    ],
)
def test_what_is_taken_for_what(said, right, named):
    assert confusion(said, right) == named


def test_failures_are_grouped_and_few():
    wrong = {"asked": "colour", "prompt": "What color is it?", "said": "It is red.", "right": "It is blue."}
    right = {**wrong, "said": "It is blue."}
    rows = {"objects": [{"seed": seed, "answers": [wrong, right]} for seed in range(5)]}
    listed = failures(rows, 2)
    assert "colour, red for blue: 5" in listed
    assert listed.count("→") == 2


def test_a_stopped_run_goes_on(tmp_path):
    made = []

    def make(seed):
        made.append(seed)
        return {"seed": seed}

    rows_of("some", range(3), make, folder=tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_text(file.read_text() + '{"seed": 3, "ans')
    assert [row["seed"] for row in rows_of("some", range(5), make, folder=tmp_path)] == [0, 1, 2, 3, 4]
    assert made == [0, 1, 2, 3, 4]
    rows_of("some", range(2), make, folder=tmp_path, fresh=True)
    assert made == [0, 1, 2, 3, 4, 0, 1]


def test_tables_leave_out_what_was_not_asked():
    answers = [{"asked": "caption", "prompt": "", "said": "a", "right": "a"}]
    rows = {"objects": [{"seed": 0, "answers": answers}], "pair": [{"seed": 0, "answers": []}]}
    assert tables.accuracy(rows).splitlines()[-1] == "| caption | 1.000 |  | 1.000 | 1 |"
