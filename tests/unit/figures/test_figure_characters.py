"""Characters that several tokens make up, and characters of several code points, in figures."""

import pytest
from made_explanation import make

import tam_widget as tam
from tam_widget.figures.text import fitted
from tam_widget.figures.typeset import Run, set_lines, text_width
from tam_widget.text.decoding import PARTIAL, pieces_from_offsets
from tam_widget.text.words import group_words

pytestmark = pytest.mark.filterwarnings("ignore:Glyph")  # whether or not this machine has a font for it

BYTES, THUMB, SKIN, LETTER, ACCENT = range(5, 10)
TEXT = "A👍🏽e\u0301."


@pytest.fixture
def spelled():
    """An answer whose second word is the first bytes of a thumb, the rest of it and its skin tone."""
    ex = make()
    pieces = pieces_from_offsets(TEXT, [(0, 1), (1, 2), (1, 2), (2, 3), (3, 4), (4, 5), (5, 6)])
    assert [shown for shown, _ in pieces] == ["A", PARTIAL, "👍", "🏽", "e", "\u0301", "."]
    answer = [
        tam.Token(4 + k, shown, 0, "answer", 0, span, ex.tokens[4 + k].candidates)
        for k, (shown, span) in enumerate(pieces)
    ]
    ex.tokens = (*ex.tokens[:4], *answer)
    ex.texts[0, "answer"] = TEXT
    ex.words = group_words(ex.tokens, ex.texts)
    return ex


def written(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def test_words_are_shown_in_whole_characters(spelled):
    texts = written(spelled.plot("👍🏽"))
    assert texts.count("👍🏽") == 2  # in the text, and as its title
    assert "e\u0301" in texts
    assert PARTIAL not in "".join(texts)
    assert [text.get_text() for text in spelled.plot().texts[::2]] == ["A", "👍🏽", "e\u0301", "."]


def test_a_token_that_is_a_part_of_a_character_shows_its_part(spelled):
    texts = written(spelled.plot(LETTER))
    assert texts.count("e") == 2
    assert {"\u0301", "👍🏽"} <= set(texts)
    texts = written(spelled.plot(BYTES))
    assert texts.count(PARTIAL) == 2
    assert {"👍", "🏽", "e\u0301"} <= set(texts)
    for last in (SKIN, [THUMB, SKIN], ACCENT):
        assert PARTIAL not in "".join(written(spelled.plot(last)))


@pytest.mark.parametrize("one", ["👩‍👩‍👧‍👦", "🇩🇪", "1\ufe0f\u20e3", "か\u3099", "क्षि"])
def test_no_line_and_no_ellipsis_cuts_a_character(one):
    pieces, _ = set_lines([Run(one * 8, "k")], 3 * text_width(one, 10) + 1, 10)
    assert {piece.text.replace(one, "") for piece in pieces} == {""}
    pieces, _ = set_lines([Run(one * 3, "k")], 1, 10)
    assert [piece.text for piece in pieces] == [one] * 3
    assert fitted(one * 8, 4 * text_width(one, 10), 10).replace(one, "") == "…"
    assert fitted(one, text_width(one, 10), 10) == one
    assert fitted(one, 0, 10) == ""
