"""Which characters each token stands for.

Two ways lead there. Text that went through the tokenizer (a prompt, a given answer) comes with character offsets.
Text that the model wrote is decoded step by step. Neither ever tokenises a decoded text again: where that does not
round-trip, every later index would be wrong.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["PARTIAL", "decode_pieces", "pieces_from_offsets", "special_ids", "token_namer"]

PARTIAL = "\ufffd"
"""Shown for a token that holds only the first bytes of a character; the token that completes it shows the character."""

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
        ``"\ufffd"`` in its place. Without those marks the texts joined are the text.
    """
    pieces: list[tuple[str, tuple[int, int]]] = []
    done = 0
    for index, (start, stop) in enumerate(offsets):
        last = index == len(offsets) - 1
        following = len(text) if last else max(offsets[index + 1][0], done)
        end = len(text) if last else min(max(stop, done), following)
        shared = stop > end  # the next token begins inside this token's last character
        pieces.append((text[done:end] or (PARTIAL if shared else ""), (min(start, done), max(stop, end))))
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

    def decode(part: Sequence[int]) -> str:
        decoded: str = tokenizer.decode(list(part), skip_special_tokens=False, clean_up_tokenization_spaces=False)
        return decoded

    texts: list[str] = []
    pending = 0  # tokens that have not become a character yet
    window, shown = 0, ""  # where the decoded window begins, and how much of it has been given to tokens
    for index in range(len(ids)):
        if index - window >= _WINDOW and not pending:
            window = index - _WINDOW // 2
            shown = decode(ids[window:index])
        decoded = decode(ids[window : index + 1])
        whole = decoded.rstrip(PARTIAL)
        if index == len(ids) - 1 or pending >= _MAX_PENDING:
            whole = decoded
        if not decoded.startswith(shown):  # a decoder that rewrites what it said: take the new tail only
            shown = decoded[: len(shown)]
        added = whole[len(shown) :]
        texts.append(added)
        shown += added
        pending = 0 if shown == decoded else pending + 1
    return "".join(texts), _mark_partial(texts)


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
    """Return a function from an id to the text it would add in the middle of a sentence, leading space included.

    Decoding one id alone loses the space in front of a SentencePiece token, so each is decoded behind a plain letter.
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
            known[token_id] = text or f"<{token_id}>"  # heads are padded with ids that stand for nothing
        return known[token_id]

    return name
