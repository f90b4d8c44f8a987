"""LLaVA and ViP-LLaVA: one square of each picture, as a rule cut from its middle, in rows of patches.

Perhaps a class token comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.layout import Box, View
    from tam_widget.models.place import Place

__all__ = ["check_size", "shown", "views"]

_OF_ONE_SIZE = ("clip_vision_model", "siglip_vision_model")
"""Vision towers that take pictures of the size they were made for, and of no other."""


def views(place: Place) -> list[View]:
    """Return one main view of the part that the image processor left of the picture."""
    vision = place.config.vision_config
    pixels = place.inputs["pixel_values"].shape[-2:]
    check_size(place, pixels)
    rows, columns, box = shown(place, place.processor.image_processor, pixels, int(vision.patch_size))
    found = place.placeholders
    if getattr(place.config, "vision_feature_select_strategy", None) == "full" and len(found) == rows * columns + 1:
        found = found[1:]  # the class token: no part of the picture is its own
    return [place.view("main", found, rows, columns, box)]


def check_size(place: Place, pixels: Sequence[int]) -> None:
    """Make sure that the vision tower takes pictures of so many pixels (height and width).

    Raises
    ------
    LayoutError
        It does not: the image processor is another model's, or was told to make others.
    """
    vision = place.config.vision_config
    if vision.model_type in _OF_ONE_SIZE and set(pixels) != {int(vision.image_size)}:
        raise LayoutError(
            f"{place} was made {pixels[1]}×{pixels[0]} pixels where the vision tower takes {vision.image_size} a side"
        )


def shown(place: Place, settings: Any, pixels: Sequence[int], patch: int) -> tuple[int, int, Box]:
    """Follow a picture, or a video's frames, through a processor that pads, resizes and crops it.

    Parameters
    ----------
    place : Place
        The picture or video.
    settings : transformers.BaseImageProcessor or transformers.BaseVideoProcessor
        What made the model's pixels of it.
    pixels : sequence of int
        Height and width of what it made.
    patch : int
        How many of these pixels a patch is wide.

    Returns
    -------
    rows, columns : int
        The whole patches; the model drops the pixels beyond the last one.
    box : tuple of float
        What they cover, in pixels of the original.

    Raises
    ------
    LayoutError
        The settings do not lead to that many pixels.
    """
    left, top, wide, high = 0.0, 0.0, place.width, place.height
    if getattr(settings, "do_pad", None) and hasattr(settings, "pad_to_square"):
        side = max(wide, high)
        left, top = -float((side - wide) // 2), -float((side - high) // 2)
        wide = high = side
    height, width = _resized(settings.size, high, wide) if settings.do_resize else (high, wide)
    across, down = wide / width, high / height  # the original's pixels in one of the model's
    if getattr(settings, "do_center_crop", None):
        crop = settings.crop_size
        left += _cropped(settings, width, crop["width"]) * across
        top += _cropped(settings, height, crop["height"]) * down
        height, width = crop["height"], crop["width"]
    if (height, width) != tuple(pixels):
        raise LayoutError(
            f"{place} has {pixels[1]}×{pixels[0]} pixels where the settings of {type(settings).__name__} make "
            f"{width}×{height} of {place.width}×{place.height}"
        )
    rows, columns = height // patch, width // patch
    return rows, columns, (left, top, left + columns * patch * across, top + rows * patch * down)


def _cropped(settings: Any, side: int, crop: int) -> int:
    """Return where a crop from the middle begins; below 0 where it is larger than the picture, and so padded.

    Of an odd number of pixels of padding, Pillow's image processors put one more in front, torchvision's behind.
    """
    from transformers.image_processing_backends import TorchvisionBackend

    odd_behind = side < crop and isinstance(settings, TorchvisionBackend)
    return -((crop - side) // 2) if odd_behind else (side - crop) // 2


def _resized(size: Any, high: int, wide: int) -> tuple[int, int]:
    """Return the height and width that a picture is resized to, rounded as transformers does."""
    shortest = size.get("shortest_edge")
    if shortest and not size.get("longest_edge"):
        longest = int(shortest * max(high, wide) / min(high, wide))
        return (longest, shortest) if wide <= high else (shortest, longest)
    if size.get("height") and size.get("width"):
        return size["height"], size["width"]
    raise LayoutError(f"a picture's size cannot be told from the setting size={dict(size)}")
