"""What Python sets, the page shows; what the page shows, Python reads."""

import numpy as np
from fake_explanation import CIRCLE, LARGE, TRIANGLE, Fake
from playwright.sync_api import expect

from text.sentence_notebook import ASKING, EMBEDDED, shares


def test_python_pins_and_selects_and_reads_back(notebook):
    view = notebook.widget(ASKING)
    notebook.run("w.pinned = [10, 9]")
    view.expect("ready", "9 10")
    expect(view.node.locator(".tam-token[aria-pressed=true]")).to_have_text(["yellow", "circle"])
    notebook.until("w.selected", "[9, 10]")
    notebook.run("w.selected = [15]")
    view.expect("ready", TRIANGLE)
    view.hover(LARGE)
    view.expect("ready", LARGE)
    notebook.until("[w.selected, w.pinned, w.focus]", '[[8], [9, 10], ["large", 0]]')
    view.leave()
    view.expect("ready", "9 10")
    notebook.until("w.selected", "[9, 10]")
    view.token(LARGE).click()
    notebook.until("w.pinned", "[8]")
    notebook.run("w.pinned = []")
    view.leave()
    view.expect("empty", "")
    notebook.until("[w.selected, w.focus]", "[[], []]")


def test_python_changes_the_method_and_the_page_asks_anew(notebook):
    view = notebook.widget(EMBEDDED)
    view.token(CIRCLE).click()
    view.expect("ready", CIRCLE)
    view.leave()
    view = notebook.widget(ASKING)
    notebook.run("w.pinned = [10]")
    view.expect("ready", CIRCLE)
    before = view.pixels()
    notebook.run("w.kernel_size = 9")
    view.expect_other_pixels(before)
    expected = Fake().heatmap(CIRCLE, kernel_size=9)
    assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
    notebook.run("w.kernel_size = 3")
    notebook.widget(EMBEDDED).token(CIRCLE).click()
