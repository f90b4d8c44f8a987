"""Deletion and insertion: what is covered, what the model then says, and the areas that come of it."""

import numpy as np
import pytest
import torch
from explained_scenes import ONE_BY_ONE, additive, demo, of_case, shape_tokens, state_of
from tiny.cases import CASES

from tam_widget import TokenIndexError
from tam_widget.evaluation.faithfulness.deletion import measure_faithfulness, normalised_area
from tam_widget.evaluation.methods import method_maps
from tam_widget.replay import passes
from tam_widget.replay.covering import Covering
from tam_widget.replay.covers import covers_of
from tam_widget.replay.explained import Explained


def test_a_cell_is_covered_by_the_mean_colour():
    _, explained = demo(0)
    covering = Covering(explained)
    rows, columns = explained.explanation.grids[0]
    pixels = np.asarray(explained.picture)
    cells = np.zeros((rows, columns), bool)
    np.testing.assert_array_equal(np.asarray(covering.picture(cells)), pixels)
    cells[2, 5] = True
    covered = np.asarray(covering.picture(cells))
    high, wide = pixels.shape[0] // rows, pixels.shape[1] // columns
    inside = np.zeros(pixels.shape[:2], bool)
    inside[2 * high : 3 * high, 5 * wide : 6 * wide] = True
    assert (covered[inside] == pixels.reshape(-1, 3).mean(axis=0).round()).all()
    np.testing.assert_array_equal(covered[~inside], pixels[~inside])
    everything = np.asarray(covering.picture(np.ones_like(cells)))
    assert (everything == everything[0, 0]).all()


def test_blur_hides_shapes_and_keeps_colours():
    _, explained = demo(0)
    pixels = np.asarray(explained.picture).astype(float)
    blurred = np.asarray(Covering(explained, "blur").picture(np.ones((16, 16), bool))).astype(float)
    assert np.abs(np.diff(blurred, axis=1)).max() < 0.2 * np.abs(np.diff(pixels, axis=1)).max()
    assert blurred.mean((0, 1)) == pytest.approx(pixels.mean((0, 1)), abs=6)
    with pytest.raises(ValueError, match="'mean' or 'blur'"):
        Covering(explained, "black")
    with pytest.raises(ValueError, match="at least 1, not 0"):
        Covering(explained, batch_size=0).log_probabilities(
            np.eye(16, dtype=bool)[None].repeat(2, 0) & [[[True]], [[False]]]
        )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_pixel_belongs_to_the_cell_over_it(case):
    explained = of_case(case)
    covers = covers_of(explained)[0]
    (rows, columns), (left, top, right, bottom) = explained.explanation.grids[0], explained.explanation.boxes[0]
    width, height = explained.picture.size
    for y, row in enumerate(covers._row):
        edges = [top + (row + side) * (bottom - top) / rows for side in (0, 1)]
        assert edges[0] <= min(max(y + 0.5, top), bottom) <= edges[1]
    for x, column in enumerate(covers._column):
        edges = [left + (column + side) * (right - left) / columns for side in (0, 1)]
        assert edges[0] <= min(max(x + 0.5, left), right) <= edges[1]
    assert (len(covers._row), len(covers._column)) == (height, width)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_batch_says_what_one_by_one_says(case):
    explained = of_case(case)
    grid = explained.explanation.grids[0]
    covered = np.random.default_rng(0).random((5, *grid)) < np.array([0, 0.3, 0.5, 0.7, 1])[:, None, None]
    before = state_of(explained.model)
    assert passes.can_batch(explained) == (case.family not in ONE_BY_ONE)
    together = Covering(explained, batch_size=3).log_probabilities(covered)
    single = Covering(explained, batch_size=1).log_probabilities(covered)
    np.testing.assert_allclose(together, single, atol=2e-3)
    assert np.abs(single[0] - single[-1])[explained.reading.said].max() > 0.01  # the picture makes a difference
    assert np.isnan(single[:, [token.role == "prompt" for token in explained.explanation.tokens]]).all()
    for token in explained.explanation.tokens:
        if token.role == "answer":
            chosen = next(one.probability for one in token.candidates if one.chosen)
            assert np.exp(single[0, token.index]) == pytest.approx(chosen, abs=1e-4)
    assert state_of(explained.model) == before


