"""Video-LLaVA: one square of each picture and each frame, as a rule cut from its middle, in rows of patches.

Each frame begins with a class token; a picture does where the configuration says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import LayoutError
from tam_widget.models.families import llava

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]

_COLOURS = (1, 3)
"""Numbers of rows that are taken for channels."""


def views(place: Place) -> list[View]:
    """Return one main view for a picture, and one view for each frame of a video.

    Raises
    ------
    LayoutError
        The placeholders are not one for each patch and class token, or the image processor takes the rows of a picture
        for its colours.
    """
    if place.kind == "image" and place.height in _COLOURS:
        raise LayoutError(
            f"{type(place.processor.image_processor).__name__} takes the {place.height} rows of {place}, "
            f"{place.width}×{place.height} pixels, for its colours; enlarge it"
        )
    names = {"image": ("pixel_values", "pixel_values_images"), "video": ("pixel_values_videos",)}[place.kind]
    given = next(place.inputs[name] for name in names if name in place.inputs)
    settings = getattr(place.processor, f"{place.kind}_processor")
    llava.check_size(place, given.shape[-2:])
    patch = int(place.config.vision_config.patch_size)
    rows, columns, box = llava.shown(place, settings, given.shape[-2:], patch)
    first = 1 if place.kind == "video" or place.config.vision_feature_select_strategy == "full" else 0
    found = place.placeholders
    if len(found) != place.frames * (rows * columns + first):
        raise LayoutError(
            f"{place} has {len(found)} vision tokens where {place.frames} times {rows}×{columns} and {first} class "
            "tokens were due"
        )
    runs = found.reshape(place.frames, -1)[:, first:]
    if place.kind == "image":
        return [place.view("main", runs[0], rows, columns, box)]
    return [place.view("frame", run, rows, columns, box, number) for number, run in enumerate(runs)]
