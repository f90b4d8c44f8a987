"""DeepSeek-VL and Janus: the whole picture in the middle of one square, padded at both of its longer sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view, which reaches beyond the picture where it was padded.

    DeepSeek-VL's larger models see it a second time with more pixels, of which the smaller square is made: both have
    one grid of cells.

    Raises
    ------
    LayoutError
        The image processor's settings do not lead to the pixels that it made.
    """
    images = place.processor.image_processor
    fine = "high_res_pixel_values" in place.inputs
    pixels = place.inputs["high_res_pixel_values" if fine else "pixel_values"].shape[-2:]
    wide, high = place.width, place.height
    if images.do_resize:
        size = images.high_res_size if fine else images.size
        scale = size["height"] / max(wide, high)
        wide, high = (max(round(length * scale), images.min_size) for length in (wide, high))
    side = max(wide, high)
    if not images.do_pad or tuple(pixels) != (side, side):
        raise LayoutError(
            f"{place} has {pixels[1]}×{pixels[0]} pixels where the settings of {type(images).__name__} make "
            f"{wide}×{high} of {place.width}×{place.height}, padded to a square: {images.do_pad}"
        )
    patch, given = int(place.config.vision_config.patch_size), int(place.inputs["pixel_values"].shape[-1])
    cells = given // patch
    seen = side * cells * patch / given  # the tower drops the pixels beyond the last whole patch
    across, down = place.width / wide, place.height / high  # the original's pixels in one of the square's
    left, top = -((side - wide) // 2) * across, -((side - high) // 2) * down
    box = (left, top, left + seen * across, top + seen * down)
    return [place.view("main", place.placeholders, cells, cells, box)]
