"""A report says what the rows say."""

import base64
import io
import re
import sys

import numpy as np
import pytest
from made_runs import VARIANTS, failed, followed, function, noun, row, run_of, table_after
from PIL import Image

import tam_widget as tam
from tam_widget.evaluation.report import markdown_report
from tam_widget.evaluation.report.statistics import bootstrap_means, estimate


def variants(index, ious, text="dog", **known):
    """A sample whose one object has these Obj-IoUs, and a function word."""
    words = []
    for method in VARIANTS:
        words += [function(method, 0, "a", 0.8, zero=method == "tam"), noun(method, 1, text, ious[method], **known)]
    return row(index, words)


RISING = {"cam": 0.2, "causal": 0.4, "filter": 0.5, "tam": 0.6}
FALLING = {"cam": 0.9, "causal": 0.7, "filter": 0.6, "tam": 0.5}


@pytest.fixture
def rising(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for index in range(30):
        by = rng.uniform(-0.1, 0.1)
        rows.append(variants(index, {name: value + by for name, value in RISING.items()}))
    return run_of(tmp_path, rows)


def test_the_table_of_plausibility_is_the_mean_of_the_rows(rising):
    table = table_after(markdown_report(rising), "Plausibility")
    assert tuple(table) == VARIANTS
    words = [word for one in rising.rows() for word in one["words"] if word["method"] == "cam" and word["category"]]
    values = [word["object_iou"] for word in words]
    expected = estimate(bootstrap_means(values, np.ones(30)))
    shown = f"{expected.value:.3f} [{expected.low:.3f}, {expected.high:.3f}]"
    assert table["cam"]["Obj-IoU"] == table["cam"]["precision"] == shown
    assert table["cam"]["Func-IoU"] == "0.800 [0.800, 0.800]"
    assert [table[name]["all-zero maps"][:5] for name in VARIANTS] == ["1.000", "0.000", "0.000", "0.000"]
    mean = np.mean(values)
    assert table["cam"]["F1-IoU"].startswith(f"{2 * mean * 0.8 / (mean + 0.8):.3f} [")
    assert table["cam"]["objects"] == "30"


def test_differences_are_paired(rising):
    """All four move together, so that their differences are the same in every draw."""
    table = table_after(markdown_report(rising), "Differences from tam")
    assert tuple(table) == VARIANTS[1:]
    assert table["cam"]["Obj-IoU"] == "**−0.400 [−0.400, −0.400]**"
    assert table["cam"]["Func-IoU"] == "0.000 [0.000, 0.000]"


def test_words_that_one_method_failed_on_are_left_out_of_differences(tmp_path):
    rows = [variants(index, FALLING) for index in range(3)]
    rows[2]["words"] = [function("tam", 0, "a", 0.8), noun("tam", 1, "dog", 0.1)]
    table = table_after(markdown_report(run_of(tmp_path, rows)), "Differences from tam")
    assert table["cam"]["Obj-IoU"] == "**+0.400 [0.400, 0.400]**"


def test_an_order_that_holds(rising):
    text = markdown_report(rising)
    table = table_after(text, "Order of the ablation")
    assert {line["F1-IoU rises?"] for line in table.values()} == {"yes"}
    assert table["cam → filter"]["Obj-IoU"] == "**+0.300 [0.300, 0.300]**"
    assert "The order holds." in text


def test_an_order_that_does_not_hold_names_the_words_and_reasons(tmp_path):
    small = {"cells": 4.0, "energy": 0.3}
    shared = {"shared": 0.95}
    even = dict.fromkeys(VARIANTS, 0.5)
    rows = [
        *(variants(i, FALLING, "Cup", **small) for i in range(4)),
        *(variants(i, {**FALLING, "causal": 0.5}, "tie", **shared) for i in range(4, 8)),
        *(variants(i, even, "dog") for i in range(8, 12)),
    ]
    text = markdown_report(run_of(tmp_path, rows))
    assert "**The order does not hold**: F1-IoU does not rise in cam → causal, cam → filter, causal → tam" in text
    assert table_after(text, "Order of the ablation")["cam → filter"]["F1-IoU rises?"] == "no, it falls"
    causal, filtered = table_after(text, "cam → causal"), table_after(text, "cam → filter")
    assert list(causal) == ["tie", "cup"]
    assert causal["tie"] == {"times": "4", "cam": "0.900", "causal": "0.500", "mean loss": "0.400"}
    assert filtered["cup"]["mean loss"] == "0.300"
    assert "8 of 12 words lose Obj-IoU" in text
    reasons = [
        line for line in text.split("### cam → filter")[0].splitlines() if line.startswith(("| share", "| have"))
    ]
    cells = [re.findall(r"(?<=\| )[^|]+(?= \|)", line)[1:] for line in reasons]
    assert [[found.strip("*").partition(" [")[0] for found in line] for line in cells] == [
        ["4", "+0.400", "8", "+0.100"],  # share their place: the ties
        ["4", "+0.200", "8", "+0.200"],  # a small object: the cups
        ["8", "+0.200", "4", "+0.200"],  # a clean raw map: all but the cups
    ]


def test_words_that_lose_only_now_and_then_are_counted_and_reasoned_about(tmp_path):
    """Causal inference gains on the whole, and the filter costs nothing; still some words lose."""
    gains, costs = {**FALLING, "causal": 0.95, "filter": 0.9}, {**FALLING, "causal": 0.88, "filter": 0.9}
    rows = [variants(0, costs, "tie", shared=0.9), *(variants(i, gains, "tie") for i in range(1, 4))]
    text = markdown_report(run_of(tmp_path, rows))
    causal, filtered = text.split("### cam → filter")
    assert "1 of 4 words lose Obj-IoU; no word does in all its occurrences together." in causal
    assert "| share their place with an earlier word (over 80% of the object) | 1 | **+0.020" in causal
    assert filtered.strip().startswith("No word loses.")


def test_without_all_four_variants_there_is_no_order(tmp_path):
    rows = [variants(0, RISING)]
    assert "ablation" not in markdown_report(run_of(tmp_path, rows, methods=("tam", "cam", "filter")))


def test_faithfulness_leaves_out_words_that_the_picture_does_nothing_for(tmp_path):
    rows = [
        row(0, [], [followed("tam", "dog", 0.1, 0.9), followed("cam", "dog", 0.3, 0.9)]),
        row(1, [], [followed("tam", "a", None, None, gain=0.0), followed("cam", "a", None, None, gain=0.0)]),
    ]
    run = run_of(tmp_path, rows, methods=("tam", "cam"))
    text = markdown_report(run)
    table = table_after(text, "Faithfulness")
    assert table["tam"]["deletion"] == "0.100 [0.100, 0.100]"
    assert table["cam"]["insertion"] == "0.900 [0.900, 0.900]"
    assert table["tam"]["random"] == "0.500 [0.500, 0.500]"
    assert table["tam"]["gain (nats)"] == "1.000 [0.000, 2.000]"
    assert table["tam"]["words"] == "1 of 2"
    assert "| cam | **+0.200 [0.200, 0.200]** | 0.000 [0.000, 0.000] |" in text
    run.report()
    assert (tmp_path / "plots" / "faithfulness.png").exists()


def test_captions_sources_notes_failures_and_how_it_was_made(tmp_path):
    wicked = "ValueError: a | b `c` <script>alert(1)</script> **d**"
    run = run_of(tmp_path, [variants(0, RISING), variants(1, RISING), failed(2, wicked)])
    text = markdown_report(run)
    assert "3 of 3 samples done, 1 of them with a failure; 4 words were judged: 2 that name an object" in text
    assert "types by hand; matched with categories: exact." in text
    assert "ROUGE-L 0.500 [0.500, 0.500]; meteor: WordNet is not installed (2 samples)" in text
    assert "3 of 9 samples have no mask." in text
    assert "tam_widget 9.9, torch 8.8" in text
    assert "3 samples in 2.0 s in one process, start included: 1.50 samples/s" in text
    page = run.report().read_text()
    assert "ValueError: a | b `c` &lt;script&gt;alert(1)&lt;/script&gt; **d**</td>" in page
    assert "<script" not in page


def test_every_figure_comes_from_the_rows(tmp_path):
    before = markdown_report(run_of(tmp_path / "a", [variants(0, RISING), variants(1, RISING)]))
    after = markdown_report(run_of(tmp_path / "b", [variants(0, RISING), variants(1, {**RISING, "tam": 0.8})]))
    assert table_after(before, "Plausibility")["tam"]["Obj-IoU"].startswith("0.600")
    assert table_after(after, "Plausibility")["tam"]["Obj-IoU"].startswith("0.700")
    assert table_after(after, "Obj-IoU by category")["dog"]["tam"] == "0.700"


def test_the_page_is_one_file_with_its_pictures(rising):
    page = rising.report()
    assert page == rising.folder / "report.html"
    text = page.read_text(encoding="utf-8")
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 2
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "<h2>Plausibility</h2>" in text
    assert text.count("<table>") == 4
    shown = [Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) for source in sources]
    files = [
        Image.open(path) for path in (rising.folder / "plots" / f"{n}.png" for n in ("plausibility", "differences"))
    ]
    for one, other in zip(shown, files, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
        assert len(np.unique(np.asarray(one).reshape(-1, 4), axis=0)) > 10
    assert "![Each method's measures with their intervals](plots/plausibility.png)" in (
        rising.folder / "report.md"
    ).read_text(encoding="utf-8")


def test_a_report_made_again_is_the_same(rising):
    def files():
        rising.report()
        return {path.name: path.read_bytes() for path in rising.folder.rglob("*") if path.is_file()}

    assert files() == files()


def test_an_unfinished_run_has_a_report(tmp_path):
    text = markdown_report(run_of(tmp_path, [variants(0, RISING)], samples=7))
    assert "1 of 7 samples done" in text


@pytest.mark.parametrize("rows", [[failed(0, "OSError: gone")], [row(0, [])]])
def test_a_run_without_words_has_a_report(tmp_path, rows):
    run = run_of(tmp_path, rows)
    text = run.report().read_text()
    assert "0 words were judged" in text
    assert "<img" not in text


def test_a_run_without_rows_has_none(tmp_path):
    with pytest.raises(tam.EvaluationError, match="has no row yet"):
        run_of(tmp_path, []).report()


def test_without_mistune_the_command_that_installs_it_is_named(rising, monkeypatch):
    monkeypatch.setitem(sys.modules, "mistune", None)
    with pytest.raises(tam.MissingDependencyError, match=r"pip install 'tam-widget\[eval\]'"):
        rising.report()
