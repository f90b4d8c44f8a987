"""MiniCPM-V 4.6 and 4.7: the whole picture, stretched, and after it slices of the picture, row by row, for more detail.

A video is a run of frames, each stretched as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.families.idefics3 import runs_of
from tam_widget.models.families.parts import own_parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]

_APART = 2
"""Tokens between two slices of one row: the end of one and the beginning of the next. Between rows is a line break."""


def views(place: Place) -> list[View]:
    """Return a main view for a picture without slices, else a global one and a view for each slice; frames for a video.

    ``target_sizes`` and ``target_sizes_videos`` state the patches (rows, columns) of each part of all pictures, or of
    all videos. The rows of slices are counted by the tokens between them.

    Raises
    ------
    LayoutError
        The parts have other numbers of tokens, the slices make no grid, or frames are sliced or stacked.
    """
    grids = _grids(place)
    own = grids[own_parts(place, [rows * columns for rows, columns in grids])]
    runs = runs_of(place)
    if len(runs) != len(own):
        raise LayoutError(f"{place} has {len(own)} parts and {len(runs)} runs of vision tokens, so none can be told")
    if place.kind == "video":
        if len(runs) != place.frames or place.processor.video_processor.stack_frames > 1:
            raise LayoutError(
                f"{place} of {place.frames} frames was cut into {len(runs)} parts; pass "
                'video_kwargs={"max_slice_nums": 1, "stack_frames": 1}, so that each frame is one'
            )
        return [place.view("frame", run, *grid, frame=k) for k, (run, grid) in enumerate(zip(runs, own, strict=True))]
    if len(runs) == 1:
        return [place.view("main", runs[0], *own[0])]
    if len(set(own[1:])) != 1 or not place.processor.image_processor.do_resize:
        raise LayoutError(f"{place} has slices of {own[1:]} cells, which do not make one grid over the whole of it")
    slices = [place.view("tile", run, *own[1]).positions for run in runs[1:]]
    return [place.view("global", runs[0], *own[0]), *place.tiles(np.stack(slices), _across(place, slices), *own[1])]


def _grids(place: Place) -> list[tuple[int, int]]:
    """Return the rows and columns of cells of each part of all pictures, or of all videos."""
    config = place.config
    high, wide = (int(n) ** int(config.merger_times) for n in config.merge_kernel_size)
    if config.downsample_mode != "4x":  # patches are merged in the middle of the tower, too
        high, wide = (
            n * int(window) for n, window in zip((high, wide), config.vision_config.window_kernel_size, strict=True)
        )
    sizes = place.inputs["target_sizes" if place.kind == "image" else "target_sizes_videos"]
    return [(int(rows) // high, int(columns) // wide) for rows, columns in sizes]


def _across(place: Place, slices: Sequence[NDArray[np.int64]]) -> int:
    """Return how many slices lie side by side."""
    ends = [k + 1 for k, run in enumerate(slices[:-1]) if slices[k + 1][0, 0] - run[-1, -1] - 1 > _APART]
    across = ends[0] if ends else len(slices)
    if ends != list(range(across, len(slices), across)):
        raise LayoutError(f"{place} has {len(slices)} slices with line breaks after {ends}, which make no grid")
    return across
