"""Words of held-out scenes: which mask belongs to which word, and rows that outlast a stopped run."""

import numpy as np
import pytest
from held_out_captions import found, split

from scored_words.held_out import held_out, joined
from scored_words.judged import bound_map, fit
from scored_words.kept import rows_of
from scored_words.targets import answer_targets, caption_targets
from tam_widget.demo.scenery.staging import KINDS, THINGS_KINDS


def targets_of(held):
    words = split(held.scene.caption)
    return {words[target.word].lower(): target for target in caption_targets(words, held)}


@pytest.mark.parametrize("kind", [*KINDS, *THINGS_KINDS])
def test_every_shape_and_colour_of_a_caption_has_a_mask(kind):
    grids = {"moving": 4, "pair": 2}.get(kind.removeprefix("things-"), 1)
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


def test_a_number_of_things_has_the_masks_of_all_it_counts():
    held = found("things", lambda held: held.scene.caption.startswith("There are"))
    names = [thing.name for thing in held.scene.objects]
    counted = [thing.mask for thing in held.scene.objects if thing.name == max(names, key=names.count)]
    (number,) = [target for target in caption_targets(split(held.scene.caption), held) if target.group == "number"]
    np.testing.assert_array_equal(number.mask[0], np.logical_or.reduce(counted))


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


def test_the_best_possible_map_fits():
    mask = np.zeros((2, 28, 28), bool)
    mask[0, 7:21, 7:21] = True
    scores = fit([np.zeros((2, 4, 4), np.float32), bound_map(mask, 4, 4)], mask)
    assert scores["points"] == 1
    assert scores["iou"] > 0.6
    assert bound_map(mask, 4, 4)[0].sum() == pytest.approx(4)
    assert bound_map(mask, 3, 3).sum() == pytest.approx(4 * (3 / 4) ** 2)  # cells of 9 1/3 pixels
    assert joined(mask).shape == (56, 28)


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
