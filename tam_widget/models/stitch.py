"""Views of one picture put together: tiles to one grid over it, frames in order, a global view beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.layout import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Box, PanelKind, View

__all__ = ["stitch"]

_SLACK = 0.25
"""How far a view may lie off the common grid, in cells: crops of a picture are whole pixels."""

_SLIVER = 0.01
"""A cell that holds no more of the picture than this share of its side is padding."""


def stitch(views: Sequence[View], image: int, size: tuple[int, int]) -> tuple[Panel, ...]:
    """Put the views of one picture or video together.

    Parameters
    ----------
    views : sequence of View
        All views of it, in any order.
    image : int
        Which picture or video it is.
    size : tuple of int
        Its width and height in pixels.

    Returns
    -------
    tuple of Panel
        One stitched panel (of a video one for each frame, in order), then the global one if there is one.

    Raises
    ------
    LayoutError
        The views overlap, leave a hole, or do not lie on one grid.
    """
    parts = [view for view in views if view.kind != "global"]
    whole = [view for view in views if view.kind == "global"]
    if not parts:  # the model was shown the whole picture only
        parts, whole = whole, []
    frames = sorted({view.frame for view in parts})
    if not frames or len(whole) > 1:
        raise LayoutError(f"picture {image} has {len(parts)} parts and {len(whole)} global views")
    stitched = [_panel([view for view in parts if view.frame == frame], image, "stitched", size) for frame in frames]
    if len({panel.grid for panel in stitched}) > 1:
        raise LayoutError(f"the frames of video {image} have different grids: {[panel.grid for panel in stitched]}")
    return (*stitched, *(_panel([view], image, "global", size) for view in whole))


def _panel(views: Sequence[View], image: int, kind: PanelKind, size: tuple[int, int]) -> Panel:
    """Lay views on one grid, cut off what lies outside the picture, and add what the model was not shown."""
    positions, (left, top, right, bottom) = _joined(views, image)
    rows, columns = positions.shape
    high, wide = (bottom - top) / rows, (right - left) / columns
    # Cells outside the picture: the model was shown padding there.
    inside_x = _inside(left, wide, columns, size[0])
    inside_y = _inside(top, high, rows, size[1])
    positions = positions[inside_y, inside_x]
    left, top = left + inside_x.start * wide, top + inside_y.start * high
    rows, columns = positions.shape
    # Parts of the picture outside the cells: cut away before the model saw it.
    before = (max(0, round(top / high)), max(0, round(left / wide)))
    after = (
        max(0, round((size[1] - top - rows * high) / high)),
        max(0, round((size[0] - left - columns * wide) / wide)),
    )
    grid = (before[0] + rows + after[0], before[1] + columns + after[1])
    left, top = left - before[1] * wide, top - before[0] * high
    box = (left, top, left + grid[1] * wide, top + grid[0] * high)
    frame = views[0].frame if views[0].kind == "frame" else None
    return Panel(image, kind, grid, box, positions, before, frame)


def _inside(start: float, cell: float, count: int, length: int) -> slice:
    """Return which of the cells hold some of the picture."""
    first = max(0, int(np.floor(-start / cell + _SLIVER)))
    last = min(count, int(np.ceil((length - start) / cell - _SLIVER)))
    return slice(first, max(last, first + 1))


def _joined(views: Sequence[View], image: int) -> tuple[NDArray[np.int64], Box]:
    if len(views) == 1:
        return views[0].positions, views[0].box
    left, top = (min(view.box[side] for view in views) for side in (0, 1))
    right, bottom = (max(view.box[side] for view in views) for side in (2, 3))
    high = float(np.mean([(view.box[3] - view.box[1]) / view.positions.shape[0] for view in views]))
    wide = float(np.mean([(view.box[2] - view.box[0]) / view.positions.shape[1] for view in views]))
    whole = np.full((round((bottom - top) / high), round((right - left) / wide)), -1, dtype=np.int64)
    for view in views:
        row, column = (view.box[1] - top) / high, (view.box[0] - left) / wide
        rows, columns = view.positions.shape
        ends = ((view.box[3] - top) / high - rows, (view.box[2] - left) / wide - columns)
        r, c = round(row), round(column)
        if max(abs(row - r), abs(column - c), abs(ends[0] - r), abs(ends[1] - c)) > _SLACK:
            raise LayoutError(f"the tiles of picture {image} do not lie on one grid of cells: one begins at {view.box}")
        there = whole[r : r + rows, c : c + columns]
        if there.shape != (rows, columns) or (there >= 0).any():
            raise LayoutError(f"the tiles of picture {image} overlap")
        there[:] = view.positions
    if (whole < 0).any():
        raise LayoutError(f"the tiles of picture {image} leave {int((whole < 0).sum())} cells of it open")
    return whole, (left, top, right, bottom)
