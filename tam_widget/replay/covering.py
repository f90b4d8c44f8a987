"""A picture with some of its cells covered, and how probable the model then finds the answer that it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.replay.covers import Cover, covers_of
from tam_widget.replay.passes import Passes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from tam_widget.replay.explained import Explained

__all__ = ["Cover", "Covering"]


class Covering:
    """Pictures with some cells covered, and how probable the model then finds each token of its answer.

    The answer is given (teacher forcing): each token's probability is that after the true text before it. Nothing is
    run twice: what was covered once is remembered, for every method and token.

    Parameters
    ----------
    explained : Explained
        Model, processor and explanation.
    cover : {"mean", "blur"}
        What lies over a covered cell; see :meth:`tam_widget.replay.covers.Covers.covered`.
    batch_size : int, optional
        Pictures in one forward pass, where the model can (which costs three passes to find out). 8 by default, and 1
        on a CPU, where a batch is no faster.

    Attributes
    ----------
    explained : Explained
        As given.

    Raises
    ------
    ValueError
        Another cover, or a batch size below 1.
    """

    def __init__(self, explained: Explained, cover: Cover = "mean", *, batch_size: int | None = None) -> None:
        if cover not in {"mean", "blur"}:
            raise ValueError(f"cover must be 'mean' or 'blur', not {cover!r}")
        self.explained = explained
        self._cover: Cover = cover
        self._passes = Passes(explained, batch_size=batch_size)
        self._covers = covers_of(explained)[0]

    @property
    def pictures_run(self) -> int:
        """How many covered pictures the model has been shown."""
        return self._passes.run

    def picture(self, covered: NDArray[np.bool_]) -> Image.Image:
        """Return the picture with some cells covered, RGB, in the picture's own size.

        Parameters
        ----------
        covered : ndarray of bool, shape (rows, columns)
            Cells of the picture's grid. A pixel belongs to the cell that holds its middle; what lies outside of the
            grid, to the cell next to it.
        """
        picture: Image.Image = self._covers.covered(covered, self._cover)  # type: ignore[assignment]
        return picture

    def log_probabilities(self, covered: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return how probable each token of the answer is when some cells are covered.

        Parameters
        ----------
        covered : ndarray of bool, shape (M, rows, columns)
            M times, which cells. Those asked for before are not run again.

        Returns
        -------
        ndarray of float64, shape (M, T)
            Natural logarithms; NaN for tokens of prompts, which the model did not say.

        Raises
        ------
        ValueError
            Another shape than the picture's grid.
        """
        grid = self.explained.reading.panel.grid
        covered = np.asarray(covered, dtype=np.bool_)
        if covered.shape[1:] != grid:
            raise ValueError(f"covered has the shape {covered.shape}; (M, rows, columns) is (M, {grid[0]}, {grid[1]})")
        shown = {np.packbits(one).tobytes(): one for one in covered}
        if not self._passes.knows(shown):
            _ = self.explained.run  # makes sure that the model, text and picture are those of the explanation
        found = self._passes.log_probabilities(
            {key: lambda one=one: (self.picture(one),) for key, one in shown.items()}  # type: ignore[misc]
        )
        each = [found[np.packbits(one).tobytes()] for one in covered]
        return np.stack(each) if each else np.empty((0, len(self.explained.reading.slots)))
