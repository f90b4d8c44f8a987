"""Several maps as one, and maps over a part of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Box

__all__ = ["mean_over", "merge"]


def merge(maps: Sequence[NDArray[np.float32]], combine: str = "max") -> NDArray[np.float32]:
    """Return several maps of one shape as one: the mean or the maximum in each cell, of those that have seen it.

    Raises
    ------
    ValueError
        Another way to combine them.
    """
    if combine == "max":
        greatest: NDArray[np.float32] = np.fmax.reduce(maps)
        return greatest
    if combine != "mean":
        raise ValueError(f"combine must be 'mean' or 'max', not {combine!r}")
    if len(maps) == 1:
        return maps[0]
    stack = np.stack(maps)
    seen = (~np.isnan(stack)).sum(axis=0)
    total = np.nansum(stack, axis=0)
    return np.where(seen > 0, total / np.maximum(seen, 1), np.nan).astype(np.float32)


def mean_over(maps: NDArray[np.float32], grid: Box, box: Box) -> NDArray[np.float32]:
    """Return the mean of maps over a box, each cell by how much of it the box holds.

    Parameters
    ----------
    maps : numpy.ndarray of float32, shape (T, rows, columns)
        NaN where nothing was seen.
    grid : tuple of float
        (left, top, right, bottom) of the whole grid, in pixels.
    box : tuple of float
        The same of the box; a point where its ends are the same.

    Returns
    -------
    numpy.ndarray of float32, shape (T,)
        NaN where the box holds no cell that was seen.

    Raises
    ------
    ValueError
        The box is turned over or holds nothing of the grid.
    """
    left, top, right, bottom = box
    if right < left or bottom < top:
        raise ValueError(f"a box is (left, top, right, bottom), got {box}")
    down = _shares(top, bottom, grid[1], grid[3], maps.shape[1])
    across = _shares(left, right, grid[0], grid[2], maps.shape[2])
    weights = down[:, None] * across
    if not weights.any():
        raise ValueError(f"the box {box} lies outside the picture, whose map covers {grid}")
    seen = ~np.isnan(maps)
    total = (weights * seen).sum(axis=(1, 2))
    summed = np.where(seen, maps * weights, 0).sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, summed / total, np.nan).astype(np.float32)


def _shares(start: float, stop: float, first: float, last: float, count: int) -> NDArray[np.float64]:
    """Return how much of each of some equal cells between two ends an interval holds; of a point, its cell alone."""
    size = (last - first) / count
    low, high = (start - first) / size, (stop - first) / size
    edges = np.arange(count)
    if high == low:
        return ((edges <= low) & (low < edges + 1)).astype(np.float64)
    held: NDArray[np.float64] = np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, None)
    return held
