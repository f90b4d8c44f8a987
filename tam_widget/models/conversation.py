"""A conversation through the chat template and the processor, to the model's inputs.

Where the person's text lies among the tokens is worked out from the template and from the tokenizer's own offsets.
The text is never searched for: a prompt that says "user" would be found in the template's own words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import LayoutError, PictureError, PromptError, UnsupportedModelError
from tam_widget.media.videos import Video
from tam_widget.models.layout import Slot
from tam_widget.models.messages import Text
from tam_widget.models.place import Place
from tam_widget.text.decoding import pieces_from_offsets
from tam_widget.text.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from PIL import Image

    from tam_widget.models.messages import Conversation, Medium

    Render = Callable[[Any, Conversation, Sequence[str]], tuple[str, str]]

__all__ = ["Prepared", "check_text", "places", "prepare", "tokenize_answer"]

_BETWEEN = "\n"
"""What stands between two texts of one message (a picture between them, for example) when they are read as one."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One conversation, ready for the model.

    Attributes
    ----------
    inputs : dict
        The processor's output, batch of one, on the CPU: tensors for the model's ``generate`` and ``forward``, and
        whatever else the processor says.
    ids : tuple of int
        The token ids, L of them.
    slots : tuple of Slot
        The tokens of the person's own text and of earlier answers, in order.
    texts : dict of (int, str) to str
        Those texts, as the template shows them, by turn and role.
    spans : tuple of (int, int)
        First and last + 1 position of what the processor put in each picture's or video's place, break and end tokens
        included.
    media : tuple of PIL.Image.Image or Video
        The pictures, upright RGB, and videos, in the order of the spans.
    """

    inputs: dict[str, Any]
    ids: tuple[int, ...]
    slots: tuple[Slot, ...]
    texts: dict[tuple[int, Role], str]
    spans: tuple[tuple[int, int], ...]
    media: tuple[Medium, ...]


def prepare(processor: Any, conversation: Conversation, render: Render | None = None) -> Prepared:
    """Apply the chat template and the processor, and find the texts' tokens and the pictures' places.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        The model's processor, with a chat template and a fast tokenizer.
    conversation : Conversation
        Its texts are explained, but for a system prompt, which is neither explained nor context.
    render : callable, optional
        For a family without chat template: from the processor, the conversation and its texts to what the processor
        is given and what it makes of that before it writes the placeholders out.

    Returns
    -------
    Prepared

    Raises
    ------
    PromptError
        An empty text, or one with the model's own control tokens.
    PictureError
        The processor refuses a picture.
    LayoutError
        The places cannot be told.
    UnsupportedModelError
        The processor has no chat template, or takes no videos.
    """
    names = {"prompt": "prompt", "answer": "answer", None: "system prompt"}
    for part in conversation.texts:
        check_text(processor, part.text, names[part.role])
    given, rendered, text_spans = _render(processor, conversation, render or _from_template)
    inputs, offsets, replaced = _process(processor, given, rendered, conversation.media)
    ids = tuple(inputs["input_ids"][0].tolist())
    slots: list[Slot] = []
    said: dict[tuple[int, Role], str] = {}
    for part, span in zip(conversation.texts, text_spans, strict=True):
        if part.role is not None:
            shown, key = rendered[slice(*span)], (part.turn, part.role)
            before = said[key] + _BETWEEN if key in said else ""
            said[key] = before + shown
            slots += _slots(ids, offsets, part, shown, _shift(span, replaced), len(before))
    return Prepared(inputs, ids, tuple(slots), said, _spans(offsets, replaced, conversation.media), conversation.media)


def places(prepared: Prepared, config: Any, processor: Any) -> tuple[Place, ...]:
    """Return each picture and video with all that a family needs to know of it, in order."""
    kinds = ["video" if isinstance(medium, Video) else "image" for medium in prepared.media]
    return tuple(
        Place(
            index=index,
            kind="video" if kind == "video" else "image",
            row=kinds[:index].count(kind),
            beside=kinds.count(kind),
            width=medium.width,
            height=medium.height,
            frames=len(medium.frames) if isinstance(medium, Video) else 1,
            ids=prepared.ids,
            span=span,
            inputs=prepared.inputs,
            config=config,
            processor=processor,
        )
        for index, (kind, medium, span) in enumerate(zip(kinds, prepared.media, prepared.spans, strict=True))
    )


def check_text(processor: Any, text: Any, what: str) -> None:
    """Refuse an empty text and one that contains a control token, which the model would obey instead of read."""
    if not isinstance(text, str):
        raise PromptError(f"the {what} must be a str, got {type(text).__name__}")
    if not text.strip():
        raise PromptError(f"the {what} is empty")
    tokenizer = processor.tokenizer
    control = {str(token) for token in getattr(tokenizer, "added_tokens_decoder", {}).values() if token.special}
    control |= set(tokenizer.all_special_tokens)
    control |= {getattr(processor, f"{kind}_token", None) or "" for kind in ("image", "video", "audio")}
    found = sorted(token for token in control if token and token in text)
    if found:
        raise PromptError(
            f"the {what} contains the model's own control token {found[0]!r}; remove it, or put a space inside it"
        )


def tokenize_answer(processor: Any, answer: str, position: int, turn: int) -> tuple[Slot, ...]:
    """Tokenise a given answer as the continuation of the conversation.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        The model's processor.
    answer : str
        The text to explain.
    position : int
        Where its first token will stand.
    turn : int
        Which turn it answers.
    """
    check_text(processor, answer, "answer")
    encoded = processor.tokenizer(answer, add_special_tokens=False, return_offsets_mapping=True)
    offsets = [(int(start), int(stop)) for start, stop in encoded["offset_mapping"]]
    return tuple(
        Slot(position + k, int(token), text, span, "answer", turn)
        for k, (token, (text, span)) in enumerate(
            zip(encoded["input_ids"], pieces_from_offsets(answer, offsets), strict=True)
        )
    )


def _from_template(processor: Any, conversation: Conversation, texts: Sequence[str]) -> tuple[str, str]:
    """Render the chat template with some texts in the place of the conversation's own."""
    if not getattr(processor, "chat_template", None):
        raise UnsupportedModelError(
            f"{type(processor).__name__} has no chat template; load the model's instruction-tuned version, or set "
            "processor.chat_template to the one that the model was trained with"
        )
    following = iter(texts)

    def part(one: Text | Medium) -> dict[str, str]:
        if isinstance(one, Text):
            return {"type": "text", "text": next(following)}
        return {"type": "video" if isinstance(one, Video) else "image"}

    messages = [{"role": m.speaker, "content": [part(one) for one in m.parts]} for m in conversation.messages]
    rendered: str = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return rendered, rendered


