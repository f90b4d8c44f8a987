"""Which part of a picture lies under a grid of cells, read from what the processor makes of a ramp."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.models.ramps import LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.models.layout import Box

    Line = tuple[float, float]

__all__ = ["extent"]

_OFF = 0.1
"""How far a cell may lie off, in cells: resampling blurs the ends of a ramp."""

_OFF_PIXEL = 0.2
"""How far it may lie off in pixels of the original, where a cell is smaller than one."""

_ROUNDED = 0.5 / LEVELS
"""By how much the mean of one cell may be rounded; over a whole column or row of cells this averages out."""

_WHOLE_PIXEL = 0.1
"""A picture is padded and cropped by whole pixels; what is measured so near to one is meant as that."""


def extent(shown: NDArray[np.float64], size: tuple[int, int], cell: int) -> Box | None:
    """Return what the whole cells of a picture cover, which may have been stretched, cropped or padded.

    Parameters
    ----------
    shown : numpy.ndarray of float64, shape (2, height, width)
        How far to the right and how far down in the picture each pixel lies that the model was shown, as shares of
        its width and height; NaN for padding.
    size : tuple of int
        The original's width and height in pixels.
    cell : int
        How many of the shown pixels a cell is wide and high; what is left over at right and bottom belongs to none.

    Returns
    -------
    tuple of float or None
        (left, top, right, bottom) in pixels of the original. None where the pixels are not such a picture: tiles,
        patches in another order, padding in the middle.
    """
    right, down = _line(shown[0], size[0], cell), _line(shown[1].T, size[1], cell)
    if right is None or down is None or _holes(shown, right, down, size):
        return None
    edges = []
    for (begin, length), original, count in zip((right, down), size, shown.shape[:0:-1], strict=True):
        edges.append([(pixel - begin) / length * original for pixel in (0, count // cell * cell)])
    return (edges[0][0], edges[1][0], edges[0][1], edges[1][1])


def _line(shown: NDArray[np.float64], length: int, cell: int) -> Line | None:
    """Return with which pixel the picture begins and how many it has, along the last axis; None where no line fits."""
    whole = (0.0, float(shown.shape[1]))
    if _fits(shown, whole, length, cell):
        return whole
    fitted = _fitted(shown, length)
    return fitted if fitted is not None and _fits(shown, fitted, length, cell) else None


def _fitted(shown: NDArray[np.float64], length: int) -> Line | None:
    """Fit a line to the pixels that a resampling has not held at the picture's own first or last one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of nothing but padding the mean is NaN, as wished
        shown = np.nanmean(shown, axis=0)
    ends = 0.75 / length
    inner = np.flatnonzero((shown > ends) & (shown < 1 - ends))
    if len(inner) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    step, start = np.polyfit(inner + 0.5, shown[inner], 1)
    if step <= 0:
        return None
    return _near_whole(-start / step), _near_whole(1 / step)


def _near_whole(value: float) -> float:
    return float(round(value)) if abs(value - round(value)) < _WHOLE_PIXEL else float(value)


def _fits(shown: NDArray[np.float64], line: Line, length: int, cell: int) -> bool:
    """Whether each cell lies on a line."""
    # Beyond the middle of the picture's first and last pixel there is nothing to interpolate with.
    off = shown - np.clip(_due(line, shown.shape[1]), 0.5 / length, 1 - 0.5 / length)
    rows, columns = (side // cell for side in shown.shape)
    if not rows * columns or np.isnan(off).all():
        return False
    # A cell that is mostly padding says little about where it lies: padding counts as right.
    cells = np.nan_to_num(off[: rows * cell, : columns * cell]).reshape(rows, cell, columns, cell).mean(axis=(1, 3))
    height = (~np.isnan(off)).sum(axis=0).max() / cell
    most = max(_OFF * cell / line[1], _OFF_PIXEL / length)
    return bool(np.abs(cells.sum(axis=0)).max() / height <= most and np.abs(cells).max() <= most + _ROUNDED)


def _due(line: Line, count: int) -> NDArray[np.float64]:
    """Return which place, as a share of the picture's side, the middle of each pixel should show."""
    pixels: NDArray[np.float64] = np.arange(count, dtype=np.float64)
    return (pixels + 0.5 - line[0]) / line[1]


def _holes(shown: NDArray[np.float64], right: Line, down: Line, size: tuple[int, int]) -> bool:
    """Whether there is padding where the picture should be."""
    inside = []
    for line, count, length in zip((right, down), shown.shape[:0:-1], size, strict=True):
        at, slack = _due(line, count), 1 / line[1] + 0.5 / length  # the picture's edge is blurred into the padding
        inside.append((at > slack) & (at < 1 - slack))
    return bool(np.isnan(shown[:, inside[1]][:, :, inside[0]]).any())
