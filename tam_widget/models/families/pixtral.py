"""Pixtral and Mistral 3: the whole picture, stretched to whole tokens, row by row.

Between the rows stand break tokens and after the last one an end token, with ids of their own. Beside larger pictures
a small one is padded, but the padding is cut away again before it becomes tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError, PictureError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return one main view.

    ``image_sizes`` states the resized pictures' heights and widths; ``patch_size`` times ``spatial_merge_size``, where
    there is one, is the side of a token in their pixels.

    Raises
    ------
    LayoutError
        The pictures are cropped, or have another number of tokens.
    PictureError
        There is but one small picture: models that merge patches fail on a single token.
    """
    images = place.processor.image_processor
    if getattr(images, "do_center_crop", None):
        raise LayoutError(f"{place} is cropped by {type(images).__name__} after its size was taken")
    merge = int(getattr(place.config, "spatial_merge_size", 1))
    side = int(place.config.vision_config.patch_size) * merge
    if merge > 1 and place.ids.count(place.config.image_token_id) == 1:
        raise PictureError(
            f"{place}, {place.width}×{place.height} pixels, makes a single vision token, and a model of type "
            f"{place.config.model_type!r} fails on one alone; a picture of more than {side} pixels a side makes several"
        )
    height, width = (int(n) for n in place.inputs["image_sizes"][place.row])
    rows, columns = height // side, width // side
    # Whole tokens, but for a picture that was not resized: the model drops what is left over.
    box = (0.0, 0.0, place.width * columns * side / width, place.height * rows * side / height)
    return [place.view("main", place.placeholders, rows, columns, box)]
