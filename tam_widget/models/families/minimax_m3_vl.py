"""MiniMax M3 VL: the whole picture, stretched to whole patches; a video in segments of a few cells in time each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError
from tam_widget.models.families import qwen_vl
from tam_widget.models.families.parts import own_parts

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and for a video one view for each of its cells in time.

    ``video_grid_thw`` states the patches (time, rows, columns) of each segment of all videos.

    Raises
    ------
    LayoutError
        There are not as many placeholders, or segments of one video have other grids.
    """
    if place.kind == "image":
        return qwen_vl.grids(place)
    merge = int(place.config.vision_config.spatial_merge_size)
    segments = [
        (int(time), int(high) // merge, int(wide) // merge) for time, high, wide in place.inputs["video_grid_thw"]
    ]
    own = segments[own_parts(place, [time * rows * columns for time, rows, columns in segments])]
    if len({(rows, columns) for _, rows, columns in own}) > 1:
        raise LayoutError(f"{place} has segments of other grids: {own}")
    _, rows, columns = own[0]
    merged = int(place.processor.video_processor.temporal_patch_size)
    runs = place.placeholders.reshape(sum(time for time, _, _ in own), -1)
    return [
        place.view("frame", run, rows, columns, frame=min(number * merged, place.frames - 1))
        for number, run in enumerate(runs)
    ]
