"""Figures for papers and slides: the picture with a token's map, the sentence, the candidates.

No pyplot: its state belongs to the main thread, and a figure may be asked for from any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np

from tam_widget.errors import TokenIndexError
from tam_widget.explanation.region import merge
from tam_widget.figures.blend import COLORMAP, OPACITY, Paint
from tam_widget.figures.pictures import single_overlay
from tam_widget.figures.row import GAP, MARGIN, Row
from tam_widget.figures.style import POINTS, TAMFigure, blank_page

if TYPE_CHECKING:
    from PIL import Image

    from tam_widget.explanation import Explanation
    from tam_widget.text.tokens import Candidate

__all__ = ["TAMFigure", "explanation_overlay", "plot"]

_MOST_ROWS = 8


def explanation_overlay(
    explanation: Explanation,
    what: SupportsIndex | str | Sequence[SupportsIndex],
    *,
    candidate: SupportsIndex | Candidate | None = None,
    image: SupportsIndex = 0,
    frame: SupportsIndex | None = None,
    **style: Any,
) -> Image.Image:
    """Return a picture or a frame under the map of a token, a word or several; see :meth:`Explanation.overlay`."""
    indices = sorted({index for group in _groups(explanation, what) for index in group})
    heatmap = merge([explanation.heatmap(index, candidate, image) for index in indices])
    return single_overlay(explanation, heatmap, image, frame, **style)


def plot(
    explanation: Explanation,
    what: SupportsIndex | str | Sequence[SupportsIndex],
    *,
    candidate: SupportsIndex | Candidate | None = None,
    image: SupportsIndex = 0,
    width: float = 9.0,
    colormap: str = COLORMAP,
    opacity: float = OPACITY,
    smooth: bool = True,
    paint: Paint = "heat",
) -> TAMFigure:
    """Draw what the model looked at when it said something.

    Each row shows the picture with the map over it, or up to eight frames of a video, evenly chosen and the one where
    the map peaks among them; and the text: the token inverted, earlier tokens tinted by their relevance to it, later
    ones grey, and, for a single token, its candidates. Several tokens count as one: the greatest value in each cell.

    Parameters
    ----------
    explanation : Explanation
        What to draw.
    what : int, Token, str or sequence of int
        A token; several as one; or a word or phrase, one row for each of its occurrences in the answer, or in the
        prompt where the answer has none; the first eight.
    candidate : int or Candidate, optional
        Draw this candidate's map; needs a single token.
    image : int
        Which picture or video.
    width : float
        Width of the figure in inches; its height follows from the text.
    colormap, opacity, smooth, paint
        As for :func:`tam_widget.figures.blend.overlay`.

    Returns
    -------
    TAMFigure
        A ``matplotlib.figure.Figure``.

    Raises
    ------
    TokenIndexError
        An index outside the explanation, or a word that does not occur.
    """
    groups = _groups(explanation, what)
    style = {"colormap": colormap, "opacity": opacity, "smooth": smooth, "paint": paint}
    said = [group for group in groups if explanation.tokens[group[0]].role == "answer"]
    rows = [
        Row(explanation, group, width * POINTS, candidate=candidate, image=image, style=style)
        for group in (said or groups)[:_MOST_ROWS]
    ]
    height = 2 * MARGIN + sum(row.height for row in rows) + GAP * (len(rows) - 1)
    figure = blank_page(width, height / POINTS)
    top = MARGIN
    for row in rows:
        row.draw(figure, top, height)
        top += row.height + GAP
    return figure


def _groups(explanation: Explanation, what: Any) -> list[list[int]]:
    """Return what is to be explained as groups of token indices; those of one group count as one."""
    if isinstance(what, str):
        found = explanation.occurrences(what)
        if not found:
            raise TokenIndexError(f"{what!r} occurs neither in the prompt nor in the answer: {explanation.answer!r}")
        return found
    chosen = list(what) if isinstance(what, Sequence | np.ndarray) else [what]
    if not chosen:
        raise TokenIndexError("no token was given")
    return [sorted({explanation.index(index) for index in chosen})]
