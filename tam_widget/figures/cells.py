"""The pictures of a check with their cells: which lie on the pixels that their tokens were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from tam_widget.figures.style import BAR, INK, TAMFigure, blank_page

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tam_widget.checks.family_check import CellCheck, FamilyCheck

__all__ = ["plot_cells"]

_MISFIT = "#c62828"
_EDGE = "#e68a00"
_GAP, _TITLE, _MARGIN = 0.15, 0.3, 0.2  # inches
_LEGEND = (
    (BAR, "fits"),
    (_EDGE, "middle fits, an edge does not"),
    (_MISFIT, "its token reacts elsewhere (line), or to no cell in particular"),
)


def plot_cells(check: FamilyCheck, width: float = 9.0) -> TAMFigure:
    """Draw each map's picture with its cells; see :meth:`tam_widget.checks.family_check.FamilyCheck.plot`."""
    maps = list(dict.fromkeys((row.picture, row.view) for row in check.rows))
    side = (width - 2 * _MARGIN - _GAP * (len(maps) - 1)) / len(maps)
    heights = [side * check.pictures[picture].height / check.pictures[picture].width for picture, _ in maps]
    height = max(heights) + 2 * _MARGIN + _TITLE * (1 + len(_LEGEND))
    figure = blank_page(width, height)
    for number, ((picture, view), high) in enumerate(zip(maps, heights, strict=True)):
        left, top = _MARGIN + number * (side + _GAP), _MARGIN + _TITLE
        axes = figure.add_axes((left / width, 1 - (top + high) / height, side / width, high / height))
        shown = check.pictures[picture]
        axes.imshow(np.asarray(shown), extent=(0, shown.width, shown.height, 0), aspect="auto")
        axes.set_axis_off()
        axes.set_title(f"{shown.width}×{shown.height}, {view}", color=INK, fontsize=8, pad=4)
        _draw(axes, [row for row in check.rows if (row.picture, row.view) == (picture, view)])
    for line, (colour, meaning) in enumerate(_LEGEND):
        y = (_MARGIN + (len(_LEGEND) - 1 - line) * 0.2) / height
        figure.text(_MARGIN / width, y, f"■ {meaning}", color=colour, fontsize=8, va="bottom")
    return figure


def _draw(axes: Axes, rows: list[CellCheck]) -> None:
    """Outline each cell, and lead from a misplaced one to where its token reacts."""
    middles = {(row.row, row.column): _middle(row) for row in rows}
    for row in rows:
        here = row.reacts_at == (row.row, row.column)
        colour = BAR if row.fits else _EDGE if here else _MISFIT
        left, top, right, bottom = row.box
        axes.add_patch(
            Rectangle(
                (left, top),
                right - left,
                bottom - top,
                facecolor=(*_rgb(colour), 0.15 if row.fits else 0.45),
                edgecolor=colour,
                linewidth=0.5,
            )
        )
        if not here and row.reacts_at in middles:
            (x, y), (to_x, to_y) = _middle(row), middles[row.reacts_at]
            axes.plot([x, to_x], [y, to_y], color=colour, linewidth=0.6)


def _middle(row: CellCheck) -> tuple[float, float]:
    left, top, right, bottom = row.box
    return (left + right) / 2, (top + bottom) / 2


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return red, green, blue
