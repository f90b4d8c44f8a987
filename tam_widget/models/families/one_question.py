"""Models without a chat template, that take pictures and one question after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.errors import PromptError
from tam_widget.models.inputs.parts import Shown, Text

if TYPE_CHECKING:
    from tam_widget.models.inputs.messages import Conversation

__all__ = ["count_pictures"]


def count_pictures(conversation: Conversation, example: str) -> int:
    """Return how many pictures stand before the one question.

    Parameters
    ----------
    conversation : Conversation
        Pictures and one question after them.
    example : str
        What a person would write as the prompt, for the error.

    Raises
    ------
    PromptError
        There is more to the conversation than that.
    """
    message, *more = conversation.messages
    kinds = [type(part) for part in message.parts]
    if more or message.speaker != "user" or kinds != [Shown] * (len(kinds) - 1) + [Text]:
        raise PromptError(
            "this model has no chat template: it takes pictures and one question after them, without a system prompt "
            f"or earlier turns, as in explain(model, processor, picture, {example})"
        )
    return len(kinds) - 1
