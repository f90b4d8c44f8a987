"""Figures for papers and slides: the picture with a token's map, the sentence, the candidates.

No pyplot: its state belongs to the main thread, and a figure may be asked for from any.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image

from tam_widget.blend import COLORMAP, OPACITY, overlay
from tam_widget.errors import TokenIndexError
from tam_widget.text import PARTIAL
from tam_widget.typeset import LEADING, Run, draw, set_lines, text_width, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from tam_widget.explanation import Explanation
    from tam_widget.tokens import Candidate, Token

__all__ = ["INK", "LARGEST_PICTURE", "PAPER", "QUIET", "TAMFigure", "explanation_overlay", "merged", "plot"]

# The widget's light colours (js/src/styles.css).
INK, QUIET, _FADED, _LINE, _TINT, _BAR, PAPER = (
    "#1b1f24",
    "#64676b",
    "#888b8e",
    "#dddfe1",
    "#ffc35c",
    "#1565c0",
    "#ffffff",
)
_POINTS = 72.0
_MARGIN, _GAP = 16.0, 24.0
_PROMPT_SIZE, _ANSWER_SIZE, _SMALL = 9.5, 13.0, 9.0
_PICTURE_SHARE = 0.38
LARGEST_PICTURE = 1024  # pixels; a figure shows no more
_MOST_ROWS = 8
_LEAST_SHOWN = 0.005


class TAMFigure(Figure):
    """A matplotlib figure that shows itself in a notebook without pyplot."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def explanation_overlay(
    explanation: Explanation,
    what: SupportsIndex | str | Sequence[SupportsIndex],
    *,
    candidate: SupportsIndex | Candidate | None = None,
    image: SupportsIndex = 0,
    **style: Any,
) -> Image.Image:
    """Return a picture with the map of a token, a word or several tokens; see :meth:`Explanation.overlay`."""
    indices = sorted({index for group in _groups(explanation, what) for index in group})
    heatmap = merged([explanation.heatmap(index, candidate, image) for index in indices])
    return overlay(explanation.images[image], heatmap, **style)


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
) -> TAMFigure:
    """Draw what the model looked at when it said something.

    Each row shows the picture with the map over it and the text: the token inverted, earlier tokens tinted by their
    relevance to it, later ones grey, and, for a single token, its candidates. Several tokens count as one: the
    greatest value in each cell.

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
        Which picture.
    width : float
        Width of the figure in inches; its height follows from the text.
    colormap, opacity, smooth
        As for :func:`tam_widget.blend.overlay`.

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
    style = {"colormap": colormap, "opacity": opacity, "smooth": smooth}
    said = [group for group in groups if explanation.tokens[group[0]].role == "answer"]
    rows = [
        _Row(explanation, group, width * _POINTS, candidate=candidate, image=image, style=style)
        for group in (said or groups)[:_MOST_ROWS]
    ]
    height = 2 * _MARGIN + sum(row.height for row in rows) + _GAP * (len(rows) - 1)
    figure = TAMFigure(figsize=(width, height / _POINTS), dpi=144, facecolor=PAPER)
    FigureCanvasAgg(figure)
    top = _MARGIN
    for row in rows:
        row.draw(figure, top, height)
        top += row.height + _GAP
    return figure


class _Row:
    """One explained token, word or span; measured first, then drawn. All lengths in points."""

    def __init__(
        self,
        explanation: Explanation,
        group: Sequence[int],
        width: float,
        *,
        candidate: SupportsIndex | Candidate | None,
        image: SupportsIndex,
        style: dict[str, Any],
    ) -> None:
        self.width = width
        self.heatmap = merged([explanation.heatmap(index, candidate, image) for index in group])
        picture = explanation.images[image].copy()
        picture.thumbnail((LARGEST_PICTURE, LARGEST_PICTURE))
        self.colormap = style["colormap"]
        self.picture = overlay(picture, self.heatmap, **style)
        self.picture_width = (width - 2 * _MARGIN - _GAP) * _PICTURE_SHARE
        self.picture_height = self.picture_width * picture.height / picture.width
        if self.picture_height > 1.5 * self.picture_width:  # a tower would make the page one
            self.picture_width *= 1.5 * self.picture_width / self.picture_height
            self.picture_height = self.picture_width * picture.height / picture.width
        self.text_left = _MARGIN + (width - 2 * _MARGIN - _GAP) * _PICTURE_SHARE + _GAP
        room = width - _MARGIN - self.text_left
        runs = _runs(explanation, group, candidate)
        self.blocks = [
            (size, *set_lines([run for run, role in runs if role == which], room, size))
            for which, size in (("prompt", _PROMPT_SIZE), ("answer", _ANSWER_SIZE))
        ]
        token = explanation.tokens[group[0]]
        self.candidates = token.candidates if len(group) == 1 else ()
        self.title = _title(explanation, group, candidate)
        self.where = f"token {group[0]}" if len(group) == 1 else f"tokens {group[0]}–{group[-1]}"
        text_height = sum(count * size * LEADING for size, _, count in self.blocks) + 8
        self.text_height = text_height
        self.height = max(self.picture_height + 20, text_height + 24 + (len(self.candidates) + 1) * 1.5 * _SMALL)

    def draw(self, figure: Figure, top: float, height: float) -> None:
        """Draw the row on a figure of some height, its upper edge ``top`` below the figure's."""

        def place(left: float, above: float, wide: float, high: float) -> tuple[float, float, float, float]:
            return left / self.width, 1 - (above + high) / height, wide / self.width, high / height

        axes = figure.add_axes(place(_MARGIN, top, self.picture_width, self.picture_height))
        axes.imshow(self.picture, aspect="auto", interpolation="antialiased")
        axes.set_axis_off()
        page = figure.add_axes(place(0, top, self.width, self.height))
        page.set_xlim(0, self.width)
        page.set_ylim(self.height, 0)
        page.set_axis_off()
        page.patch.set_visible(False)
        self._draw_scale(page)
        self._draw_text(page)

    def _draw_scale(self, page: Axes) -> None:
        peak = float(np.nanmax(self.heatmap, initial=0))
        middle = self.picture_height + 12
        if peak <= 0:
            write(page, (_MARGIN, middle), "no image activation", _SMALL, QUIET)
            return
        write(page, (_MARGIN, middle), "0", _SMALL, QUIET)
        ramp = np.linspace(0, 1, 128)[None]
        left = _MARGIN + 10
        page.imshow(ramp, cmap=self.colormap, aspect="auto", extent=(left, left + 64, middle + 3, middle - 3))
        page.set_xlim(0, self.width)
        page.set_ylim(self.height, 0)
        write(page, (left + 70, middle), f"{peak:.2f}", _SMALL, QUIET)

    def _draw_text(self, page: Axes) -> None:
        top = 0.0
        for size, pieces, count in self.blocks:
            draw(page, pieces, (self.text_left, top), size)
            top += count * size * LEADING + 4
        right, y = self.width - _MARGIN, top + 6
        page.plot([self.text_left, right], [y, y], color=_LINE, linewidth=0.8)
        y += 1.2 * _SMALL
        title = _fit(self.title, right - self.text_left - 80, _SMALL)
        write(page, (self.text_left, y), title, _SMALL, INK, bold=True)
        write(page, (right, y), self.where, _SMALL, QUIET, ha="right")
        names = max((text_width(_name(candidate), _SMALL) for candidate in self.candidates), default=0.0)
        names = min(names, (right - self.text_left) * 0.4)
        for candidate in self.candidates:
            y += 1.5 * _SMALL
            self._draw_candidate(page, candidate, y, names)

    def _draw_candidate(self, page: Axes, candidate: Candidate, y: float, names: float) -> None:
        right, left = self.width - _MARGIN, self.text_left + names + 12
        ink, bar = (INK, _BAR) if candidate.chosen else (QUIET, QUIET)
        track = right - 40 - left
        write(page, (self.text_left, y), _fit(_name(candidate), names, _SMALL), _SMALL, ink)
        page.add_patch(Rectangle((left, y - 2), track, 4, facecolor=_LINE, linewidth=0))
        page.add_patch(Rectangle((left, y - 2), track * candidate.probability, 4, facecolor=bar, linewidth=0))
        share = f"{candidate.probability:.2f}" if candidate.probability >= _LEAST_SHOWN else "<0.01"
        write(page, (right, y), share, _SMALL, ink, ha="right")


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


