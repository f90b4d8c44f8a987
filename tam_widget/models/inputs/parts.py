"""One part of a message: somebody's words, or a picture or video with what was said about its size and its frames."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.errors import PictureError, PromptError
from tam_widget.media.pictures import as_picture
from tam_widget.media.videos import Video, as_video

if TYPE_CHECKING:
    from tam_widget.text.tokens import Role

__all__ = ["SIZE_OPTIONS", "Medium", "Shown", "Text", "read_part"]

Medium = Image.Image | Video

SIZE_OPTIONS = ("min_pixels", "max_pixels", "resized_height", "resized_width")
"""What a part may say about the size in which the model is shown its picture or frames; as in qwen-vl-utils."""

_FRAME_OPTIONS = ("fps", "nframes")
_SOURCES = ("image", "video", "url", "path", "base64", "image_url", "video_url")
_KINDS = {"image": "image", "image_url": "image", "video": "video", "video_url": "video"}
_NAMES = {"image": "images", "video": "video"}
_OVERSAMPLED = 4  # frames read for each one wanted, so that the one nearest to the wanted time is near enough


@dataclass(frozen=True, slots=True)
class Text:
    """Somebody's words; ``role`` is None where they are not explained (the system prompt)."""

    text: str
    role: Role | None
    turn: int


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A picture or video, and the options among :data:`SIZE_OPTIONS` that its part of the message gives."""

    medium: Medium
    size: Mapping[str, int] = field(default_factory=dict)


def read_part(  # noqa: PLR0917 - called once, in messages.py
    part: Any, role: Role | None, turn: int, waiting: dict[str, list[Any]], fps: float | None, number: int
) -> Text | Shown:
    """Read one part in the chat format of transformers.

    Parameters
    ----------
    part : str or mapping
        Text, or ``{"type": "text" | "image" | "video", ...}``. Keys that hold None say nothing.
    role, turn
        Whose it is, and of which turn.
    waiting : dict of list
        Pictures and videos for the parts without a source; those that are used are taken off.
    fps : float or None
        For a video that says nothing itself.
    number : int
        Which message it is of, for the errors.

    Raises
    ------
    PromptError
        It cannot be understood, or has an option that nothing knows.
    PictureError
        Its picture or video is missing or cannot be read.
    """
    if isinstance(part, str):
        return Text(part, role, turn)
    given = {name: value for name, value in part.items() if value is not None} if isinstance(part, Mapping) else {}
    kind = given.pop("type", None)
    if kind == "text" and "text" in given:
        text = given.pop("text")
        _refuse_unknown(given, (), f"message {number} has a text with")
        return Text(text, role, turn)
    if kind not in _KINDS:
        raise PromptError(
            f'message {number} has a part {part!r:.200}; known are {{"type": "text", "text": ...}}, '
            '{"type": "image", "image": ...} and {"type": "video", "video": ...}'
        )
    kind = _KINDS[kind]
    if role != "prompt":
        raise PromptError(f"message {number} has a {kind}, which only the user can show")
    sources = {name: given.pop(name) for name in _SOURCES if name in given}
    known = SIZE_OPTIONS if kind == "image" else (*SIZE_OPTIONS, *_FRAME_OPTIONS)
    _refuse_unknown(given, known, f"message {number} has {'an' if kind == 'image' else 'a'} {kind} with")
    source = _source(sources, kind, waiting, number)
    frames = {name: given.pop(name) for name in _FRAME_OPTIONS if name in given}
    size = _sizes(given, number)
    if kind == "image":
        return Shown(as_picture(source), size)
    return Shown(_video(source, frames.get("fps"), frames.get("nframes"), fps), size)


def _refuse_unknown(given: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}" if known else "leave it out"
            raise PromptError(f"{what} the option {name!r}, which nothing would read; {hint}")


def _source(sources: dict[str, Any], kind: str, waiting: dict[str, list[Any]], number: int) -> Any:
    """Return what is to be shown: what the part holds, or the next of those that were given beside the messages."""
    if len(sources) > 1:
        raise PictureError(f"message {number} has one {kind} with {len(sources)} sources: {', '.join(sources)}")
    if not sources:
        if not waiting[kind]:
            raise PictureError(
                f"message {number} has {kind}s without a source, more of them than {_NAMES[kind]}= gives"
            )
        return waiting[kind].pop(0)
    ((name, source),) = sources.items()
    if isinstance(source, Mapping):  # {"image_url": {"url": ..., "detail": "auto"}}
        rest = {key: value for key, value in source.items() if key != "url" and value not in (None, "auto")}
        _refuse_unknown(rest, (), f"message {number} has an {name} with")
        source = source.get("url")
    if name == "base64" and isinstance(source, str) and not source.startswith("data:"):
        return f"data:image/png;base64,{source}"
    return source


def _sizes(given: Mapping[str, Any], number: int) -> dict[str, int]:
    sizes = {}
    for name, value in given.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | np.integer)
            or value != value // 1
            or value < 1
        ):
            raise PromptError(f"{name} of message {number} must be a positive whole number of pixels, got {value!r}")
        sizes[name] = int(value)
    if ("resized_height" in sizes) != ("resized_width" in sizes):
        raise PromptError(f"message {number} gives one of resized_height and resized_width; give both")
    if "resized_height" in sizes and len(sizes) > 2:  # noqa: PLR2004 - height and width
        raise PromptError(f"message {number} gives a size twice: {', '.join(sizes)}")
    if sizes.get("min_pixels", 0) > sizes.get("max_pixels", np.inf):
        raise PromptError(
            f"message {number} wants at least {sizes['min_pixels']} pixels and at most {sizes['max_pixels']}"
        )
    return sizes


def _video(source: Any, own_fps: Any, count: Any, fps: float | None) -> Video:
    """Read a video, with so many frames a second or so many frames in all."""
    if count is None:
        return as_video(source, fps=fps if own_fps is None else own_fps)
    if own_fps is not None:
        raise PromptError("a video gives fps and nframes; leave one of them out")
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise PromptError(f"nframes must be a positive whole number of frames, got {count!r}")
    video = as_video(source, fps=fps)
    if isinstance(source, str) or hasattr(source, "__fspath__"):
        span = video.times[-1]
        if span > 0:  # how long a file is shows when it is read: once for its length, once closely enough
            video = as_video(source, fps=_OVERSAMPLED * count / span)
    if len(video.frames) < count:
        raise PictureError(f"the video has {len(video.frames)} frames, and nframes asks for {count}")
    times = np.asarray(video.times)
    wanted = np.linspace(times[0], times[-1], count)
    chosen: list[int] = []
    for k, time in enumerate(wanted):
        first = chosen[-1] + 1 if chosen else 0
        within = times[first : len(times) - (count - 1 - k)]  # enough must be left for those to come
        chosen.append(first + int(np.abs(within - time).argmin()))
    return Video(tuple(video.frames[k] for k in chosen), tuple(video.times[k] for k in chosen))
