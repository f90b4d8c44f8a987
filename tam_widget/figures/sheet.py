"""A contact sheet: the picture once for every word of the answer, with where the model looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.explanation.region import merge
from tam_widget.figures.blend import COLORMAP, OPACITY, Paint
from tam_widget.figures.pictures import peak_of, show, size_of
from tam_widget.figures.style import INK, LARGEST_PICTURE, QUIET, TAMFigure, blank_page, seconds
from tam_widget.figures.text import fitted
from tam_widget.figures.typeset import text_width, write
from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from typing import SupportsIndex

    from tam_widget.explanation import Explanation

__all__ = ["plot_sheet"]

_MARGIN, _GAP, _TITLE, _TIME = 0.2, 0.12, 0.34, 0.2  # inches
_SIZE = 9.0  # points


def plot_sheet(
    explanation: Explanation,
    *,
    image: SupportsIndex = 0,
    columns: int = 6,
    width: float = 9.0,
    colormap: str = COLORMAP,
    opacity: float = OPACITY,
    smooth: bool = True,
    paint: Paint = "heat",
) -> TAMFigure:
    """Draw one small picture for each word of the last turn's answer, in reading order.

    The map of a word is the greatest value of its tokens' maps in each cell, stretched to its own maximum, which stands
    beside the word on the scale that all tokens share. A word without image activation leaves the picture as it is.
    Of a video each word shows the frame where its map peaks, or the first one, with the frame's time.

    Parameters
    ----------
    explanation : Explanation
        What to draw.
    image : int
        Which picture or video.
    columns : int
        Pictures in a row.
    width : float
        Width of the figure in inches; its height follows.
    colormap, opacity, smooth, paint
        As for :func:`tam_widget.figures.blend.overlay`.

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
    turn = explanation.tokens[-1].turn
    words = [
        word
        for word in explanation.words
        if (word.tokens[0].turn, word.tokens[0].role) == (turn, "answer") and word.text.strip()
    ]
    style = {"colormap": colormap, "opacity": opacity, "smooth": smooth, "paint": paint}
    columns = max(1, min(columns, len(words)))
    side = (width - 2 * _MARGIN - _GAP * (columns - 1)) / columns
    pixels = size_of(explanation, image)
    tall = side * pixels[1] / pixels[0]
    below = _TIME if isinstance(explanation.images[image], Video) else 0.0
    cell = _TITLE + tall + below
    rows = max(1, -(-len(words) // columns))
    height = 2 * _MARGIN + rows * cell + (rows - 1) * _GAP
    figure = blank_page(width, height)
    for number, word in enumerate(words):
        row, column = divmod(number, columns)
        left = _MARGIN + column * (side + _GAP)
        top = _MARGIN + row * (cell + _GAP)
        heatmap = merge([explanation.heatmap(token, image=image) for token in word.tokens])
        (shown,) = show(explanation, heatmap, image, style, largest=LARGEST_PICTURE // 2, most=1)
        axes = figure.add_axes((left / width, 1 - (top + _TITLE + tall) / height, side / width, tall / height))
        axes.imshow(shown.picture, aspect="auto", interpolation="antialiased", origin="upper")
        axes.set_axis_off()
        peak = peak_of(heatmap)
        middle = 1 - (top + _TITLE / 2) / height
        value = f"{peak:.2f}" if peak else "–"
        room = 72 * side - text_width(value, _SIZE) - _SIZE / 2
        said = fitted(word.text.strip(), room, _SIZE)
        write(figure, (left / width, middle), said, _SIZE, INK if peak > 0 else QUIET)
        write(figure, ((left + side) / width, middle), value, _SIZE, QUIET, ha="right")
        if shown.time is not None:
            under = 1 - (top + _TITLE + tall + _TIME / 2) / height
            write(figure, (left / width, under), seconds(shown.time), _SIZE, QUIET)
    return figure
