"""A conversation through the chat template and the processor, to the model's inputs.

Where the person's text lies among the tokens is worked out from the template and from the tokenizer's own offsets.
The text is never searched for: a prompt that says "user" would be found in the template's own words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError, PromptError
from tam_widget.media.videos import Video
from tam_widget.models.inputs.chat_template import rendered_texts
from tam_widget.models.inputs.processing import processed
from tam_widget.models.inputs.processor_options import ProcessorOptions
from tam_widget.models.layout import Slot
from tam_widget.models.place import Place
from tam_widget.models.ramps import Ramps
from tam_widget.text.decoding import pieces_from_offsets
from tam_widget.text.tokens import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.inputs.chat_template import Render
    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.inputs.parts import Medium, Text
    from tam_widget.models.inputs.tokenized import Replaced

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
    ramps : Ramps
        What the processor makes of ramps in their place.
    """

    inputs: dict[str, Any]
    ids: tuple[int, ...]
    slots: tuple[Slot, ...]
    texts: dict[tuple[int, Role], str]
    spans: tuple[tuple[int, int], ...]
    media: tuple[Medium, ...]
    ramps: Ramps


def prepare(
    processor: Any,
    conversation: Conversation,
    render: Render | None = None,
    options: ProcessorOptions | None = None,
) -> Prepared:
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
    options : ProcessorOptions, optional
        Applied to the processor already.

    Returns
    -------
    Prepared

    Raises
    ------
    PromptError
        A text with the model's own control tokens, or a conversation that the chat template refuses.
    PictureError
        The processor refuses a picture.
    LayoutError
        The places cannot be told.
    UnsupportedModelError
        The processor has no chat template, takes no videos, or is incomplete.
    """
    options = options or ProcessorOptions()
    names = {"prompt": "prompt", "answer": "answer", None: "system prompt"}
    for part in conversation.texts:
        check_text(processor, part.text, names[part.role])
    given, rendered, text_spans = rendered_texts(processor, conversation, render, options.template)
    made = processed(processor, given, rendered, conversation.shown, options)
    ids = tuple(made.inputs["input_ids"][0].tolist())
    slots: list[Slot] = []
    said: dict[tuple[int, Role], str] = {}
    for part, span in _joined(conversation.texts, text_spans):
        shown = rendered[slice(*span)]
        key = (part.turn, part.role or "prompt")
        before = said[key] + _BETWEEN if key in said else ""
        said[key] = before + shown
        place = _shift((span[0] + made.start, span[1] + made.start), made.replaced)
        slots += _slots(ids, made.offsets, part, shown, place, len(before))
    spans = _spans(made.offsets, made.replaced, conversation.media)

    def again(media: Sequence[Medium]) -> dict[str, Any]:
        shown = [replace(one, medium=medium) for one, medium in zip(conversation.shown, media, strict=True)]
        return processed(processor, given, rendered, shown, options).inputs

    ramps = Ramps(again, processor, conversation.media, [last - first for first, last in spans], made.inputs)
    return Prepared(made.inputs, ids, tuple(slots), said, spans, conversation.media, ramps)


def _joined(texts: Sequence[Text], spans: Sequence[tuple[int, int]]) -> list[tuple[Text, tuple[int, int]]]:
    """Return the texts that are explained and of which something is left; neighbours without a gap are one text.

    The model does not see where one ends and the other begins, and one token may hold the end of one and the beginning
    of the other.
    """
    found: list[tuple[Text, tuple[int, int]]] = []
    for part, span in zip(texts, spans, strict=True):
        if part.role is None or span[0] == span[1]:
            continue
        last, (first, end) = found[-1] if found else (None, (0, 0))
        if last is not None and end == span[0] and (last.turn, last.role) == (part.turn, part.role):
            found[-1] = (last, (first, span[1]))
        else:
            found.append((part, span))
    return found


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
            ramps=prepared.ramps,
        )
        for index, (kind, medium, span) in enumerate(zip(kinds, prepared.media, prepared.spans, strict=True))
    )


def check_text(processor: Any, text: Any, what: str) -> None:
    """Refuse what is no text, and a text with a control token, which the model would obey instead of read."""
    if not isinstance(text, str):
        raise PromptError(f"the {what} must be a str, got {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = f"the lone surrogate {text[error.start]!a} at place {error.start}"
        raise PromptError(
            f"the {what} has half a character ({half}); remove "
            'it, or join them: text.encode("utf-16", "surrogatepass").decode("utf-16")'
        ) from error
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


def _spans(
    offsets: Sequence[tuple[int, int]], replaced: Sequence[Replaced], media: Sequence[Medium]
) -> tuple[tuple[int, int], ...]:
    """Return which tokens stand for each picture and video; the processor keeps the order of each kind."""
    spans = {kind: [_covered(offsets, r.new) for r in replaced if r.kind == kind] for kind in ("image", "video")}
    kinds = ["video" if isinstance(medium, Video) else "image" for medium in media]
    for kind, found in spans.items():
        if len(found) != kinds.count(kind):
            raise LayoutError(f"{kinds.count(kind)} {kind}s were given and the processor placed {len(found)}")
    return tuple(spans[kind][kinds[:index].count(kind)] for index, kind in enumerate(kinds))


def _shift(span: tuple[int, int], replaced: Sequence[Replaced]) -> tuple[int, int]:
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
