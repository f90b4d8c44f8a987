"""Qwen2-VL to Qwen3.5: the whole picture, stretched to whole patches, merged in squares, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.layout import View

if TYPE_CHECKING:
    from tam_widget.models.conversation import Prepared

__all__ = ["MODEL_TYPES", "views"]

MODEL_TYPES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe", "qwen3_5")


def views(config: Any, prepared: Prepared) -> tuple[View, ...]:
    """Return one main view for each picture.

    ``image_grid_thw`` states each picture's patches (time, rows, columns); ``spatial_merge_size`` squared of them
    make one token.
    """
    merge = int(config.vision_config.spatial_merge_size)
    patches = [tuple(int(n) for n in row) for row in prepared.inputs["image_grid_thw"]]
    found = []
    for image, (picture, span, (time, high, wide)) in enumerate(
        zip(prepared.pictures, prepared.picture_spans, patches, strict=True)
    ):
        placeholders = [p for p in range(*span) if prepared.ids[p] == config.image_token_id]
        rows, columns = high // merge, wide // merge
        if time != 1 or rows * columns != len(placeholders):
            raise LayoutError(
                f"picture {image} has {len(placeholders)} placeholder tokens, but image_grid_thw says "
                f"{time}×{high}×{wide} patches in squares of {merge}×{merge}"
            )
        positions = np.array(placeholders, dtype=np.int64).reshape(rows, columns)
        found.append(View(image, "main", (0.0, 0.0, float(picture.width), float(picture.height)), positions))
    return tuple(found)
