"""Which characters each token stands for."""

import pytest
import tiny_models
from hypothesis import given, settings
from hypothesis import strategies as st

from tam_widget.demo.training.families.qwen import Qwen2VL
from tam_widget.text.decoding import PARTIAL, decode_pieces, pieces_from_offsets, special_ids, token_namer


@pytest.fixture(scope="module")
def tokenizer():
    return tiny_models.tokenizer()


def test_characters_between_tokens_go_to_the_later_one():
    assert pieces_from_offsets("a  dog.", [(0, 1), (3, 6), (6, 7)]) == [("a", (0, 1)), ("  dog", (1, 6)), (".", (6, 7))]


def test_characters_behind_the_last_token_stay_with_it():
    assert pieces_from_offsets(" dog ", [(1, 4)]) == [(" dog ", (0, 5))]


def test_a_character_of_several_tokens_goes_to_the_last():
    assert pieces_from_offsets("x😀y", [(0, 1), (1, 2), (1, 2), (2, 3)]) == [
        ("x", (0, 1)),
        (PARTIAL, (1, 2)),
        ("😀", (1, 2)),
        ("y", (2, 3)),
    ]


def test_a_token_that_ends_within_a_character_keeps_its_whole_ones():
    assert pieces_from_offsets("ab", [(0, 2), (1, 2)]) == [("a", (0, 2)), ("b", (1, 2))]


TEXT = st.text(
    alphabet=st.one_of(st.sampled_from("aA .,\n\t😀猫é\u0301\u200d🏽ab circle"), st.characters(codec="utf-8")),
    max_size=40,
)


@settings(max_examples=150)
@given(text=TEXT)
def test_offsets_share_out_every_character_once(text):
    encoded = tiny_models.tokenizer()(text, add_special_tokens=False, return_offsets_mapping=True)
    pieces = pieces_from_offsets(text, encoded["offset_mapping"])
    if pieces:
        assert "".join(piece for piece, _ in pieces).replace(PARTIAL, "") == text.replace(PARTIAL, "")
    assert all(piece for piece, _ in pieces)
    assert all(start < stop <= len(text) for _, (start, stop) in pieces)


@settings(max_examples=150)
@given(text=TEXT)
def test_decoding_step_by_step_is_decoding(text):
    words = tiny_models.tokenizer()
    ids = words(text, add_special_tokens=False)["input_ids"]
    decoded, pieces = decode_pieces(words, ids)
    assert decoded == words.decode(ids, clean_up_tokenization_spaces=False)
    assert len(pieces) == len(ids)
    assert "".join(piece for piece, _ in pieces).replace(PARTIAL, "") == decoded.replace(PARTIAL, "")
    assert all(piece for piece, _ in pieces)


@given(ids=st.lists(st.integers(0, len(tiny_models.tokenizer()) - len(Qwen2VL.special_tokens) - 1), max_size=120))
def test_any_bytes_that_a_model_may_say_are_decoded_without_loss(ids):
    words = tiny_models.tokenizer()
    decoded, pieces = decode_pieces(words, ids)
    assert decoded.replace(PARTIAL, "") == words.decode(ids, clean_up_tokenization_spaces=False).replace(PARTIAL, "")
    assert len(pieces) == len(ids)


def test_long_answers_are_decoded_in_linear_time(tokenizer, monkeypatch):
    ids = tokenizer("A small red circle is 猫 😀. " * 80, add_special_tokens=False)["input_ids"]
    longest = 0
    decode = tokenizer.decode

    def spy(part, **options):
        nonlocal longest
        longest = max(longest, len(part))
        return decode(part, **options)

    monkeypatch.setattr(tokenizer, "decode", spy)
    text, pieces = decode_pieces(tokenizer, ids)
    assert text == "A small red circle is 猫 😀. " * 80
    assert longest < 50
    assert pieces[-1][1][1] == len(text)


class Spaced:
    """As SentencePiece decodes: the first piece's space is dropped."""

    pieces = ("▁A", "▁red", "▁circle", "s", ".")

    def decode(self, ids, **_options):
        return "".join(self.pieces[i] for i in ids).replace("▁", " ").removeprefix(" ")

    def convert_ids_to_tokens(self, token_id):
        return self.pieces[token_id]

    def encode(self, _text, **_options):
        return [0]


def test_spaces_of_sentencepiece_are_kept_inside_and_dropped_in_front():
    text, pieces = decode_pieces(Spaced(), [0, 1, 2, 3, 4] * 12)
    assert text.startswith("A red circles. A red circles.")
    assert [piece for piece, _ in pieces][:6] == ["A", " red", " circle", "s", ".", " A"]
    assert [token_namer(Spaced())(i) for i in range(5)] == [" A", " red", " circle", "s", "."]


def test_ids_beyond_the_tokenizer_have_a_name(tokenizer):
    name = token_namer(tokenizer)
    assert name(len(tokenizer) + 3) == f"<{len(tokenizer) + 3}>"
    assert name(tokenizer.eos_token_id) == "<|im_end|>"
    assert name(tokenizer(" circle", add_special_tokens=False)["input_ids"][0])[0] == " "


def test_special_ids_are_all_control_tokens(tokenizer):
    assert special_ids(tokenizer) == {tokenizer.convert_tokens_to_ids(token) for token in Qwen2VL.special_tokens}
