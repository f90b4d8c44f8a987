"""The method taken apart: the page's maps are those of Python."""

import numpy as np
import pytest
from fake_explanation import BLUE, Fake
from playwright.sync_api import expect

from picture.demo_notebook import MADE_UP, choose, levels, pin

METHODS = [{"kernel_size": 1}, {"kernel_size": 5}, {"part": "raw"}]


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_the_method_taken_apart_is_what_python_says(view, explained, method):
    _, explanation = explained
    check_method(view, explanation, pin(view, "circle"), method)


@pytest.mark.parametrize("method", [{"causal_inference": False}, {"part": "interference"}], ids=str)
def test_interference_is_what_python_says(notebook, method):
    # The demo model's words do not interfere.
    view = notebook.widget(MADE_UP)
    view.token(BLUE).click()
    view.expect("ready", BLUE)
    check_method(view, Fake(), [BLUE], method)
    notebook.run("made_up.causal_inference = True; made_up.part = 'map'; made_up.pinned = []")
    view.node.locator(".tam-more").click()
    view.leave()
    view.expect("empty", "")


def check_method(view, explanation, tokens, method):
    """Change a setting by hand; the picture and the scale are then those of Python's map."""
    (name, value), *_ = method.items()
    before = view.cells(*explanation.grids[0])
    level, peak = levels(explanation, tokens, **method)
    if name == "causal_inference":
        view.unfold().locator(".tam-causal").uncheck()
    else:
        choose(view, name, str(value))
    expect(view.node.locator(".tam-peak")).to_have_text(f"{peak:.2f}" + (" logits" if name == "part" else ""))
    view.expect("ready", " ".join(map(str, tokens)))
    after = view.cells(*explanation.grids[0])
    assert np.abs(after - level / 254 * 0.7).max() < 0.01
    if value != "interference":  # made up, it has the shape of the map
        assert np.abs(after - before).max() > 0.05
