"""Tokens joined to words, and words found again."""

import unicodedata
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tam_widget.text.decoding import pieces_from_offsets
from tam_widget.text.folding import fold
from tam_widget.text.graphemes import boundaries
from tam_widget.text.tokens import Token
from tam_widget.text.words import find_word, group_words

nfc, nfd = (partial(unicodedata.normalize, form) for form in ("NFC", "NFD"))


def tokens_of(*pieces, role="answer", start=0, turn=0):
    tokens, done = [], 0
    for k, piece in enumerate(pieces):
        tokens.append(Token(start + k, piece, k, role, turn, (done, done + len(piece))))
        done += len(piece)
    return tokens, {(turn, role): "".join(pieces)}


def words(*pieces):
    return [word.text for word in group_words(*tokens_of(*pieces))]


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (("A", " small", " tri", "angle", "."), ["A", "small", "triangle", "."]),
        (("pur", "ple", ",", " bot", "tom"), ["purple", ",", "bottom"]),
        (("a", "\n", "\n", "b"), ["a", "\n\n", "b"]),
        (("a", ".\n", "b"), ["a", ".", "b"]),
        (("  ", "a", " "), ["  ", "a", " "]),
        (("well", "-", "known"), ["well", "-", "known"]),
        (("don", "'t"), ["don", "'t"]),
        (("(", "a", ")", "!", "!"), ["(", "a", ")", "!", "!"]),
        (("$", "5", "0"), ["$", "50"]),
        (("一", "只猫", "在"), ["一", "只猫", "在"]),
        (("り", "んご", "apple"), ["り", "んご", "apple"]),
        (("한", "국", " 어"), ["한국", "어"]),
        (("cafe", "\u0301", "s"), ["cafe\u0301s"]),
        (("👨", "\u200d", "👩", "👍", "🏽", "👍"), ["👨\u200d👩", "👍🏽", "👍"]),
        (("🇩", "🇪", "🇫", "🇷"), ["🇩🇪", "🇫🇷"]),
        (("1", "\ufe0f\u20e3", "2", "\u20e3"), ["1\ufe0f\u20e3", "2\u20e3"]),
        (("नी", "ल", "ा", " क", "्", "ष"), ["नीला", "क्ष"]),
        (("แม", "ว", "ด", "ำ"), ["แม", "ว", "ดำ"]),
        (("ᄒ", "ᅡ", "ᆫ", "국"), ["\u1112\u1161\u11ab국"]),
        (("I", " like", " ", "x"), ["I", "like", " ", "x"]),
        (("a. ", " ", " ", " b"), ["a.", "  ", "b"]),
        ((" ", "\u0301x"), [" ", "\u0301x"]),
    ],
)
def test_words_begin_where_a_reader_sees_one(pieces, expected):
    assert words(*pieces) == expected


def test_bytes_of_one_character_are_one_word():
    text = "x 😀猫"
    offsets = [(0, 1), (1, 3), (2, 3), (2, 3), (3, 4), (3, 4)]
    tokens = [
        Token(k, shown, k, "answer", 0, span) for k, (shown, span) in enumerate(pieces_from_offsets(text, offsets))
    ]
    grouped = group_words(tokens, {(0, "answer"): text})
    assert [word.text for word in grouped] == ["x", "😀", "猫"]
    assert [len(word.tokens) for word in grouped] == [1, 3, 2]


def test_prompt_and_answer_never_share_a_word():
    prompt, texts = tokens_of("Describe", role="prompt")
    answer, more = tokens_of("circle", start=1)
    assert [word.text for word in group_words(prompt + answer, texts | more)] == ["Describe", "circle"]


