"""The text as an instrument, in JupyterLab: words and spans, what it nearly said, how sure it was, who follows whom."""

import re

import numpy as np
import pytest
from colours import blended, colour, contrast, luminance
from fake_explanation import AND, CIRCLE, LARGE, TRIANGLE, WORD, YELLOW, Fake
from playwright.sync_api import expect

from tam_widget.explanation.region import merge

SETUP = """
import json
from fake_explanation import LONG, Fake
from tam_widget.widget.comparison import compare
from tam_widget.widget import TAMWidget
w = TAMWidget(Fake(), embed=False)
left, right = Fake(name='first'), Fake('A blue triangle, a circle and a large yellow circle.', name='second')
columns = compare([left, right])
"""
ASKING, EMBEDDED, COMPARED, NARROW, LONG = range(1, 6)


@pytest.fixture(scope="module")
def notebook(lab):
    cells = [
        SETUP,
        "w",
        "TAMWidget(Fake(), embed=True)",
        "columns",
        "narrow = TAMWidget(Fake())\nnarrow.layout.width = '300px'\nnarrow",
        "TAMWidget(Fake(LONG * 40, grid=(64, 64)), embed=False)",
    ]
    with lab.open("text", cells) as opened:
        yield opened


@pytest.fixture(autouse=True)
def at_rest(notebook):
    """Each test leaves the pointer away from the widgets, nothing pinned and the settings as they were."""
    yield
    notebook.rest()
    notebook.run("w.unit, w.combine, w.tint, w.pinned, w.selected = 'word', 'mean', 'relevance', [], []")


def rows(view):
    return view.node.locator(".tam-detail .tam-candidate")


def middle(node):
    box = node.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def shares(view):
    """The overlay's alpha in the middle of each cell, as a share of the opacity."""
    return view.cells() / 0.7


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
        view.button("Max").click()
        view.hover(TRIANGLE)
        view.expect("ready", WORD)
        expected = merge([fake.heatmap(TRIANGLE), fake.heatmap(TRIANGLE + 1)], "max")
        view.page.wait_for_function(
            "([node, text]) => node.textContent.startsWith(text)",
            arg=[view.node.locator(".tam-where").element_handle(), f"Peak {expected.max():.2f}"],
        )
        assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
        view.button("Mean").click()


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


def test_a_candidate_shows_what_it_would_have_looked_at(notebook):
    view = notebook.widget(ASKING)
    view.token(CIRCLE).click()
    view.expect("ready", CIRCLE)
    own = view.pixels()
    rows(view).nth(2).hover()
    view.expect_other_pixels(own)
    view.expect("ready", CIRCLE)
    expected = Fake().heatmap(CIRCLE, candidate=2)
    assert np.abs(shares(view) - expected / expected.max()).max() < 0.03
    live = view.node.locator(".tam-page > .tam-live")
    expect(live).to_have_text(re.compile(r"^cross in place of circle: Peak 0\.\d\d at row"))
    view.leave()
    notebook.page.wait_for_function("() => !document.querySelector('.tam-looked')")
    assert view.pixels() == own
    expect(view.node.locator(".tam-caption")).to_have_text("Candidates")
    view.token(TRIANGLE).click()
    expect(view.node.locator(".tam-caption")).to_have_text("For its first token")


def test_candidates_are_reached_by_keyboard(notebook):
    view = notebook.widget(ASKING)
    keyboard = notebook.page.keyboard
    view.token(CIRCLE).click()
    view.leave()
    view.expect("ready", CIRCLE)
    own = view.pixels()
    for _ in range(20):
        keyboard.press("Tab")
        if rows(view).first.evaluate("(row) => row === document.activeElement"):
            break
    expect(rows(view).first).to_be_focused()
    keyboard.press("ArrowDown")
    expect(rows(view).nth(1)).to_be_focused()
    view.expect_other_pixels(own)
    keyboard.press("Enter")
    expect(rows(view).nth(1)).to_have_attribute("aria-pressed", "true")
    keyboard.press("Escape")
    expect(rows(view).nth(1)).to_have_attribute("aria-pressed", "false")


