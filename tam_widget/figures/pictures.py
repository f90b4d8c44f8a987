"""Pictures and frames of videos with their maps laid over them."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import TokenIndexError
from tam_widget.figures.blend import overlay
from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from typing import SupportsIndex

    from numpy.typing import NDArray
    from PIL import Image

    from tam_widget.explanation import Explanation
    from tam_widget.models.layout import Box

__all__ = ["Shown", "peak_of", "show", "single_overlay", "size_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture under its map, or a frame of a video, which has a time."""

    picture: Image.Image
    time: float | None = None


def peak_of(heatmap: NDArray[np.float32]) -> float:
    """Return a map's maximum, 0 where nothing was seen."""
    return float(np.nanmax(heatmap, initial=0))


def single_overlay(
    explanation: Explanation,
    heatmap: NDArray[np.float32],
    image: SupportsIndex,
    frame: SupportsIndex | None,
    **style: Any,
) -> Image.Image:
    """Return one picture, or one frame of a video, under its map, in its own size.

    Raises
    ------
    ValueError
        A video without a frame, or a picture with one.
    TokenIndexError
        A frame that the video does not have.
    """
    medium, box = explanation.images[image], explanation.boxes[image]
    if not isinstance(medium, Video):
        if frame is not None:
            raise ValueError(f"picture {operator.index(image)} is no video: leave frame out")
        return overlay(medium, heatmap, box, **style)
    count = len(medium.frames)
    if frame is None:
        raise ValueError(
            f"picture {operator.index(image)} is a video: say which of its {count} frames, as frame=0 to {count - 1}"
        )
    place = operator.index(frame)
    if not -count <= place < count:
        raise TokenIndexError(f"frame {place} is out of range: there are {count}, counted from 0")
    return _over_frame(medium.frames[place], heatmap, place, box, **style)


def show(
    explanation: Explanation,
    heatmap: NDArray[np.float32],
    image: SupportsIndex,
    style: dict[str, Any],
    *,
    largest: int,
    most: int,
) -> list[Shown]:
    """Return a picture under its map; of a video up to ``most`` frames.

    They lie evenly over the video, and the one where the map peaks is among them. All show the map on one scale.

    Parameters
    ----------
    explanation : Explanation
        What the map is of.
    heatmap : numpy.ndarray of float32
        The map of the whole picture or video.
    image : int
        Which picture or video.
    style : dict
        Keywords for :func:`tam_widget.figures.blend.overlay`.
    largest : int
        Longest side of what is returned, in pixels.
    most : int
        Most frames, 1 or more.
    """
    medium, box = explanation.images[image], explanation.boxes[image]
    if not isinstance(medium, Video):
        picture, scaled = _shrunk(medium, box, largest)
        return [Shown(overlay(picture, heatmap, scaled, **style))]
    shown = []
    for frame in _chosen(heatmap, most):
        picture, scaled = _shrunk(medium.frames[frame], box, largest)
        shown.append(Shown(_over_frame(picture, heatmap, frame, scaled, **style), medium.times[frame]))
    return shown


def size_of(explanation: Explanation, image: SupportsIndex) -> tuple[int, int]:
    """Return a picture's or a video's width and height in pixels."""
    medium = explanation.images[image]
    return medium.width, medium.height


def _over_frame(
    picture: Image.Image,
    heatmap: NDArray[np.float32],
    frame: int,
    box: Box,
    *,
    stretch: bool = True,
    **style: Any,
) -> Image.Image:
    """Lay a frame's map over it. What is stretched is the video's map as a whole, so that frames can be compared."""
    peak = peak_of(heatmap)
    if peak <= 0:
        return overlay(picture, heatmap[frame], box, **style)
    values = heatmap[frame] / peak if stretch else heatmap[frame]
    return overlay(picture, values, box, stretch=False, **style)


def _shrunk(picture: Image.Image, box: Box, largest: int) -> tuple[Image.Image, Box]:
    small = picture.copy()
    small.thumbnail((largest, largest))
    across, down = small.width / picture.width, small.height / picture.height
    left, top, right, bottom = box
    return small, (left * across, top * down, right * across, bottom * down)


def _chosen(heatmap: NDArray[np.float32], most: int) -> list[int]:
    """Return which frames stand for a video, in order."""
    count = len(heatmap)
    chosen = sorted(set(np.linspace(0, count - 1, min(count, most)).round().astype(int).tolist()))
    if (peak := peak_of(heatmap)) > 0:
        best = int(np.argmax([peak_of(frame) == peak for frame in heatmap]))
        nearest = min(range(len(chosen)), key=lambda place: abs(chosen[place] - best))
        chosen[nearest] = best
    return chosen