@pytest.mark.parametrize("how", ["refuses", "mixes"])
def test_a_model_that_cannot_batch_is_run_one_by_one(how, monkeypatch):
    known = of_case(CASES[0])
    explained = Explained(known.model, known.processor, known.explanation)
    grid = explained.explanation.grids[0]
    covered = np.random.default_rng(0).random((3, *grid)) < 0.5
    expected = Covering(known, batch_size=1).log_probabilities(covered)
    batch_of, sizes = passes.batch_of, []

    def fails(explained, readings):
        sizes.append(len(readings))
        if len(readings) > 1 and how == "refuses":
            raise RuntimeError("only one")
        batch = batch_of(explained, readings)
        if len(readings) > 1:
            batch["pixel_values"] = batch["pixel_values"].flip(0)
        return batch

    monkeypatch.setattr(passes, "batch_of", fails)
    assert not passes.can_batch(explained)
    del sizes[:]
    np.testing.assert_allclose(Covering(explained, batch_size=3).log_probabilities(covered), expected, atol=1e-5)
    assert sizes == [1, 1, 1]


def test_nothing_is_run_twice():
    explained = of_case(CASES[0])
    covering = Covering(explained, batch_size=4)
    covered = np.zeros((3, *explained.explanation.grids[0]), bool)
    covered[1, 0, 0] = True
    first = covering.log_probabilities(covered)  # the first and the last are the same
    assert covering.pictures_run == 2
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(covering.log_probabilities(covered[::-1]), first[::-1])
    assert covering.pictures_run == 2
    assert covering.log_probabilities(covered[:0]).shape == (0, len(explained.explanation.tokens))
    with pytest.raises(ValueError, match="rows, columns"):
        covering.log_probabilities(covered[0])


def test_areas_of_hand_made_curves():
    shares = np.array([0, 0.5, 1])
    assert normalised_area(shares, np.array([-1.0, -2, -3]), whole=-1, covered=-3) == pytest.approx(0.5)
    assert normalised_area(shares, np.array([-1.0, -3, -3]), whole=-1, covered=-3) == pytest.approx(0.25)
    assert normalised_area(shares, np.array([-3.0, -1, -1]), whole=-1, covered=-3) == pytest.approx(0.75)
    assert normalised_area(shares, np.array([-1.0, -5, -3]), whole=-1, covered=-3) == pytest.approx(-0.25)
    assert normalised_area(np.array([0, 0.2, 1]), np.array([0.0, -1, -1]), whole=0, covered=-1) == pytest.approx(0.1)
    assert np.isnan(normalised_area(shares, np.array([-1.0, -1, -1]), whole=-1, covered=-1.05))
    assert np.isnan(normalised_area(shares, np.array([-3.0, -2, -1]), whole=-3, covered=-1))


def test_areas_of_a_model_that_adds_its_cells_up():
    weights = np.zeros((6, 8))
    weights[1, 2:5] = (4, 2, 1)
    covering = additive(weights)
    (perfect,) = measure_faithfulness(covering, weights[None], [-1], steps=48, orders=200)
    # After k cells the share left of 7 is 7, 3, 1, 0, …: the trapezoid rule counts the first half.
    assert perfect.deletion_area == pytest.approx((7 / 2 + 3 + 1) / 7 / 48)
    assert perfect.insertion_area == pytest.approx(1 - (7 / 2 + 3 + 1) / 7 / 48)
    assert (perfect.whole, perfect.covered, perfect.gain) == (-13, -20, 7)
    assert perfect.random_area == pytest.approx(0.5, abs=0.03)
    (worst,) = measure_faithfulness(covering, -weights[None], [-1], steps=48, orders=0)
    assert worst.deletion_area == pytest.approx(perfect.insertion_area)
    assert worst.insertion_area == pytest.approx(perfect.deletion_area)
    assert np.isnan(worst.random_area)
    np.testing.assert_array_equal(perfect.insertion, worst.deletion[::-1])


def test_equal_cells_come_in_random_order():
    weights = np.zeros((6, 8))
    weights[0] = 1  # a map that orders nothing must not be rewarded for beginning at the top
    covering = additive(weights)
    nothing = np.zeros((1, 6, 8))
    areas = [measure_faithfulness(covering, nothing, [-1], orders=0, seed=seed)[0].deletion_area for seed in range(50)]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.04)
    again = measure_faithfulness(covering, nothing, [-1], orders=0, seed=0)[0]
    assert again.deletion_area == areas[0]


