"""Two explanations side by side look at the same word."""

from fake_explanation import AND, CIRCLE, TRIANGLE, WORD
from playwright.sync_api import expect

from text.sentence_notebook import COMPARED


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
