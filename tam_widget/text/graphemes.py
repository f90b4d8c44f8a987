"""Characters as a reader sees them: extended grapheme clusters (UAX #29), and which token shows each."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, pairwise, zip_longest
from typing import TYPE_CHECKING

import regex

from tam_widget.text.decoding import PARTIAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tam_widget.text.tokens import Token

__all__ = ["boundaries", "whole_texts"]

# White space takes no combining marks along: a word is cut at it, whatever follows.
_GRAPHEME = regex.compile(r"\s|\X")


def boundaries(text: str) -> list[int]:
    """Return where each grapheme of a text begins, and behind them the text's length."""
    return [*(match.start() for match in _GRAPHEME.finditer(text)), len(text)]


def whole_texts(tokens: Sequence[Token]) -> list[str]:
    r"""Return what each token shows where graphemes are shown whole: those that it completes.

    Of a flag, a letter with its accents, an emoji with a skin tone the last token shows all and the others nothing. So
    ``"\ufffd"``, which :attr:`Token.text` has for a token without a character of its own, is here only where the text
    itself has it. Joined, with what :func:`tam_widget.text.leads.leads` gives between them, they are the texts.
    """
    shown = []
    for run in _runs(tokens):
        text = "".join(run)
        begin = boundaries(text)
        edges = [begin[bisect_right(begin, end) - 1] for end in accumulate(map(len, run))]
        shown += [text[start:stop] for start, stop in pairwise([0, *edges])]
    return shown


def _runs(tokens: Sequence[Token]) -> Iterator[list[str]]:
    """Yield the tokens' own characters, text by text; none for a mark."""
    run: list[str] = []
    for token, following in zip_longest(tokens, tokens[1:]):
        if following is None or (following.turn, following.role) != (token.turn, token.role):
            gap = 1
        else:
            gap = following.span[0] - token.span[1]
        has_none = token.text == PARTIAL and (gap < 0 or token.span[0] == token.span[1])
        run.append("" if has_none else token.text)
        if gap > 0:
            yield run
            run = []
