"""Whether two maps mean the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["agreement"]


def agreement(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """Return Spearman's rank correlation of two maps over the cells that both have seen; ties have their mean rank.

    Parameters
    ----------
    one, other : numpy.ndarray of float, of one shape
        Two maps; NaN where nothing was seen.

    Returns
    -------
    float
        From −1 to 1; NaN where a map is the same everywhere, all zero for example, or nothing was seen.
    """
    seen = ~(np.isnan(one) | np.isnan(other))
    ranks = [_ranks(values[seen]) for values in (one, other)]
    if any(len(rank) == 0 or rank.min() == rank.max() for rank in ranks):
        return float("nan")
    first, second = (rank - rank.mean() for rank in ranks)
    return float((first @ second) / np.sqrt((first @ first) * (second @ second)))


def _ranks(values: NDArray[np.float32]) -> NDArray[np.float64]:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which].astype(np.float64)
