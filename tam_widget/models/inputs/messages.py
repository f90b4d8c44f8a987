"""What a person gave, as one conversation: who said what in which turn, and where pictures and videos stand in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from tam_widget.errors import PictureError, PromptError
from tam_widget.media.pictures import Picture, as_picture
from tam_widget.media.videos import VideoInput, as_video
from tam_widget.models.inputs.parts import Medium, Shown, Text, read_part

if TYPE_CHECKING:
    from tam_widget.text.tokens import Role

__all__ = ["Conversation", "Message", "conversation_from", "conversation_from_messages"]

Speaker = Literal["system", "user", "assistant"]

_ROLES: dict[Speaker, Role | None] = {"system": None, "user": "prompt", "assistant": "answer"}


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One message of one turn, its parts in order; there may be none."""

    speaker: Speaker
    parts: tuple[Text | Shown, ...]
    turn: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Conversation:
    """Messages before the answer that is explained, and that answer, where it is given.

    A turn is a question and the answer to it. Either may be without text: a picture only, or nothing said.
    """

    messages: tuple[Message, ...]
    answer: str | None = None

    @property
    def texts(self) -> tuple[Text, ...]:
        """All texts, in order."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, Text))

    @property
    def shown(self) -> tuple[Shown, ...]:
        """All pictures and videos with their options, in order."""
        return tuple(part for message in self.messages for part in message.parts if isinstance(part, Shown))

    @property
    def media(self) -> tuple[Medium, ...]:
        """All pictures and videos, in order."""
        return tuple(part.medium for part in self.shown)

    @property
    def turn(self) -> int:
        """The turn of the answer that is explained, counted from 0."""
        last = self.messages[-1]
        return last.turn + (last.speaker == "assistant")


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
    PromptError
        The question, the system prompt or the answer is empty.
    """
    shown = [Shown(as_picture(picture)) for picture in _listed(images)]
    if video is not None:
        shown.append(Shown(as_video(video, fps=fps)))
    if not shown:
        raise PictureError("no picture was given: explain(model, processor, picture, prompt)")
    question = _said("" if prompt is None else prompt, "prompt")
    return Conversation((*_system(system), Message("user", (*shown, Text(question, "prompt", 0)))), _answer(answer))


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
        ``{"type": "video", "video": ...}``. A part may say how large its picture is shown (``max_pixels``, …) and a
        video how many frames are taken (``fps``, ``nframes``); see :mod:`tam_widget.models.inputs.parts`. Content may
        be empty, or a picture without text. The last message is the question; or the answer to be explained, where it
        is the assistant's and not empty.
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
        if read and read[-1].speaker == "assistant":
            turn += 1  # after an answer comes a question; or another answer, to none
        role = _ROLES[speaker]
        content = [read_part(part, role, turn, waiting, fps, number) for part in parts]
        read.append(Message(speaker, tuple(part for part in content if not _is_nothing(part)), turn))
    return _closed(_with_rest([*_system(system), *read], waiting, fps), _answer(answer))


def _is_nothing(part: Text | Shown) -> bool:
    return isinstance(part, Text) and isinstance(part.text, str) and not part.text


def _listed(images: Any) -> list[Any]:
    if images is None:
        return []
    several = isinstance(images, Sequence) and not isinstance(images, str | bytes | bytearray | memoryview)
    return list(images) if several else [images]


def _system(system: str | None) -> list[Message]:
    return [] if system is None else [Message("system", (Text(_said(system, "system prompt"), None, 0),))]


def _said(text: Any, what: str) -> Any:
    """Refuse a text that says nothing, where one was asked for."""
    if isinstance(text, str) and not text.strip():
        raise PromptError(f"the {what} is empty")
    return text


def _answer(answer: str | None) -> str | None:
    return None if answer is None else _said(answer, "answer")


def _message(message: Any, number: int) -> tuple[Speaker, list[Any]]:
    if not isinstance(message, Mapping) or "role" not in message or "content" not in message:
        raise PromptError(f'message {number} is not of the form {{"role": ..., "content": ...}}: {message!r:.200}')
    role, content = message["role"], message["content"]
    if not isinstance(role, str) or role not in _ROLES:
        raise PromptError(f"message {number} has the role {role!r}; known are 'system', 'user' and 'assistant'")
    for name, value in message.items():
        if name not in {"role", "content"} and value is not None and value not in ("", [], {}):
            raise PromptError(f"message {number} has {name!r} beside its role and content, which nothing would read")
    if content is None or isinstance(content, str):
        return role, [content] if content else []
    if not isinstance(content, Sequence):
        raise PromptError(f"the content of message {number} must be a str or a list of parts, got {content!r:.200}")
    return role, list(content)


def _with_rest(messages: list[Message], waiting: dict[str, list[Any]], fps: float | None) -> list[Message]:
    """Put pictures that no message mentions before the first question, unless others are mentioned."""
    media = [Shown(as_picture(picture)) for picture in waiting["image"]]
    media += [Shown(as_video(video, fps=fps)) for video in waiting["video"]]
    mentioned = any(isinstance(part, Shown) for message in messages for part in message.parts)
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
    if not last.parts:  # as chat programs leave it, for the model to fill
        return Conversation(tuple(messages[:-1]), answer)
    if answer is not None:
        raise PromptError("the messages end with an answer and answer= gives another; leave one of them out")
    if len(last.parts) != 1:
        raise PromptError("an answer is one text")
    (said,) = last.parts
    return Conversation(tuple(messages[:-1]), _answer(said.text) if isinstance(said, Text) else None)
