"""The conversation as runs of text, and the names of tokens and candidates, for figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.figures.style import FADED, INK, PAPER, TINT
from tam_widget.figures.typeset import Run, text_width
from tam_widget.text.decoding import PARTIAL
from tam_widget.text.leads import leads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    from tam_widget.explanation import Explanation
    from tam_widget.text.tokens import Candidate, Role, Token

__all__ = ["Block", "fitted", "name_of", "place_of", "text_blocks", "title_of"]


@dataclass(frozen=True, slots=True)
class Block:
    """One question or one answer."""

    turn: int
    role: Role
    runs: list[Run] = field(default_factory=list)


def text_blocks(
    explanation: Explanation, group: Sequence[int], candidate: SupportsIndex | Candidate | None
) -> list[Block]:
    """Return questions and answers in order, each token with its look when the tokens of a group are explained."""
    relevance = np.zeros(len(explanation.tokens), dtype=np.float32)
    for index in group:
        earlier = explanation.relevance(index, candidate)
        relevance[: len(earlier)] = np.maximum(relevance[: len(earlier)], earlier)
    blocks: list[Block] = []
    for token, lead in zip(explanation.tokens, leads(explanation.tokens, explanation.texts), strict=True):
        if not blocks or (blocks[-1].turn, blocks[-1].role) != (token.turn, token.role):
            blocks.append(Block(token.turn, token.role))
        if lead:
            blocks[-1].runs.append(Run(lead, INK))
        # The first bytes of a character are only worth a mark where they are what is explained.
        if token.text != PARTIAL or token.index in group:
            blocks[-1].runs.append(_run(token, set(group), float(relevance[token.index])))
    return blocks


def title_of(explanation: Explanation, group: Sequence[int], candidate: SupportsIndex | Candidate | None) -> str:
    """Return what was said, or what was explained in its place."""
    between = leads(explanation.tokens, explanation.texts)
    texts = [(index, explanation.tokens[index].text) for index in group]
    said = "".join(between[index] + text for index, text in texts if text != PARTIAL)
    said = said.strip() or repr(said)[1:-1] or PARTIAL
    if candidate is None:
        return said
    return f"{name_of(explanation.candidate(group[0], candidate))} in place of {said}"


def place_of(explanation: Explanation, group: Sequence[int]) -> str:
    """Return which tokens these are; the turn counts from 1, as in the widget."""
    tokens = f"token {group[0]}" if len(group) == 1 else f"tokens {group[0]}–{group[-1]}"
    several = explanation.tokens[-1].turn > 0
    return f"{tokens}, turn {explanation.tokens[group[0]].turn + 1}" if several else tokens


def name_of(candidate: Candidate) -> str:
    """Return a candidate's text without its outer space, or what that space is."""
    return candidate.text.strip() or repr(candidate.text)[1:-1]


def fitted(text: str, width: float, size: float) -> str:
    """Shorten a text to some points, with an ellipsis."""
    shown = text.replace("\n", "⏎")
    while shown and text_width(shown, size) > width + 0.5:
        shown = shown[:-2] + "…" if len(shown) > 1 else ""
    return shown


def _run(token: Token, group: set[int], relevance: float) -> Run:
    if token.index in group:
        return Run(token.text, PAPER, INK)
    if token.index > max(group):
        return Run(token.text, FADED)
    # As in the widget, the square root keeps a weak relevance visible beside a strong one.
    return Run(token.text, INK, TINT, relevance**0.5) if relevance > 0 else Run(token.text, INK)
