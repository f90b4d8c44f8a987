"""Muse: the whole picture, stretched to whole patches and merged in squares, as Qwen's; the side has another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and for a video one view for each of its cells in time."""
    return qwen_vl.grids(place, merge=int(place.config.vision_config.merge_size))
