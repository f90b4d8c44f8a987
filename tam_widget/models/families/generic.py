"""A model of no known family, whose inputs state its geometry. What they do not state is refused, not guessed."""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.errors import LayoutError
from tam_widget.models.families import qwen_vl

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]

_BATCH = 4  # dimensions of a batch of pictures
_OFF = 0.03  # share of the picture's side; resampling blurs the ends of a ramp


def views(place: Place) -> list[View]:
    """Return one main view where the inputs leave no doubt about it.

    That is: ``image_grid_thw`` with the merge size of the configuration; ``image_sizes`` that are whole patches of the
    resized picture; or a square number of tokens for one square, untiled, uncropped picture.

    Raises
    ------
    LayoutError
        They leave a doubt; the message says what was found.
    """
    config = place.config
    vision = config.vision_config
    if f"{place.kind}_grid_thw" in place.inputs and hasattr(vision, "spatial_merge_size"):
        return qwen_vl.views(place)
    found = place.placeholders
    if place.kind == "image" and "image_sizes" in place.inputs:
        height, width = (int(n) for n in place.inputs["image_sizes"][place.row])
        for side in _token_sides(config, vision):
            if height % side == 0 and width % side == 0 and (height // side) * (width // side) == len(found):
                return [place.view("main", found, height // side, width // side)]
    elif place.kind == "image" and _one_stretched_square(place):
        side = isqrt(len(found))
        if side * side == len(found) and found[-1] - found[0] == len(found) - 1:
            return [place.view("main", found, side, side)]
    raise LayoutError(
        f"a model of type {config.model_type!r} is not known, and its inputs do not state how {place} was cut: "
        f"{len(found)} vision tokens, {_shapes(place)}. tam_widget.register_family() can teach it"
    )


def _token_sides(config: Any, vision: Any) -> list[int]:
    """Return how many pixels of the resized picture one token may be wide, by the configuration."""
    patch = getattr(vision, "patch_size", None)
    if not isinstance(patch, int):
        return []
    merge = getattr(config, "spatial_merge_size", None) or getattr(vision, "spatial_merge_size", None) or 1
    return [patch * int(merge)]


def _one_stretched_square(place: Place) -> bool:
    """Whether each picture is one square in ``pixel_values``, the whole of it stretched: the image processor is tried.

    What it makes of a ramp, between what it makes of black and of white, says which place of the picture each pixel
    shows; a pixel that is the same for black and for white shows none.
    """
    pixels = place.inputs.get("pixel_values")
    if pixels is None or pixels.ndim != _BATCH or len(pixels) != place.beside or pixels.shape[-1] != pixels.shape[-2]:
        return False
    across = np.linspace(0, 255, place.width)[None, :, None]
    down = np.linspace(0, 255, place.height)[:, None, None]
    ramp = np.concatenate([across + 0 * down, down + 0 * across, 0 * across + 0 * down], axis=2)
    shown = []
    for picture in (np.zeros_like(ramp), np.full_like(ramp, 255), ramp):
        made = place.processor.image_processor(images=Image.fromarray(picture.astype(np.uint8)), return_tensors="pt")
        if tuple(made["pixel_values"].shape) != (1, *pixels.shape[1:]):
            return False
        shown.append(made["pixel_values"][0].double().numpy())
    black, white, both = shown
    if np.abs(white - black).min() == 0:
        return False
    at = (both - black) / (white - black)
    ideal = (np.arange(pixels.shape[-1]) + 0.5) / pixels.shape[-1]
    off = max(np.abs(at[0] - ideal[None, :]).max(), np.abs(at[1] - ideal[:, None]).max())
    return bool(off < _OFF)


def _shapes(place: Place) -> str:
    shapes = {name: tuple(value.shape) for name, value in place.inputs.items() if hasattr(value, "shape")}
    text = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
    return ", ".join(f"{name} {shape}" for name, shape in shapes.items() if name not in text) or "no picture inputs"
