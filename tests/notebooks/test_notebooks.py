"""Every notebook runs from top to bottom, offline, on the demo model."""

import re
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

SAYS = {
    "failure_cases": (
        "the model reads the thing that it names.",
        "the model is right for another reason than the thing it names.",
        "the biased model names the thing in 24 of 24 scenes",
        "the biased model names the thing in 0 of 24 scenes",
    )
}
"""What must come out of a notebook, beside widgets."""

sys.path.insert(0, str(ROOT / "notebooks"))


def test_there_are_notebooks():
    assert {"quickstart", "failure_cases"} <= {path.stem for path in NOTEBOOKS}
    assert SAYS.keys() <= {path.stem for path in NOTEBOOKS}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_is_committed_without_outputs(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code")
    # JupyterLab asks for a kernel, and waits, where the notebook does not name one.
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_runs_and_shows_its_widgets(path, tmp_path, monkeypatch):
    from render import render

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    page = tmp_path / "page.html"
    render(path, page)
    html = page.read_text(encoding="utf-8")
    assert len(re.findall(r'<script type="application/vnd\.jupyter\.widget-view\+json">', html)) >= 3
    assert "tam-token" in html  # the bundle is in the page, and with it the maps
    for said in SAYS.get(path.stem, ()):
        assert said in html
