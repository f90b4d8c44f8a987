"""The verdicts of a whole answer: its words tinted by what the picture does for them, and what came out of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from tam_widget.figures.style import BAR, INK, LINE, POINTS, QUIET, TINT, TAMFigure, page_in_points
from tam_widget.figures.text import fitted
from tam_widget.figures.typeset import LEADING, Run, draw, set_lines, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tam_widget.checks.answer import Verdicts
    from tam_widget.checks.verdict import Verdict

__all__ = ["plot_verdicts"]

_MARGIN, _GAP = 14.0, 10.0  # points
_SIZE, _SMALL = 11.0, 8.5
_ROW = 1.6 * _SMALL
_WORD, _KIND = 90.0, 150.0  # widths of the columns before the bars
_HEADS = ("word", "verdict", "nats lost: with the place, with everything covered")


def plot_verdicts(verdicts: Verdicts, *, width: float = 9.0) -> TAMFigure:
    """Draw the verdicts of an answer.

    Parameters
    ----------
    verdicts : Verdicts
        What to draw. In the answer above them the tint of a word is the picture's share of its probability; words that
        were not checked have none.
    width : float
        Width of the figure in inches; its height follows.

    Returns
    -------
    TAMFigure
        A ``matplotlib.figure.Figure``.
    """
    wide = width * POINTS
    pieces, lines = set_lines(_runs(verdicts), wide - 2 * _MARGIN, _SIZE)
    top = _MARGIN + lines * _SIZE * LEADING + _GAP
    high = top + (1 + len(verdicts)) * _ROW + _MARGIN
    figure, page = page_in_points(wide, high)
    draw(page, pieces, (_MARGIN, _MARGIN), _SIZE)
    for left, head in zip((0.0, _WORD, _WORD + _KIND), _HEADS, strict=True):
        write(page, (_MARGIN + left, top + 0.5 * _ROW), head, _SMALL, QUIET)
    most = max([1.0, *(abs(one.whole.nats) for one in verdicts), *(abs(_cost(one)) for one in verdicts)])
    for number, one in enumerate(verdicts, start=1):
        _draw_row(page, one, top + (number + 0.5) * _ROW, wide, most)
    return figure


def _runs(verdicts: Verdicts) -> list[Run]:
    """Return the answer's text, word by word where they were checked."""
    runs, done = [], 0
    for one, (start, stop) in zip(verdicts, verdicts.spans, strict=False):
        lead = len(verdicts.answer[start:stop]) - len(verdicts.answer[start:stop].lstrip())
        runs.append(Run(verdicts.answer[done : start + lead], INK))
        tint = TINT if one.visual > 0 else None
        runs.append(Run(verdicts.answer[start + lead : stop], INK, tint, one.visual))
        done = stop
    return [run for run in (*runs, Run(verdicts.answer[done:], INK)) if run.text]


def _cost(verdict: Verdict) -> float:
    return 0.0 if verdict.place is None else verdict.lost.nats


def _draw_row(page: Axes, verdict: Verdict, y: float, wide: float, most: float) -> None:
    ink = INK if verdict.source == "visual" else QUIET
    write(page, (_MARGIN, y), fitted(verdict.text, _WORD - 8, _SMALL), _SMALL, ink)
    write(page, (_MARGIN + _WORD, y), verdict.kind, _SMALL, ink)
    left, numbers = _MARGIN + _WORD + _KIND, 74.0
    length = wide - _MARGIN - numbers - left
    page.add_patch(Rectangle((left, y - 3), length, 6, facecolor=LINE, linewidth=0))
    for cost, up, colour in ((_cost(verdict), -3, BAR), (verdict.whole.nats, 0, QUIET)):
        page.add_patch(Rectangle((left, y + up), length * max(cost, 0) / most, 3, facecolor=colour, linewidth=0))
    place = "–" if verdict.place is None else f"{verdict.lost.nats:.2f}"
    write(page, (wide - _MARGIN, y), f"{place}, {verdict.whole.nats:.2f}", _SMALL, ink, ha="right")
