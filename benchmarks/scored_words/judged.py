"""Maps of an answer by every method, and how they fit a mask."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

import tam_widget as tam
from scored_words.held_out import joined
from tam_widget.evaluation import (
    Explained,
    energy_inside,
    function_iou,
    method_maps,
    object_iou,
    otsu_threshold,
    points_inside,
    to_levels,
    to_mask_size,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

CAM, CAUSAL, FILTER, TAM = "CAM (neither)", "causal inference only", "filter only", "TAM (both)"
VARIANTS: dict[str, dict[str, Any]] = {
    CAM: {"causal_inference": False, "kernel_size": 1},
    CAUSAL: {"causal_inference": True, "kernel_size": 1},
    FILTER: {"causal_inference": False, "kernel_size": 3},
    TAM: {"causal_inference": True, "kernel_size": 3},
}
ATTENTION = "last-layer attention"
BOUND = "best possible at this grid"
METHODS = (*VARIANTS, ATTENTION, BOUND)


class AnswerMaps:
    """The words of an explanation's last answer, and their maps by every method.

    Parameters
    ----------
    ex : Explanation
        From which the maps of the method and of its parts are all made.
    others : mapping of str to ndarray
        Other methods' maps of all tokens, (T, grids, rows, columns).

    Attributes
    ----------
    words : list of str
    """

    def __init__(self, ex: tam.Explanation, others: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        last = ex.tokens[-1].turn
        found = [word for word in ex.words if word.tokens[0].role == "answer" and word.tokens[0].turn == last]
        self.words = [word.text for word in found]
        self._tokens = [[token.index for token in word.tokens] for word in found]
        self._grid = (ex.grids[0][-2], ex.grids[0][-1])
        self._methods = {**_variant_maps(ex), **(others or {})}

    def of(self, word: int) -> dict[str, list[NDArray[np.float32]]]:
        """Return the maps of a word's tokens by every method, each of the shape (grids, rows, columns)."""
        return {name: [maps[token] for token in self._tokens[word]] for name, maps in self._methods.items()}

    def of_target(self, word: int, mask: NDArray[np.bool_]) -> dict[str, list[NDArray[np.float32]]]:
        """Return the same, and the best possible map for a mask."""
        return {**self.of(word), BOUND: [bound_map(mask, *self._grid)]}


def _variant_maps(ex: tam.Explanation) -> dict[str, NDArray[np.float32]]:
    return {name: _on_grids(ex, ex.maps(**options).images) for name, options in VARIANTS.items()}


def _on_grids(ex: tam.Explanation, images: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    return images[0] if len(ex.grids[0]) == 3 else np.stack(images, axis=1)  # a film has its groups already


def attention_maps(model: Any, processor: Any, ex: tam.Explanation) -> NDArray[np.float32] | None:
    """Return the last layer's attention in the same shape; None of pairs and films, which the method does not take."""
    if len(ex.images) > 1 or len(ex.grids[0]) == 3:
        return None
    return method_maps("attention", Explained(model, processor, ex))[:, None]


def bound_map(mask: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.float32]:
    """Return the share of each cell that a mask covers: what a perfect map of this grid would be.

    Parameters
    ----------
    mask : ndarray of bool, shape (grids, height, width)
    rows, columns : int
    """
    # Repeated until a cell has a whole number of rows and columns.
    mask = mask.repeat(rows // math.gcd(rows, mask.shape[1]), 1).repeat(columns // math.gcd(columns, mask.shape[2]), 2)
    grids, height, width = mask.shape
    cells = mask.reshape(grids, rows, height // rows, columns, width // columns)
    covered: NDArray[np.float32] = cells.mean(axis=(2, 4), dtype=np.float32)
    return covered


def fit(maps: Iterable[NDArray[np.float32]], mask: NDArray[np.bool_]) -> dict[str, float]:
    """Score a word against its mask by the best of its tokens, as the released evaluation does.

    Parameters
    ----------
    maps : iterable of ndarray, each of shape (grids, rows, columns)
        One for each token.
    mask : ndarray of bool, shape (grids, height, width)

    Returns
    -------
    dict
        ``iou``, ``points`` (0 or 1), ``energy`` (share of the map on the mask), all over all grids at once.
    """
    whole = joined(mask)
    best = _best(maps, mask)
    return {
        "iou": round(object_iou(best, whole), 4),
        "points": int(points_inside(best, whole)),
        "energy": round(energy_inside(best, whole), 4),
    }


def points_on(maps: Iterable[NDArray[np.float32]], mask: NDArray[np.bool_], other: NDArray[np.bool_]) -> int:
    """Tell whether the token that fits a mask best has its maximum on another one: 0 or 1."""
    return int(points_inside(_best(maps, mask), joined(other)))


def threshold(maps: Iterable[NDArray[np.float32]], mask: NDArray[np.bool_]) -> int:
    """Return the highest Otsu threshold of a word's tokens, in the mask's size."""
    return max(otsu_threshold(_levels(one, mask)) for one in maps)


def function_fit(one: NDArray[np.float32], thresholds: Sequence[float]) -> dict[str, float]:
    """Score a function word's map (grids, rows, columns) against the thresholds of the answer's nouns."""
    levels = joined(map(to_levels, one))
    return {"iou": round(function_iou(levels, thresholds), 4), "zero": int(not levels.any())}


def _best(maps: Iterable[NDArray[np.float32]], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    whole = joined(mask)
    return max((_levels(one, mask) for one in maps), key=lambda levels: object_iou(levels, whole))


def _levels(one: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    return joined(to_mask_size(grid, mask.shape[1:]) for grid in one)
