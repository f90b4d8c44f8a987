"""From the values of a map's cells to those of a picture's pixels.

The same rules as in the browser (``js/src/overlay/surface.ts``; change them together).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["nearest", "places_in", "smooth_surface"]

_REACH = 2  # how far beyond the cells that it lies between a pixel takes values from


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where the centres of a line of pixels lie among a line of cells: 0.5 is the centre of the first."""

    at: NDArray[np.float32]
    cells: int

    def beside(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return for each pixel the two cells whose centres it lies between; at the edge they are one."""
        first = np.floor(self.at.clip(0.5, self.cells - 0.5) - 0.5).astype(np.intp)
        return first, np.minimum(first + 1, self.cells - 1)


def places_in(pixels: int, start: float, stop: float, cells: int) -> Places:
    """Return where so many pixels lie among cells that reach from the pixel `start` to the pixel `stop`."""
    return Places(((np.arange(pixels) + 0.5 - start) * (cells / (stop - start))).astype(np.float32), cells)


def nearest(values: NDArray[Any], down: Places, across: Places) -> NDArray[np.float32]:
    """Return the value of the cell that each pixel lies in, 0 outside, (pixels down, pixels across)."""
    rows, columns = (np.floor(places.at)[:, None] == np.arange(places.cells) for places in (down, across))
    found: NDArray[np.float32] = rows.astype(np.float32) @ values @ columns.astype(np.float32).T
    return found


def smooth_surface(
    values: NDArray[np.float32], seen: NDArray[np.bool_], down: Places, across: Places
) -> NDArray[np.float32]:
    """Return the surface through the values of the cells that were seen, (pixels down, pixels across).

    Cubic convolution (R. Keys, 1981, a = -1/2) with clamped edges, held between the least and the greatest of the four
    values that a pixel lies between: a cell's centre has the cell's own value, a lone peak is round, and nothing rises
    or dips that no cell does. An unseen cell gives no value to its neighbours.
    """
    values = _filled(values, seen)
    surface = _cubic(down) @ values @ _cubic(across).T
    corners = [values[np.ix_(rows, columns)] for rows in down.beside() for columns in across.beside()]
    bounded: NDArray[np.float32] = surface.clip(np.min(corners, axis=0), np.max(corners, axis=0))
    return bounded


def _cubic(places: Places) -> NDArray[np.float32]:
    """Return each pixel's weights of the four cells around it, (pixels, cells); beyond the edge lies its last cell."""
    weights = np.zeros((len(places.at), places.cells), np.float32)
    first, _ = places.beside()
    at = places.at.clip(0.5, places.cells - 0.5) - 0.5
    for cell in (first - 1, first, first + 1, first + 2):
        s = np.abs(at - cell)
        near, far = (1.5 * s - 2.5) * s * s + 1, ((2.5 - 0.5 * s) * s - 4) * s + 2
        inside = cell.clip(0, places.cells - 1)
        weights[np.arange(len(inside)), inside] += np.where(s < 1, near, far).astype(np.float32)
    return weights


def _filled(values: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give unseen cells beside seen ones the mean of their seen neighbours, ring by ring; the others 0."""
    values = np.where(seen, values, 0).astype(np.float32)
    for _ in range(_REACH):
        if seen.all():
            break
        around = np.pad(np.stack([values, seen]), ((0, 0), (1, 1), (1, 1)))
        total, count = np.lib.stride_tricks.sliding_window_view(around, (3, 3), axis=(1, 2)).sum((-1, -2))
        values = np.where(seen, values, total / np.maximum(count, 1)).astype(np.float32)
        seen = seen | (count > 0)
    return values
