"""LFM2-VL: stretched to a grid of square tiles, row by row, and a thumbnail after them; or stretched as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tam_widget.errors import LayoutError, PictureError
from tam_widget.models.families.idefics3 import named_tiles, runs_of
from tam_widget.models.families.parts import own_parts

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one part, else a view for each tile and a global one.

    ``spatial_shapes`` states the patches (rows, columns) of each part of all pictures; ``downsample_factor`` squared of
    them make one token.

    Raises
    ------
    LayoutError
        The parts have other numbers of tokens, or the tiles are named in another order.
    PictureError
        The image processor leaves out some of the patches that it states.
    """
    factor = int(place.config.downsample_factor)
    shapes, kept = place.inputs["spatial_shapes"], place.inputs["pixel_attention_mask"].shape[1]
    most = int(shapes.prod(dim=1).max())
    if most > kept:
        raise PictureError(
            f"{type(place.processor.image_processor).__name__} cuts a picture so narrow to {most} patches and gives "
            f"the model {kept} of them; one nearer to a square works"
        )
    grids = [(int(rows) // factor, int(columns) // factor) for rows, columns in shapes]
    grids = grids[own_parts(place, [rows * columns for rows, columns in grids])]
    if len(grids) == 1:
        return [place.view("main", place.placeholders, *grids[0])]
    runs = runs_of(place)
    if len(runs) != len(grids):
        raise LayoutError(f"{place} has {len(grids)} parts and {len(runs)} runs of vision tokens, so none can be told")
    parts = [place.view("tile", run, *grid).positions for run, grid in zip(runs, grids, strict=True)]
    # Only tiles have names: what comes last without one is the thumbnail.
    thumbnail = place.positions(place.processor.tokenizer.convert_tokens_to_ids(place.processor.image_thumbnail_token))
    count = len(runs) - len(thumbnail)
    rows, columns = named_tiles(place, runs[:count])
    if len(set(grids[:count])) != 1 or rows * columns != count:
        raise LayoutError(f"{place} has tiles of {grids[:count]} cells, which do not make one grid")
    whole = [place.view("global", parts[number], *grids[number]) for number in range(count, len(runs))]
    return [*place.tiles(np.stack(parts[:count]), columns, *grids[0]), *whole]
