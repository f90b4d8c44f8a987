"""What a person gave, as one conversation: who said what in which turn, and where pictures and videos stand in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image

from tam_widget.errors import PictureError, PromptError
from tam_widget.media.pictures import Picture, as_picture
from tam_widget.media.videos import Video, VideoInput, as_video

if TYPE_CHECKING:
    from tam_widget.text.tokens import Role

__all__ = ["Conversation", "Medium", "Message", "Text", "conversation_from", "conversation_from_messages"]

Medium = Image.Image | Video
Speaker = Literal["system", "user", "assistant"]

_ROLES: dict[Speaker, Role | None] = {"system": None, "user": "prompt", "assistant": "answer"}
_SOURCES = ("image", "video", "url", "path", "base64", "image_url", "video_url")


@dataclass(frozen=True, slots=True)
class Text:
    """Somebody's words; ``role`` is None where they are not explained (the system prompt)."""

    text: str
    role: Role | None
    turn: int


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message, its parts in order."""

    speaker: Speaker
    parts: tuple[Text | Medium, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """Messages, the last of them the question; and the answer to it, where it is given."""

    messages: tuple[Message, ...]
    answer: str | None = None

    @property
    def texts(self) -> tuple[Text, ...]:
        """All texts, in order."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, Text))

    @property
    def media(self) -> tuple[Medium, ...]:
        """All pictures and videos, in order."""
        return tuple(part for message in self.messages for part in message.parts if not isinstance(part, Text))

    @property
    def turn(self) -> int:
        """The last turn, counted from 0."""
        return max(text.turn for text in self.texts)


def conversation_from(
    images: Picture | Sequence[Picture] | None,
    video: VideoInput | None,
    prompt: str | None,
    *,
    system: str | None = None,
    answer: str | None = None,
    fps: float | None = None,
) -> Conversation:
    """Make a conversation of pictures, a video and one question, in this order.

    Raises
    ------
    PictureError
        There is neither picture nor video, or one cannot be read.
    """
    media: list[Medium] = [as_picture(picture) for picture in _listed(images)]
    if video is not None:
        media.append(as_video(video, fps=fps))
    if not media:
        raise PictureError("no picture was given: explain(model, processor, picture, prompt)")
    question = Message("user", (*media, Text("" if prompt is None else prompt, "prompt", 0)))
    return Conversation((*_system(system), question), answer)


def conversation_from_messages(
    messages: Sequence[Mapping[str, Any]],
    images: Picture | Sequence[Picture] | None = None,
    video: VideoInput | None = None,
    *,
    system: str | None = None,
    answer: str | None = None,
    fps: float | None = None,
) -> Conversation:
    """Read a conversation in the chat format of transformers.

    Parameters
    ----------
    messages : sequence of mapping
        ``{"role": "user" | "assistant" | "system", "content": ...}``, where content is a str or a list of parts:
        ``{"type": "text", "text": ...}``, ``{"type": "image", "image": ...}`` (or ``url``, ``path``, ``base64``),
        ``{"type": "video", "video": ...}``. The last message is the question; or the answer to be explained, where
        it is the assistant's.
    images, video
        What ``{"type": "image"}`` and ``{"type": "video"}`` without a source stand for, in order; before the first
        question where there are none.
    system, answer, fps
        As for :func:`tam_widget.explain`.

    Raises
    ------
    PromptError
        A message cannot be understood, or a role is out of turn.
    PictureError
        A picture is missing, left over, or cannot be read.
    """
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence) or not messages:
        raise PromptError('messages must be a list of {"role": ..., "content": ...}')
    waiting: dict[str, list[Any]] = {"image": _listed(images), "video": [] if video is None else [video]}
    read: list[Message] = []
    turn = 0
    for number, message in enumerate(messages):
        speaker, parts = _message(message, number)
        if speaker == "system" and (read or system is not None):
            raise PromptError("a system prompt stands once, at the beginning: as the first message, or as system=")
        if speaker == "assistant" and not any(m.speaker == "user" for m in read):
            raise PromptError(
                "the first message of a conversation is the user's, or a system prompt and then the user's"
            )
        if speaker == "user" and read and read[-1].speaker == "assistant":
            turn += 1
        role = _ROLES[speaker]
        content = [_part(part, role, turn, waiting, fps, number) for part in parts]
        read.append(Message(speaker, tuple(content)))
    return _closed(_with_rest([*_system(system), *read], waiting, fps), answer)


