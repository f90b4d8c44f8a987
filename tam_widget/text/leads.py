"""What stands between two tokens and belongs to neither: the line break between two texts of one message."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tam_widget.text.tokens import Role, Token

__all__ = ["leads"]


def leads(tokens: Sequence[Token], texts: Mapping[tuple[int, Role], str]) -> list[str]:
    """Return for each token the characters in front of it that no token covers; empty for nearly all.

    Texts of one message are read as one (:attr:`Explanation.prompt`), and what joins them the model never saw. Without
    it "Look at this" and "What is it?" would run together.
    """
    found = ["" for _ in tokens]
    for last, token in pairwise(tokens):
        if (last.turn, last.role) == (token.turn, token.role):
            found[token.index] = texts[token.turn, token.role][last.span[1] : token.span[0]]
    return found
