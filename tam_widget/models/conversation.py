"""Pictures and a prompt, through the chat template and the processor, to the model's inputs.

Where the person's text lies among the tokens is worked out from the template and from the tokenizer's own offsets.
The text is never searched for: a prompt that says "user" would be found in the template's own words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError, PictureError, PromptError, UnsupportedModelError
from tam_widget.models.layout import Role, Slot
from tam_widget.text import pieces_from_offsets

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from PIL import Image

__all__ = ["Prepared", "check_text", "prepare", "tokenize_answer"]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One conversation, ready for the model.

    Attributes
    ----------
    inputs : dict of str to torch.Tensor
        What the model's ``generate`` and ``forward`` take, on the CPU, batch of one.
    ids : tuple of int
        The token ids, L of them.
    slots : tuple of Slot
        The tokens of the person's own text.
    texts : dict of (int, str) to str
        That text, as the template shows it, by turn and role.
    picture_spans : tuple of (int, int)
        First and last + 1 position of what the processor put in each picture's place, break and end tokens included.
    pictures : tuple of PIL.Image.Image
        The pictures, upright RGB.
    """

    inputs: dict[str, torch.Tensor]
    ids: tuple[int, ...]
    slots: tuple[Slot, ...]
    texts: dict[tuple[int, Role], str]
    picture_spans: tuple[tuple[int, int], ...]
    pictures: tuple[Image.Image, ...]


@dataclass(frozen=True, slots=True)
class _Part:
    """Somebody's text in the conversation; ``role`` is None where it is not explained (the system prompt)."""

    text: str
    role: Role | None
    turn: int


def prepare(processor: Any, pictures: Sequence[Image.Image], prompt: str, system: str | None) -> Prepared:
    """Apply the chat template and the processor, and find the prompt's tokens and the pictures' places.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        The model's processor, with a chat template and a fast tokenizer.
    pictures : sequence of PIL.Image.Image
        Upright RGB pictures; they stand before the prompt.
    prompt : str
        The question. Its tokens are explained.
    system : str or None
        A system prompt; its tokens are neither explained nor context. None: what the template says on its own.

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
        The processor has no chat template.
    """
    check_text(processor, prompt, "prompt")
    parts = [_Part(prompt, "prompt", 0)]
    if system is not None:
        check_text(processor, system, "system prompt")
        parts.insert(0, _Part(system, None, 0))

    def messages(texts: Sequence[str]) -> list[dict[str, Any]]:
        *before, question = texts
        content = [{"type": "image"} for _ in pictures] + [{"type": "text", "text": question}]
        said = [{"role": "system", "content": [{"type": "text", "text": text}]} for text in before]
        return [*said, {"role": "user", "content": content}]

    rendered, spans = _render(processor, messages, [part.text for part in parts])
    inputs, offsets, replaced = _process(processor, rendered, pictures)
    ids = tuple(inputs["input_ids"][0].tolist())
    slots: list[Slot] = []
    said: dict[tuple[int, Role], str] = {}
    for part, span in zip(parts, spans, strict=True):
        if part.role is not None:
            shown = rendered[slice(*span)]
            said[part.turn, part.role] = shown
            slots += _slots(ids, offsets, part, shown, _shift(span, replaced))
    picture_spans = tuple(_covered(offsets, new) for kind, _, new in replaced if kind == "image")
    if len(picture_spans) != len(pictures):
        raise LayoutError(f"{len(pictures)} pictures were given and the processor placed {len(picture_spans)}")
    return Prepared(inputs, ids, tuple(slots), said, picture_spans, tuple(pictures))


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


def _render(processor: Any, messages: Any, texts: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Render the chat template, and say where each of the texts stands in it.

    The template is rendered a second time with marks instead of the texts: what lies between the marks is the
    template's own.
    """

    def render(with_texts: Sequence[str]) -> str:
        text: str = processor.apply_chat_template(messages(with_texts), tokenize=False, add_generation_prompt=True)
        return text

    if not getattr(processor, "chat_template", None):
        raise UnsupportedModelError(
            f"{type(processor).__name__} has no chat template; load the model's instruction-tuned version"
        )
    marks = [f"\ue0f0{k}\ue0f1" for k in range(len(texts))]
    rendered, rest = render(texts), render(marks)
    frame = []
    for mark in marks:
        before, found, rest = rest.partition(mark)
        if not found:
            raise LayoutError("the chat template drops or reorders the prompt, so its tokens cannot be located")
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
    return rendered, spans


_Replaced = list[tuple[str, tuple[int, int], tuple[int, int]]]


def _process(
    processor: Any, rendered: str, pictures: Sequence[Image.Image]
) -> tuple[dict[str, torch.Tensor], list[tuple[int, int]], _Replaced]:
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
    try:
        encoded = dict(processor(text=[rendered], images=list(pictures), **options))
    except (ValueError, ZeroDivisionError) as error:
        sizes = ", ".join(f"{picture.width}×{picture.height}" for picture in pictures)
        raise PictureError(f"{type(processor).__name__} refuses the picture ({sizes} pixels): {error}") from error
    offsets = encoded.pop("offset_mapping", None)
    replaced = encoded.pop("text_replacement_offsets", None)
    if offsets is None or replaced is None:
        raise LayoutError(
            f"{type(processor).__name__} does not say where it put pictures and text (text_replacement_offsets)"
        )
    pairs = [(int(start), int(stop)) for start, stop in offsets[0]]
    return encoded, pairs, [(r["type"], tuple(r["span"]), tuple(r["new_span"])) for r in replaced[0]]


def _shift(span: tuple[int, int], replaced: _Replaced) -> tuple[int, int]:
    """Move a span of the rendered template to where it lies once the pictures' placeholders have been written out."""
    gained = 0
    for _, old, new in replaced:
        if old[1] <= span[0]:
            gained = new[1] - old[1]
        elif old[0] < span[1]:
            raise LayoutError("the processor put a picture into the middle of the prompt's text")
    return span[0] + gained, span[1] + gained


def _covered(offsets: Sequence[tuple[int, int]], span: tuple[int, int]) -> tuple[int, int]:
    """Return the first and last + 1 token that hold a character of the span."""
    inside = [k for k, (start, stop) in enumerate(offsets) if start < span[1] and stop > span[0] and stop > start]
    if not inside:
        raise LayoutError(f"no token covers the characters {span[0]} to {span[1]} of the rendered conversation")
    return inside[0], inside[-1] + 1


def _slots(
    ids: Sequence[int], offsets: Sequence[tuple[int, int]], part: _Part, text: str, span: tuple[int, int]
) -> list[Slot]:
    first, last = _covered(offsets, span)
    # A token at the edge may also hold a character of the template: only the person's own part of it is shown.
    inner = [(max(start, span[0]) - span[0], min(stop, span[1]) - span[0]) for start, stop in offsets[first:last]]
    return [
        Slot(first + k, ids[first + k], shown, place, part.role or "prompt", part.turn)
        for k, (shown, place) in enumerate(pieces_from_offsets(text, inner))
    ]
