"""Token Activation Map averaged over several resolutions of the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tam_widget.explanation.map_bank import MapBank

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Panel
    from tam_widget.replay.explained import Explained

__all__ = ["tam_resolutions"]

SCALES = (0.75, 1.0, 1.25)


def tam_resolutions(
    explained: Explained, tokens: Sequence[int], *, scales: Sequence[float] = SCALES
) -> NDArray[np.float32]:
    """Mean of the Token Activation Maps of the picture at several sizes, after Liang et al. (arXiv 2509.22415).

    The picture is resized (Lanczos), the answer that was given is fed after it, and the filtered maps are brought to
    the explanation's grid, bilinearly between the centres of cells. Models that bring every picture to one size are
    shown another resampling of it, and no more.

    It costs one forward pass for each size but 1.

    Parameters
    ----------
    explained, tokens
        As for :class:`~tam_widget.evaluation.methods.Method`.
    scales : sequence of float
        By what width and height are multiplied.

    Returns
    -------
    ndarray of float32, shape (Q, rows, columns)
        In [0, 1]; NaN where the model saw nothing of the picture in its own size.

    Raises
    ------
    ValueError
        No scale, or one that is not positive.
    PictureError
        The processor refuses a size.
    """
    if not scales or min(scales) <= 0:
        raise ValueError(f"scales must be positive numbers, at least one, not {scales!r}")
    own = explained.explanation.maps().images[0][list(tokens)]
    width, height = explained.picture.size
    total = np.zeros(own.shape)
    for scale in scales:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if size == (width, height):
            total += own
            continue
        reading = explained.read(explained.picture.resize(size, Image.Resampling.LANCZOS))
        bank = MapBank(explained.activations(reading, explained.capture(reading)))
        maps = bank.every().images[0][list(tokens)]
        total += _resampled(maps, reading.panel, size, explained.reading.panel, (width, height))
    return (total / len(scales)).astype(np.float32)


def _resampled(
    maps: NDArray[np.float32], panel: Panel, size: tuple[int, int], target: Panel, target_size: tuple[int, int]
) -> NDArray[np.float64]:
    """Read maps of one panel at the cells' centres of another panel over the same picture in another size."""
    (top, left), (rows, columns) = panel.corner, panel.positions.shape
    found = maps[:, top : top + rows, left : left + columns].astype(np.float64)  # the edge goes on beyond what was seen
    for axis, side in ((2, 0), (1, 1)):
        centres = _centres(target, side) / target_size[side] * size[side]
        low, high, count = panel.box[side], panel.box[side + 2], panel.grid[1 - side]
        at = (centres - low) / (high - low) * count - 0.5 - panel.corner[1 - side]
        found = _interpolated(found, at, axis)
    return found


def _centres(panel: Panel, side: int) -> NDArray[np.float64]:
    count = panel.grid[1 - side]
    low, high = panel.box[side], panel.box[side + 2]
    return np.asarray(low + (np.arange(count) + 0.5) * (high - low) / count)


def _interpolated(values: NDArray[np.float64], at: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Read values along one axis between its entries, the first and the last going on beyond the ends."""
    length = values.shape[axis]
    at = np.clip(at, 0, length - 1)
    first = np.minimum(np.floor(at).astype(int), max(0, length - 2))
    after = np.minimum(first + 1, length - 1)
    share = np.expand_dims(at - first, tuple(k for k in range(values.ndim) if k != axis))
    between: NDArray[np.float64] = np.take(values, first, axis) * (1 - share) + np.take(values, after, axis) * share
    return between
