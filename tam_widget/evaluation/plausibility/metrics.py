"""Plausibility of one map: how well it fits the mask of what its word speaks of.

The measures of "Token Activation Map to Visually Explain Multimodal LLMs" (Li et al., ICCV 2025, arXiv 2506.23270,
section 4), as the released evaluation computes them (github.com/xmed-lab/TAM, commit 7c7df1d), and two common ones
beside them: pointing and energy. A map is judged by its bytes, ``floor(255 · map)``, resized to the mask's size.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from tam_widget.maps.otsu import otsu_threshold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = [
    "energy_inside",
    "f1_iou",
    "function_iou",
    "object_iou",
    "pixel_precision",
    "pixel_recall",
    "points_inside",
    "to_levels",
    "to_mask_size",
]

Levels: TypeAlias = "NDArray[np.uint8]"
Mask: TypeAlias = "NDArray[np.bool_]"

_ROUNDING = 1e-4  # how far a map in float32 may lie outside [0, 1]
_WEIGHT_BITS = 11  # OpenCV's INTER_RESIZE_COEF_BITS


def to_levels(heatmap: NDArray[np.floating]) -> Levels:
    """Return a map's bytes.

    Parameters
    ----------
    heatmap : ndarray of float, shape (rows, columns)
        In [0, 1]; NaN where the model saw nothing.

    Returns
    -------
    ndarray of uint8, shape (rows, columns)
        ``floor(255 · map)``; 0 for NaN: what was not seen was not looked at.

    Raises
    ------
    ValueError
        If the map is not two-dimensional, is empty, or leaves [0, 1].
    """
    values = np.asarray(heatmap, np.float32)
    if values.ndim != 2 or not values.size:  # noqa: PLR2004
        raise ValueError(f"a map has rows and columns; got an array of shape {values.shape}")
    values = np.where(np.isnan(values), np.float32(0), values)
    if values.min() < -_ROUNDING or values.max() > 1 + _ROUNDING:
        raise ValueError(f"a map lies in [0, 1]; this one lies in [{values.min():.4g}, {values.max():.4g}]")
    levels: Levels = np.floor(255 * values.clip(0, 1)).astype(np.uint8)
    return levels


def to_mask_size(
    heatmap: NDArray[np.floating], shape: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Levels:
    """Resize a map's bytes to a mask, bilinearly with cell centres aligned.

    The arithmetic is OpenCV's for bytes (weights of 11 bits, products cut to 16), so that the result is that of
    ``cv2.resize(levels, (width, height))``, byte for byte, and a threshold falls where the released evaluation's does.

    Parameters
    ----------
    heatmap : ndarray of float, shape (rows, columns)
        In [0, 1]; NaN, where the model saw nothing, counts as 0.
    shape : tuple of int
        Height and width of the mask in pixels.
    box : tuple of float, optional
        Left, top, right and bottom of what the map's grid covers, in the mask's pixels, where that is not exactly the
        mask (see :attr:`tam_widget.Explanation.boxes`). Pixels outside take the nearest cell's value.

    Returns
    -------
    ndarray of uint8, shape `shape`

    Raises
    ------
    ValueError
        A shape or a box without area, or a map that :func:`to_levels` refuses.
    """
    levels = to_levels(heatmap).astype(np.int64)
    if min(shape) < 1:
        raise ValueError(f"a mask has at least one pixel; its shape is {tuple(shape)}")
    left, top, right, bottom = (0.0, 0.0, float(shape[1]), float(shape[0])) if box is None else map(float, box)
    if not (left < right and top < bottom):
        raise ValueError(f"the grid's box {(left, top, right, bottom)} has no area: it is left, top, right, bottom")
    first, second, near, far = _neighbours(levels.shape[1], int(shape[1]), left, right)
    wide = (levels[:, first] * near + levels[:, second] * far) >> 4
    first, second, near, far = _neighbours(levels.shape[0], int(shape[0]), top, bottom, edges=True)
    parts = ((wide[first] * near[:, None]) >> 16) + ((wide[second] * far[:, None]) >> 16)
    return ((parts + 2) >> 2).astype(np.uint8)


@functools.lru_cache(maxsize=64)
def _neighbours(
    cells: int, pixels: int, start: float, stop: float, *, edges: bool = False
) -> tuple[NDArray[np.int64], ...]:
    """Return for each pixel along one side the two cells it lies between and the integer weight of each.

    Beyond the outermost centres both cells are the same. OpenCV gives all weight to one of them for columns; for rows
    (`edges`) it keeps the two weights, and as each product is cut, the sum can be a level lower.
    """
    place = ((np.arange(pixels) + 0.5 - start) * (cells / (stop - start)) - 0.5).astype(np.float32)
    before = np.floor(place).astype(np.int64)
    share = place - before.astype(np.float32)
    if not edges:
        share[(before < 0) | (before >= cells - 1)] = 0
    one = np.float32(2**_WEIGHT_BITS)
    near, far = np.rint((1 - share) * one).astype(np.int64), np.rint(share * one).astype(np.int64)
    return before.clip(0, cells - 1), (before + 1).clip(0, cells - 1), near, far


def _overlap(levels: Levels, mask: Mask, threshold: float | None) -> tuple[int, int, int]:
    """Return the number of pixels in both, above the threshold, and in the mask."""
    if levels.shape != mask.shape:
        raise ValueError(f"the map has {levels.shape} pixels, the mask {mask.shape}: resize it with to_mask_size()")
    above = levels > (otsu_threshold(levels) if threshold is None else threshold)
    mask = np.asarray(mask, bool)
    return int((above & mask).sum()), int(above.sum()), int(mask.sum())


def object_iou(levels: Levels, mask: Mask, threshold: float | None = None) -> float:
    """Return the intersection over union of the map above its threshold with the mask, in [0, 1] (Obj-IoU of a word).

    Parameters
    ----------
    levels : ndarray of uint8, shape (height, width)
        A map's bytes in the mask's size.
    mask : ndarray of bool, shape (height, width)
    threshold : float, optional
        The map's Otsu threshold, where it is known already.

    Raises
    ------
    ValueError
        Of different shapes.
    """
    both, above, inside = _overlap(levels, mask, threshold)
    union = above + inside - both
    return both / union if union else 0.0


def pixel_precision(levels: Levels, mask: Mask, threshold: float | None = None) -> float:
    """Return the share of the map above its Otsu threshold that lies on the mask; 0 where nothing lies above.

    Parameters and errors as for :func:`object_iou`.
    """
    both, above, _ = _overlap(levels, mask, threshold)
    return both / above if above else 0.0


def pixel_recall(levels: Levels, mask: Mask, threshold: float | None = None) -> float:
    """Return the share of the mask where the map lies above its Otsu threshold; 0 for an empty mask.

    Parameters and errors as for :func:`object_iou`.
    """
    both, _, inside = _overlap(levels, mask, threshold)
    return both / inside if inside else 0.0


def energy_inside(levels: Levels, mask: Mask) -> float:
    """Return the share of the map's sum that lies on the mask, in [0, 1]; 0 for a map that is zero everywhere.

    The energy-based pointing game of Score-CAM (Wang et al., 2020); no threshold is involved.
    """
    total = int(levels.sum(dtype=np.int64))
    return int(levels[np.asarray(mask, bool)].sum(dtype=np.int64)) / total if total else 0.0


def points_inside(levels: Levels, mask: Mask) -> bool:
    """Tell whether the highest pixel lies on the mask; of several, the one nearest their mean. A zero map misses."""
    if not levels.any():
        return False
    peaks = np.argwhere(levels == levels.max())
    nearest = peaks[np.square(peaks - peaks.mean(0)).sum(1).argmin()]
    return bool(mask[tuple(nearest)])


def function_iou(levels: Levels, noun_thresholds: Iterable[float]) -> float:
    """Return the share of a function word's map below the mean Otsu threshold of the answer's nouns, in [0, 1].

    Below means strictly below, and `levels` are the map's own cells (:func:`to_levels`), not resized: so the released
    code counts. A map that is zero everywhere scores 1 for free: report the share of such maps beside the mean.

    Raises
    ------
    ValueError
        Without any threshold.
    """
    thresholds = list(noun_thresholds)
    if not thresholds:
        raise ValueError("Func-IoU needs the Otsu threshold of at least one noun of the same answer")
    return float((levels < np.mean(thresholds)).mean())


def f1_iou(object_mean: float, function_mean: float) -> float:
    """Return the harmonic mean of the two means over a data set (F1-IoU)."""
    total = object_mean + function_mean
    return 2 * object_mean * function_mean / total if total else 0.0
