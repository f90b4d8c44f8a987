"""Llama 4: tiles of the picture, padded at the right and the bottom, row by row; then the whole of it, stretched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a view for each tile and a global one.

    The rows are counted by the tokens that the processor writes after each; the scale of the picture on its canvas of
    tiles is worked out as the image processor does it.

    Raises
    ------
    LayoutError
        The tokens make no grid, or another one than the image processor's; or a tile is no square of whole cells.
    """
    side = _side(place)
    found = place.placeholders
    count, rest = divmod(len(found), side * side)
    tokenizer = place.processor.tokenizer
    within, down = (
        len(place.positions(tokenizer.convert_tokens_to_ids(name)))
        for name in ("<|tile_x_separator|>", "<|tile_y_separator|>")
    )
    down = max(down, 1)  # nothing is written after a single tile
    across = within // down + 1
    single = across * down == 1
    if rest or within != (across - 1) * down or count != across * down + (not single):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens in tiles of {side}×{side}, {within} breaks between columns and "
            f"{down} rows"
        )
    runs = found.reshape(count, -1)
    shown = _canvas(place, across, down)
    if single:
        return [place.view("main", runs[0], side, side, shown)]
    return [*place.tiles(runs[:-1], across, side, side, shown), place.view("global", runs[-1], side, side)]


def _side(place: Place) -> int:
    """Return the cells of a tile from one side to the other."""
    vision = place.config.vision_config
    high, wide = (int(n) for n in place.inputs["pixel_values"].shape[-2:])
    cell = round(vision.patch_size / vision.pixel_shuffle_ratio)
    if high != wide or high % cell:
        raise LayoutError(
            f"{place} was cut into tiles of {wide}×{high} pixels, not into squares of whole cells of {cell}"
        )
    return int(high // cell)


def _canvas(place: Place, across: int, down: int) -> Box:
    """Return what the canvas of all tiles covers, in pixels of the picture: itself, and the padding beyond it."""
    import torch
    from transformers.image_utils import SizeDict
    from transformers.models.llama4 import image_processing_llama4 as llama4

    images: Any = place.processor.image_processor
    given: dict[str, Any] = getattr(place.processor, "images_kwargs", None) or {}
    fill, most = (given.get(name, getattr(images, name)) for name in ("resize_to_max_canvas", "max_patches"))
    tile = int(place.inputs["pixel_values"].shape[-1])
    size = SizeDict(height=tile, width=tile)
    resolutions = torch.tensor(llama4.find_supported_resolutions(max_num_chunks=most, patch_size=size))
    picture = (place.height, place.width)
    canvas = tuple(int(n) for n in llama4.get_best_fit(picture, resolutions, resize_to_max_canvas=fill))
    if canvas != (down * tile, across * tile):
        raise LayoutError(
            f"{place} has {down}×{across} tiles of {tile} pixels where a canvas of {canvas[0]}×{canvas[1]} was due"
        )
    # A small picture is not enlarged beyond one tile, even where its canvas is larger.
    limits = canvas if fill else tuple(max(length, tile) for length in picture)
    room = tuple(min(pair) for pair in zip(limits, canvas, strict=True))
    high, wide = (max(length, 1) for length in llama4.get_max_res_without_distortion(picture, room))
    return (0.0, 0.0, canvas[1] * place.width / wide, canvas[0] * place.height / high)
