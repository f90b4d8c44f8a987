"""Several words as one: spans by click, by drawing and by keyboard, and the whole answer."""

import numpy as np
from fake_explanation import CIRCLE, LARGE, YELLOW, Fake
from playwright.sync_api import expect

from tam_widget.explanation.region import merge
from text.sentence_notebook import ASKING, EMBEDDED, shares


def middle(node):
    box = node.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_shift_click_extends_a_pin_to_a_span(notebook):
    view = notebook.widget(ASKING)
    view.token(LARGE).click()
    view.token(CIRCLE).click(modifiers=["Shift"])
    view.leave()
    view.expect("ready", "8 9 10")
    expect(view.node.locator(".tam-token[aria-pressed=true]")).to_have_text(["large", "yellow", "circle"])
    expect(view.node.locator(".tam-detail .tam-name")).to_have_text("large yellow circle")
    notebook.until("w.pinned", "[8, 9, 10]")
    notebook.page.keyboard.press("Escape")
    view.expect("empty", "")


def test_drawing_over_words_pins_a_span_and_selects_no_text(notebook):
    view = notebook.widget(ASKING)
    mouse = notebook.page.mouse
    mouse.move(*middle(view.token(CIRCLE)))
    mouse.down()
    mouse.move(*middle(view.token(YELLOW)), steps=3)
    view.expect("ready", "9 10")
    mouse.move(*middle(view.token(LARGE)), steps=3)
    view.expect("ready", "8 9 10")
    mouse.up()
    view.leave()
    view.expect("ready", "8 9 10")
    assert notebook.page.evaluate("getSelection().toString()") == ""
    notebook.until("w.pinned", "[8, 9, 10]")
    view.token(CIRCLE).click()  # of the span, one word
    view.leave()
    view.expect("ready", CIRCLE)


def test_spans_grow_by_keyboard(notebook):
    view = notebook.widget(ASKING)
    keyboard = notebook.page.keyboard
    view.token(LARGE).click()
    keyboard.press("Escape")
    view.leave()
    cell = notebook.active_cell
    keyboard.press("ArrowRight")
    view.expect("ready", YELLOW)
    keyboard.press("Shift+ArrowRight")
    view.expect("ready", "9 10")
    keyboard.press("Shift+ArrowLeft")
    keyboard.press("Shift+ArrowLeft")
    view.expect("ready", "8 9")
    keyboard.press("Enter")
    notebook.until("w.pinned", "[8, 9]")
    keyboard.press("Escape")
    keyboard.press("Escape")
    view.expect("empty", "")
    assert notebook.active_cell == cell


def test_the_whole_answer_is_one_map(notebook):
    view = notebook.widget(EMBEDDED)
    whole = view.button("Whole answer")
    whole.click()
    said = range(5, 23)
    view.expect("ready", " ".join(map(str, said)))
    expect(whole).to_have_attribute("aria-pressed", "true")
    expected = merge([Fake().heatmap(token) for token in said], "mean")
    assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
    whole.click()
    view.leave()
    view.expect("empty", "")
