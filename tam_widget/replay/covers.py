"""A picture, or a video, with some of its cells covered: in its mean colour, or blurred."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from tam_widget.media.videos import Video

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.models.inputs.parts import Medium
    from tam_widget.models.layout import Box
    from tam_widget.replay.replay import Replay

__all__ = ["Cover", "Covers", "covers_of", "mean_coloured"]

Cover: TypeAlias = Literal["mean", "blur"]

_BLUR = 0.1
"""Standard deviation of the blur as a share of the picture's longer side: no shape is left, but its colour is."""


class Covers:
    """One picture or video, and what lies over its cells where they are covered.

    Parameters
    ----------
    medium : PIL.Image.Image or Video
        With all frames that the model was given.
    grid : tuple of int
        Rows and columns of its maps; of a video frames, rows and columns.
    box : tuple of float
        (left, top, right, bottom) of the grid, in pixels.
    starts : sequence of int
        The first frame that each frame of the maps stands for; those up to the next are merged with it.
    """

    def __init__(self, medium: Medium, grid: tuple[int, ...], box: Box, starts: Sequence[int] = (0,)) -> None:
        self.medium = medium
        self.grid = grid
        ends = (*starts[1:], len(_frames(medium)))
        self._frame_of = np.repeat(np.arange(len(ends)), [end - start for start, end in pairwise((0, *ends))])
        width, height = medium.width, medium.height
        self._row = _cells(height, box[1], box[3], grid[-2])
        self._column = _cells(width, box[0], box[2], grid[-1])
        self._over: dict[Cover, list[Image.Image]] = {}

    def first_frame(self, frame: int) -> int:
        """Return the first of the frames that one of the maps stands for."""
        return int(np.searchsorted(self._frame_of, frame))

    def covered(self, cells: NDArray[np.bool_], cover: Cover) -> Medium:
        """Return the picture or video with some cells covered.

        Parameters
        ----------
        cells : ndarray of bool, shape `grid`
            A pixel belongs to the cell that holds its middle; what lies outside of the grid, to the cell next to it.
        cover : {"mean", "blur"}
            What lies over a covered cell: the mean colour of the picture or frame, or the same blurred by a Gaussian
            with a standard deviation of a tenth of its longer side.

        Returns
        -------
        PIL.Image.Image or Video
            RGB, in its own size.
        """
        frames = _frames(self.medium)
        if cover not in self._over:
            self._over[cover] = [_covering(frame, cover) for frame in frames]
        each = cells.reshape(-1, *self.grid[-2:])
        found = []
        for frame, over, number in zip(frames, self._over[cover], self._frame_of, strict=True):
            pixels = each[number][self._row[:, None], self._column[None, :]]
            found.append(Image.fromarray(np.where(pixels[..., None], np.asarray(over), np.asarray(frame))))
        return Video(tuple(found), self.medium.times) if isinstance(self.medium, Video) else found[0]


def covers_of(replay: Replay) -> tuple[Covers, ...]:
    """Return the covers of every picture and video of a conversation, in order."""
    explanation, panels = replay.explanation, replay.reading.panels
    found = []
    for image, (medium, grid, box) in enumerate(zip(replay.media, explanation.grids, explanation.boxes, strict=True)):
        starts = [panel.frame or 0 for panel in panels if panel.image == image and panel.kind == "stitched"]
        found.append(Covers(medium, grid, box, starts))
    return tuple(found)


def mean_coloured(medium: Medium) -> Medium:
    """Return a picture or video of the same size in its, or each frame's, mean colour, rounded to whole levels."""
    if isinstance(medium, Video):
        return Video(tuple(_mean_coloured(frame) for frame in medium.frames), medium.times)
    return _mean_coloured(medium)


def _frames(medium: Medium) -> tuple[Image.Image, ...]:
    return medium.frames if isinstance(medium, Video) else (medium,)


def _covering(picture: Image.Image, cover: Cover) -> Image.Image:
    if cover == "mean":
        return _mean_coloured(picture)
    return picture.filter(ImageFilter.GaussianBlur(_BLUR * max(picture.size)))


def _mean_coloured(picture: Image.Image) -> Image.Image:
    colour = np.asarray(picture).reshape(-1, 3).mean(axis=0).round().astype(int)
    return Image.new("RGB", picture.size, tuple(colour.tolist()))


def _cells(pixels: int, start: float, end: float, count: int) -> NDArray[np.int64]:
    """Return the row (or column) of the grid of each row (or column) of pixels."""
    place = (np.arange(pixels) + 0.5 - start) / (end - start) * count
    found: NDArray[np.int64] = np.clip(np.floor(place), 0, count - 1).astype(np.int64)
    return found
