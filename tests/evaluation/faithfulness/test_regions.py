"""Object or background: which cells are whose, the curves over both, and what a run and its report make of them."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from explained_scenes import additive, demo, demo_pair, of_case, shape_tokens
from made_answers import explained as answered
from made_runs import followed, over_regions, row, run_of, table_after
from run_scenes import Scenes
from tiny.cases import CASES

import tam_widget as tam
from tam_widget.evaluation import Dataset, Sample, evaluate
from tam_widget.evaluation.faithfulness.regions import cells_of, has_two_regions, measure_regions
from tam_widget.evaluation.report import markdown_report, report_section
from tam_widget.evaluation.runs.storage import ROW_FIELDS, RowStore, row_from
from tam_widget.replay.covering import Covering

SIX_BY_EIGHT = (6, 8)


def mask_of(cells, explained):
    """The mask of whole cells, on a picture whose sides are whole numbers of cells."""
    picture, (rows, columns) = explained.explanation.images[0], explained.explanation.grids[0]
    mask = np.kron(cells, np.ones((picture.height // rows, picture.width // columns)))
    assert mask.shape == (picture.height, picture.width)
    return mask.astype(bool)


def some_cells(*places):
    cells = np.zeros(SIX_BY_EIGHT, bool)
    for place in places:
        cells[place] = True
    return cells


def test_a_cell_is_the_object_s_where_one_pixel_of_it_is():
    ex = answered(["A", " dog"])  # 80×60 pixels in 6×8 cells: 10 pixels each way
    mask = np.zeros((60, 80), bool)
    mask[9, 9] = mask[10, 20] = mask[59, 79] = True
    np.testing.assert_array_equal(cells_of(ex, mask), some_cells((0, 0), (1, 2), (5, 7)))
    assert not cells_of(ex, np.zeros((60, 80), bool)).any()


@pytest.mark.parametrize("times", [3, 0.1])
def test_masks_of_other_sizes_lie_over_the_same_picture(times):
    ex = answered(["A", " dog"])
    mask = np.zeros((round(60 * times), round(80 * times)), bool)
    mask[round(20 * times) : round(30 * times), round(40 * times) : round(60 * times)] = True
    np.testing.assert_array_equal(cells_of(ex, mask), some_cells((2, 4), (2, 5)))


def test_a_coarse_mask_s_pixel_is_in_every_cell_that_it_reaches_into():
    ex = answered(["A", " dog"])
    mask = np.zeros((4, 4), bool)
    mask[1, 3] = True  # rows 15 to 30, columns 60 to 80
    np.testing.assert_array_equal(cells_of(ex, mask), some_cells((1, 6), (1, 7), (2, 6), (2, 7)))


def test_what_the_processor_cut_off_is_in_no_cell():
    ex = answered(["A", " dog"], grid=(2, 2), box=(10.0, 0.0, 70.0, 60.0))
    mask = np.zeros((60, 80), bool)
    mask[:, :10] = True
    assert not cells_of(ex, mask).any()
    mask[5, 10] = True
    np.testing.assert_array_equal(cells_of(ex, mask), [[True, False], [False, False]])


def test_curves_of_a_word_that_hangs_on_its_object():
    """Each cell of the object is worth 3 nats, each other one 0.25; even weights fall evenly in any order."""
    cells = some_cells((1, 2), (1, 3), (2, 2), (2, 3), (3, 3))
    covering = additive(np.where(cells, 3.0, 0.25))
    (found,) = measure_regions(covering, [mask_of(cells, covering.explained)], [-1], steps=5)
    assert (found.object.cells, found.background.cells) == (5, 43)
    assert found.object.fall == pytest.approx(15)
    assert found.background.fall == pytest.approx(43 * 0.25)
    assert found.gain == pytest.approx(15 + 43 * 0.25)
    np.testing.assert_allclose(found.object.shares, np.arange(6) / 5)
    np.testing.assert_allclose(found.object.curve, -20 + 43 * 0.25 + 3 * np.arange(5, -1, -1))
    assert found.object.mean_fall == pytest.approx(7.5)
    np.testing.assert_array_equal(found.background.shares * 43, [0, 9, 17, 26, 34, 43])
    np.testing.assert_allclose(found.background.curve, -20 + 15 + 0.25 * (43 - found.background.shares * 43))
    assert found.token == covering.explained.explanation.tokens[-1].index


def test_a_region_of_few_cells_has_as_many_steps():
    cells = some_cells((0, 0), (5, 7))
    covering = additive(np.ones(SIX_BY_EIGHT))
    (found,) = measure_regions(covering, [mask_of(cells, covering.explained)], [-1], steps=8)
    np.testing.assert_array_equal(found.object.shares, [0, 0.5, 1])
    assert len(found.background.shares) == 9


def test_the_falls_hang_on_no_order_and_the_ways_there_do():
    weights = np.random.default_rng(0).normal(size=SIX_BY_EIGHT)
    cells = some_cells(*[(row, column) for row in range(3) for column in range(4)])
    covering = additive(weights)
    mask = mask_of(cells, covering.explained)
    first, again, other = (measure_regions(covering, [mask], [-1], seed=seed)[0] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.background.curve, again.background.curve)
    assert not np.allclose(first.background.curve, other.background.curve)
    assert first.background.fall == pytest.approx(other.background.fall) == pytest.approx(weights[~cells].sum())
    assert first.object.fall == pytest.approx(weights[cells].sum())
    # The mean over orders is the straight line, on which each cell is worth the same.
    (mean,) = measure_regions(covering, [mask], [-1], orders=2000)
    np.testing.assert_allclose(
        mean.object.curve[0] - mean.object.curve, mean.object.shares * mean.object.fall, atol=0.1
    )
    assert mean.object.mean_fall == pytest.approx(mean.object.fall / 2, abs=0.05)


def test_a_region_s_orders_do_not_hang_on_the_others_asked_for():
    covering = additive(np.random.default_rng(0).normal(size=SIX_BY_EIGHT))
    masks = [mask_of(some_cells((0, k), (1, k), (4, k)), covering.explained) for k in range(2)]
    both = measure_regions(covering, masks, [-2, -1])
    (alone,) = measure_regions(covering, masks[1:], [-1])
    np.testing.assert_array_equal(both[1].background.curve, alone.background.curve)
    np.testing.assert_array_equal(both[1].object.curve, alone.object.curve)


def test_tokens_of_one_object_share_its_pictures():
    scene, explained = demo(0)
    covering = Covering(explained)
    last = explained.explanation.tokens[-1].index
    masks = [scene.objects[0].mask] * 2
    measure_regions(covering, masks, [last, last - 1], steps=3)
    assert covering.pictures_run == 2 + 2 * (1 + 2)  # whole and covered, and of each region its end and two steps
    measure_regions(covering, masks, [last - 1, last], steps=3)
    assert covering.pictures_run == 8


def test_cells_that_were_never_seen_belong_to_no_step_but_the_last():
    explained = of_case(next(case for case in CASES if str(case) == "llava"))  # cut to a square
    covering = Covering(explained)
    seen = np.isfinite(explained.reading.panel.spread(np.zeros(explained.reading.panel.positions.shape, np.float32)))
    assert not seen.all()
    picture = explained.explanation.images[0]
    mask = np.zeros((picture.height, picture.width), bool)
    mask[picture.height // 3 : picture.height // 2, picture.width // 3 : picture.width // 2] = True
    cells = cells_of(explained.explanation, mask)
    assert has_two_regions(covering, mask)
    (found,) = measure_regions(covering, [mask], [-1], steps=2)
    assert found.background.cells == (seen & ~cells).sum() < (~cells).sum()
    ends = covering.log_probabilities(np.stack([np.zeros_like(cells), cells, ~cells, np.ones_like(cells)]))[:, -1]
    assert [found.object.curve[0], found.object.curve[-1], found.background.curve[-1], found.covered] == list(ends)


def test_what_cannot_be_measured_is_refused():
    covering = additive(np.ones(SIX_BY_EIGHT))
    mask = mask_of(some_cells((0, 0)), covering.explained)
    for nothing in (np.zeros_like(mask), np.ones_like(mask)):
        assert not has_two_regions(covering, nothing)
        with pytest.raises(ValueError, match="there are no two regions to compare"):
            measure_regions(covering, [nothing], [-1])
    with pytest.raises(ValueError, match="is the prompt's"):
        measure_regions(covering, [mask], [0])
    with pytest.raises(ValueError, match="got 1 masks for 2 tokens"):
        measure_regions(covering, [mask], [-1, -2])
    with pytest.raises(ValueError, match="at least 1, not 0 and 1"):
        measure_regions(covering, [mask], [-1], steps=0)
    with pytest.raises(ValueError, match="at least 1, not 8 and 0"):
        measure_regions(covering, [mask], [-1], orders=0)
    with pytest.raises(tam.TokenIndexError):
        measure_regions(covering, [mask], [99])


def test_the_demo_model_reads_the_things_that_it_names():
    for seed in (0, 2):
        scene, explained = demo(seed)
        tokens, _ = shape_tokens(scene, explained)
        masks = [scene.mask(word.text.lower()) for word in explained.explanation.words if word.tokens[0] in tokens]
        for found in measure_regions(explained, masks, tokens, steps=2):
            assert found.object.fall > 2
            assert abs(found.background.fall) < 1
            assert found.object.mean_fall > found.background.mean_fall


class WithoutMiddle(Scenes):
    """The masks of the second sample hold nothing, and those of the third everything."""

    def sample(self, index):
        known = super().sample(index)
        fill = {1: np.zeros_like, 2: np.ones_like}.get(index)
        masks = {name: fill(mask) if fill and mask.any() else mask for name, mask in known.masks.items()}
        return Sample(known.id, known.image, known.prompt, known.references, masks)


@pytest.fixture(scope="module")
def measured(tmp_path_factory) -> tuple[Dataset, tam.evaluation.Run]:
    data = WithoutMiddle(4)
    out = tmp_path_factory.mktemp("regions")
    return data, evaluate(*demo_pair(), data, out=out, methods=("cam",), faithfulness=3, steps=2, progress=False)


def test_a_row_s_regions_are_what_is_measured(measured):
    data, run = measured
    first, no_object, no_background, unasked = run.rows()
    assert first["error"] is no_object["error"] is no_background["error"] is None
    assert unasked["regions"] == no_object["regions"] == no_background["regions"] == []
    assert no_background["faithfulness"]
    sample = data[0]
    ex = tam.explain(*demo_pair(), sample.image, sample.prompt, do_sample=False)
    found = first["regions"]
    assert [word["text"] for word in found] == [word["text"] for word in first["words"] if word["category"]]
    masks = [sample.masks[word["category"]] for word in found]
    explained = tam.evaluation.Explained(*demo_pair(), ex)
    for word, one in zip(found, measure_regions(explained, masks, [w["token"] for w in found], steps=2), strict=True):
        assert word["gain"] == one.gain
        for name, region in (("object", one.object), ("background", one.background)):
            assert word[f"{name}_cells"] == region.cells
            assert word[f"{name}_fall"] == region.fall == -word[f"{name}_curve"][-1]
            assert word[f"{name}_mean_fall"] == region.mean_fall
            assert word[f"{name}_shares"] == region.shares.tolist()


def test_a_report_of_a_run_says_that_the_demo_model_reads_its_things(measured):
    _, run = measured
    text = markdown_report(run)
    words = [word for one in run.rows() for word in one["regions"]]
    table = table_after(text, "Object or background")
    assert table["object"]["fall (nats)"].startswith(f"{np.mean([word['object_fall'] for word in words]):.3f} [")
    assert table["background"]["cells"] == f"{np.mean([word['background_cells'] for word in words]):.1f}"
    assert f"Of {len(words)} words on 1 samples" in text
    assert "the model reads the thing that it names" in text


def rows_with(*gaps):
    """A sample for each gap: the object's fall less the background's."""
    return [row(i, [], regions=[over_regions("dog", 3.0 + gap, 3.0)]) for i, gap in enumerate(gaps)]


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ((1.0, 1.5, 0.5, 1.2), "the model reads the thing that it names."),
        ((-1.0, -1.5, -0.5, -1.2), "the model is right for another reason than the thing it names."),
        ((-1.0, 1.5, -0.5, 1.2), "Object and background cannot be told apart"),
        ((-1.0, 9.0, -0.5, -1.2), "Object and background cannot be told apart"),  # the mean alone is not enough
    ],
)
def test_the_verdict_is_that_of_the_interval(tmp_path, gaps, said):
    verdicts = ("reads the thing", "another reason", "cannot be told apart")
    text = markdown_report(run_of(tmp_path, rows_with(*gaps), methods=("tam",)))
    assert said in text
    assert sum(verdict in text for verdict in verdicts) == 1


def test_the_table_holds_means_and_their_paired_difference(tmp_path):
    """Falls that vary together differ by the same in every draw."""
    rows = [row(i, [], regions=[over_regions("dog", 1.0 + i, 3.0 + i, cells=(10 + i, 246 - i))]) for i in range(5)]
    table = table_after(markdown_report(run_of(tmp_path, rows, methods=("tam",))), "Object or background")
    assert list(table) == ["object", "background", "object, less background"]
    assert table["object"]["cells"] == "12.0"
    assert table["object"]["fall (nats)"].startswith("3.000 [")
    assert table["background"]["mean fall (nats)"].startswith("2.500 [")
    assert table["object, less background"]["fall (nats)"] == "**−2.000 [−2.000, −2.000]**"
    assert table["object, less background"]["mean fall (nats)"] == "**−1.000 [−1.000, −1.000]**"


def test_rows_without_regions_have_no_section_and_no_picture(tmp_path):
    run = run_of(tmp_path, [row(0, [], [followed("tam", "dog", 0.1, 0.9)])], methods=("tam",))
    assert "Object or background" not in run.report().read_text()
    assert not (tmp_path / "plots" / "regions.png").exists()


def test_a_run_from_before_there_were_regions_still_reports(tmp_path):
    rows = [row(i, [], [followed("tam", "dog", 0.1, 0.9)]) for i in range(2)]
    run = run_of(tmp_path, rows, methods=("tam",))
    store = RowStore(tmp_path)
    for index in range(2):
        pq.write_table(pq.read_table(store.path(index)).drop_columns("regions"), store.path(index))
    assert "regions" not in row_from(store.path(0).read_bytes())
    assert "## Faithfulness" in markdown_report(run)
    store.join(2)
    assert next(run.rows()).keys() == ROW_FIELDS.keys()
    assert "## Faithfulness" in markdown_report(run)


def test_a_section_for_a_notebook_has_its_picture_within(tmp_path):
    run = run_of(tmp_path, rows_with(1.0, 1.5, 0.5), methods=("tam",))
    text = report_section(run, "Object or background")
    assert text.startswith("How far the log-probability")
    assert text.count("](data:image/png;base64,") == 1
    assert "plots/" not in text
    assert "\n## " not in text
    with pytest.raises(tam.EvaluationError, match="no section 'Plots'; it has Plausibility, Object or background, How"):
        report_section(run, "Plots")
