"""Which characters each token stands for.

Two ways lead there. Text that went through the tokenizer (a prompt, a given answer) comes with character offsets.
Text that the model wrote is decoded step by step. Neither ever tokenises a decoded text again: where that does not
round-trip, every later index would be wrong.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from itertools import groupby
from typing import TYPE_CHECKING, Any

from tam_widget.text.byte_tokens import byte_of, spelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["PARTIAL", "decode_pieces", "pieces_from_offsets", "special_ids", "token_namer"]

PARTIAL = "\ufffd"
"""The text of a token without a character of its own: it holds the first bytes of one, which is the text of the token
that completes it, or it is SentencePiece's mark in front of the first word."""

_WINDOW = 24  # tokens decoded together: enough for any character and any joining of pieces, and linear in a long answer
_MAX_PENDING = 12  # bytes that never become a character are given up after so many tokens


def pieces_from_offsets(text: str, offsets: Sequence[tuple[int, int]]) -> list[tuple[str, tuple[int, int]]]:
    r"""Share out a text among its tokens by the tokenizer's character offsets.

    Parameters
    ----------
    text : str
        The text that was tokenised.
    offsets : sequence of (int, int)
        First and last + 1 character of each token, in order. Several tokens of one character repeat its offsets.

    Returns
    -------
    list of (str, (int, int))
        For each token its text and its span. Characters between two tokens (a space that the tokenizer keeps out of
        its offsets) go to the later one. A character of several tokens goes to the last of them; the others show
        ``"\ufffd"`` in its place, as does a token without characters, which belongs to the one that follows. Without
        those marks the texts joined are the text.
    """
    pieces: list[tuple[str, tuple[int, int]]] = []
    done = 0
    for index, (start, stop) in enumerate(offsets):
        last = index == len(offsets) - 1
        following = len(text) if last else max(offsets[index + 1][0], done)
        end = len(text) if last else min(max(stop, done), following)
        begun = min(done + 1, len(text)) if end == done else end
        pieces.append((text[done:end] or PARTIAL, (min(start, done), max(stop, begun))))
        done = end
    return pieces


def decode_pieces(tokenizer: Any, ids: Sequence[int]) -> tuple[str, list[tuple[str, tuple[int, int]]]]:
    r"""Decode a sequence of tokens step by step, so that each gets the characters it added.

    Parameters
    ----------
    tokenizer : transformers.PreTrainedTokenizerBase
        The model's tokenizer.
    ids : sequence of int
        Text tokens, without special ones.

    Returns
    -------
    str
        The text.
    list of (str, (int, int))
        For each token its text and its span, as :func:`pieces_from_offsets` gives them.
    """
    known = {token_id: byte_of(tokenizer, token_id) for token_id in set(ids)}
    texts: list[str] = []
    for are_bytes, run in groupby(ids, lambda token_id: known[token_id] is not None):
        if are_bytes:
            texts += _read_bytes([known[token_id] or 0 for token_id in run])
        else:
            texts += _read_window(tokenizer, ids, len(texts), len(texts) + len(list(run)))
    return "".join(texts), _mark_partial(texts)


def _read_bytes(values: Sequence[int]) -> list[str]:
    """Return the text that each of a run of bytes completes.

    A decoder that falls back on bytes reads such a run as one, and nothing of it where its last character is not
    complete. Here each character counts as soon as it is, whatever follows.
    """
    utf8 = getincrementaldecoder("utf-8")("replace")
    return [utf8.decode(bytes([value]), final=index == len(values)) for index, value in enumerate(values, start=1)]


def _read_window(tokenizer: Any, ids: Sequence[int], first: int, stop: int) -> list[str]:
    """Return the text that each of some tokens adds to what stands in front of it."""

    def decode(begin: int, end: int) -> str:
        decoded: str = tokenizer.decode(
            list(ids[begin:end]), skip_special_tokens=False, clean_up_tokenization_spaces=False
        )
        return decoded

    texts: list[str] = []
    pending = 0  # tokens that have not become a character yet
    window = max(0, first - _WINDOW // 2)  # where what is decoded begins
    shown = decode(window, first) if first else ""  # how much of it has been given to tokens
    for index in range(first, stop):
        if index - window >= _WINDOW and not pending:
            window = index - _WINDOW // 2
            shown = decode(window, index)
        decoded = decode(window, index + 1)
        whole = decoded.rstrip(PARTIAL)
        if index == stop - 1 or pending >= _MAX_PENDING:
            whole = decoded
        if not decoded.startswith(shown):  # a decoder that rewrites what it said: take the new tail only
            shown = decoded[: len(shown)]
        added = whole[len(shown) :]
        texts.append(added)
        shown += added
        pending = 0 if shown == decoded else pending + 1
    return texts


def _mark_partial(texts: list[str]) -> list[tuple[str, tuple[int, int]]]:
    """Give tokens that added no character the span of the character they began, and a visible mark."""
    pieces: list[tuple[str, tuple[int, int]]] = []
    done = 0
    for index, text in enumerate(texts):
        if text:
            pieces.append((text, (done, done + len(text))))
            done += len(text)
        else:
            completed = any(texts[index:])
            pieces.append((PARTIAL, (done, done + 1 if completed else done)))
    return pieces


def special_ids(tokenizer: Any) -> frozenset[int]:
    """Ids that stand for no text: the tokenizer's special tokens, added ones included."""
    added = {i for i, token in getattr(tokenizer, "added_tokens_decoder", {}).items() if token.special}
    return frozenset(added | set(tokenizer.all_special_ids))


def token_namer(tokenizer: Any) -> Callable[[int], str]:
    r"""Return a function from an id to the text it would add in the middle of a sentence, leading space included.

    Decoding one id alone loses the space in front of a SentencePiece token, so each is decoded behind a plain letter.
    Bytes that make no character are written as ``\xf0``.
    """
    anchor: list[int] = tokenizer.encode("a", add_special_tokens=False)
    known: dict[int, str] = {}

    def decode(ids: Iterable[int]) -> str:
        decoded: str = tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return decoded

    prefix = decode(anchor)

    def name(token_id: int) -> str:
        if token_id not in known:
            together = decode([*anchor, token_id])
            text = together[len(prefix) :] if together.startswith(prefix) else decode([token_id])
            if PARTIAL in text:
                text = spelled(tokenizer, token_id) or ""
            known[token_id] = text or f"<{token_id}>"  # heads are padded with ids that stand for nothing
        return known[token_id]

    return name
