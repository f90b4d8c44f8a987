"""Otsu's threshold: where a map's foreground begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["otsu_threshold"]


def otsu_threshold(levels: NDArray[np.uint8]) -> int:
    """Return the level that splits a picture best into two classes: `levels` above it are the foreground.

    The first level that maximises the variance between the classes (Otsu, 1979), as OpenCV and scikit-image find it.
    A picture of one level only has no split; its own level is returned, so that nothing lies above.
    """
    histogram = np.bincount(np.asarray(levels, np.uint8).ravel(), minlength=256).astype(np.float64)
    if np.count_nonzero(histogram) == 1:
        return int(histogram.argmax())
    below = histogram.cumsum()
    above = below[-1] - below
    mass = (histogram * np.arange(256)).cumsum()
    with np.errstate(divide="ignore", invalid="ignore"):
        between = below * above * (mass / below - (mass[-1] - mass) / above) ** 2
    # Levels without pixels leave the same split: rounding must not choose among them.
    between = np.nan_to_num(between)
    return int(np.flatnonzero(between >= between.max() * (1 - 1e-12))[0])
