"""How large a picture or a video may be, and how long reading one may take."""

from __future__ import annotations

import time

from tam_widget.errors import PictureError

__all__ = [
    "DEADLINE_S",
    "MOST_BYTES",
    "MOST_PIXELS",
    "MOST_VIDEO_PIXELS",
    "VIDEO_DEADLINE_S",
    "Deadline",
    "check_pixels",
    "megapixels",
]

DEADLINE_S = 60.0
"""A picture's address must be looked up, reached and read within so many seconds, redirects included."""

VIDEO_DEADLINE_S = 600.0
"""A video must be fetched and its frames decoded within so many seconds."""

MOST_BYTES = 2**30
"""A picture, and a video that is fetched or held in memory, may have 1 GiB. A video file may be longer: it is read
only where its frames are taken."""

MOST_PIXELS = 2**27
"""A picture or a frame may have 134 megapixels: a photo of 108 passes; held as RGB it takes 4 bytes a pixel."""

MOST_VIDEO_PIXELS = 2**29
"""The frames taken from a video may have 537 megapixels together: 256 frames of 1920×1080."""


class Deadline:
    """A moment from now; all steps of one reading share it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left, 0 when it is over."""
        return max(0.0, self._at - time.monotonic())

    def check(self, name: str) -> None:
        """Raise :class:`PictureError` where the time is over."""
        if not self.left:
            raise PictureError(f"reading {name} took longer than {self.seconds:g} s and was given up")


def megapixels(pixels: float) -> str:
    """Return a number of pixels as a person reads it."""
    return f"{pixels / 1e6:,.1f} megapixels"


def check_pixels(width: int, height: int) -> None:
    """Raise :class:`PictureError` where a picture is empty or too large, before its pixels are decoded."""
    if width < 1 or height < 1:
        raise PictureError(f"the picture is empty: {width}×{height} pixels")
    if width * height > MOST_PIXELS:
        raise PictureError(
            f"the picture has {width}×{height} pixels ({megapixels(width * height)}); "
            f"the limit is {megapixels(MOST_PIXELS)}: scale it down first"
        )
