"""Frames taken from a video file at even times; only the parts that hold them are decoded."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

from tam_widget.errors import MissingDependencyError, PictureError
from tam_widget.media.limits import MOST_PIXELS, MOST_VIDEO_PIXELS, Deadline, check_pixels, megapixels
from tam_widget.media.signatures import HEAD, advice, is_video
from tam_widget.media.wording import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PIL import Image

__all__ = ["FRAMES_PER_SECOND", "MOST_FRAMES", "need_pyav", "sampled"]

FRAMES_PER_SECOND = 2.0
"""How many frames a second are taken from a file, and how fast given frames follow each other, where nobody says."""

MOST_FRAMES = 32
"""A long file gives no more frames than this, further apart, where nobody says how many a second."""

_ROUNDING = 1e-3  # seconds; times are rounded in the file
_JUMP_S = 2.0  # to the next frame wanted; nearer ones are reached by decoding what lies between
_CONTAINER_TICKS = 1_000_000  # a second
_OPTIONS = {
    "protocol_whitelist": "none",  # a playlist would open other files and addresses
    "max_pixels": str(MOST_PIXELS),  # for sizes that change on the way
}


def need_pyav() -> None:
    """Raise :class:`MissingDependencyError` where PyAV is not installed, before a file is opened or fetched."""
    try:
        import av  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            'reading a video file needs PyAV: pip install "tam-widget[video]"; a list of frames works without'
        ) from error


def sampled(file: IO[bytes], name: str, fps: float | None, deadline: Deadline) -> tuple[list[Image.Image], list[float]]:
    """Take frames from a file.

    Parameters
    ----------
    file : binary file object
        Seekable.
    name : str
        What an error message calls it.
    fps : float, optional
        Frames a second; by default ``FRAMES_PER_SECOND``, and ``MOST_FRAMES`` in all.
    deadline : Deadline
        When the last frame must have been decoded.

    Returns
    -------
    frames : list of PIL.Image.Image
        Upright RGB, of one size or not.
    times : list of float
        Seconds from the first frame.

    Raises
    ------
    PictureError
        It is no video, is damaged, or its frames are too large or too many.
    """
    import av

    head = file.read(HEAD) or b""
    file.seek(0)
    try:
        with av.open(file, options=_OPTIONS) as container:
            kept = _Film(container, deadline, name).take(fps)
            return [frame for _, frame in kept], [time for time, _ in kept]
    except PictureError:
        raise
    except Exception as error:  # a damaged file may make a decoder raise anything
        # What a person's file is where it is no video; damaged ones are told by the decoder.
        found = None if is_video(head) else advice(head)
        raise PictureError(f"{name} is not a video that can be read: {found or reason(error)}") from error


class _Film:
    """A video stream, read forwards and by jumps."""

    def __init__(self, container: Any, deadline: Deadline, name: str) -> None:
        self._container, self._deadline, self._name = container, deadline, name
        if not container.streams.video:
            kinds = [stream.type for stream in container.streams]
            raise PictureError(f"{name} has no picture: its streams are {kinds!r:.80}")
        self._stream = container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._first: float | None = None
        pixels = self._stream.width * self._stream.height  # 0 where only the frames tell
        if pixels:
            check_pixels(self._stream.width, self._stream.height)
        self._most = MOST_VIDEO_PIXELS // max(pixels, 1)

    def take(self, fps: float | None) -> list[tuple[float, Image.Image]]:
        """Return frames at even times and when they are seen."""
        length = self._length()
        if fps is not None:
            if length * fps > self._most:
                raise self._too_many(fps)
            return self._at_even_times(1 / fps, self._most, thin=False)
        step, most = 1 / FRAMES_PER_SECOND, min(MOST_FRAMES, self._most)
        while length / step > most:
            step *= 2
        kept = self._at_even_times(step, most, thin=True)
        if 2 * len(kept) * step < length:  # it ends before the file says so, or jumps lead astray
            self._container.seek(0)
            kept = self._at_even_times(1 / FRAMES_PER_SECOND, most, thin=True, jump=False)
        return kept

    def _length(self) -> float:
        """Return how many seconds the file says it lasts, 0 where it does not."""
        if self._stream.duration is not None and self._stream.time_base:
            return float(self._stream.duration * self._stream.time_base)
        return (self._container.duration or 0) / _CONTAINER_TICKS

    def _at_even_times(
        self, step: float, most: int, *, thin: bool, jump: bool = True
    ) -> list[tuple[float, Image.Image]]:
        """Take each frame that is ``step`` seconds or more after the last one taken.

        Where there are more than ``most``, take every other one from the beginning, or raise an error. A jump leads to
        the last frame before a time that can be decoded without others; where that lies behind, jumps do not help,
        and the next is tried later.
        """
        kept: list[tuple[float, Image.Image]] = []
        left_at, pause, pauses = -1.0, 0, 1
        frames = self._frames()
        while (found := next(frames, None)) is not None:
            time, frame = found
            if left_at >= time:
                pause, pauses = pauses, 2 * pauses
            left_at = -1.0
            if kept and time < kept[-1][0] + step - _ROUNDING:
                continue
            if len(kept) == most:
                if not thin:
                    raise self._too_many(1 / step)
                kept, step = kept[::2], 2 * step
                if time < kept[-1][0] + step - _ROUNDING:
                    continue
            kept.append((time, _upright(frame)))
            if jump and step > _JUMP_S:
                pause -= 1
                if pause < 0 and self._jump(time + step):
                    left_at, frames = time, self._frames()
        return kept

    def _jump(self, time: float) -> bool:
        """Go on before a time; return whether the file allows it."""
        import av

        try:
            place = int((time + (self._first or 0.0)) / self._stream.time_base)
            self._container.seek(place, stream=self._stream)
        except av.FFmpegError:
            return False
        return True

    def _frames(self) -> Iterator[tuple[float, Any]]:
        """Decode on; yield frames and their times, counted from the first one."""
        for number, frame in enumerate(self._container.decode(self._stream)):
            self._deadline.check(self._name)
            time = frame.time
            if time is None:  # a bare stream says only how many frames a second it has
                rate = self._stream.guessed_rate
                if not rate:
                    continue
                time = number / rate
            self._first = float(time) if self._first is None else self._first
            yield float(time) - self._first, frame

    def _too_many(self, fps: float) -> PictureError:
        size = f"{self._stream.width}×{self._stream.height}"
        length = self._length()
        fitting = f", such as fps={self._most / length:.2g}" if length else ""
        return PictureError(
            f"fps={fps:g} takes more than {self._most:,} frames of {size} from {self._name}, and "
            f"{megapixels(MOST_VIDEO_PIXELS)} are the limit: ask for fewer{fitting}"
        )


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    check_pixels(*image.size)
    turned = int(getattr(frame, "rotation", 0) or 0)
    return image.rotate(turned, expand=True) if turned else image
