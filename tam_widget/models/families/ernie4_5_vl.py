"""ERNIE 4.5 VL: the whole picture, stretched to whole patches; the frames of a video are merged after the tower."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["ANSWER_INPUTS", "views"]

ANSWER_INPUTS = {"moe_mm_token_type_ids": 0}
"""By this a token is sent to the experts for text, 0, or to those for pictures and videos and the marks around them."""


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and for a video one view for each pair of its frames.

    ``video_grid_thw`` states each frame; ``temporal_merge_size`` of them make one cell in time.
    """
    return qwen_vl.grids(place, stacked=int(place.config.vision_config.temporal_merge_size))
