"""One row of a figure: the picture or the frames of a video with the map, the scale, the text, the candidates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Rectangle

from tam_widget.explanation.region import merge
from tam_widget.figures.blend import ramp
from tam_widget.figures.pictures import peak_of, show, size_of
from tam_widget.figures.style import BAR, INK, LARGEST_PICTURE, LINE, QUIET, seconds
from tam_widget.figures.text import fitted, name_of, place_of, text_blocks, title_of
from tam_widget.figures.typeset import LEADING, Piece, draw, set_lines, text_width, write
from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import SupportsIndex

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from tam_widget.explanation import Explanation
    from tam_widget.figures.text import Block
    from tam_widget.text.tokens import Candidate

__all__ = ["GAP", "MARGIN", "Row"]

# Points.
MARGIN, GAP = 16.0, 24.0
_SIZES = {"prompt": 9.5, "answer": 13.0}
_SMALL = 9.0
_BETWEEN_BLOCKS, _BETWEEN_TURNS = 4.0, 14.0
_BETWEEN_FRAMES = 6.0
_WIDEST_FRAME = 160.0
_CAPTION = 1.5 * _SMALL
_SCALE = 20.0  # the scale with the room above it

_PICTURE_SHARE = 0.38
_TALLEST = 1.5  # times the width: a tower would make the page one
_MOST_FRAMES = 8
_LEAST_SHOWN = 0.005


@dataclass(frozen=True, slots=True)
class _Column:
    """Room for the candidates, from its left to its right edge, below ``top``."""

    left: float
    right: float
    top: float


@dataclass(frozen=True, slots=True)
class _SetBlock:
    """A question or an answer, set into lines."""

    pieces: list[Piece]
    top: float
    size: float


class Row:
    """One explained token, word or span; measured first, then drawn. All lengths in points.

    Beside a picture stands the text, and under the text the candidates. The frames of a video take the whole width, and
    the candidates stand under them, beside the text.
    """

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
        self._heatmap = merge([explanation.heatmap(index, candidate, image) for index in group])
        self._ramp = ramp(style["colormap"], style["opacity"], style["paint"])
        self._shown = show(explanation, self._heatmap, image, style, largest=LARGEST_PICTURE, most=_MOST_FRAMES)
        token = explanation.tokens[group[0]]
        self._candidates = token.candidates if len(group) == 1 else ()
        self._title = title_of(explanation, group, candidate)
        self._where = place_of(explanation, group)

        is_video = isinstance(explanation.images[image], Video)
        column = (width - 2 * MARGIN - GAP) * _PICTURE_SHARE
        self._text_left = MARGIN + column + GAP
        self._side, self._tall = self._frame_size(size_of(explanation, image), column, is_video=is_video)
        self._scale_top = self._tall + (_CAPTION if is_video else 0.0)
        text_top = self._scale_top + 8 if is_video else 0.0
        text_bottom = self._set_text(text_blocks(explanation, group, candidate), text_top)
        below = self._scale_top + _SCALE
        self._column = (
            _Column(MARGIN, MARGIN + column, below)
            if is_video
            else _Column(self._text_left, width - MARGIN, text_bottom)
        )
        panel_bottom = self._column.top + 20 + (len(self._candidates) + 1) * 1.5 * _SMALL
        self.height = max(below, text_bottom, panel_bottom)

    def draw(self, figure: Figure, top: float, height: float) -> None:
        """Draw the row on a figure of some height, its upper edge ``top`` below the figure's."""

        def place(left: float, above: float, wide: float, high: float) -> tuple[float, float, float, float]:
            return left / self.width, 1 - (above + high) / height, wide / self.width, high / height

        lefts = [MARGIN + number * (self._side + _BETWEEN_FRAMES) for number in range(len(self._shown))]
        for left, shown in zip(lefts, self._shown, strict=True):
            axes = figure.add_axes(place(left, top, self._side, self._tall))
            axes.imshow(shown.picture, aspect="auto", interpolation="antialiased", origin="upper")
            axes.set_axis_off()
        page = figure.add_axes(place(0, top, self.width, self.height))
        page.set_xlim(0, self.width)
        page.set_ylim(self.height, 0)
        page.set_axis_off()
        page.patch.set_visible(False)
        self._draw_times(page, lefts)
        self._draw_scale(page)
        for block in self._blocks:
            draw(page, block.pieces, (self._text_left, block.top), block.size)
        self._draw_panel(page)

    def _frame_size(self, size: tuple[int, int], column: float, *, is_video: bool) -> tuple[float, float]:
        """Return how wide and how high each picture stands."""
        side = column
        if is_video:
            count = len(self._shown)
            side = min(_WIDEST_FRAME, (self.width - 2 * MARGIN - _BETWEEN_FRAMES * (count - 1)) / count)
        tall = side * size[1] / size[0]
        shrunk = min(1.0, _TALLEST * side / tall)
        return side * shrunk, tall * shrunk

    def _set_text(self, blocks: Sequence[Block], top: float) -> float:
        """Set the text into lines; return where it ends."""
        self._blocks: list[_SetBlock] = []
        room = self.width - MARGIN - self._text_left
        turn = blocks[0].turn
        for block in blocks:
            top += _BETWEEN_TURNS - _BETWEEN_BLOCKS if block.turn != turn else 0.0
            turn, size = block.turn, _SIZES[block.role]
            pieces, count = set_lines(block.runs, room, size)
            self._blocks.append(_SetBlock(pieces, top, size))
            top += count * size * LEADING + _BETWEEN_BLOCKS
        return top

    def _draw_times(self, page: Axes, lefts: Sequence[float]) -> None:
        for left, shown in zip(lefts, self._shown, strict=True):
            if shown.time is not None:
                write(page, (left, self._tall + 0.6 * _CAPTION), seconds(shown.time), _SMALL, QUIET)

    def _draw_scale(self, page: Axes) -> None:
        peak = peak_of(self._heatmap)
        middle = self._scale_top + 12
        if peak <= 0:
            said = "not seen yet" if np.isnan(self._heatmap).all() else "no image activation"
            write(page, (MARGIN, middle), said, _SMALL, QUIET)
            return
        write(page, (MARGIN, middle), "0", _SMALL, QUIET)
        left = MARGIN + 10
        extent = (left, left + 64, middle + 3, middle - 3)
        page.imshow(self._ramp, aspect="auto", interpolation="antialiased", origin="upper", extent=extent)
        page.set_xlim(0, self.width)
        page.set_ylim(self.height, 0)
        write(page, (left + 70, middle), f"{peak:.2f}", _SMALL, QUIET)

    def _draw_panel(self, page: Axes) -> None:
        """Draw what was explained, where it stands, and its candidates."""
        left, right, y = self._column.left, self._column.right, self._column.top + 6
        page.add_patch(Rectangle((left, y - 0.4), right - left, 0.8, facecolor=LINE, linewidth=0))
        y += 1.2 * _SMALL
        title = fitted(self._title, right - left - text_width(self._where, _SMALL) - 12, _SMALL)
        write(page, (left, y), title, _SMALL, INK, bold=True)
        write(page, (right, y), self._where, _SMALL, QUIET, ha="right")
        names = max((text_width(name_of(candidate), _SMALL) for candidate in self._candidates), default=0.0)
        names = min(names, (right - left) * 0.4)
        for candidate in self._candidates:
            y += 1.5 * _SMALL
            self._draw_candidate(page, candidate, y, names)

    def _draw_candidate(self, page: Axes, candidate: Candidate, y: float, names: float) -> None:
        right, left = self._column.right, self._column.left + names + 12
        ink, bar = (INK, BAR) if candidate.chosen else (QUIET, QUIET)
        track = right - 40 - left
        write(page, (self._column.left, y), fitted(name_of(candidate), names, _SMALL), _SMALL, ink)
        page.add_patch(Rectangle((left, y - 2), track, 4, facecolor=LINE, linewidth=0))
        page.add_patch(Rectangle((left, y - 2), track * candidate.probability, 4, facecolor=bar, linewidth=0))
        share = f"{candidate.probability:.2f}" if candidate.probability >= _LEAST_SHOWN else "<0.01"
        write(page, (right, y), share, _SMALL, ink, ha="right")
