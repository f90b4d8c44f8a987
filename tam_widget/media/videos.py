"""Whatever a person calls a video, as frames with their times."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

from tam_widget.errors import PictureError
from tam_widget.media.arrays import image_of, is_array, is_tensor, levels_of, values_of
from tam_widget.media.limits import MOST_VIDEO_PIXELS, VIDEO_DEADLINE_S, Deadline, megapixels
from tam_widget.media.pictures import Picture, as_picture
from tam_widget.media.sampling import FRAMES_PER_SECOND, MOST_FRAMES, need_pyav, sampled
from tam_widget.media.signatures import HEAD, is_video
from tam_widget.media.sources import is_source, opened

if TYPE_CHECKING:
    import torch
    from PIL import Image

__all__ = ["FRAMES_PER_SECOND", "MOST_FRAMES", "Video", "VideoInput", "as_video"]

VideoInput: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Sequence[Picture] | np.ndarray[Any, Any] | "
    "torch.Tensor"
)

_FRAME_BATCH = 4  # dimensions of an array of frames
_SUFFIXES = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".wmv", ".flv", ".3gp")
_ONE_VIDEO = (
    "video= takes one video: its file, or its frames. Several go in messages, each as a part of its own: "
    '[{"role": "user", "content": [{"type": "video", "video": first}, {"type": "video", "video": second}, '
    '{"type": "text", "text": question}]}]'
)


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
    video : str, os.PathLike, bytes, binary file object, sequence of pictures, numpy.ndarray or torch.Tensor
        A file that PyAV reads (``pip install "tam-widget[video]"``), named or given in any way that
        :func:`tam_widget.media.pictures.as_picture` takes; or the frames that the model shall see, as a sequence of
        pictures, or as one array (F, H, W, C) or tensor (F, C, H, W).
    fps : float, optional
        Frames a second. Of a file so many are taken; by default two, and no more than 32 in all, evenly spaced, or
        fewer where 32 would be too large. Given frames are all taken and follow each other at this rate, by default two
        a second.

    Returns
    -------
    Video

    Raises
    ------
    PictureError
        There is no frame, a frame cannot be read, frames differ in size, the rate is not positive, there are several
        videos, or a limit of :mod:`tam_widget.media.limits` is passed: 10 minutes to read, 134 megapixels a frame, 537
        in all, 1 GiB where the file is fetched or held in memory.
    MissingDependencyError
        A file was given and PyAV is not installed.
    """
    if fps is not None and not (isinstance(fps, int | float) and 0 < fps < math.inf):
        raise PictureError(f"fps must be a positive number of frames a second, got {fps!r:.80}")
    if isinstance(video, Video):
        return video
    if is_source(video):
        need_pyav()
        deadline = Deadline(VIDEO_DEADLINE_S)
        with opened(video, deadline, any_length=True) as (file, name):
            return _checked(*sampled(file, name, fps, deadline))
    frames = _frames(video)
    rate = FRAMES_PER_SECOND if fps is None else float(fps)
    return _checked(frames, [number / rate for number in range(len(frames))])


def _checked(frames: list[Image.Image], times: list[float]) -> Video:
    if not frames:
        raise PictureError("the video has no frames")
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        raise PictureError(f"the frames of a video must have one size; got {', '.join(f'{w}×{h}' for w, h in sizes)}")
    return Video(tuple(frames), tuple(times))


def _frames(video: Any) -> list[Image.Image]:
    if is_array(video):
        return _from_array(video)
    if not isinstance(video, Sequence):
        raise PictureError(
            f"a video is a path, a URL, the bytes of a file, a list of pictures, an array or a tensor; "
            f"got {type(video).__name__}"
        )
    if any(_is_video(frame) for frame in video):
        raise PictureError(_ONE_VIDEO)
    frames, pixels = [], 0
    for number, given in enumerate(video):
        try:
            frame = as_picture(given)
        except PictureError as error:
            raise PictureError(f"frame {number} of the video: {error}") from error
        pixels += frame.width * frame.height
        _check_pixels(pixels)
        frames.append(frame)
    return frames


def _from_array(video: Any) -> list[Image.Image]:
    values = values_of(video)
    if values.ndim != _FRAME_BATCH:
        raise PictureError(f"a video is (frames, height, width, channels); got an array of shape {values.shape}")
    if values.size:
        _check_pixels(values.size // min(values.shape[-1], values.shape[1]))
        # All at once: what the values of a dark frame mean, its neighbours show.
        values = levels_of(values)
    return [as_picture(image_of(frame, channels_last=not is_tensor(video))) for frame in values]


def _check_pixels(pixels: int) -> None:
    if pixels > MOST_VIDEO_PIXELS:
        raise PictureError(
            f"the frames of the video have more than {megapixels(MOST_VIDEO_PIXELS)} together: "
            "give fewer, or scale them down"
        )


def _is_video(given: Any) -> bool:
    """Tell whether what should be a frame is a video of its own."""
    if isinstance(given, str | os.PathLike):
        text = str(given)
        return text[:11].lower() == "data:video/" or text.partition("?")[0].lower().endswith(_SUFFIXES)
    if isinstance(given, bytes | bytearray | memoryview):
        return is_video(bytes(given[:HEAD]))
    several = isinstance(given, Video | Sequence)
    return several or (is_array(given) and len(given.shape) == _FRAME_BATCH)
