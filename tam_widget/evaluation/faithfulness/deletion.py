"""Faithfulness of a map: covering what it marks takes the word away, and what it marks is enough for the word.

Deletion and insertion after Petsiuk, Das & Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box
Models" (BMVC 2018, arXiv 1806.07421), on a token's log-probability under the answer that was given.

Definitions
-----------
``ℓ(S)`` is the natural logarithm of the token's probability after the true text before it, when the cells S of the
picture are covered. The N seen cells are ordered by the map, the highest first, equal ones in random order (a map that
is zero in most cells does not order them). ``D_n`` are the first n of them. With K steps, ``n_k = N k / K``, rounded.

deletion
    The points ``ℓ(D_n)`` for n = n_0 … n_K, from the whole picture to the covered one.
insertion
    The points ``ℓ(everything but D_n)``, from the covered picture to the whole one.
area
    ``∫ v dx`` over the share x = n / N in [0, 1], by the trapezoid rule, of the normalised curve
    ``v = (ℓ − ℓ(everything)) / (ℓ(nothing) − ℓ(everything))``: 1 is the whole picture and 0 the covered one. A faithful
    map has a small deletion area and a large insertion area; random orders give the yardstick, which is the same for
    both, as the insertion of a random order is the deletion of another run backwards. A curve may leave [0, 1]:
    covering something misleading makes a word more probable.
gain
    ``ℓ(nothing) − ℓ(everything)``, in nats: what the picture does for the word. Where it is below 0.1 the picture does
    nothing for it, and the areas are NaN.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, SupportsIndex

import numpy as np

from tam_widget.replay.covering import Covering
from tam_widget.replay.explained import Explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["LEAST_GAIN", "Faithfulness", "measure_faithfulness", "normalised_area"]

LEAST_GAIN = 0.1
"""Nats that the whole picture must add to a word's log-probability for areas to mean something."""


@dataclass(frozen=True, slots=True, eq=False)
class Faithfulness:
    """What covering and revealing one token's map does to its log-probability; K steps, R random orders.

    Attributes
    ----------
    token : int
        Its index.
    shares : ndarray of float64, shape (K + 1,)
        Share of the cells that are covered (deletion) or revealed (insertion), from 0 to 1.
    deletion, insertion : ndarray of float64, shape (K + 1,)
        Log-probabilities, in nats.
    random : ndarray of float64, shape (R, K + 1)
        Log-probabilities when the cells are covered in random orders, which all tokens of one call share.
    """

    token: int
    shares: NDArray[np.float64]
    deletion: NDArray[np.float64]
    insertion: NDArray[np.float64]
    random: NDArray[np.float64]

    @property
    def whole(self) -> float:
        """Log-probability with the whole picture, in nats."""
        return float(self.deletion[0])

    @property
    def covered(self) -> float:
        """Log-probability with the picture wholly covered, in nats."""
        return float(self.deletion[-1])

    @property
    def gain(self) -> float:
        """What the picture does for the word, in nats."""
        return self.whole - self.covered

    @property
    def deletion_area(self) -> float:
        """Area under the normalised deletion curve; small is faithful. NaN where the gain is below 0.1 nats."""
        return self._area(self.deletion)

    @property
    def insertion_area(self) -> float:
        """Area under the normalised insertion curve; large is faithful. NaN where the gain is below 0.1 nats."""
        return self._area(self.insertion)

    @property
    def random_area(self) -> float:
        """Mean area under the random orders' curves, what a map that knows nothing gets; NaN without orders or gain."""
        return float(np.mean([self._area(curve) for curve in self.random])) if len(self.random) else float("nan")

    def _area(self, curve: NDArray[np.float64]) -> float:
        return normalised_area(self.shares, curve, whole=self.whole, covered=self.covered)


def normalised_area(shares: NDArray[np.float64], curve: NDArray[np.float64], *, whole: float, covered: float) -> float:
    """Return the area under a curve of log-probabilities once the whole picture is 1 and the covered one 0.

    Parameters
    ----------
    shares : ndarray of float64, shape (K + 1,)
        From 0 to 1, rising.
    curve : ndarray of float64, shape (K + 1,)
        Log-probabilities at these shares, in nats.
    whole, covered : float
        The log-probabilities that become 1 and 0.

    Returns
    -------
    float
        By the trapezoid rule; NaN where `whole` is not at least 0.1 above `covered`.
    """
    if not whole - covered >= LEAST_GAIN:
        return float("nan")
    return float(np.trapezoid((np.asarray(curve) - covered) / (whole - covered), shares))


