"""The notebook that all tests of the text share."""

import pytest

from text.sentence_notebook import CELLS


@pytest.fixture(scope="package")
def notebook(lab):
    with lab.open("text", CELLS) as opened:
        yield opened


@pytest.fixture(autouse=True)
def at_rest(notebook):
    """Each test leaves the pointer away from the widgets, nothing pinned and the settings as they were."""
    yield
    notebook.rest()
    notebook.run("w.unit, w.combine, w.tint, w.pinned, w.selected = 'word', 'mean', 'relevance', [], []")