def _listed(images: Any) -> list[Any]:
    if images is None:
        return []
    several = isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview)
    return list(images) if several else [images]


def _system(system: str | None) -> list[Message]:
    return [] if system is None else [Message("system", (Text(system, None, 0),))]


def _message(message: Any, number: int) -> tuple[Speaker, list[Any]]:
    if not isinstance(message, Mapping) or "role" not in message or "content" not in message:
        raise PromptError(f'message {number} is not of the form {{"role": ..., "content": ...}}: {message!r:.200}')
    role, content = message["role"], message["content"]
    if role not in {"system", "user", "assistant"}:
        raise PromptError(f"message {number} has the role {role!r}; known are 'system', 'user' and 'assistant'")
    if isinstance(content, str):
        return role, [{"type": "text", "text": content}]
    if not isinstance(content, Sequence) or not content:
        raise PromptError(f"the content of message {number} must be a str or a list of parts, got {content!r:.200}")
    return role, list(content)


def _part(  # noqa: PLR0917 - called once, above
    part: Any, role: Role | None, turn: int, waiting: dict[str, list[Any]], fps: float | None, number: int
) -> Text | Medium:
    if isinstance(part, str):
        return Text(part, role, turn)
    kind = part.get("type") if isinstance(part, Mapping) else None
    if kind == "text" and "text" in part:
        return Text(part["text"], role, turn)
    kind = {"image_url": "image", "video_url": "video"}.get(str(kind), kind)
    if kind not in {"image", "video"}:
        raise PromptError(
            f'message {number} has a part {part!r:.200}; known are {{"type": "text", "text": ...}}, '
            '{"type": "image", "image": ...} and {"type": "video", "video": ...}'
        )
    if role != "prompt":
        raise PromptError(f"message {number} has a {kind}, which only the user can show")
    source = next((part[name] for name in _SOURCES if part.get(name) is not None), None)
    if isinstance(source, Mapping):  # {"image_url": {"url": ...}}
        source = source.get("url")
    if source is None:
        if not waiting[kind]:
            names = {"image": "images", "video": "video"}
            raise PictureError(f"message {number} has {kind}s without a source, more of them than {names[kind]}= gives")
        source = waiting[kind].pop(0)
    elif "base64" in part and source is part["base64"]:
        source = f"data:image/png;base64,{source}"
    return as_picture(source) if kind == "image" else as_video(source, fps=fps)


def _with_rest(messages: list[Message], waiting: dict[str, list[Any]], fps: float | None) -> list[Message]:
    """Put pictures that no message mentions before the first question, unless others are mentioned."""
    media: list[Medium] = [as_picture(picture) for picture in waiting["image"]]
    media += [as_video(video, fps=fps) for video in waiting["video"]]
    mentioned = any(not isinstance(part, Text) for message in messages for part in message.parts)
    if media and mentioned:
        raise PictureError(f"{len(media)} pictures were given beside those that the messages hold or mention")
    if not media and not mentioned:
        raise PictureError("no picture was given: neither in the messages nor as images= or video=")
    if not media:
        return messages
    first = next(place for place, message in enumerate(messages) if message.speaker == "user")
    with_media = replace(messages[first], parts=(*media, *messages[first].parts))
    return [*messages[:first], with_media, *messages[first + 1 :]]


def _closed(messages: list[Message], answer: str | None) -> Conversation:
    """Take the answer off the end, where the messages close with one."""
    last = messages[-1]
    if last.speaker == "user":
        return Conversation(tuple(messages), answer)
    if last.speaker == "system":
        raise PromptError("the messages end with the system prompt; a question must follow")
    if answer is not None:
        raise PromptError("the messages end with an answer and answer= gives another; leave one of them out")
    if len(last.parts) != 1:
        raise PromptError("an answer is one text")
    (said,) = last.parts
    return Conversation(tuple(messages[:-1]), said.text if isinstance(said, Text) else None)