def _render(processor: Any, conversation: Conversation, render: Render) -> tuple[str, str, list[tuple[int, int]]]:
    """Render the conversation, and say where each of its texts stands in what comes out.

    It is rendered a second time with marks instead of the texts: what lies between the marks is the template's own.
    """
    texts = [part.text for part in conversation.texts]
    marks = [f"\ue0f0{k}\ue0f1" for k in range(len(texts))]
    given, rendered = render(processor, conversation, texts)
    rest = render(processor, conversation, marks)[1]
    frame = []
    for mark in marks:
        before, found, rest = rest.partition(mark)
        if not found:
            raise LayoutError("the chat template drops or reorders the texts, so their tokens cannot be located")
        frame.append(before)
    if not rendered.startswith(frame[0]):
        raise LayoutError("the chat template changes with the prompt's text, so its tokens cannot be located")
    spans, done = [], len(frame[0])
    for text, after in zip(texts, [*frame[1:], rest], strict=True):
        # Some templates trim what they are given.
        for shown in (text, text.strip(), text.rstrip(), text.lstrip()):
            if rendered.startswith(shown + after, done):
                spans.append((done, done + len(shown)))
                done += len(shown) + len(after)
                break
        else:
            raise LayoutError("the chat template changes the prompt's text, so its tokens cannot be located")
    if done != len(rendered):
        raise LayoutError("the chat template changes with the prompt's text, so its tokens cannot be located")
    return given, rendered, spans


@dataclass(frozen=True, slots=True)
class _Replaced:
    """What the processor wrote in the place of one placeholder; character spans before and after."""

    kind: str
    old: tuple[int, int]
    new: tuple[int, int]


@dataclass(slots=True)
class _Media:
    """Pictures and videos as a processor takes them."""

    images: list[Image.Image] = field(default_factory=list)
    videos: list[Video] = field(default_factory=list)

    def options(self) -> dict[str, Any]:
        """Return keywords for the processor. The frames are those that it shall use: it must not choose among them."""
        options: dict[str, Any] = {}
        if self.images:
            options["images"] = self.images
        if self.videos:
            from transformers.video_utils import VideoMetadata

            options["videos"] = [np.stack([np.asarray(frame) for frame in video.frames]) for video in self.videos]
            options["do_sample_frames"] = False
            options["video_metadata"] = [_metadata(VideoMetadata, video) for video in self.videos]
        return options

    def __str__(self) -> str:
        sizes = [medium.size for medium in self.images] + [(medium.width, medium.height) for medium in self.videos]
        return ", ".join(f"{width}×{height}" for width, height in sizes)


