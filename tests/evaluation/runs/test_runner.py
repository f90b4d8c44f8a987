"""A run's rows are what its parts give, and nothing that interrupts it changes them."""

import json
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from explained_scenes import demo_pair
from run_scenes import CHEAP, Broken, Scenes, Stopped

import tam_widget as tam
from tam_widget.evaluation import WordRow, demo_scenes, evaluate, open_run, score
from tam_widget.evaluation.faithfulness.deletion import measure_faithfulness
from tam_widget.evaluation.methods import MethodError, method_maps, registry
from tam_widget.evaluation.runs.storage import WORD_FIELDS, RowStore, row_bytes, row_from
from tam_widget.replay.explained import Explained

SETTINGS = {"methods": CHEAP, "progress": False}


def run_of(dataset, out, **settings):
    return evaluate(*demo_pair(), dataset, out=out, **{**SETTINGS, **settings})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Four scenes, of the first of which faithfulness is measured."""
    return run_of(Scenes(4), tmp_path_factory.mktemp("whole"), faithfulness=1, steps=3)


@pytest.fixture
def explained():
    """The first scene, explained without a run."""
    sample = demo_scenes(4)[0]
    return sample, Explained(*demo_pair(), tam.explain(*demo_pair(), sample.image, sample.prompt, do_sample=False))


def test_a_row_holds_what_scoring_gives(whole, explained):
    sample, one = explained
    row = next(whole.rows())
    assert (row["index"], row["sample"], row["answer"]) == (0, sample.id, one.explanation.answer)
    assert row["error"] is None
    assert row["rouge_l"] == 1.0
    assert "simplemma" in row["source"]
    for method in CHEAP:
        found = [word for word in row["words"] if word["method"] == method]
        expected = score(one.explanation, method_maps(method, one), sample).rows
        assert [{name: word[name] for name in WordRow.__annotations__} for word in found] == list(expected)


def test_a_row_s_faithfulness_is_what_is_measured(whole, explained):
    _, one = explained
    first, *others = whole.rows()
    assert all(row["faithfulness"] == [] for row in others)
    found = [word for word in first["faithfulness"] if word["method"] == "cam"]
    named = [word for word in first["words"] if word["method"] == "cam" and word["category"]]
    assert [word["text"] for word in found] == [word["text"] for word in named]
    tokens = [word["token"] for word in found]
    expected = measure_faithfulness(one, method_maps("cam", one, tokens), tokens, steps=3)
    for word, area in zip(found, expected, strict=True):
        assert word["gain"] == area.gain
        known = area.gain >= 0.1
        assert word["deletion"] == (area.deletion_area if known else None)
        assert word["insertion"] == (area.insertion_area if known else None)
        assert word["random"] == (area.random_area if known else None)
        if known:
            assert np.trapezoid(word["deletion_curve"], word["shares"]) == pytest.approx(area.deletion_area)
            assert np.trapezoid(word["random_curve"], word["shares"]) == pytest.approx(area.random_area)
            assert word["insertion_curve"][0] == pytest.approx(0)


def test_objects_sizes_and_what_shares_their_place(whole):
    for row, sample in zip(whole.rows(), Scenes(4), strict=True):
        words = [word for word in row["words"] if word["method"] == "tam" and word["object_iou"] is not None]
        assert words
        for word in words:
            cells = sample.masks[word["category"]].mean() * 16 * 16
            assert word["cells"] == pytest.approx(cells)
        assert words[0]["shared"] == 0
        for before, word in pairwise(words):
            mask = sample.masks[word["category"]]
            least = (sample.masks[before["category"]] & mask).sum() / mask.sum()
            assert word["shared"] >= (0 if before["text"] == word["text"] else least) - 1e-12


def test_a_file_a_sample_and_one_of_all(whole):
    assert sorted(path.name for path in (whole.folder / "rows").iterdir()) == [f"{i:07d}.parquet" for i in range(4)]
    rows = list(whole.rows())
    assert [row["index"] for row in rows] == [0, 1, 2, 3]
    assert [row_from(row_bytes(row)) for row in rows] == rows
    (whole.folder / "samples.parquet").rename(whole.folder / "aside")
    assert list(whole.rows()) == rows
    (whole.folder / "aside").rename(whole.folder / "samples.parquet")
    assert list(whole.folder.rglob(".*")) == []
    assert set(WordRow.__annotations__) | {"method"} <= set(WORD_FIELDS)


def test_the_summary_is_of_all_words(whole):
    words = [word for row in whole.rows() for word in row["words"] if word["method"] == "cam"]
    known = [word["object_iou"] for word in words if word["object_iou"] is not None]
    summary = whole.summary()
    assert tuple(summary) == CHEAP
    assert summary["cam"].object_iou == pytest.approx(np.mean(known))
    assert summary["cam"].rouge_l == 1.0


def test_the_manifest_says_what_it_was_made_with(whole):
    manifest = open_run(whole.folder).manifest
    assert manifest["model"]["name"] == "tam-demo-qwen"
    assert manifest["data"] == {"name": "scenes of a test", "samples": 4}
    assert manifest["settings"]["methods"] == list(CHEAP)
    assert manifest["versions"]["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert [session["samples"] for session in manifest["sessions"]] == [4]
    assert "tam-demo-qwen on scenes of a test" in repr(whole)


def test_an_interrupted_run_goes_on_and_gives_the_same_file(whole, tmp_path):
    settings = {"faithfulness": 1, "steps": 3}
    with pytest.raises(KeyboardInterrupt):
        run_of(Stopped(4, 2), tmp_path, **settings)
    run = open_run(tmp_path)
    assert [row["index"] for row in run.rows()] == [0, 1]
    assert not (tmp_path / "samples.parquet").exists()
    kept = (tmp_path / "rows" / "0000000.parquet").stat().st_mtime_ns
    done = run_of(Scenes(4), tmp_path, **settings)
    assert (tmp_path / "rows" / "0000000.parquet").stat().st_mtime_ns == kept
    assert (tmp_path / "samples.parquet").read_bytes() == (whole.folder / "samples.parquet").read_bytes()
    assert [session["samples"] for session in done.manifest["sessions"]] == [2, 2]


def test_a_file_that_broke_is_made_again(tmp_path):
    rows = list(run_of(Scenes(2), tmp_path).rows())
    broken = RowStore(tmp_path).path(1)
    broken.write_bytes(broken.read_bytes()[:100])
    assert list(run_of(Scenes(2), tmp_path).rows()) == rows


def test_more_samples_and_fewer(tmp_path):
    assert len(list(run_of(Scenes(4), tmp_path, samples=1).rows())) == 1
    assert len(list(run_of(Scenes(4), tmp_path, samples=3).rows())) == 3
    assert len(list(run_of(Scenes(4), tmp_path, samples=2).rows())) == 2
    assert len(list(open_run(tmp_path).rows())) == 2
    assert len(list(run_of(Scenes(4), tmp_path, samples=9).rows())) == 4


def test_a_failing_sample_is_a_row_and_the_others_are_judged(tmp_path, capsys):
    run = run_of(Broken(3, 1), tmp_path, progress=None)
    rows = list(run.rows())
    assert [bool(row["words"]) for row in rows] == [True, False, True]
    assert run.failures() == [(1, None, "OSError: cannot read the | picture")]
    assert "sample 1 failed: OSError" in capsys.readouterr().err
    assert run.summary()["tam"].objects == sum(word["object_iou"] is not None for word in rows[0]["words"]) // 2 + (
        sum(word["object_iou"] is not None for word in rows[2]["words"]) // 2
    )


def test_a_failing_method_does_not_cost_the_others(tmp_path, monkeypatch):
    def broken(explained, tokens):
        raise RuntimeError("does not apply")

    monkeypatch.setitem(registry._METHODS, "broken", broken)
    run = run_of(Scenes(1), tmp_path, methods=("broken", "tam"), faithfulness=1, steps=1)
    (row,) = run.rows()
    assert row["error"] == "broken: RuntimeError: does not apply"
    assert {word["method"] for word in row["words"]} == {"tam"}
    assert {word["method"] for word in row["faithfulness"]} == {"tam"}
    assert row["rouge_l"] == 1.0


def test_what_fails_for_all_ends_the_run(tmp_path, monkeypatch):
    def missing(explained, tokens):
        raise tam.MissingDependencyError("this method needs a package")

    monkeypatch.setitem(registry._METHODS, "missing", missing)
    with pytest.raises(tam.MissingDependencyError, match="needs a package"):
        run_of(Scenes(2), tmp_path, methods=("tam", "missing"))
    assert list(open_run(tmp_path).rows()) == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"methods": ("tam",)}, r"settings\.methods is tam, there tam, cam"),
        ({"max_new_tokens": 20}, r"settings\.max_new_tokens is 20, there 128"),
        ({"faithfulness": 2, "seed": 1}, r"settings\.faithfulness is 2, there 1; settings\.seed is 1, there 0"),
        ({"matching": "released"}, r"settings\.matching is released, there exact"),
    ],
)
def test_other_settings_are_refused(whole, changed, named):
    before = (whole.folder / "run.json").read_bytes()
    with pytest.raises(tam.EvaluationError, match=named):
        run_of(Scenes(4), whole.folder, **{"faithfulness": 1, "steps": 3, **changed})
    assert (whole.folder / "run.json").read_bytes() == before


def test_other_data_versions_and_weights_are_refused(whole, tmp_path):
    settings = {"faithfulness": 1, "steps": 3}
    with pytest.raises(tam.EvaluationError, match=r"data\.name is demo scenes 10000 to 10003, there scenes of a test"):
        run_of(demo_scenes(4), whole.folder, **settings)
    manifest = json.loads((whole.folder / "run.json").read_text())
    manifest["versions"]["torch"] = "1.0"
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    with pytest.raises(tam.EvaluationError, match=r"versions\.torch is .*, there 1\.0"):
        run_of(Scenes(4), tmp_path, **settings)
    model, processor = tam.load_demo()
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] += 1
    with pytest.raises(tam.EvaluationError, match=r"holds another run: model\.weights is"):
        evaluate(model, processor, Scenes(4), out=whole.folder, **SETTINGS, **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"methods": ()}, "at least one; got none"),
        ({"methods": ("tam", "tam")}, "once each"),
        ({"samples": 0}, "samples must be at least 1"),
        ({"faithfulness": -1}, "faithfulness must be at least 0"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"max_new_tokens": 0}, "max_new_tokens must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
        ({"matching": "fuzzy"}, "'exact' or 'released', not 'fuzzy'"),
    ],
)
def test_settings_that_cannot_be_used(tmp_path, settings, message):
    with pytest.raises(tam.EvaluationError, match=message):
        run_of(Scenes(2), tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_an_unknown_method_is_named_before_anything_runs(tmp_path):
    with pytest.raises(MethodError, match="there is no method 'tem'; there are: tam, causal"):
        run_of(Scenes(2), tmp_path / "out", methods=("tam", "tem"))
    assert not (tmp_path / "out").exists()


def test_a_folder_without_a_run(tmp_path):
    with pytest.raises(tam.EvaluationError, match=r"holds no run: there is no run\.json"):
        open_run(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(tam.EvaluationError, match="cannot be read"):
        open_run(tmp_path)


def test_without_pyarrow_the_command_that_installs_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(tam.MissingDependencyError, match=r"pip install 'tam-widget\[eval\]'"):
        run_of(Scenes(2), tmp_path)
