"""A conversation through its chat template, and where each of its texts stands in what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.errors import LayoutError, PromptError, TAMError, UnsupportedModelError
from tam_widget.media.videos import Video
from tam_widget.models.inputs.parts import Shown, Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tam_widget.models.inputs.messages import Conversation

    Render = Callable[[Any, Conversation, Sequence[str]], tuple[str, str]]

__all__ = ["rendered_texts", "template_variables"]


def rendered_texts(
    processor: Any, conversation: Conversation, render: Render | None = None, variables: Mapping[str, Any] | None = None
) -> tuple[str, str, list[tuple[int, int]]]:
    """Render the conversation, and say where each of its texts stands in what comes out.

    It is rendered a second time with marks instead of the texts: what lies between the marks is the template's own.
    The texts are never searched for: a prompt that says "user" would be found in the template's own words.

    Parameters
    ----------
    processor : transformers.ProcessorMixin
        The model's processor.
    conversation : Conversation
        Its texts may be trimmed by the template, or lose their beginning (thoughts of earlier answers).
    render : callable, optional
        In the place of the chat template; see :func:`tam_widget.models.inputs.conversation.prepare`.
    variables : mapping, optional
        For the chat template.

    Returns
    -------
    given : str
        What the processor takes.
    rendered : str
        What it makes of that before it writes the placeholders out.
    spans : list of (int, int)
        First and last + 1 character of each text in `rendered`; empty where nothing is left of it.

    Raises
    ------
    PromptError
        The template refuses the conversation.
    LayoutError
        The template drops, reorders or rewrites a text.
    UnsupportedModelError
        There is no chat template.
    """
    texts = [part.text for part in conversation.texts]

    def show(instead: Sequence[str]) -> tuple[str, str]:
        if render is not None:
            return render(processor, conversation, instead)
        rendered = _from_template(processor, conversation, instead, variables or {})
        return rendered, rendered

    given, rendered = show(texts)
    marks = [f"\ue0f0{k}\ue0f1" for k in range(len(texts))]
    rest = show(marks)[1]
    frame = []
    for mark in marks:
        before, found, rest = rest.partition(mark)
        if not found:
            raise LayoutError("the chat template drops or reorders the texts, so their tokens cannot be located")
        frame.append(before)
    frame.append(rest)
    if not rendered.startswith(frame[0]):
        raise LayoutError("the chat template changes with the prompt's text, so its tokens cannot be located")
    spans, done = [], len(frame[0])
    for part, after in zip(conversation.texts, frame[1:], strict=True):
        length = next(
            (
                len(shown)
                for shown in _as_shown(part, rendered, done, after)
                if rendered.startswith(shown + after, done)
            ),
            None,
        )
        if length is None:
            raise LayoutError("the chat template changes the prompt's text, so its tokens cannot be located")
        spans.append((done, done + length))
        done += length + len(after)
    if done != len(rendered):
        raise LayoutError("the chat template changes with the prompt's text, so its tokens cannot be located")
    return given, rendered, spans


def template_variables(processor: Any) -> frozenset[str]:
    """Return the names that a processor's chat template asks for.

    Raises
    ------
    UnsupportedModelError
        There is no chat template.
    """
    from jinja2 import meta
    from transformers.utils.chat_template_utils import _compile_jinja_template  # with the tags that templates use

    template = _template(processor)
    parsed = _compile_jinja_template(template).environment.parse(template)
    return frozenset(meta.find_undeclared_variables(parsed)) - {"raise_exception", "strftime_now"}


def _as_shown(part: Text, rendered: str, done: int, after: str) -> Iterator[str]:
    """Yield what a template may make of a text: itself, trimmed at an end, or what is left after its beginning."""
    text = part.text
    yield from (text, text.strip(), text.rstrip(), text.lstrip())
    end = rendered.find(after, done) if after else -1
    while end != -1 and end - done < len(text):
        left = rendered[done:end]
        if (left or part.role == "answer") and text.rstrip().endswith(left.rstrip()):
            yield left
        end = rendered.find(after, end + 1)


def _template(processor: Any) -> str:
    template = getattr(processor, "chat_template", None)
    if isinstance(template, dict):
        template = template.get("default")
    if not template:
        raise UnsupportedModelError(
            f"{type(processor).__name__} has no chat template; load the model's instruction-tuned version, or set "
            "processor.chat_template to the one that the model was trained with"
        )
    return str(template)


def _from_template(
    processor: Any, conversation: Conversation, texts: Sequence[str], variables: Mapping[str, Any]
) -> str:
    """Render the chat template with some texts in the place of the conversation's own."""
    _template(processor)
    following = iter(texts)

    def part(one: Text | Shown) -> dict[str, str]:
        if isinstance(one, Text):
            return {"type": "text", "text": next(following)}
        return {"type": "video" if isinstance(one.medium, Video) else "image"}

    messages = [{"role": m.speaker, "content": [part(one) for one in m.parts] or ""} for m in conversation.messages]
    try:
        rendered: str = processor.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, **variables)
    except (TAMError, ImportError):
        raise
    except Exception as error:  # a template is a program of strangers: it may raise anything
        roles = ", ".join(message.speaker for message in conversation.messages)
        raise PromptError(f"the chat template refuses this conversation ({roles}): {error}") from error
    return rendered