def test_a_difference_is_red_and_blue(notebook):
    view = notebook.widget(ASKING)
    view.token(CIRCLE).click()
    view.expect("ready", CIRCLE)
    own = view.pixels()
    toggle = view.button("Difference")
    toggle.click()
    view.expect_other_pixels(own)
    fake = Fake()
    difference = fake.heatmap(CIRCLE) - fake.heatmap(CIRCLE, candidate=1)
    places = [np.unravel_index(pick(difference), difference.shape) for pick in (np.argmax, np.argmin)]
    said, unsaid = (view.colour_at((column + 0.5) / 16, (row + 0.5) / 16) for row, column in np.array(places).tolist())
    assert said[0] > said[2] + 60, "what speaks for the word is red"
    assert unsaid[2] > unsaid[0] + 60, "what speaks for the other is blue"
    assert said[3] > 150
    assert unsaid[3] > 150
    toggle.click()
    assert view.pixels() == own


@pytest.mark.usefixtures("theme")
def test_doubtful_words_stand_out(notebook):
    view = notebook.widget(ASKING)
    view.leave()
    view.expect("empty")
    view.button("Probability").click()
    notebook.until("w.tint", '"probability"')
    ground = luminance(colour(view.node, "background-color"))
    fake = Fake()
    strengths = {}
    for one in fake.tokens:
        node = view.token(one.index)
        own = colour(node, "background-color")
        got = contrast(luminance(colour(node, "color")), blended(own, ground))
        assert got >= 4.5, f"{one.text!r}: contrast {got:.2f}"
        if one.role == "answer":
            strengths[one.candidates[0].probability] = own[3]
        else:
            assert own[3] == 0
    ordered = [strengths[probability] for probability in sorted(strengths)]
    assert ordered == sorted(ordered, reverse=True)
    assert len(set(ordered)) > 3
    doubtful = [one.index for one in fake.tokens if one.candidates and one.candidates[0].probability < 0.5]
    assert doubtful
    for one in fake.tokens:
        line = view.token(one.index).evaluate("(token) => getComputedStyle(token).textDecorationLine")
        assert (line == "underline") == (one.index in doubtful)
    view.hover(TRIANGLE)  # and goes on standing out
    view.expect("ready", WORD)
    assert colour(view.token(doubtful[0]), "background-color")[3] > 0


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


def test_columns_look_at_the_same_word(notebook):
    first, second = notebook.widget(COMPARED), notebook.widget(COMPARED, view=1)
    expect(first.node.locator(".tam-title")).to_have_text("first")
    expect(second.node.locator(".tam-title")).to_have_text("second")
    first.hover(TRIANGLE)
    first.expect("ready", WORD)
    there = second.tokens_of("triangle")[0]
    second.expect("ready", " ".join(map(str, there)))
    circles = second.tokens_of("circle")
    assert len(circles) == 2
    second.hover(circles[1][0])
    second.expect("ready", " ".join(map(str, circles[1])))
    first.expect("ready", CIRCLE)  # it has only one
    second.hover(second.tokens_of("and")[0][0])
    first.expect("ready", AND)
    second.leave()
    first.expect("empty", "")
    second.expect("empty", "")
    second.token(circles[0][0]).click()
    second.leave()
    first.expect("ready", CIRCLE)
    notebook.page.keyboard.press("Escape")
    first.expect("empty", "")


def test_settings_of_columns_are_linked(notebook):
    first, second = notebook.widget(COMPARED), notebook.widget(COMPARED, view=1)
    first.button("Token").click()
    expect(second.button("Token")).to_have_attribute("aria-pressed", "true")
    second.button("Word").click()
    expect(first.button("Word")).to_have_attribute("aria-pressed", "true")


def test_the_choices_fit_into_a_narrow_cell(notebook):
    view = notebook.widget(NARROW)
    assert view.fits(300)
    edge = view.node.bounding_box()
    for node in view.node.locator(".tam-options .tam-button, .tam-key").all():
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
    view.button("Probability").click()
    notebook.page.evaluate("window.touched.clear()")
    view.hover(last - 2)
    view.expect("ready")
    expect(view.canvas).not_to_have_attribute("data-token", str(last))
    assert 0 < notebook.page.evaluate("window.touched.size") < 10
    view.button("Relevance").click()
