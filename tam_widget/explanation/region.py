"""Several maps as one, and maps over a part of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tam_widget.models.layout import Box

__all__ = ["Merged", "mean_over", "merge"]

_VALUES = 2**20  # values of maps that are read at a time


def merge(maps: Iterable[NDArray[np.float32]], combine: str = "max") -> NDArray[np.float32]:
    """Return several maps of one shape as one: the mean or the maximum in each cell, of those that have seen it.

    Raises
    ------
    ValueError
        Another way to combine them, or no map.
    """
    merged = Merged(combine)
    for one in maps:
        merged.add(one)
    return merged.map()


class Merged:
    """Several maps as one, see :func:`merge`, which are given one after the other."""

    def __init__(self, combine: str) -> None:
        if combine not in {"mean", "max"}:
            raise ValueError(f"combine must be 'mean' or 'max', not {combine!r}")
        self._combine = combine
        self._first: NDArray[np.float32] | None = None
        self._total: NDArray[np.float32] = np.empty(0, np.float32)
        self._seen: NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, one: NDArray[np.float32]) -> None:
        """Take in one more map."""
        if self._first is None:
            self._first = one
            self._total = one if self._combine == "max" else np.nan_to_num(one)
            self._seen = (~np.isnan(one)).astype(np.int64)
        elif self._combine == "max":
            self._total = np.fmax(self._total, one)
        else:
            self._total = self._total + np.nan_to_num(one)
            self._seen += ~np.isnan(one)

    def map(self) -> NDArray[np.float32]:
        """Return what they are together."""
        if self._first is None:
            raise ValueError("there is no map to merge")
        if self._combine == "max":
            return self._total
        return np.where(self._seen > 0, self._total / np.maximum(self._seen, 1), np.nan).astype(np.float32)


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
    if not down.any() or not across.any():
        raise ValueError(f"the box {box} lies outside the picture, whose map covers {grid}")
    rows, columns = (slice(held[0], held[-1] + 1) for held in (np.flatnonzero(down), np.flatnonzero(across)))
    weights = (down[rows, None] * across[columns]).ravel()
    found = np.empty(len(maps), np.float32)
    step = max(1, _VALUES // len(weights))
    for start in range(0, len(maps), step):
        block = maps[start : start + step, rows, columns].astype(np.float64).reshape(-1, len(weights))
        seen = ~np.isnan(block)
        with np.errstate(invalid="ignore"):  # 0 / 0, where nothing was seen
            found[start : start + step] = np.nan_to_num(block, copy=False) @ weights / (seen @ weights)
    return found


def _shares(start: float, stop: float, first: float, last: float, count: int) -> NDArray[np.float64]:
    """Return how much of each of some equal cells between two ends an interval holds; of a point, its cell alone."""
    size = (last - first) / count
    low, high = (start - first) / size, (stop - first) / size
    edges = np.arange(count)
    if high == low:
        return ((edges <= low) & (low < edges + 1)).astype(np.float64)
    held: NDArray[np.float64] = np.clip(np.minimum(edges + 1, high) - np.maximum(edges, low), 0, None)
    return held