def _metadata(kind: Any, video: Video) -> Any:
    """Say when each frame is seen, as a rate and indices: the same times in another spelling."""
    count = len(video.frames)
    span = video.times[-1] - video.times[0]
    rate = (count - 1) / span if count > 1 and span > 0 else 1.0
    return kind(
        total_num_frames=count,
        fps=rate,
        width=video.width,
        height=video.height,
        duration=count / rate,
        frames_indices=list(range(count)),
    )


def _process(
    processor: Any, given: str, rendered: str, media: Sequence[Medium]
) -> tuple[dict[str, Any], list[tuple[int, int]], list[_Replaced]]:
    """Run the processor; return the inputs, each token's characters, and what was put in the place of what."""
    options: dict[str, Any] = {
        "return_offsets_mapping": True,
        "return_text_replacement_offsets": True,
        "return_tensors": "pt",
    }
    bos = processor.tokenizer.bos_token
    if bos and rendered.startswith(bos):
        options["add_special_tokens"] = False  # the template has written it
    if not getattr(processor.tokenizer, "is_fast", False):
        raise LayoutError(
            f"{type(processor.tokenizer).__name__} does not say which characters a token covers; load a fast tokenizer"
        )
    shown = _Media(
        [medium for medium in media if not isinstance(medium, Video)],
        [medium for medium in media if isinstance(medium, Video)],
    )
    if shown.videos and getattr(processor, "video_processor", None) is None:
        raise UnsupportedModelError(
            f"{type(processor).__name__} takes no videos; pass some frames as a list of pictures instead"
        )
    try:
        encoded = dict(processor(text=[given], **shown.options(), **options))
    except (ValueError, ZeroDivisionError) as error:
        raise PictureError(f"{type(processor).__name__} refuses the pictures ({shown} pixels): {error}") from error
    offsets = encoded.pop("offset_mapping", None)
    replaced = encoded.pop("text_replacement_offsets", None)
    if offsets is None or replaced is None:
        raise LayoutError(
            f"{type(processor).__name__} does not say where it put pictures and text (text_replacement_offsets)"
        )
    pairs = [(int(start), int(stop)) for start, stop in offsets[0]]
    return encoded, pairs, [_Replaced(r["type"], tuple(r["span"]), tuple(r["new_span"])) for r in replaced[0]]


def _spans(
    offsets: Sequence[tuple[int, int]], replaced: Sequence[_Replaced], media: Sequence[Medium]
) -> tuple[tuple[int, int], ...]:
    """Return which tokens stand for each picture and video; the processor keeps the order of each kind."""
    spans = {kind: [_covered(offsets, r.new) for r in replaced if r.kind == kind] for kind in ("image", "video")}
    kinds = ["video" if isinstance(medium, Video) else "image" for medium in media]
    for kind, found in spans.items():
        if len(found) != kinds.count(kind):
            raise LayoutError(f"{kinds.count(kind)} {kind}s were given and the processor placed {len(found)}")
    return tuple(spans[kind][kinds[:index].count(kind)] for index, kind in enumerate(kinds))


def _shift(span: tuple[int, int], replaced: Sequence[_Replaced]) -> tuple[int, int]:
    """Move a span of the rendered template to where it lies once the pictures' placeholders have been written out."""
    gained = 0
    for one in replaced:
        if one.old[1] <= span[0]:
            gained = one.new[1] - one.old[1]
        elif one.old[0] < span[1]:
            raise LayoutError("the processor put a picture into the middle of the prompt's text")
    return span[0] + gained, span[1] + gained


def _covered(offsets: Sequence[tuple[int, int]], span: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last + 1 token that hold a character of the span."""
    inside = [k for k, (start, stop) in enumerate(offsets) if start < span[1] and stop > span[0] and stop > start]
    if not inside:
        raise LayoutError(f"no token covers the characters {span[0]} to {span[1]} of the rendered conversation")
    return inside[0], inside[-1] + 1


def _slots(  # noqa: PLR0917 - called once, above
    ids: Sequence[int],
    offsets: Sequence[tuple[int, int]],
    part: Text,
    text: str,
    span: tuple[int, int],
    before: int,
) -> list[Slot]:
    """Return the tokens of one text; ``before`` characters of the same turn and role stand before it."""
    first, last = _covered(offsets, span)
    # A token at the edge may also hold a character of the template: only the person's own part of it is shown.
    inner = [(max(start, span[0]) - span[0], min(stop, span[1]) - span[0]) for start, stop in offsets[first:last]]
    return [
        Slot(
            first + k,
            ids[first + k],
            shown,
            (place[0] + before, place[1] + before),
            part.role or "prompt",
            part.turn,
        )
        for k, (shown, place) in enumerate(pieces_from_offsets(text, inner))
    ]
