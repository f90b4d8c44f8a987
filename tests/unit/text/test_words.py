"""Tokens joined to words, and words found again."""

import pytest
import tiny_models
from hypothesis import given
from hypothesis import strategies as st

from tam_widget.text.decoding import pieces_from_offsets
from tam_widget.text.tokens import Token
from tam_widget.text.words import find_word, group_words


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
        (("👨", "\u200d", "👩", "👍", "🏽"), ["👨\u200d👩", "👍", "🏽"]),
        (("I", " like", " ", "x"), ["I", "like", " ", "x"]),
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


@given(text=st.text(max_size=60))
def test_every_token_is_in_one_word_in_order(text):
    encoded = tiny_models.tokenizer()(text, add_special_tokens=False, return_offsets_mapping=True)
    pieces = pieces_from_offsets(text, encoded["offset_mapping"])
    tokens = [Token(k, shown, k, "answer", 0, span) for k, (shown, span) in enumerate(pieces)]
    grouped = group_words(tokens, {(0, "answer"): text})
    assert [token for word in grouped for token in word.tokens] == tokens
    assert all(word.text in text for word in grouped)


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
