"""Squares on a picture, in so many cells at once that few pictures tell every cell from every other."""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
from PIL import ImageDraw

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

    from tam_widget.models.layout import Panel

__all__ = ["EDGES", "cell_boxes", "codes", "lines", "squares", "with_squares"]

EDGES = ("left", "top", "right", "bottom")

_SIDE = 0.5
"""Side of a square in the middle of a cell, in cells."""

_DEPTH = 0.25
"""How far one inside an edge reaches into the cell, in cells; along the edge it is as long as the others."""

_LEAST_MIDDLE, _LEAST_EDGES = 2, 3
"""A cell of fewer pixels has no middle, and no edges: a square inside one would reach to the other."""

_WHITE_BELOW = 128


def cell_boxes(panel: Panel, size: tuple[int, int]) -> NDArray[np.float64]:
    """Return the seen cells' boxes, cut to the picture: (rows, columns, 4), left, top, right, bottom in pixels."""
    left, top, right, bottom = panel.box
    rows, columns = panel.positions.shape
    across = left + (right - left) / panel.grid[1] * (panel.corner[1] + np.arange(columns + 1))
    down = top + (bottom - top) / panel.grid[0] * (panel.corner[0] + np.arange(rows + 1))
    across, down = np.clip(across, 0, size[0]), np.clip(down, 0, size[1])
    boxes = np.empty((rows, columns, 4))
    boxes[..., 0], boxes[..., 2] = across[None, :-1], across[None, 1:]
    boxes[..., 1], boxes[..., 3] = down[:-1, None], down[1:, None]
    return boxes


def squares(boxes: NDArray[np.float64], edge: str | None = None) -> NDArray[np.int64]:
    """Return a square for each cell, in its middle or just inside one edge, in whole pixels.

    Parameters
    ----------
    boxes : numpy.ndarray of float64, shape (…, 4)
        The cells.
    edge : {"left", "top", "right", "bottom"}, optional
        Which edge.

    Returns
    -------
    numpy.ndarray of int64, shape (…, 4)
        Empty for a cell that is too small for it.
    """
    sides = boxes[..., 2:] - boxes[..., :2]
    share = np.full(2, _SIDE)
    if edge is not None:
        share[EDGES.index(edge) % 2] = _DEPTH
    first = boxes[..., :2] + sides * (1 - share) / 2
    if edge is not None:
        axis = EDGES.index(edge) % 2
        at_end = EDGES.index(edge) >= 2  # noqa: PLR2004 - the two ends of an axis
        inner = boxes[..., axis + 2] - sides[..., axis] * _DEPTH
        first[..., axis] = inner if at_end else boxes[..., axis]
    last = first + sides * share
    # Whole pixels inside the cell, one at least: an edge's square is not to reach over the edge.
    low, high = np.ceil(boxes[..., :2] - 1e-6), np.floor(boxes[..., 2:] + 1e-6)
    begin = np.clip(np.round(first), low, np.maximum(high - 1, low))
    end = np.clip(np.round(last), begin + 1, np.maximum(high, begin))
    found = np.concatenate([begin, end], axis=-1).astype(np.int64)
    small = sides.min(axis=-1) < _LEAST_MIDDLE if edge is None else sides[..., EDGES.index(edge) % 2] < _LEAST_EDGES
    found[small, 2:] = found[small, :2]
    return found


def with_squares(picture: Image.Image, boxes: NDArray[np.int64]) -> Image.Image:
    """Return a copy with squares (n, 4) painted: white on what is dark, black on what is bright."""
    made = picture.copy()
    draw, grey = ImageDraw.Draw(made), np.asarray(picture.convert("L"))
    for left, top, right, bottom in boxes.tolist():
        if right > left and bottom > top:
            white = grey[top:bottom, left:right].mean() < _WHITE_BELOW
            draw.rectangle((left, top, right - 1, bottom - 1), fill="white" if white else "black")
    return made


def codes(kinds: int) -> NDArray[np.bool_]:
    """Return which kinds of cells are painted in each of some pictures: (pictures, kinds).

    Each is painted in a third of the pictures, and no two in the same: whatever a token adds to its reaction because
    much is painted, it adds in every picture. Of a third, unlike of a half, none is the rest of another's.
    """
    pictures = 3
    while comb(pictures, round(pictures / 3)) < kinds:
        pictures += 1
    chosen = list(combinations(range(pictures), round(pictures / 3)))
    made = np.zeros((pictures, kinds), dtype=bool)
    # Cells that lie side by side share no more pictures than any others.
    for kind, number in enumerate(np.random.default_rng(0).permutation(len(chosen))[:kinds]):
        made[list(chosen[number]), kind] = True
    return made


def lines(shape: tuple[int, int], edge: str) -> NDArray[np.int64]:
    """Return each cell's row (column, for an edge at the side) modulo 3, for a grid of some shape.

    So no cell's edges are painted together with those of a neighbour across them.
    """
    down, across = np.indices(shape)
    return (across if EDGES.index(edge) % 2 == 0 else down) % 3
