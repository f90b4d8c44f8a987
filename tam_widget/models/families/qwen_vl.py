"""Qwen2-VL to Qwen3.5, GLM-4V and others: the whole picture, stretched to whole patches, merged in squares, row by row.

A video is a run of such grids, each of two frames merged into one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["grids", "views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and for a video one view for each of its cells in time."""
    found = grids(place)
    beside = place.kind == "video" and "image_grid_thw" in place.inputs
    if beside and place.ids[place.placeholders[0]] == place.config.image_token_id:
        raise LayoutError(
            f"a model of type {place.config.model_type!r} tells pictures and videos by one token; pass pictures or a "
            "video, not both (some frames as pictures work)"
        )
    return found


def grids(place: Place, box: Box | None = None, *, stacked: int = 1, merge: int | None = None) -> list[View]:
    """Return one main view for a picture, and for a video one view for each of its cells in time.

    ``image_grid_thw`` and ``video_grid_thw`` state the patches (time, rows, columns).

    Parameters
    ----------
    place : Place
        The picture or video.
    box : tuple of float, optional
        What each grid covers, in pixels of the original; the whole picture by default.
    stacked : int
        How many of the stated grids of a video are merged into one.
    merge : int, optional
        The patches to a side of one token; ``spatial_merge_size`` by default.

    Raises
    ------
    LayoutError
        There are not as many placeholders as patches merged.
    """
    merge = merge or int(place.config.vision_config.spatial_merge_size)
    time, high, wide = (int(n) for n in place.inputs[f"{place.kind}_grid_thw"][place.row])
    rows, columns = high // merge, wide // merge
    found = place.placeholders
    cells = time // (stacked if place.kind == "video" else 1)
    if cells * rows * columns != len(found) or (place.kind == "image" and time != 1):
        raise LayoutError(
            f"{place} has {len(found)} placeholder tokens, but {place.kind}_grid_thw says {time}×{high}×{wide} patches "
            f"in squares of {merge}×{merge}"
        )
    if place.kind == "image":
        return [place.view("main", found, rows, columns, box)]
    merged = int(place.processor.video_processor.temporal_patch_size)
    return [
        place.view("frame", run, rows, columns, box, min(number * merged, place.frames - 1))
        for number, run in enumerate(found.reshape(cells, -1))
    ]
