"""Plausibility of maps, as Token Activation Map measures it (Li et al., ICCV 2025, section 4; released evaluation).

A map is judged by its bytes, ``floor(255 · map)``, resized to the mask's size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray


def to_mask_size(heatmap: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize a map's bytes to a mask, bilinearly with cell centres aligned, as ``cv2.resize`` does.

    Parameters
    ----------
    heatmap : ndarray of float32, shape (h, w)
        In [0, 1].
    shape : tuple of int
        Height and width in pixels.

    Returns
    -------
    ndarray of uint8, shape `shape`
    """
    levels = torch.from_numpy(np.floor(255 * np.asarray(heatmap, np.float32)))
    resized = F.interpolate(levels[None, None], size=shape, mode="bilinear", align_corners=False)
    return resized[0, 0].round().to(torch.uint8).numpy()


def otsu_threshold(levels: NDArray[np.uint8]) -> int:
    """Return the level that splits a picture best into two classes: `levels` above it are the foreground.

    The first level that maximises the variance between the classes (Otsu, 1979). A picture of one level only has no
    split; its own level is returned, so that nothing lies above.
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


def object_iou(levels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> float:
    """Intersection over union of the map above its Otsu threshold with the mask, in [0, 1] (Obj-IoU of one word)."""
    above = levels > otsu_threshold(levels)
    union = np.logical_or(above, mask).sum()
    return float(np.logical_and(above, mask).sum() / union) if union else 0.0


def function_iou(levels: NDArray[np.uint8], noun_thresholds: Iterable[float]) -> float:
    """Share of a function word's map that does not exceed the mean Otsu threshold of the answer's nouns, in [0, 1].

    A map that is zero everywhere scores 1 for free: report the share of such maps beside the mean.
    """
    thresholds = list(noun_thresholds)
    if not thresholds:
        raise ValueError("Func-IoU needs the Otsu threshold of at least one noun of the same answer")
    return float((levels <= np.mean(thresholds)).mean())


def f1_iou(object_mean: float, function_mean: float) -> float:
    """Harmonic mean of the two means over a data set (F1-IoU)."""
    total = object_mean + function_mean
    return 2 * object_mean * function_mean / total if total else 0.0


def points_inside(levels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> bool:
    """Tell whether the highest pixel lies on the mask; of several, the one nearest their mean. A zero map misses."""
    if not levels.any():
        return False
    peaks = np.argwhere(levels == levels.max())
    nearest = peaks[np.square(peaks - peaks.mean(0)).sum(1).argmin()]
    return bool(mask[tuple(nearest)])
