"""The text that a processor tokenizes, which need not be the one that it was given."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Replaced", "listening", "start_of", "text_of"]

_SHOWN = 40  # characters of a text in an error


@dataclass(frozen=True, slots=True)
class Replaced:
    """What the processor wrote in the place of one placeholder; character spans before and after."""

    kind: str
    placeholder: str
    old: tuple[int, int]
    new: tuple[int, int]


def listening(processor: Any) -> tuple[Any, list[tuple[str, list[int]]]]:
    """Return a processor that does the same, and a list that fills with what its tokenizer makes of which text.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        Left as it is.

    Returns
    -------
    processor : transformers.ProcessorMixin
        The copy to call.
    heard : list of (str, list of int)
        A text and its ids for each call of the tokenizer with one text.
    """
    heard: list[tuple[str, list[int]]] = []
    made, tokenizer = copy.copy(processor), copy.copy(processor.tokenizer)
    kind: Any = type(tokenizer)
    tokenizer.__class__ = _listening(kind)
    tokenizer.heard = heard
    made.tokenizer = tokenizer
    return made, heard


@cache
def _listening(kind: type) -> type:
    def call(self: Any, text: Any = None, *args: Any, **options: Any) -> Any:
        encoded = kind.__call__(self, text, *args, **options)
        texts = [text] if isinstance(text, str) else text
        if isinstance(texts, list) and len(texts) == 1 and isinstance(texts[0], str):
            ids = encoded["input_ids"]
            ids = ids.tolist() if hasattr(ids, "tolist") else ids
            self.heard.append((texts[0], list(ids[0] if ids and isinstance(ids[0], list) else ids)))
        return encoded

    return type(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})


def text_of(processor: Any, ids: Sequence[int], heard: Sequence[tuple[str, list[int]]]) -> str:
    """Return the text that some ids were made of.

    Raises
    ------
    LayoutError
        The tokenizer made others: the processor writes ids of its own.
    """
    for text, made in reversed(heard):
        if made == list(ids):
            return text
    raise LayoutError(
        f"{type(processor).__name__} writes {len(ids)} token ids that its tokenizer did not make of one text, so the "
        "prompt's tokens cannot be located"
    )


def start_of(processor: Any, rendered: str, tokenized: str, replaced: Sequence[Replaced]) -> int:
    """Return where the rendered conversation begins in the text that was tokenized, before placeholders were replaced.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        For the error.
    rendered : str
        The conversation as the chat template wrote it.
    tokenized : str
        The text that the tokenizer was given, with all placeholders written out.
    replaced : sequence of Replaced
        All of them, in order.

    Returns
    -------
    int
        0, but for a processor that writes something in front of the conversation.

    Raises
    ------
    LayoutError
        The conversation does not stand there word by word, or more than once.
    """
    parts, done = [], 0
    for one in replaced:
        parts += [tokenized[done : one.new[0]], one.placeholder]
        done = one.new[1]
    given = "".join([*parts, tokenized[done:]])
    start = given.find(rendered)
    if start < 0 or given.find(rendered, start + 1) >= 0:
        place = next((k for k, (a, b) in enumerate(zip(rendered, given, strict=False)) if a != b), len(rendered))
        found, due = (repr(text[place : place + _SHOWN]) for text in (given, rendered))
        raise LayoutError(
            f"{type(processor).__name__} changes the rendered conversation: at character {place} it tokenizes {found} "
            f"where the chat template wrote {due}, so the prompt's tokens cannot be located"
        )
    return start