# Marks and joiners among letters, and a few whole scripts.
TEXT = st.text(
    alphabet=st.one_of(
        st.sampled_from("aA sSßiİıI.,_-\n\t éए\u0301\u0327\u200d\u200c\ufe0f\u20e3猫か\u3099👩👍🏽🇩🇪नीलाแวํ"),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)


@st.composite
def tokenised(draw):
    """A text, and tokens that cut it anywhere, within characters too."""
    text = draw(TEXT.filter(bool))
    cuts = sorted(draw(st.lists(st.integers(0, 2 * len(text)), max_size=30)))
    offsets, start = [], 0  # an odd cut lies within a character: both sides hold some of it
    for cut in [*cuts, 2 * len(text)]:
        offsets.append((start // 2, (cut + 1) // 2))
        start = cut
    tokens = [
        Token(k, shown, k, "answer", 0, span) for k, (shown, span) in enumerate(pieces_from_offsets(text, offsets))
    ]
    return tokens, {(0, "answer"): text}


@settings(max_examples=300, deadline=None)
@given(made=tokenised())
def test_every_token_is_in_one_word_in_order_and_no_grapheme_is_cut(made):
    tokens, texts = made
    text = texts[0, "answer"]
    grouped = group_words(tokens, texts)
    assert [token for word in grouped for token in word.tokens] == tokens
    assert all(word.text in text for word in grouped)
    edges = [word.tokens[0].span[0] for word in grouped]
    assert set(edges) <= set(boundaries(text))
    assert edges == sorted(edges)


@settings(max_examples=300, deadline=None)
@given(made=tokenised(), change=st.sampled_from([str, str.upper, str.lower, str.casefold, nfc, nfd]))
def test_every_word_is_found_however_it_is_written(made, change):
    tokens, texts = made
    for word in group_words(tokens, texts):
        if word.text.strip():
            found = find_word(change(word.text), tokens, texts)
            own = {token.index for token in word.tokens if texts[0, "answer"][slice(*token.span)].strip()}
            assert any(own <= set(one) for one in found), (word.text, own, found)


@settings(max_examples=200, deadline=None)
@given(text=TEXT, phrase=TEXT.filter(lambda text: text.strip()))
def test_what_is_found_is_the_phrase(text, phrase):
    tokens, texts = tokens_of(*text)
    for found in find_word(phrase, tokens, texts):
        assert found == list(range(found[0], found[-1] + 1))
        assert fold(text[found[0] : found[-1] + 1]).split() == fold(phrase).split()


def find(phrase, *pieces):
    return find_word(phrase, *tokens_of(*pieces))


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("circle", [[2], [8]]),
        ("CIRCLE", [[2], [8]]),
        ("  circle ", [[2], [8]]),
        ("triangle", [[5, 6]]),
        ("blue tri angle", []),
        ("red circle", [[1, 2]]),
        ("red  \n circle", [[1, 2]]),
        ("a", [[0], [4]]),
        ("blue triangle.", []),
        ("circles", [[10, 11]]),
        (".", [[12]]),
        ("circles.", [[10, 11, 12]]),
        ("absent", []),
        ("c.rcle", []),
    ],
)
def test_every_occurrence_of_whole_words_is_found(phrase, expected):
    pieces = ("A", " red", " circle", " on", " a", " tri", "angle", " the", " Circle", " and", " circle", "s", ".")
    assert find(phrase, *pieces) == expected


@pytest.mark.parametrize(
    ("phrase", "text", "times"),
    [
        ("नील", "नीला नील", 1),
        ("नी", "नीला", 0),
        ("cafe", "cafe\u0301 caf\u00e9 cafe", 1),
        ("caf\u00e9", "cafe\u0301 caf\u00e9 CAF\u00c9 cafe", 3),
        ("cafe\u0301", "cafe\u0301 caf\u00e9 CAF\u00c9 cafe", 3),
        ("각", "\u1100\u1161\u11a8 각 가", 2),
        ("straße", "STRASSE Straße strasse Stras", 3),
        ("STRASSE", "STRASSE Straße strasse Stras", 3),
        ("s", "ß", 0),
        ("οδος", "ΟΔΟΣ οδοσ", 2),
        ("istanbul", "İstanbul I\u0307stanbul ISTANBUL ıstanbul", 4),
        ("İSTANBUL", "istanbul İstanbul", 2),
        ("irmak", "IRMAK ırmak", 2),
        ("1", "① 1 1\ufe0f\u20e3 ¹", 1),
        ("fine", "ﬁne", 1),
        ("👍", "👍🏽 👍", 1),
        ("👍🏽", "👍🏽👍🏽", 2),
        ("👩", "👩‍👩‍👧‍👦", 0),
        ("🇩🇪", "🇫🇷🇩🇪", 1),
        ("🇷🇩", "🇫🇷🇩🇪", 0),
        ("❤", "❤\ufe0f ❤", 2),
        ("❤\ufe0f", "❤\ufe0f ❤", 2),
        ("کتاب", "کتابها کتاب", 1),
        ("แมว", "เห็นแมวดำ", 1),
        ("か", "か\u3099", 0),
        ("が", "か\u3099", 1),
        ("cat", "猫cat猫", 1),
        ("red", "red_circle", 1),
        ("\ufe0f", "a b", 0),
        ("a\u00a0b", "a b", 1),
    ],
)
def test_words_are_compared_as_a_reader_would(phrase, text, times):
    assert len(find(phrase, *text)) == times


def test_a_phrase_occurs_again_behind_the_end_of_the_last_one():
    assert find("a a", "a", " a", " a", " a") == [[0, 1], [2, 3]]
    assert find("aa a", "aaa", " aa", " a") == [[1, 2]]


def test_cjk_is_found_inside_running_text():
    assert find("猫", "一", "只猫", "在桌", "子上") == [[1]]
    assert find("桌子", "一", "只猫", "在桌", "子上") == [[2, 3]]


def test_a_character_of_several_tokens_gives_them_all():
    text = "a 😀!"
    offsets = [(0, 1), (1, 3), (2, 3), (2, 3), (3, 4)]
    tokens = [
        Token(k, shown, k, "answer", 0, span) for k, (shown, span) in enumerate(pieces_from_offsets(text, offsets))
    ]
    assert find_word("😀", tokens, {(0, "answer"): text}) == [[1, 2, 3]]


def test_prompt_and_answer_are_both_searched_in_order():
    prompt, texts = tokens_of("the", " circle", role="prompt")
    answer, more = tokens_of("Circle", start=2)
    assert find_word("circle", prompt + answer, texts | more) == [[1], [2]]


@pytest.mark.parametrize("phrase", ["", "  \n"])
def test_an_empty_phrase_is_an_error(phrase):
    with pytest.raises(ValueError, match="needs a word"):
        find(phrase, "a")
