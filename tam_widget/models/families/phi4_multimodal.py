"""Phi-4 multimodal: tiles of the picture, padded at the right and the bottom; then the whole canvas, stretched.

The tiles' cells are laid side by side, the rows and columns of padding cut off. Each row of both is ended by a newline,
and a separator stands between the two; all have the id of the vision tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]

_POOLED = 2
"""Patches of a cell from one side to the other."""


def views(place: Place) -> list[View]:
    """Return a tile view of all tiles together, and a global one, which shows the padding too.

    ``image_sizes`` states the canvas of all tiles, ``image_attention_mask`` the patches of each that are no padding,
    after those of the whole canvas.

    Raises
    ------
    LayoutError
        The tiles have another size than the model takes, or the placeholders are not one for each cell and newline.
    """
    vision = place.config.vision_config
    tile, patch = int(vision.crop_size), int(vision.patch_size)
    mask = place.inputs["image_attention_mask"][place.row]
    high, wide = (int(n) for n in place.inputs["image_sizes"][place.row])
    given = place.inputs["image_pixel_values"].shape[-1]
    if given != tile or tile % (_POOLED * patch) or high % tile or wide % tile:
        raise LayoutError(
            f"{place} was cut into tiles of {given} of {wide}×{high} pixels, where the model takes tiles of {tile} and "
            f"cells of {_POOLED}×{_POOLED} patches of {patch}"
        )
    side, down, across = tile // patch // _POOLED, high // tile, wide // tile
    shown = mask[1 : 1 + down * across, ::_POOLED, ::_POOLED].reshape(down, across, side, side)
    rows, columns = int(shown[:, 0, :, 0].sum()), int(shown[0, :, 0, :].sum())
    found = place.positions(int(vision.image_token_id))
    count = rows * (columns + 1)
    if len(found) != count + 1 + side * (side + 1):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {rows} lines of {columns} and a newline, a separator, and "
            f"{side} lines of {side} and a newline were due"
        )
    parts, whole = (
        run.reshape(-1, row + 1)[:, :-1] for run, row in ((found[:count], columns), (found[count + 1 :], side))
    )
    scale_x, scale_y = _scales(place, wide, high)
    cell = _POOLED * patch
    return [
        place.view("tile", parts, rows, columns, (0.0, 0.0, columns * cell * scale_x, rows * cell * scale_y)),
        place.view("global", whole, side, side, (0.0, 0.0, wide * scale_x, high * scale_y)),
    ]


def _scales(place: Place, wide: int, high: int) -> tuple[float, float]:
    """Return how many of the picture's pixels are one of the canvas's, fitted as the image processor does it."""
    ratios = wide / place.width, high / place.height
    if ratios[0] < ratios[1]:
        high = int(place.height * ratios[0])
    else:
        wide = int(place.width * ratios[1])
    return place.width / wide, place.height / high