def measure_faithfulness(
    covering: Covering | Explained,
    maps: NDArray[np.floating],
    tokens: Sequence[SupportsIndex],
    *,
    steps: int = 8,
    orders: int = 3,
    seed: int = 0,
) -> tuple[Faithfulness, ...]:
    """Cover and reveal the picture in the order of each token's map, and follow the token's log-probability.

    The model is shown at most ``2 + (steps − 1) · (2 Q + orders)`` pictures: the two ends are shared by all, a map
    costs ``steps − 1`` in each direction, and all tokens are read off the same random orders. To compare methods, pass
    one :class:`Covering`: it remembers, so that a second method costs ``2 (steps − 1) Q`` more. Beside them one pass
    makes sure that model and text are those of the explanation.

    Parameters
    ----------
    covering : Covering or Explained
        The covered pictures; of an :class:`Explained` those in the mean colour.
    maps : ndarray of float, shape (Q, rows, columns)
        One map for each of the tokens, on the picture's grid; NaN where nothing was seen.
    tokens : sequence of int or Token
        Q tokens of an answer.
    steps : int
        In how many steps the cells are covered. Where there are fewer cells, as many steps as cells.
    orders : int
        Random orders that the map is held against; none with 0.
    seed : int
        Of the random orders and the order of equal cells.

    Returns
    -------
    tuple of Faithfulness
        One for each token.

    Raises
    ------
    ValueError
        Shapes do not fit, a token is a prompt's (the model did not say it), a map is NaN in a cell that was seen, or
        `steps` is below 1.
    TokenIndexError
        An index outside the explanation.
    """
    covering = Covering(covering) if isinstance(covering, Explained) else covering
    indices = _checked(covering.explained, maps, tokens)
    if steps < 1 or orders < 0:
        raise ValueError(f"steps must be at least 1 and orders at least 0, not {steps} and {orders}")
    panel = covering.explained.reading.panel
    seen = np.flatnonzero(np.isfinite(panel.spread(np.zeros(panel.positions.shape, np.float32)).ravel()))
    counts = _counts(len(seen), steps)
    rng = np.random.default_rng(seed)

    by_chance = [_followed(covering, rng.permutation(seen), counts, reveal=False) for _ in range(orders)]
    found = []
    for index, one in zip(indices, maps, strict=True):
        values = np.asarray(one, dtype=np.float64).ravel()[seen]
        if not np.isfinite(values).all():
            raise ValueError(f"the map of token {index} is not finite in cells that the model saw, so it orders none")
        order = seen[np.lexsort((rng.random(len(seen)), -values))]
        found.append(
            Faithfulness(
                index,
                counts / len(seen),
                _followed(covering, order, counts, reveal=False)[:, index],
                _followed(covering, order, counts, reveal=True)[:, index],
                np.array([curve[:, index] for curve in by_chance]).reshape(orders, len(counts)),
            )
        )
    return tuple(found)


def _checked(explained: Explained, maps: NDArray[np.floating], tokens: Sequence[SupportsIndex]) -> list[int]:
    explanation = explained.explanation
    indices = [explanation.index(operator.index(token)) for token in tokens]
    expected = (len(indices), *explanation.grids[0])
    if np.shape(maps) != expected:
        raise ValueError(f"maps have the shape {np.shape(maps)}; (tokens, rows, columns) is {expected}")
    for index in indices:
        if explanation.tokens[index].role != "answer":
            raise ValueError(
                f"token {index} ({explanation.tokens[index].text!r}) is the prompt's: the model gave it no probability"
            )
    return indices


def _counts(cells: int, steps: int) -> NDArray[np.int64]:
    """Return how many cells are covered at each step, from none to all."""
    return np.rint(np.linspace(0, cells, min(steps, cells) + 1)).astype(np.int64)


def _followed(
    covering: Covering, order: NDArray[np.int64], counts: NDArray[np.int64], *, reveal: bool
) -> NDArray[np.float64]:
    """Return all tokens' log-probabilities along one order, (K + 1, T)."""
    grid = covering.explained.reading.panel.grid
    # What was never seen is covered with the last cells and revealed with the last: the ends are the two pictures.
    touched = np.zeros((len(counts), grid[0] * grid[1]), dtype=np.bool_)
    for row, count in zip(touched, counts, strict=True):
        row[order[:count]] = True
        row[:] |= count == len(order)
    return covering.log_probabilities((~touched if reveal else touched).reshape(-1, *grid))
