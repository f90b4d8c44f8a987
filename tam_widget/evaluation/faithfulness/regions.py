"""Object or background: which of the two a word needs, told by covering each of them. No map is looked at.

A model may give the right word for a wrong reason: it says "cow" because of the meadow. Its maps can look well all the
same. Covering tells: without the thing the word stays, without the background it goes.

Definitions
-----------
``ℓ(S)`` is the natural logarithm of the token's probability after the true text before it, when the cells S of the
picture are covered (see :class:`~tam_widget.replay.covering.Covering`).

object, background
    A cell of the picture's grid is the object's where any pixel of the object's mask lies in it, wholly or in part; all
    others are the background's. So nothing is left to see of an object that is covered, and nothing of it is hidden
    where the background is.
curve
    The n seen cells of a region R are put into random order, and ``C_k`` are the first ``n k / K`` of them, rounded.
    The points are ``ℓ(C_k)`` for k = 0 … K, from the whole picture to R wholly covered; of several orders their mean.
fall
    ``ℓ(∅) − ℓ(R)``, in nats: what the word loses with the whole region. It hangs on no order.
mean fall
    ``∫ ℓ(∅) − ℓ(C(x)) dx`` over the covered share x of the region in [0, 1], by the trapezoid rule.

What is compared
----------------
The object's fall with the background's, of the same word. The two regions differ in size, mostly by far, and are meant
to: the question is not which cell counts most but which of the two the word can do without. A word that is read off
its thing stands when everything else is covered, however much that is. What speaks for a word all over the background
is found only by covering all of it: as many of its cells as the object has would leave the rest to speak on.
"""

from __future__ import annotations

import operator
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from tam_widget.replay.covering import Covering
from tam_widget.replay.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.explanation import Explanation

__all__ = ["Region", "Regions", "cells_of", "has_two_regions", "measure_regions"]

_HAIR = 1e-6
"""Pixels by which a cell may reach over a pixel's edge through rounding alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """What covering a region step by step does to one token's log-probability; K steps.

    Attributes
    ----------
    cells : int
        How many of the cells that the model saw are the region's.
    shares : ndarray of float64, shape (K + 1,)
        Share of them that is covered, from 0 to 1.
    curve : ndarray of float64, shape (K + 1,)
        Log-probabilities, in nats.
    """

    cells: int
    shares: NDArray[np.float64]
    curve: NDArray[np.float64]

    @property
    def fall(self) -> float:
        """What the word loses with the whole region, in nats; negative where it gains."""
        return float(self.curve[0] - self.curve[-1])

    @property
    def mean_fall(self) -> float:
        """What it loses on average along the way, in nats."""
        return float(np.trapezoid(self.curve[0] - self.curve, self.shares))


@dataclass(frozen=True, slots=True, eq=False)
class Regions:
    """One token's curves over the object that it names and over the background.

    Attributes
    ----------
    token : int
        Its index.
    object, background : Region
    covered : float
        Log-probability with the picture wholly covered, in nats.
    """

    token: int
    object: Region
    background: Region
    covered: float

    @property
    def gain(self) -> float:
        """What the whole picture does for the word, in nats."""
        return float(self.object.curve[0]) - self.covered


def cells_of(explanation: Explanation, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells of the picture's grid that hold some of an object.

    Parameters
    ----------
    explanation : Explanation
        Of one picture.
    mask : ndarray of bool, shape (height, width)
        Where the object is; it lies over the whole picture and may have more or fewer pixels than it.

    Returns
    -------
    ndarray of bool, shape (rows, columns)
        What lies outside of the grid, because the processor cut it off, is in no cell.
    """
    picture, (left, top, right, bottom), (rows, columns) = (
        explanation.images[0],
        explanation.boxes[0],
        explanation.grids[0],
    )
    high, wide = mask.shape[0] / picture.height, mask.shape[1] / picture.width
    down = _reaches(mask.shape[0], top * high, bottom * high, rows)
    across = _reaches(mask.shape[1], left * wide, right * wide, columns)
    # Counts of pixels, exact in float32 up to 16 million of them.
    return np.asarray(down @ mask.astype(np.float32) @ across.T > 0)


def has_two_regions(covering: Covering, mask: NDArray[np.bool_]) -> bool:
    """Whether the model saw some of an object, and some cells without it: only then are there two curves."""
    of_object = cells_of(covering.explained.explanation, mask)[_seen(covering)]
    return bool(of_object.any() and not of_object.all())


