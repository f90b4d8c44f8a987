"""A verdict drawn: what came out, the covered pictures, and what each cover costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from tam_widget.figures.style import BAR, INK, LARGEST_PICTURE, LINE, POINTS, QUIET, TAMFigure, page_in_points
from tam_widget.figures.typeset import LEADING, Run, draw, set_lines, text_width, write
from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from PIL import Image

    from tam_widget.checks.verdict import Verdict

__all__ = ["plot_verdict"]

_MARGIN, _GAP = 14.0, 8.0  # points
_SIZE, _SMALL = 10.0, 8.5
_CAPTION = 16.0
_ROW = 1.5 * _SMALL
_SHOWN = 3  # pictures side by side


def plot_verdict(verdict: Verdict, *, width: float = 9.0) -> TAMFigure:
    """Draw a verdict: its sentence, the covered pictures, and the nats that each cover costs.

    Parameters
    ----------
    verdict : Verdict
        What to draw. Of a video the frame is shown that holds most of the place.
    width : float
        Width of the figure in inches; its height follows.

    Returns
    -------
    TAMFigure
        A ``matplotlib.figure.Figure``.
    """
    wide = width * POINTS
    pieces, lines = set_lines([Run(verdict.sentence, INK)], wide - 2 * _MARGIN, _SIZE)
    pictures = [(name, _still(verdict, medium)) for name, medium in verdict.pictures.items()]
    side = (wide - 2 * _MARGIN - (_SHOWN - 1) * _GAP) / _SHOWN
    tall = side * pictures[0][1].height / pictures[0][1].width
    top = _MARGIN + lines * _SIZE * LEADING + _GAP
    rows = -(-len(pictures) // _SHOWN)
    costs = verdict.costs
    below = top + rows * (tall + _CAPTION + _GAP)
    high = below + len(costs) * _ROW + _MARGIN
    figure, page = page_in_points(wide, high)
    draw(page, pieces, (_MARGIN, _MARGIN), _SIZE)
    for number, (name, picture) in enumerate(pictures):
        row, column = divmod(number, _SHOWN)
        left, upper = _MARGIN + column * (side + _GAP), top + row * (tall + _CAPTION + _GAP)
        axes = figure.add_axes((left / wide, 1 - (upper + tall) / high, side / wide, tall / high))
        axes.imshow(picture, aspect="auto", interpolation="antialiased", origin="upper")
        axes.set_axis_off()
        write(page, (left, upper + tall + 0.6 * _CAPTION), name, _SMALL, QUIET)
    _draw_costs(page, costs, below, wide)
    return figure


def _draw_costs(page: Axes, costs: Sequence[tuple[str, float]], top: float, wide: float) -> None:
    names = max(text_width(name, _SMALL) for name, _ in costs)
    left, right = _MARGIN + names + 12, wide - _MARGIN - 56
    low, most = min(0.0, *(cost for _, cost in costs)), max(1.0, *(cost for _, cost in costs))
    zero = left + (right - left) * -low / (most - low)
    for number, (name, cost) in enumerate(costs):
        y = top + (number + 0.5) * _ROW
        ink, bar = (INK, BAR) if name.startswith("This") else (QUIET, QUIET)
        write(page, (_MARGIN, y), name, _SMALL, ink)
        page.add_patch(Rectangle((left, y - 2), right - left, 4, facecolor=LINE, linewidth=0))
        length = (right - left) * cost / (most - low)
        page.add_patch(Rectangle((zero, y - 2), length, 4, facecolor=bar, linewidth=0))
        write(page, (wide - _MARGIN, y), f"{cost:.2f} nats", _SMALL, ink, ha="right")


def _still(verdict: Verdict, medium: Image.Image | Video) -> Image.Image:
    """Return a picture, or the frame of a video that holds most of the place, no larger than a figure shows."""
    if isinstance(medium, Video):
        frame = 0 if verdict.place is None else int(np.argmax(verdict.place.sum(axis=(1, 2))))
        small = medium.frames[min(verdict.covers.first_frame(frame), len(medium.frames) - 1)].copy()
    else:
        small = medium.copy()
    small.thumbnail((LARGEST_PICTURE // 2, LARGEST_PICTURE // 2))
    return small
