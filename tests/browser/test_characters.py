"""Characters that several tokens make up, in JupyterLab: whole among words, told apart among tokens."""

import re

import pytest
from playwright.sync_api import expect

ANSWER = "A 👩‍👩‍👧‍👦, 🇩🇪 and 👍🏽: नीला cafe\u0301."
SETUP = f"""
import json
import tam_widget as tam
model, processor = tam.load_demo()
picture = tam.demo.scene(seed=7).image
explained = tam.explain(model, processor, picture, 'Is this 猫 or 👩🏽‍🚀?', answer={ANSWER!r})
w = explained.widget()
"""
MARK = "\ufffd"


@pytest.fixture(scope="module")
def notebook(lab):
    with lab.open("characters", [SETUP, "w"]) as opened:
        yield opened


@pytest.fixture(autouse=True)
def words_again(notebook):
    """Each test leaves words to be picked, and nothing pinned."""
    yield
    notebook.rest()
    notebook.run("w.unit, w.pinned = 'word', []")


def test_words_show_no_marks_and_each_character_in_one_piece(notebook):
    view = notebook.widget(1)
    texts = view.node.locator(".tam-token").all_text_contents()
    assert MARK not in "".join(texts)
    for character in ("👩‍👩‍👧‍👦", "🇩🇪", "👍🏽", "e\u0301", "👩🏽‍🚀"):
        assert sum(character in text for text in texts) == 1
    expect(view.node.locator(".tam-answer")).to_have_text(ANSWER)
    assert MARK not in view.node.inner_text()


def test_a_character_is_hovered_as_one_word(notebook):
    view = notebook.widget(1)
    found = notebook.ask("explained.find('👩‍👩‍👧‍👦')")
    assert len(found) > 10
    view.hover(found[-1])
    view.expect("ready", " ".join(map(str, found)))
    expect(view.node.locator(".tam-detail .tam-name")).to_have_text("👩‍👩‍👧‍👦")
    assert MARK not in view.node.inner_text()


def test_the_keyboards_place_is_seen_where_a_words_first_token_shows_nothing(notebook):
    view = notebook.widget(1)
    found = notebook.ask("explained.find('🇩🇪')")
    view.token(found[-1]).click()
    notebook.page.keyboard.press("Escape")
    notebook.page.keyboard.press("ArrowLeft")
    notebook.page.keyboard.press("ArrowRight")
    first = view.token(found[0])
    expect(first).to_be_focused()
    expect(first).to_have_accessible_name(re.compile(f'^"🇩🇪", answer token {found[0]},'))
    word = view.node.locator(".tam-word:has(> .tam-token:focus)")
    expect(word).to_have_css("outline-style", "solid")
    assert word.bounding_box()["width"] > 8
    assert first.bounding_box()["height"] == pytest.approx(view.token(found[-1]).bounding_box()["height"], abs=0.5)


def test_tokens_show_marks_for_what_is_no_character(notebook):
    view = notebook.widget(1)
    view.button("Token").click()
    marks = notebook.ask(f"[token.index for token in explained.tokens if token.text == {MARK!r}]")
    assert len(marks) > 10
    texts = view.node.locator(".tam-token").all_text_contents()
    assert [index for index, text in enumerate(texts) if MARK in text] == marks
    found = notebook.ask("explained.find('🇩🇪')")
    view.hover(found[0])
    view.expect("ready", found[0])
    view.button("Word").click()
    assert MARK not in "".join(view.node.locator(".tam-token").all_text_contents())
