"""VideoLLaMA 3: the whole picture or frame, stretched to whole patches, merged in squares, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError
from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and one view for each frame of a video.

    ``image_merge_sizes`` and ``video_merge_sizes`` state the patches to a side of one token.

    Raises
    ------
    LayoutError
        Tokens were left out of a video where its frames hardly differ, or there are others than stated.
    """
    if place.kind == "video" and not place.inputs["video_compression_mask"].all():
        raise LayoutError(
            f"tokens of {place} were left out where a frame looks like the one before it, which leaves holes in its "
            'grid; pass video_kwargs={"use_token_compression": False}'
        )
    return qwen_vl.grids(place, merge=int(place.inputs[f"{place.kind}_merge_sizes"][place.row]))
