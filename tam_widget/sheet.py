"""A contact sheet: the picture once for every word of the answer, with where the model looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from tam_widget.blend import COLORMAP, OPACITY, overlay
from tam_widget.figure import INK, LARGEST_PICTURE, PAPER, QUIET, TAMFigure, merged

if TYPE_CHECKING:
    from typing import Any, SupportsIndex

    from tam_widget.explanation import Explanation

__all__ = ["plot_sheet"]

_MARGIN, _GAP, _TITLE = 0.2, 0.12, 0.34  # inches


def plot_sheet(
    explanation: Explanation,
    *,
    image: SupportsIndex = 0,
    columns: int = 6,
    width: float = 9.0,
    colormap: str = COLORMAP,
    opacity: float = OPACITY,
    smooth: bool = True,
) -> TAMFigure:
    """Draw one small picture for each word of the answer, in reading order.

    The map of a word is the greatest value of its tokens' maps in each cell, stretched to its own maximum, which stands
    beside the word on the scale that all tokens share. A word without image activation leaves the picture as it is.

    Parameters
    ----------
    explanation : Explanation
        What to draw.
    image : int
        Which picture.
    columns : int
        Pictures in a row.
    width : float
        Width of the figure in inches; its height follows.
    colormap, opacity, smooth
        As for :func:`tam_widget.blend.overlay`.

    Returns
    -------
    TAMFigure
        A ``matplotlib.figure.Figure``.

    Raises
    ------
    ValueError
        If the number of columns is not positive.
    """
    if columns < 1:
        raise ValueError(f"columns must be 1 or more, not {columns}")
    words = [word for word in explanation.words if word.tokens[0].role == "answer" and word.text.strip()]
    picture = explanation.images[image].copy()
    picture.thumbnail((LARGEST_PICTURE // 2, LARGEST_PICTURE // 2))
    columns = max(1, min(columns, len(words)))
    side = (width - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    tall = side * picture.height / picture.width
    rows = max(1, -(-len(words) // columns))
    height = 2 * _MARGIN + rows * (tall + _TITLE) + (rows - 1) * _GAP
    figure = TAMFigure(figsize=(width, height), dpi=144, facecolor=PAPER)
    FigureCanvasAgg(figure)
    for number, word in enumerate(words):
        row, column = divmod(number, columns)
        left = _MARGIN + column * (side + _GAP)
        top = _MARGIN + row * (tall + _TITLE + _GAP)
        heatmap = merged([explanation.heatmap(token, image=image) for token in word.tokens])
        shown = overlay(picture, heatmap, colormap=colormap, opacity=opacity, smooth=smooth)
        axes = figure.add_axes((left / width, 1 - (top + _TITLE + tall) / height, side / width, tall / height))
        axes.imshow(shown, aspect="auto", interpolation="antialiased")
        axes.set_axis_off()
        peak = float(np.nanmax(heatmap, initial=0))
        caption: dict[str, Any] = {"fontsize": 9, "va": "center", "parse_math": False}
        middle = 1 - (top + _TITLE / 2) / height
        figure.text(left / width, middle, word.text.strip(), color=INK if peak > 0 else QUIET, **caption)
        figure.text((left + side) / width, middle, f"{peak:.2f}" if peak else "–", color=QUIET, ha="right", **caption)
    return figure
