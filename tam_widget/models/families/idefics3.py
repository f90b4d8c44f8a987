"""Idefics3 and SmolVLM: stretched to a grid of square tiles, row by row, and the whole picture in one tile after them.

Without splitting there is that one tile alone. A video is a run of frames, each stretched to one tile.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["named_tiles", "runs_of", "views"]

_NAME = re.compile(r"row_(\d+)_col_(\d+)")


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a view for each tile and a global one; frames for a video.

    Raises
    ------
    LayoutError
        The tiles are not square, are named in another order, or are not those that the model is given.
    """
    side, seen = _tile(place)
    runs = runs_of(place)
    if place.kind == "video":
        if len(runs) != place.frames:
            raise LayoutError(f"{place} has {len(runs)} tiles where one was due for each of {place.frames} frames")
        return [place.view("frame", run, side, side, seen, number) for number, run in enumerate(runs)]
    if len(runs) == 1:
        return [place.view("main", runs[0], side, side, seen)]
    tiles = [place.view("tile", run, side, side).positions for run in runs[:-1]]  # so many cells in each
    _, across = named_tiles(place, runs[:-1])
    # Of a tile that is no whole number of cells wide, a strip at its end is not seen (6 of 384 pixels in the largest
    # SmolVLM, a seventh of a cell). The cells of several tiles make one even grid, so there they share it.
    return [*place.tiles(np.stack(tiles), across, side, side), place.view("global", runs[-1], side, side, seen)]


def runs_of(place: Place) -> list[NDArray[np.int64]]:
    """Return the positions of a picture's vision tokens, cut where other tokens stand between them."""
    found = place.placeholders
    return np.split(found, np.flatnonzero(np.diff(found) != 1) + 1)


def named_tiles(place: Place, runs: Sequence[NDArray[np.int64]]) -> tuple[int, int]:
    """Return how many rows and columns of tiles there are, by the name before each: ``<row_1_col_2>``, for example.

    Raises
    ------
    LayoutError
        One has no name, or they do not follow each other row by row.
    """
    names, done = [], place.span[0]
    for run in runs:
        found = _NAME.findall(place.processor.tokenizer.decode(list(place.ids[done : run[0]])))
        names += [(int(row), int(column)) for row, column in found[-1:]]
        done = run[-1] + 1
    rows, columns = names[-1] if names else (0, 0)
    due = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    if names != due or len(names) != len(runs):
        raise LayoutError(f"{place} has {len(runs)} tiles, named {names}, which is no grid row by row")
    return rows, columns


def _tile(place: Place) -> tuple[int, Box]:
    """Return the cells of a tile from one side to the other, and what they show of a picture in one tile."""
    config: Any = place.config
    pixels = place.inputs["pixel_values"]
    high, wide = (int(n) for n in pixels.shape[-2:])
    patch = int(config.vision_config.patch_size)
    side = high // patch // int(config.scale_factor)
    mask = place.inputs.get("pixel_attention_mask")
    if high != wide or (mask is not None and not mask.all()):
        raise LayoutError(f"{place} was cut into tiles of {wide}×{high} pixels with padding, not into whole squares")
    # Pictures and videos share one name among the inputs: where there are both, the pictures are lost.
    given, due = int(pixels.shape[0] * pixels.shape[1]), place.ids.count(config.image_token_id) / side**2
    if due > given:
        raise LayoutError(
            f"the model is given {given} tiles where there are vision tokens for {due:g}: its processor takes pictures "
            "or videos, not both (some frames as pictures work), and its image_seq_len must be the model's"
        )
    share = side * int(config.scale_factor) * patch / high
    return side, (0.0, 0.0, place.width * share, place.height * share)
