"""The conversation as runs of text, and the names of tokens and candidates, for figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.figures.style import FADED, INK, PAPER, TINT
from tam_widget.figures.typeset import Run, text_width
from tam_widget.text.decoding import PARTIAL
from tam_widget.text.graphemes import boundaries, whole_texts
from tam_widget.text.leads import leads

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    from tam_widget.explanation import Explanation
    from tam_widget.text.tokens import Candidate, Role

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
    before = leads(explanation.tokens, explanation.texts)
    for token, lead, shown in zip(explanation.tokens, before, _shown(explanation, group), strict=True):
        if not blocks or (blocks[-1].turn, blocks[-1].role) != (token.turn, token.role):
            blocks.append(Block(token.turn, token.role))
        if lead:
            blocks[-1].runs.append(Run(lead, INK))
        if shown:
            blocks[-1].runs.append(_run(token.index, shown, set(group), float(relevance[token.index])))
    return blocks


def title_of(explanation: Explanation, group: Sequence[int], candidate: SupportsIndex | Candidate | None) -> str:
    """Return what was said, or what was explained in its place."""
    between = leads(explanation.tokens, explanation.texts)
    shown = _shown(explanation, group)
    said = "".join(between[index] + shown[index] for index in group if shown[index])
    said = said.strip() or repr(said)[1:-1]
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
    whole = text.replace("\n", "⏎")
    shorter = (whole[:end] + "…" for end in reversed(boundaries(whole)[:-1]))
    return next((shown for shown in chain([whole], shorter) if text_width(shown, size) <= width + 0.5), "")


def _shown(explanation: Explanation, group: Sequence[int]) -> list[str]:
    """Return what each token shows: whole characters, but the tokens' own where only the beginning of one is explained.

    A mark for bytes is only worth its place where it is what is explained.
    """
    tokens, shown = explanation.tokens, whole_texts(explanation.tokens)
    if not any(shown[index].strip() for index in group):
        for word in explanation.words:
            if not {token.index for token in word.tokens}.isdisjoint(group):
                for index in (token.index for token in word.tokens):
                    is_shown = tokens[index].text != PARTIAL or index in group
                    shown[index] = tokens[index].text if is_shown else ""
    return shown


def _run(index: int, text: str, group: set[int], relevance: float) -> Run:
    if index in group:
        return Run(text, PAPER, INK)
    if index > max(group):
        return Run(text, FADED)
    # As in the widget, the square root keeps a weak relevance visible beside a strong one.
    return Run(text, INK, TINT, relevance**0.5) if relevance > 0 else Run(text, INK)
