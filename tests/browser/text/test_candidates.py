"""What the model nearly said, and how sure it was."""

import re

import numpy as np
import pytest
from colours import blended, colour, contrast, luminance
from fake_explanation import CIRCLE, TRIANGLE, WORD, Fake
from playwright.sync_api import expect

from text.sentence_notebook import ASKING, shares


def rows(view):
    return view.node.locator(".tam-detail .tam-candidate")


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
    expect(live).to_have_text(re.compile(r"^cross in place of circle: [A-Z][a-z ]+ · \d+ % inside the contour$"))
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
    view.unfold()
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
