"""What each token shows where characters are shown whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tam_widget.text.decoding import PARTIAL, pieces_from_offsets
from tam_widget.text.graphemes import boundaries, whole_texts
from tam_widget.text.tokens import Token


def tokens_of(*pieces, role="answer"):
    tokens, done = [], 0
    for index, piece in enumerate(pieces):
        tokens.append(Token(index, piece, index, role, 0, (done, done + len(piece))))
        done += len(piece)
    return tokens


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("cafe", "\u0301s"), ["caf", "e\u0301s"]),
        (("🇩", "🇪", "🇫🇷"), ["", "🇩🇪", "🇫🇷"]),
        (("👍", "🏽", "!"), ["", "👍🏽", "!"]),
        (("👩", "\u200d", "👧", " b"), ["", "", "👩\u200d👧", " b"]),
        (("नी", "ल", "ा"), ["नी", "", "ला"]),
        (("a", "\r", "\n"), ["a", "\r", "\n"]),
        ((" ", "\u0301"), [" ", "\u0301"]),
        (("red", PARTIAL), ["red", PARTIAL]),
    ],
)
def test_the_last_token_of_a_grapheme_shows_it(pieces, expected):
    assert whole_texts(tokens_of(*pieces)) == expected


def test_marks_of_bytes_are_not_shown_but_a_mark_that_was_said_is():
    text = "x 😀\ufffd"
    offsets = [(0, 1), (1, 3), (2, 3), (2, 3), (3, 4), (3, 4), (3, 4)]
    pieces = pieces_from_offsets(text, offsets)
    assert [shown for shown, _ in pieces] == ["x", " ", PARTIAL, "😀", PARTIAL, PARTIAL, PARTIAL]
    tokens = [Token(k, shown, k, "answer", 0, span) for k, (shown, span) in enumerate(pieces)]
    assert whole_texts(tokens) == ["x", " ", "", "😀", "", "", "\ufffd"]


def test_neither_speakers_nor_two_texts_of_one_share_a_character():
    tokens = [
        Token(0, "e", 0, "prompt", 0, (0, 1)),
        Token(1, "\u0301", 1, "prompt", 0, (2, 3)),
        Token(2, "\u0301", 2, "answer", 0, (0, 1)),
    ]
    assert whole_texts(tokens) == ["e", "\u0301", "\u0301"]
    assert whole_texts([]) == []


@settings(max_examples=200, deadline=None)
@given(pieces=st.lists(st.text(min_size=1, max_size=4), max_size=12))
def test_nothing_is_lost_and_no_grapheme_is_cut(pieces):
    text = "".join(pieces)
    shown = whole_texts(tokens_of(*pieces))
    assert "".join(shown) == text
    edges = {sum(map(len, shown[:k])) for k in range(len(shown) + 1)}
    assert edges <= set(boundaries(text))
