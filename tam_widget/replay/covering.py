"""A picture with some of its cells covered, and how probable the model then finds the answer that it gave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from tam_widget.replay.explained import mean_coloured
from tam_widget.replay.passes import batch_size_for, log_probabilities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.replay.explained import Explained

__all__ = ["Cover", "Covering"]

Cover: TypeAlias = Literal["mean", "blur"]

_BLUR = 0.1
"""Standard deviation of the blur as a share of the picture's longer side: no shape is left, but its colour is."""

_BATCH_SIZE = 8


class Covering:
    """Pictures with some cells covered, and how probable the model then finds each token of its answer.

    The answer is given (teacher forcing): each token's probability is that after the true text before it. Nothing is
    run twice: what was covered once is remembered, for every method and token.

    Parameters
    ----------
    explained : Explained
        Model, processor and explanation.
    cover : {"mean", "blur"}
        What lies over a covered cell: the picture's mean colour, or the picture blurred by a Gaussian with a standard
        deviation of a tenth of its longer side.
    batch_size : int, optional
        Pictures in one forward pass, where the model can (which costs three passes to find out). 8 by default, and 1
        on a CPU, where a batch is no faster.

    Attributes
    ----------
    explained : Explained
        As given.
    pictures_run : int
        How many covered pictures the model has been shown.

    Raises
    ------
    ValueError
        Another cover, or a batch size below 1.
    """

    def __init__(self, explained: Explained, cover: Cover = "mean", *, batch_size: int | None = None) -> None:
        if cover not in {"mean", "blur"}:
            raise ValueError(f"cover must be 'mean' or 'blur', not {cover!r}")
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.explained = explained
        self.pictures_run = 0
        self._batch_size = batch_size
        picture = explained.picture
        radius = _BLUR * max(picture.size)
        over = mean_coloured(picture) if cover == "mean" else picture.filter(ImageFilter.GaussianBlur(radius))
        self._pixels, self._over = np.asarray(picture), np.asarray(over)
        self._row, self._column = _cells_of_pixels(explained)
        self._known: dict[bytes, NDArray[np.float64]] = {}

    def picture(self, covered: NDArray[np.bool_]) -> Image.Image:
        """Return the picture with some cells covered.

        Parameters
        ----------
        covered : ndarray of bool, shape (rows, columns)
            Cells of the picture's grid. A pixel belongs to the cell that holds its middle; what lies outside of the
            grid, to the cell next to it.

        Returns
        -------
        PIL.Image.Image
            RGB, in the picture's own size.
        """
        pixels = covered[self._row[:, None], self._column[None, :]]
        return Image.fromarray(np.where(pixels[..., None], self._over, self._pixels))

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
        keys = [np.packbits(one).tobytes() for one in covered]
        new = {key: one for key, one in zip(keys, covered, strict=True) if key not in self._known}
        if new:
            _ = self.explained.run  # makes sure that the model, text and picture are those of the explanation
        step = batch_size_for(self.explained, self._batch_size, _BATCH_SIZE) if len(new) > 1 else 1
        todo = list(new.items())
        for start in range(0, len(todo), step):  # pictures and inputs of one batch at a time are kept
            part = todo[start : start + step]
            readings = [self.explained.read(self.picture(one)) for _, one in part]
            found = log_probabilities(self.explained, readings)
            self._known.update(zip((key for key, _ in part), found, strict=True))
            self.pictures_run += len(part)
        return (
            np.stack([self._known[key] for key in keys]) if keys else np.empty((0, len(self.explained.reading.slots)))
        )


def _cells_of_pixels(explained: Explained) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the row of the grid of each row of pixels, and the column of each column."""
    width, height = explained.picture.size
    rows, columns = explained.explanation.grids[0]
    left, top, right, bottom = explained.explanation.boxes[0]
    down = (np.arange(height) + 0.5 - top) / (bottom - top) * rows
    across = (np.arange(width) + 0.5 - left) / (right - left) * columns
    return (
        np.clip(np.floor(down), 0, rows - 1).astype(np.int64),
        np.clip(np.floor(across), 0, columns - 1).astype(np.int64),
    )