def test_steps_are_shares_of_the_cells():
    covering = additive(np.ones((6, 8)))
    (found,) = measure_faithfulness(covering, np.random.default_rng(0).random((1, 6, 8)), [-1], steps=8)
    np.testing.assert_allclose(found.shares, np.arange(9) / 8)
    assert found.random.shape == (3, 9)
    (found,) = measure_faithfulness(covering, np.random.default_rng(0).random((1, 6, 8)), [-1], steps=1000)
    assert len(found.shares) == 49
    assert found.deletion_area == pytest.approx(0.5)


def test_the_object_itself_goes_first_and_the_word_goes():
    gaps = {"deletion": [], "insertion": []}
    for seed in (0, 2, 4):
        scene, explained = demo(seed)
        tokens, oracle = shape_tokens(scene, explained)
        covering = Covering(explained)
        found = measure_faithfulness(covering, oracle, tokens, steps=6, orders=2)
        assert covering.pictures_run <= 2 + 5 * (2 * len(tokens) + 2)
        for one, token in zip(found, tokens, strict=True):
            chosen = next(candidate.probability for candidate in token.candidates if candidate.chosen)
            assert np.exp(one.whole) == pytest.approx(chosen, abs=1e-3)
            assert one.gain > 0.5
            assert one.insertion[-1] == one.random[0, 0] == one.whole
            assert one.insertion[0] == one.random[0, -1] == one.covered
            gaps["deletion"].append(one.random_area - one.deletion_area)
            gaps["insertion"].append(one.insertion_area - one.random_area)
    assert min(gaps["deletion"]) > 0
    assert np.mean(gaps["deletion"]) > 0.5
    assert np.mean(gaps["insertion"]) > 0.05


def test_maps_of_methods_beat_chance_on_the_demo_model():
    gaps = {"tam": [], "attention": []}
    for seed in (0, 2, 4):
        scene, explained = demo(seed)
        tokens, _ = shape_tokens(scene, explained)
        covering = Covering(explained)
        for name, found in gaps.items():
            maps = method_maps(name, explained, tokens)
            every = measure_faithfulness(covering, maps, tokens, steps=4, orders=2)
            found += [one.random_area - one.deletion_area for one in every]
    assert min(gaps["tam"]) > 0
    assert np.mean(gaps["tam"]) > 0.3
    assert np.mean(gaps["attention"]) > 0.1


def test_cells_that_were_never_seen_wait_for_the_end():
    explained = of_case(next(case for case in CASES if str(case) == "llava"))  # cut to a square
    maps = method_maps("cam", explained, [-1])
    assert np.isnan(maps).any()
    covering = Covering(explained)
    (found,) = measure_faithfulness(covering, maps, [-1], steps=3, orders=1)
    seen = int(np.isfinite(maps).sum())
    np.testing.assert_allclose(found.shares, np.rint(np.linspace(0, seen, 4)) / seen)
    ends = covering.log_probabilities(np.array([np.zeros(maps.shape[1:], bool), np.ones(maps.shape[1:], bool)]))
    assert (found.whole, found.covered) == tuple(ends[:, -1])
    assert covering.pictures_run == 2 + 2 * (2 + 1)


def test_what_cannot_be_measured_is_refused():
    explained = of_case(CASES[0])
    maps = np.zeros((1, *explained.explanation.grids[0]))
    with pytest.raises(ValueError, match="is the prompt's"):
        measure_faithfulness(explained, maps, [0])
    with pytest.raises(ValueError, match=r"\(tokens, rows, columns\) is \(2, 6, 8\)"):
        measure_faithfulness(explained, maps, [-1, -2])
    with pytest.raises(ValueError, match="steps must be at least 1"):
        measure_faithfulness(explained, maps, [-1], steps=0)
    with pytest.raises(ValueError, match="not finite in cells that the model saw"):
        measure_faithfulness(explained, maps * np.nan, [-1], orders=0)
    with pytest.raises(TokenIndexError):
        measure_faithfulness(explained, maps, [99])


def test_readings_of_other_lengths_do_not_fit_into_one_batch():
    explained = of_case(CASES[0])
    larger = explained.read(explained.picture.resize((128, 96)))
    with pytest.raises(ValueError, match="do not fit into one batch"):
        passes.batch_of(explained, [explained.reading, larger])
    assert isinstance(passes.batch_of(explained, [larger])["input_ids"], torch.Tensor)
