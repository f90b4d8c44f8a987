"""Answers of models with every kind of tokenizer: no character is lost, and each word is found."""

import made_tokenizers
import pytest

from tam_widget.text.decoding import PARTIAL, decode_pieces, pieces_from_offsets, token_namer
from tam_widget.text.graphemes import whole_texts
from tam_widget.text.tokens import Token
from tam_widget.text.words import find_word, group_words

SEEDS = 200
FALLING_BACK = [kind for kind in made_tokenizers.KINDS if "byte fallback" in kind]
KEY = (0, "answer")


@pytest.fixture(params=made_tokenizers.KINDS)
def tokenizer(request):
    return made_tokenizers.tokenizer(request.param)


def ids_of(tokenizer, text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def check(text, ids, pieces):
    """What holds of the tokens of any text."""
    tokens = [Token(k, piece[0], ids[k], "answer", 0, piece[1]) for k, piece in enumerate(pieces)]
    assert len(tokens) == len(ids)
    assert "".join(token.text for token in tokens if token.text != PARTIAL) == text
    assert "".join(whole_texts(tokens)) == text
    for word in group_words(tokens, {KEY: text}):
        if word.text.strip():
            found = find_word(word.text, tokens, {KEY: text})
            own = {token.index for token in word.tokens if text[slice(*token.span)].strip()}
            assert any(own <= set(one) for one in found), (word.text, own, found)


def test_generated_answers_are_whole_and_their_words_are_found(tokenizer):
    for seed in range(SEEDS):
        ids = ids_of(tokenizer, made_tokenizers.text(seed))
        text, pieces = decode_pieces(tokenizer, ids)
        assert text == tokenizer.decode(ids), seed
        check(text, ids, pieces)


def test_given_answers_are_whole_and_their_words_are_found(tokenizer):
    for seed in range(SEEDS):
        text = made_tokenizers.text(seed)
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        check(text, encoded["input_ids"], pieces_from_offsets(text, encoded["offset_mapping"]))


@pytest.mark.parametrize("kind", FALLING_BACK)
def test_a_family_spelled_in_bytes_is_whole_and_found(kind):
    tokenizer = made_tokenizers.tokenizer(kind)
    ids = ids_of(tokenizer, "a 👩‍👩‍👧‍👦 b")
    text, pieces = decode_pieces(tokenizer, ids)
    assert text == "a 👩‍👩‍👧‍👦 b"
    tokens = [Token(k, shown, ids[k], "answer", 0, span) for k, (shown, span) in enumerate(pieces)]
    words = group_words(tokens, {KEY: text})
    assert [word.text for word in words if word.text.strip()] == ["a", "👩‍👩‍👧‍👦", "b"]
    whole = whole_texts(tokens)
    assert sum("👩‍👩‍👧‍👦" in shown for shown in whole) == 1
    assert PARTIAL not in "".join(whole)
    assert len(find_word("👩‍👩‍👧‍👦", tokens, {KEY: text})[0]) >= 25


@pytest.mark.parametrize("kind", FALLING_BACK)
def test_an_answer_that_ends_within_a_character_keeps_what_can_be_read(kind):
    tokenizer = made_tokenizers.tokenizer(kind)
    ids = ids_of(tokenizer, "circle 👍🏽")[:-2]
    text, pieces = decode_pieces(tokenizer, ids)
    assert text == "circle 👍" + PARTIAL
    check(text.rstrip(PARTIAL), ids[:-2], pieces[:-2])
    assert [shown for shown, _ in pieces[-2:]] == [PARTIAL] * 2


@pytest.mark.parametrize("kind", FALLING_BACK)
def test_bytes_that_make_no_character_spoil_none_beside_them(kind):
    tokenizer = made_tokenizers.tokenizer(kind)
    cat, lone = ids_of(tokenizer, "龘")[-3:], tokenizer.convert_tokens_to_ids("<0xE9>")
    text, pieces = decode_pieces(tokenizer, [*cat, lone, *cat, lone, *ids_of(tokenizer, "<obj>circle")])
    assert text.replace(" ", "") == "龘\ufffd龘\ufffd<obj>circle"
    assert "".join(shown for shown, _ in pieces[:3]) == PARTIAL * 2 + "龘"


def test_long_answers_are_decoded_in_linear_time(tokenizer, monkeypatch):
    ids = ids_of(tokenizer, "circle 猫👩‍👩‍👧‍👦 नीला. " * 60)
    decoded = 0
    decode = tokenizer.decode

    def spy(part, **options):
        nonlocal decoded
        decoded += len(part)
        assert len(part) < 50
        return decode(part, **options)

    monkeypatch.setattr(tokenizer, "decode", spy)
    decode_pieces(tokenizer, ids)
    assert decoded < 40 * len(ids)


def test_candidates_have_names_without_marks(tokenizer):
    name = token_namer(tokenizer)
    assert not any(PARTIAL in name(token_id) for token_id in tokenizer.get_vocab().values())
    assert "".join(map(name, ids_of(tokenizer, "circle"))).strip() == "circle"


@pytest.mark.parametrize(
    ("kind", "token", "expected"),
    [
        ("byte-level as GPT-2", "Ł", r"\x9f"),
        ("byte-level as GPT-2", "ð", r"\xf0"),
        ("byte fallback as Llama 2", "<0xF0>", r"\xf0"),
        ("byte fallback as Llama 2", "<0x41>", "A"),
        ("Unigram with byte fallback", "<0x9F>", r"\x9f"),
    ],
)
def test_bytes_without_a_character_are_named_as_bytes(kind, token, expected):
    tokenizer = made_tokenizers.tokenizer(kind)
    assert token_namer(tokenizer)(tokenizer.convert_tokens_to_ids(token)) == expected


def test_what_only_looks_like_a_byte_is_text():
    """As in a character-level vocabulary that was given such a token."""
    tokenizer = made_tokenizers.tokenizer("characters")
    assert tokenizer.add_tokens(["<0xF0>"]) == 1
    ids = ids_of(tokenizer, "a<0xF0>")
    assert decode_pieces(tokenizer, ids)[0] == "a<0xF0>"
