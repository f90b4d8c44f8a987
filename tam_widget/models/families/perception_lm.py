"""PerceptionLM: a small copy of the whole picture, then square tiles of the stretched picture, row by row.

A video is a run of frames, each stretched to one tile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError

if TYPE_CHECKING:
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["views"]


def views(place: Place) -> list[View]:
    """Return a main view for a picture of one tile, else a global one and a view for each tile; frames for a video.

    The processor does not say how the tiles lie: its image processor's own functions do, and the number of tiles must
    be theirs.

    Raises
    ------
    LayoutError
        It is not, or a tile is no square of whole cells.
    """
    pixels = place.inputs["pixel_values" if place.kind == "image" else "pixel_values_videos"][place.row]
    side = _side(place, *(int(n) for n in pixels.shape[-2:]))
    found = place.placeholders
    if len(found) != len(pixels) * side * side:
        raise LayoutError(f"{place} has {len(found)} vision tokens where {len(pixels)} tiles of {side}×{side} were due")
    runs = found.reshape(len(pixels), -1)
    if place.kind == "video":
        if len(runs) != place.frames or getattr(place.processor.video_processor, "do_center_crop", None):
            raise LayoutError(
                f"{place} has {len(runs)} frames, perhaps cropped, where {place.frames} whole ones were due"
            )
        return [place.view("frame", run, side, side, frame=number) for number, run in enumerate(runs)]
    if len(runs) == 1:
        return [place.view("main", found, side, side)]
    across, down = _arrangement(place)
    if across * down != len(runs) - 1:
        raise LayoutError(f"{place} has {len(runs) - 1} tiles beside the small copy where {down}×{across} were due")
    return [place.view("global", runs[0], side, side), *place.tiles(runs[1:], across, side, side)]


def _side(place: Place, high: int, wide: int) -> int:
    """Return the cells of a tile from one side to the other."""
    cell = int(place.processor.patch_size) * int(place.config.projector_pooling_ratio)
    if high != wide or high % cell:
        raise LayoutError(
            f"{place} was cut into tiles of {wide}×{high} pixels, not into squares of whole cells of {cell}"
        )
    return high // cell


def _arrangement(place: Place) -> tuple[int, int]:
    """Return how many tiles lie side by side and one above the other, as the image processor decides it."""
    images: Any = place.processor.image_processor
    room = {"img_width": place.width, "img_height": place.height, "tile_size": images.tile_size}
    fitting = images._fit_image_to_canvas(**room)  # noqa: SLF001 - nothing public says it
    across, down = fitting or images._find_closest_aspect_ratio(**room)  # noqa: SLF001
    return int(across), int(down)
