"""Which cells a token has seen: those of pictures that end before it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Panel

__all__ = ["Seen"]


class Seen:
    """Tells cells that come after a token.

    A picture is seen as a whole or not at all: a token between two of its parts has not seen it.

    Parameters
    ----------
    panels : sequence of Panel
        Where the N vision tokens lie.
    read_positions : sequence of int
        Where in the sequence each of the T tokens is read.
    """

    def __init__(self, panels: Sequence[Panel], read_positions: Sequence[int]) -> None:
        self._read = np.asarray(read_positions, dtype=np.int64)
        self._ends = _ends(panels, read_positions)

    def unseen(self, tokens: Sequence[int]) -> NDArray[np.bool_] | None:
        """Return for each of Q tokens which vision tokens come after it, (Q, N); None where none do for any token."""
        if self._ends is None:
            return None
        later: NDArray[np.bool_] = self._ends[None] > self._read[list(tokens)][:, None]
        return later


def _ends(panels: Sequence[Panel], read: Sequence[int]) -> NDArray[np.int64] | None:
    """Return for each vision token where its picture ends in the sequence, (N,); None where no text comes before it."""
    cells = np.concatenate([panel.positions.ravel() for panel in panels])
    if not len(read) or cells.max() <= min(read):
        return None
    last: dict[int, int] = {}
    for panel in panels:
        last[panel.image] = max(last.get(panel.image, 0), int(panel.positions.max()))
    return np.concatenate([np.full(panel.positions.size, last[panel.image]) for panel in panels])
