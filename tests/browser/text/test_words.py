"""A word is one shape and one map; its tokens, a tap, a narrow cell and a long answer."""

import numpy as np
import pytest
from colours import colour
from fake_explanation import TRIANGLE, WORD, Fake
from playwright.sync_api import expect

from tam_widget.explanation.region import merge
from text.sentence_notebook import ASKING, EMBEDDED, LONG, NARROW, SETUP, shares


@pytest.mark.usefixtures("theme")
def test_a_word_is_one_shape_and_one_map(notebook):
    for number in (ASKING, EMBEDDED):
        view = notebook.widget(number)
        view.hover(TRIANGLE + 1)
        view.expect("ready", WORD)
        expect(view.node.locator(".tam-active")).to_have_text(["triang", "le"])
        first, second = (view.token(index).bounding_box() for index in (TRIANGLE, TRIANGLE + 1))
        assert first["x"] + first["width"] == pytest.approx(second["x"], abs=0.05)
        corners = (
            "(token) => [getComputedStyle(token).borderTopRightRadius, getComputedStyle(token).borderTopLeftRadius]"
        )
        assert view.token(TRIANGLE).evaluate(corners) == ["0px", "4px"]
        assert view.token(TRIANGLE + 1).evaluate(corners) == ["4px", "0px"]
        assert len({tuple(colour(view.token(i), "background-color")) for i in (TRIANGLE, TRIANGLE + 1)}) == 1
        fake = Fake()
        expected = merge([fake.heatmap(TRIANGLE), fake.heatmap(TRIANGLE + 1)], "mean")
        assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
        view.unfold()
        view.button("Max").click()
        view.hover(TRIANGLE)
        view.expect("ready", WORD)
        expected = merge([fake.heatmap(TRIANGLE), fake.heatmap(TRIANGLE + 1)], "max")
        view.page.wait_for_function(
            "([node, text]) => node.title.startsWith(text)",
            arg=[view.node.locator(".tam-where").element_handle(), f"Peak {expected.max():.2f}"],
        )
        assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
        view.button("Mean").click()
        view.fold()


def test_words_give_way_to_tokens(notebook):
    view = notebook.widget(ASKING)
    view.button("Token").click()
    notebook.until("w.unit", '"token"')
    view.hover(TRIANGLE)
    view.expect("ready", TRIANGLE)
    view.hover(TRIANGLE + 1)
    view.expect("ready", TRIANGLE + 1)
    expect(view.node.locator(".tam-place")).to_have_text("answer token 16")
    view.button("Word").click()
    view.hover(TRIANGLE)
    view.expect("ready", WORD)
    expect(view.node.locator(".tam-place")).to_have_text("answer tokens 15–16")


def test_the_choices_fit_into_a_narrow_cell(notebook):
    view = notebook.widget(NARROW)
    assert view.fits(300)
    edge = view.node.bounding_box()
    for node in view.node.locator(".tam-toolbar :is(.tam-button, .tam-more):visible").all():
        box = node.bounding_box()
        assert edge["x"] <= box["x"]
        assert box["x"] + box["width"] <= edge["x"] + edge["width"]
    view.hover(TRIANGLE)
    view.expect("ready", WORD)


def test_a_tap_pins_and_unpins(lab):
    with lab.open("touch", [SETUP, "w"], has_touch=True) as notebook:
        view = notebook.widget(1)
        view.token(TRIANGLE).tap()
        view.expect("ready", WORD)
        expect(view.token(TRIANGLE)).to_have_attribute("aria-pressed", "true")
        view.token(TRIANGLE).tap()
        expect(view.token(TRIANGLE)).to_have_attribute("aria-pressed", "false")
        view.expect("empty", "")


def test_a_finger_walks_the_words_and_lets_go(lab):
    with lab.open("finger", [SETUP, "w"], has_touch=True) as notebook:
        view = notebook.widget(1)
        session = notebook.page.context.new_cdp_session(notebook.page)

        def touch(kind, *points):
            where = [{"x": x, "y": y} for x, y in points]
            session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": where})

        def middle(token):
            box = view.token(token).bounding_box()
            return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

        touch("Start", middle(TRIANGLE - 1))
        touch("Move", middle(TRIANGLE))
        view.expect("ready", WORD)
        touch("Move", middle(TRIANGLE - 1))
        view.expect("ready", TRIANGLE - 1)
        touch("End")
        view.expect("empty", "")
        assert view.node.locator(".tam-token[aria-pressed=true]").count() == 0


def test_the_next_word_of_a_long_answer_touches_only_what_changes(notebook):
    view = notebook.widget(LONG)
    last = view.node.locator(".tam-token").count() - 1
    assert last > 2000
    view.node.locator(".tam-text").evaluate("(text) => text.scrollTo(0, text.scrollHeight)")
    view.hover(last)
    view.expect("ready", last)
    view.node.evaluate(
        """(widget) => {
            window.touched = new Set();
            const seen = new MutationObserver((all) => all.forEach(({target}) => window.touched.add(target)));
            seen.observe(widget.querySelector('.tam-text'), {subtree: true, attributes: true, childList: true});
        }"""
    )
    view.unfold()
    view.button("Probability").click()
    notebook.page.evaluate("window.touched.clear()")
    view.hover(last - 2)
    view.expect("ready")
    expect(view.canvas).not_to_have_attribute("data-token", str(last))
    assert 0 < notebook.page.evaluate("window.touched.size") < 10
    view.button("Relevance").click()
