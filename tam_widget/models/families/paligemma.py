"""PaliGemma: the picture stretched to one square. It has no chat template: pictures, and then one question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.models.families.one_question import count_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

__all__ = ["ANSWER_INPUTS", "render", "views"]

ANSWER_INPUTS = {"token_type_ids": 1}
"""Answers are told from the question by this: the question's tokens see each other, an answer's only those before."""


def views(place: Place) -> list[View]:
    """Return one main view of the square that the vision tower takes.

    Raises
    ------
    LayoutError
        The placeholders are not one for each of its patches.
    """
    vision = place.config.vision_config
    side = int(vision.image_size) // int(vision.patch_size)
    return [place.view("main", place.placeholders, side, side)]


def render(processor: Any, conversation: Conversation, texts: Sequence[str]) -> tuple[str, str]:
    """Write the question as the processor takes it, and as it leaves it before the placeholders are written out.

    The processor itself puts the begin token after the last picture and a line break at the end.

    Parameters
    ----------
    processor : transformers.PaliGemmaProcessor
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
    pictures, (text,) = processor.image_token * count_pictures(conversation, "prompt"), texts
    return f"{pictures}{text}", f"{pictures}{processor.tokenizer.bos_token}{text}\n"
