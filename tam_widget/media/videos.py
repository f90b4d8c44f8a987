"""Whatever a person calls a video, as frames with their times."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tam_widget.errors import MissingDependencyError, PictureError
from tam_widget.media.pictures import Picture, as_picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import torch
    from PIL import Image

__all__ = ["FRAMES_PER_SECOND", "MOST_FRAMES", "Video", "VideoInput", "as_video"]

VideoInput: TypeAlias = "str | os.PathLike[str] | Sequence[Picture] | np.ndarray[Any, Any] | torch.Tensor"

FRAMES_PER_SECOND = 2.0
"""How many frames a second are taken from a file, and how fast given frames follow each other, where nobody says."""

MOST_FRAMES = 32
"""A long file gives no more frames than this, further apart, where nobody says how many a second."""

_FRAME_BATCH = 4  # dimensions of an array of frames
_ROUNDING = 1e-3  # seconds; times are rounded in the file


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """Frames of one size, in order, and when each of them is seen.

    Attributes
    ----------
    frames : tuple of PIL.Image.Image
        Upright RGB.
    times : tuple of float
        Seconds from the beginning, one for each frame.
    """

    frames: tuple[Image.Image, ...]
    times: tuple[float, ...]

    @property
    def width(self) -> int:
        """Width of every frame, in pixels."""
        return self.frames[0].width

    @property
    def height(self) -> int:
        """Height of every frame, in pixels."""
        return self.frames[0].height

    def __repr__(self) -> str:
        span = f"{self.times[0]:.1f} to {self.times[-1]:.1f} s"
        return f"<Video of {len(self.frames)} frames, {self.width}×{self.height} px, {span}>"


def as_video(video: Any, fps: float | None = None) -> Video:
    """Turn a video of any kind into frames.

    Parameters
    ----------
    video : str, os.PathLike, sequence of pictures, numpy.ndarray or torch.Tensor
        A file that PyAV reads (``pip install "tam-widget[video]"``); or the frames that the model shall see, as a
        sequence of anything that :func:`tam_widget.media.pictures.as_picture` takes, or as one array (F, H, W, C) or
        tensor (F, C, H, W).
    fps : float, optional
        Frames a second. Of a file so many are taken; by default two, and no more than 32 in all, evenly spaced. Given
        frames are all taken and follow each other at this rate, by default two a second.

    Returns
    -------
    Video

    Raises
    ------
    PictureError
        There is no frame, a frame cannot be read, frames differ in size, or the rate is not positive.
    MissingDependencyError
        A file was given and PyAV is not installed.
    """
    if fps is not None and not (isinstance(fps, int | float) and fps > 0):
        raise PictureError(f"fps must be a positive number of frames a second, got {fps!r}")
    if isinstance(video, Video):
        return video
    if isinstance(video, str | os.PathLike):
        return _checked(*_from_file(video, fps))
    if hasattr(video, "ndim") and video.ndim != _FRAME_BATCH:
        raise PictureError(f"a video is (frames, height, width, channels); got an array of shape {tuple(video.shape)}")
    if not isinstance(video, Sequence) and not hasattr(video, "ndim"):
        raise PictureError(f"a video is a path, a list of pictures, an array or a tensor; got {type(video).__name__}")
    frames = [as_picture(frame) for frame in video]
    rate = FRAMES_PER_SECOND if fps is None else float(fps)
    return _checked(frames, [number / rate for number in range(len(frames))])


def _checked(frames: list[Image.Image], times: list[float]) -> Video:
    if not frames:
        raise PictureError("the video has no frames")
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        raise PictureError(f"the frames of a video must have one size; got {', '.join(f'{w}×{h}' for w, h in sizes)}")
    return Video(tuple(frames), tuple(times))


def _from_file(path: str | os.PathLike[str], fps: float | None) -> tuple[list[Image.Image], list[float]]:
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError(
            'reading a video file needs PyAV: pip install "tam-widget[video]"; a list of frames works without'
        ) from error
    name = str(path)
    if not name.startswith(("http://", "https://")):
        name = str(Path(path).expanduser())
        if not Path(name).is_file():
            raise PictureError(f"there is no file {name!r} (looked in {Path.cwd()})")
    try:
        with av.open(name) as container:
            if not container.streams.video:
                raise PictureError(f"{name!r} has no picture: its streams are {[s.type for s in container.streams]}")
            frames = _sampled(container.decode(container.streams.video[0]), fps)
            return [_upright(frame) for _, frame in frames], [time for time, _ in frames]
    except av.FFmpegError as error:
        raise PictureError(f"{name!r} is not a video that can be read: {error}") from error


def _sampled(frames: Iterable[Any], fps: float | None) -> list[tuple[float, Any]]:
    """Take frames at even times. How long the video is shows only at its end: where it is long, thin out on the way."""
    step = 1 / (FRAMES_PER_SECOND if fps is None else fps)
    kept: list[tuple[float, Any]] = []
    for time, frame in _timed(frames):
        if kept and time < kept[-1][0] + step - _ROUNDING:
            continue
        if fps is None and len(kept) == MOST_FRAMES:
            kept, step = kept[::2], 2 * step
            if time < kept[-1][0] + step - _ROUNDING:
                continue
        kept.append((time, frame))
    return kept


def _timed(frames: Iterable[Any]) -> Iterator[tuple[float, Any]]:
    first = None
    for frame in frames:
        if frame.time is not None:
            first = frame.time if first is None else first
            yield float(frame.time - first), frame


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    turned = int(getattr(frame, "rotation", 0) or 0)
    return image.rotate(turned, expand=True) if turned else image
