"""How sure a mean is: the percentile bootstrap over samples.

Words of one picture are alike, so samples are drawn with replacement and each brings all its words (Efron & Tibshirani,
"An Introduction to the Bootstrap", 1993, chapters 8 and 13). A mean over words is then a ratio of two sums. What is
computed from several means (F1-IoU, a difference) is computed from those of one and the same draw, so that it keeps
what they share.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import EvaluationError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["Estimate", "bootstrap_means", "estimate", "harmonic_mean"]

RESAMPLES = 2000
LEVEL = 0.95
_AT_ONCE = 2**22  # numbers of draws held in memory


@dataclass(frozen=True)
class Estimate:
    """A figure and the interval around it; None where there was nothing to compute it from.

    Attributes
    ----------
    value, low, high : float or None
    """

    value: float | None
    low: float | None
    high: float | None


def bootstrap_means(
    sums: ArrayLike, counts: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """Return means over words, of the samples as they are and of draws of them.

    The draws depend on the seed and the number of samples alone, so that two calls about the same samples draw alike
    and their results can be subtracted.

    Parameters
    ----------
    sums : array of float, shape (N, …)
        Each sample's sum over its words, for any number of measures.
    counts : array of float, shape (N, …)
        How many words each sum is of.
    resamples : int
        How many draws of N samples with replacement, B.
    seed : int

    Returns
    -------
    ndarray of float64, shape (1 + B, …)
        ``Σ sums / Σ counts``, first of all samples, then of each draw; NaN where the count is 0.

    Raises
    ------
    EvaluationError
        There is no sample, or the shapes differ.
    """
    sums, counts = np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if sums.shape != counts.shape or not sums.ndim or not len(sums):
        raise EvaluationError(
            f"sums and counts have the same shape, one entry for each of at least one sample; got {sums.shape} and "
            f"{counts.shape}"
        )
    number, rest = len(sums), sums.shape[1:]
    both = np.stack([sums, counts], axis=1).reshape(number, -1)
    rng = np.random.default_rng(seed)
    totals = [both.sum(axis=0, keepdims=True)]
    step = max(1, _AT_ONCE // number)
    for start in range(0, resamples, step):
        drawn = rng.multinomial(number, np.full(number, 1 / number), size=min(step, resamples - start))
        totals.append(drawn @ both)
    total = np.concatenate(totals).reshape(1 + resamples, 2, *rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        means: NDArray[np.float64] = np.where(total[:, 1] > 0, total[:, 0] / total[:, 1], np.nan)
    return means


def harmonic_mean(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the harmonic mean of means and of their draws: F1-IoU of Obj-IoU and Func-IoU; 0 where both are 0."""
    total = first + second
    with np.errstate(divide="ignore", invalid="ignore"):
        found: NDArray[np.float64] = np.where(total == 0, 0.0, 2 * first * second / total)
    return found


def estimate(values: NDArray[np.float64], level: float = LEVEL) -> Estimate:
    """Return a figure and its percentile interval.

    Parameters
    ----------
    values : ndarray of float64, shape (1 + B,)
        The figure, then that of each draw, as :func:`bootstrap_means` gives them. Draws without a value are left out.
    level : float
        How often the interval shall hold the true figure.
    """
    value, draws = float(values[0]), values[1:][np.isfinite(values[1:])]
    if not np.isfinite(value) or not len(draws):
        return Estimate(None, None, None)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, float(low), float(high))
