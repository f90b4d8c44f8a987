"""The place that a map marks, and places of the same size elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.maps.otsu import otsu_threshold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["LARGEST", "OVERLAP", "marked", "random_places"]

LARGEST = 1 / 3
"""A place is no more than this share of the cells that were seen: the rest must hold others of its size."""

OVERLAP = 0.1
"""Share of a random place that may lie on the one that the map marks."""

_LEVELS = 254  # as the widget stretches a map, so that a place is what its contour surrounds
_TRIES = 50


def marked(heatmap: NDArray[np.floating]) -> NDArray[np.bool_] | None:
    """Return the place that a map marks: its cells above Otsu's threshold, at least one, at most a third of all.

    Parameters
    ----------
    heatmap : ndarray of float, shape (rows, columns) or (frames, rows, columns)
        NaN where nothing was seen.

    Returns
    -------
    ndarray of bool, the same shape
        Where too many lie above the threshold, the highest third; of equal ones the first. None where the map marks
        nothing: it is the same everywhere, nowhere above 0, or nothing was seen.
    """
    seen = np.isfinite(heatmap)
    values = heatmap[seen].astype(np.float64)
    if not values.size or values.max() <= max(values.min(), 0):
        return None
    levels = np.rint(values.clip(0) / values.max() * _LEVELS).astype(np.uint8)
    above = int((levels > otsu_threshold(levels)).sum())
    count = min(max(above, 1), max(int(len(values) * LARGEST), 1))
    highest = np.argsort(-values, kind="stable")[:count]
    place = np.zeros(heatmap.shape, dtype=np.bool_)
    place.reshape(-1)[np.flatnonzero(seen)[highest]] = True
    return place


def random_places(
    place: NDArray[np.bool_], allowed: NDArray[np.bool_], count: int, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """Return random places of as many connected cells as a place has, at most a tenth of them on it.

    Each begins at a random cell beside the place and grows by random neighbours (in a video also those of the frames
    before and after). Where so many cells do not hang together, it goes on from another cell.

    Parameters
    ----------
    place : ndarray of bool, shape (rows, columns) or (frames, rows, columns)
        With at most a third of the allowed cells.
    allowed : ndarray of bool, the same shape
        Where places may lie.
    count : int
        How many; where few fit they may be the same.
    rng : numpy.random.Generator
        Decides.

    Returns
    -------
    list of ndarray of bool
    """
    size = int(place.sum())
    on_place = int(size * OVERLAP)
    found = []
    for _ in range(count):
        best = np.zeros_like(place)
        for _ in range(_TRIES):
            grown = _grown(np.zeros_like(place), place, allowed, (size, on_place), rng)
            best = max(best, grown, key=np.count_nonzero)
            if best.sum() == size:
                break
        while best.sum() < size:
            best = _grown(best, place, allowed, (size, on_place), rng)
        found.append(best)
    return found


def _grown(
    begun: NDArray[np.bool_],
    place: NDArray[np.bool_],
    allowed: NDArray[np.bool_],
    limits: tuple[int, int],
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Grow one connected piece from a random cell beside the place, until it is large enough or shut in."""
    size, on_place = limits
    grown = begun.copy()
    free = np.argwhere(allowed & ~place & ~grown)
    edge = [tuple(free[rng.integers(len(free))].tolist())]
    left, spare = size - int(grown.sum()), on_place - int((grown & place).sum())
    while edge and left > 0:
        at = int(rng.integers(len(edge)))
        edge[at], edge[-1] = edge[-1], edge[at]
        cell = edge.pop()
        if grown[cell] or not allowed[cell] or (place[cell] and spare <= 0):
            continue
        grown[cell] = True
        left -= 1
        spare -= int(place[cell])
        edge += _neighbours(cell, grown.shape)
    return grown


def _neighbours(cell: tuple[int, ...], shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    for axis, size in enumerate(shape):
        for step in (-1, 1):
            if 0 <= cell[axis] + step < size:
                yield (*cell[:axis], cell[axis] + step, *cell[axis + 1 :])
