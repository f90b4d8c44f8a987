"""Maps that know nothing of the word: what any figure must be held against.

Each takes and returns what :class:`~tam_widget.evaluation.methods.Method` says.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.evaluation.methods.registry import on_grid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.replay.explained import Explained

__all__ = ["centre", "random", "uniform"]

_SPREAD = 0.25  # standard deviation, as a share of each side


def uniform(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Mark every cell alike, with 1. Otsu's threshold finds no foreground in it, so its overlap with any mask is 0."""
    return on_grid(explained, np.ones((len(tokens), len(explained.reading.cells))), tokens)


def random(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Draw each cell evenly from [0, 1); the same again for the same picture and token."""
    picture = zlib.crc32(explained.picture.tobytes())
    count = len(explained.reading.cells)
    values = [np.random.default_rng([picture, token]).random(count) for token in tokens]
    return on_grid(explained, np.reshape(values, (len(tokens), count)), tokens)


def centre(explained: Explained, tokens: Sequence[int]) -> NDArray[np.float32]:
    """Mark the middle of the picture, by a Gaussian with a standard deviation of a quarter of each side."""
    (rows, columns), (top, left) = explained.reading.panel.grid, explained.reading.panel.corner
    down, across = ((np.arange(count) + 0.5) / count - 0.5 for count in (rows, columns))
    whole = np.exp(-(down[:, None] ** 2 + across[None] ** 2) / (2 * _SPREAD**2))
    high, wide = explained.reading.panel.positions.shape
    seen = whole[top : top + high, left : left + wide].ravel()
    return on_grid(explained, np.repeat(seen[None], len(tokens), axis=0), tokens)
