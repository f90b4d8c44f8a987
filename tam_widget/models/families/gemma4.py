"""Gemma 4: the whole picture, or each frame of a video, stretched to whole squares of patches; each makes one token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from torch import Tensor

    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["unified_views", "views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and one view for each frame of a video.

    ``image_position_ids`` and ``video_position_ids`` state the column and row of each patch, −1 for padding;
    ``pooling_kernel_size`` squared of them make one token.

    Raises
    ------
    LayoutError
        The patches are another number than the placeholders have room for.
    """
    return _views(place, int(place.config.vision_config.pooling_kernel_size))


def unified_views(place: Place) -> list[View]:
    """Return the views of a model without a vision tower: its image processor merges the patches itself."""
    return _views(place, 1)


def _views(place: Place, kernel: int) -> list[View]:
    found = place.placeholders
    if place.kind == "image":
        return [place.view("main", found, *_grid(place, place.inputs["image_position_ids"][place.row], kernel))]
    counts = [int(n) for n in place.inputs["num_frames_per_video"]]
    frames = place.inputs["video_position_ids"][sum(counts[: place.row]) :][: counts[place.row]]
    if len(frames) != place.frames or len(found) % place.frames:
        raise LayoutError(f"{place} has {len(found)} vision tokens in {len(frames)} frames; {place.frames} were given")
    return [
        place.view("frame", run, *_grid(place, patches, kernel), frame=number)
        for number, (run, patches) in enumerate(zip(found.reshape(place.frames, -1), frames, strict=True))
    ]


def _grid(place: Place, patches: Tensor, kernel: int) -> tuple[int, int]:
    """Return the rows and columns of tokens that patches (column, row) are pooled to."""
    columns, rows = (int(n) + 1 for n in patches.max(dim=0).values)
    if rows % kernel or columns % kernel or rows * columns != int((patches >= 0).all(dim=-1).sum()):
        raise LayoutError(f"{place} has {rows}×{columns} patches, which are not whole squares of {kernel}×{kernel}")
    return rows // kernel, columns // kernel