def merged(maps: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return several maps as one: the greatest value in each cell, unseen only where none has seen."""
    together: NDArray[np.float32] = np.fmax.reduce(maps)
    return together


def _runs(
    explanation: Explanation, group: Sequence[int], candidate: SupportsIndex | Candidate | None
) -> list[tuple[Run, str]]:
    """Give each token its look, beside its role."""
    relevance = np.zeros(len(explanation.tokens), dtype=np.float32)
    for index in group:
        earlier = explanation.relevance(index, candidate)
        relevance[: len(earlier)] = np.maximum(relevance[: len(earlier)], earlier)
    tokens = explanation.tokens
    # The first bytes of a character are only worth a mark where they are what is explained.
    shown = [token for token in tokens if token.text != PARTIAL or token.index in group]
    return [(_run(token, set(group), float(relevance[token.index])), token.role) for token in shown]


def _run(token: Token, group: set[int], relevance: float) -> Run:
    if token.index in group:
        return Run(token.text, PAPER, INK)
    if token.index > max(group):
        return Run(token.text, _FADED)
    # As in the widget, the square root keeps a weak relevance visible beside a strong one.
    return Run(token.text, INK, _TINT, relevance**0.5) if relevance > 0 else Run(token.text, INK)


def _title(explanation: Explanation, group: Sequence[int], candidate: SupportsIndex | Candidate | None) -> str:
    said = "".join(explanation.tokens[index].text for index in group if explanation.tokens[index].text != PARTIAL)
    said = said.strip() or repr(said)[1:-1] or PARTIAL
    if candidate is None:
        return said
    return f"{_name(explanation.candidate(group[0], candidate))} in place of {said}"


def _name(candidate: Candidate) -> str:
    return candidate.text.strip() or repr(candidate.text)[1:-1]


def _fit(text: str, width: float, size: float) -> str:
    """Shorten a text to some points, with an ellipsis."""
    shown = text.replace("\n", "⏎")
    while shown and text_width(shown, size) > width + 0.5:
        shown = shown[:-2] + "…" if len(shown) > 1 else ""
    return shown