def measure_regions(
    covering: Covering | Explained,
    masks: Sequence[NDArray[np.bool_]],
    tokens: Sequence[SupportsIndex],
    *,
    steps: int = 8,
    orders: int = 1,
    seed: int = 0,
) -> tuple[Regions, ...]:
    """Cover each token's object, and then its background, step by step, and follow the token's log-probability.

    The model is shown at most ``2 + 2 Q + 2 Q (steps − 1) orders`` pictures, tokens of one object sharing theirs. What
    `covering` has run before, for faithfulness, say, is not run again.

    Parameters
    ----------
    covering : Covering or Explained
        The covered pictures; of an :class:`Explained` those in the mean colour.
    masks : sequence of ndarray of bool, shape (height, width)
        For each of the tokens where its object is; see :func:`cells_of`.
    tokens : sequence of int or Token
        Q tokens of an answer.
    steps : int
        In how many steps a region is covered. Where it has fewer cells, as many steps as cells.
    orders : int
        Random orders that a curve is the mean of. The falls do not hang on them.
    seed : int
        Of the orders, with the region itself: a region has the same orders whatever else is asked for.

    Returns
    -------
    tuple of Regions
        One for each token.

    Raises
    ------
    ValueError
        Another number of masks than of tokens, a token is a prompt's (the model did not say it), the model saw nothing
        of an object or nothing else (:func:`has_two_regions` tells before), or `steps` or `orders` is below 1.
    TokenIndexError
        An index outside the explanation.
    """
    covering = Covering(covering) if isinstance(covering, Explained) else covering
    explanation = covering.explained.explanation
    indices = [explanation.index(operator.index(token)) for token in tokens]
    if len(masks) != len(indices):
        raise ValueError(f"every token has one mask; got {len(masks)} masks for {len(indices)} tokens")
    if steps < 1 or orders < 1:
        raise ValueError(f"steps and orders must be at least 1, not {steps} and {orders}")
    found: dict[bytes, tuple[int, NDArray[np.float64], NDArray[np.float64]]] = {}

    def along(region: NDArray[np.bool_], index: int) -> Region:
        key = region.tobytes()
        if key not in found:
            found[key] = _followed(covering, region, steps, orders, seed)
        cells, shares, curves = found[key]
        return Region(cells, shares, curves[:, index])

    measured = []
    for index, mask in zip(indices, masks, strict=True):
        token = explanation.tokens[index]
        if token.role != "answer":
            raise ValueError(f"token {index} ({token.text!r}) is the prompt's: the model gave it no probability")
        if not has_two_regions(covering, mask):
            raise ValueError(
                f"the object of token {index} ({token.text!r}) is in none or all of the cells that the model saw, so "
                "there are no two regions to compare"
            )
        cells = cells_of(explanation, mask)
        of_object, of_background = along(cells, index), along(~cells, index)
        everything = covering.log_probabilities(np.ones((1, *cells.shape), dtype=np.bool_))
        measured.append(Regions(index, of_object, of_background, float(everything[0, index])))
    return tuple(measured)


def _reaches(pixels: int, start: float, end: float, cells: int) -> NDArray[np.float32]:
    """Return 1 where a cell of the stretch from `start` to `end` reaches into a pixel, (cells, pixels)."""
    edges = np.linspace(start, end, cells + 1)[:, None]
    first = np.arange(pixels)
    overlap = np.minimum(edges[1:], first + 1) - np.maximum(edges[:-1], first)
    return (overlap > _HAIR).astype(np.float32)


def _seen(covering: Covering) -> NDArray[np.bool_]:
    """Return which cells of the grid the model saw, (rows, columns)."""
    panel = covering.explained.reading.panel
    return np.isfinite(panel.spread(np.zeros(panel.positions.shape, np.float32)))


def _followed(
    covering: Covering, region: NDArray[np.bool_], steps: int, orders: int, seed: int
) -> tuple[int, NDArray[np.float64], NDArray[np.float64]]:
    """Return a region's number of seen cells, the shares (K + 1,), and all tokens' log-probabilities (K + 1, T)."""
    rng = np.random.default_rng([seed, zlib.crc32(np.packbits(region).tobytes())])
    seen = np.flatnonzero(region & _seen(covering))
    counts = np.rint(np.linspace(0, len(seen), min(steps, len(seen)) + 1)).astype(np.int64)
    touched = np.zeros((orders, len(counts), region.size), dtype=np.bool_)
    for along in touched:
        order = rng.permutation(seen)
        for row, count in zip(along, counts, strict=True):
            row[order[:count]] = True
        along[-1] = region.ravel()  # with its last cells goes what of it was never seen
    every = covering.log_probabilities(touched.reshape(-1, *region.shape))
    return len(seen), counts / len(seen), every.reshape(orders, len(counts), -1).mean(axis=0)
