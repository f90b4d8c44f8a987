"""The benchmark for a GPU, tried on the CPU as on a bare machine: without what only notebooks and tests need."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import gpu_table
from marked_page import page_with

ROOT = Path(__file__).parents[2]

BARE = """
import runpy, sys
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *where: None if name.split(".")[0] in {absent} else find(name, *where)
sys.path.insert(0, "benchmarks")
sys.argv = ["gpu.py", *{arguments}]
runpy.run_path("benchmarks/gpu.py", run_name="__main__")
"""
ABSENT = {"IPython", "accelerate", "anywidget", "av", "captum", "cv2", "ipywidgets", "nltk", "peft", "psygnal"} | {
    "pyarrow",
    "skimage",
    "torchvision",
    "traitlets",
}
WAYS = {"plain", "capture", "output_hidden_states"}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    out = tmp_path_factory.mktemp("gpu") / "gpu.json"
    sizes = ["--new-tokens", "5", "--grid", "4", "6", "--large", "6", "6", "--rounds", "1"]
    arguments = ["--size", "tiny", "--device", "cpu", *sizes, "--out", str(out)]
    code = BARE.format(absent=ABSENT, arguments=arguments)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(out.read_text())


def test_every_section_is_measured(report):
    (model,) = report["models"].values()
    assert report["left out"] == []
    assert model["generate"]["ways"].keys() == WAYS
    assert model["maps"]["cells"] == 24
    assert model["maps of a large picture"]["cells"] == 36
    assert model["maps"]["tokens"] == model["maps of a large picture"]["tokens"] > 5
    for section in ("maps", "maps of a large picture"):
        assert model[section]["ways"].keys() == {"one hover", "all maps"}
        assert model[section]["share of bandwidth"] > 0
    assert all(one["held"] for one in model["agreement"].values())


def test_the_table_tells_every_figure_and_finds_its_place(report):
    text = gpu_table.table(report)
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 3 + 2 * 3 + 2
    assert {line.count("|") for line in lines} == {3}
    page = page_with(text, gpu_table.PAGE.read_text(encoding="utf-8"), gpu_table.MARKS)
    assert text in page
    assert page_with(text, page, gpu_table.MARKS) == page


def test_a_section_that_was_left_out_is_said(report):
    (name,) = report["models"]
    model = {key: value for key, value in report["models"][name].items() if key != "maps of a large picture"}
    text = gpu_table.table({**report, "models": {name: model}, "left out": [f"{name}: maps of a large picture"]})
    assert "Left out for want of time" in text
    assert "| all maps, maps of a large picture | – |" in text
