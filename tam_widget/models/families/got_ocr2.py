"""GOT-OCR 2.0: the picture stretched to one square, or to a grid of tiles and a thumbnail. It has no chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.models.families import internvl
from tam_widget.models.families.one_question import count_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["render", "views"]

_PATCHES = 4
"""Patches of a cell from one side to the other: two convolutions that halve the tower's grid."""


def views(place: Place) -> list[View]:
    """Return the views of :func:`tam_widget.models.families.internvl.tiled`."""
    return internvl.tiled(place, _PATCHES)


def render(processor: Any, conversation: Conversation, texts: Sequence[str]) -> tuple[str, str]:
    """Write the conversation as the processor does for its own tasks, with the question in the place of the task.

    Parameters
    ----------
    processor : transformers.GotOcr2Processor
        The model's processor.
    conversation : Conversation
        Pictures and one question after them.
    texts : sequence of str
        What stands in the place of the question.

    Raises
    ------
    PromptError
        There is more to the conversation than that.
    """
    start, end = processor.message_start_token, processor.message_end_token
    picture = f"{processor.img_start_token}{processor.image_token}{processor.img_end_token}\n"
    pictures = picture * count_pictures(conversation, "'OCR: '")
    (text,) = texts
    written = f"{start}{processor.system_query}{end}{start}user\n{pictures}{text}{end}{start}assistant\n"
    return written, written
