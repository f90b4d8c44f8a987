"""Byte-level BPE, learned from made sentences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["learn_byte_pairs", "vocabulary_and_merges"]


def learn_byte_pairs(
    corpus: Iterable[str], vocabulary_size: int, words: str, special_tokens: Iterable[str]
) -> Tokenizer:
    """Learn the merges of a tokenizer.

    Parameters
    ----------
    corpus : iterable of str
        No merge crosses from one text to the next.
    vocabulary_size : int
        At most so many tokens, the special ones not counted.
    words : str
        The regular expression whose matches no merge crosses.
    special_tokens : iterable of str
        Put behind the learned ones.

    Returns
    -------
    tokenizers.Tokenizer
    """
    learned = Tokenizer(models.BPE())
    learned.normalizer = normalizers.NFC()
    learned.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    learned.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        min_frequency=2,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    learned.train_from_iterator(corpus, trainer)
    learned.add_special_tokens(list(special_tokens))
    return learned


def vocabulary_and_merges(learned: Tokenizer) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Take a tokenizer apart: every token's id, the special ones' too, and the merges in order."""
    return learned.get_vocab(), [(left, right) for left, right in json.loads(learned.to_str())["model"]["merges"]]
