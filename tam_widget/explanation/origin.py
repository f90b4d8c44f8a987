"""Where an explanation comes from: the conversation and the answer's ids; the model and its processor only weakly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import ref

from tam_widget.errors import ModelGoneError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.inputs.processor_options import ProcessorOptions

__all__ = ["Origin"]


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """What it takes to show the model the same conversation again.

    Model and processor are free to go: whoever asks then must bring them. What the processor made of the pictures is
    not kept, as it makes it again.

    Attributes
    ----------
    conversation : Conversation
        As it was explained, with its pictures, on the CPU.
    options : ProcessorOptions
        Those of the call.
    said : tuple of int
        The last answer's ids, control tokens included.
    shown : tuple of int
        Which of them are the answer's text, the tokens that are explained.
    model, processor : callable
        Weak references; None where the explanation was copied to another process.
    """

    conversation: Conversation
    options: ProcessorOptions
    said: tuple[int, ...]
    shown: tuple[int, ...]
    model: Callable[[], Any] | None
    processor: Callable[[], Any] | None

    @classmethod
    def of(  # noqa: PLR0917 - what an origin is, in its order
        cls,
        model: Any,
        processor: Any,
        conversation: Conversation,
        options: ProcessorOptions,
        said: tuple[int, ...],
        shown: tuple[int, ...],
    ) -> Origin:
        """Make one that refers to a model and its processor without keeping them."""
        return cls(conversation, options, said, shown, ref(model), ref(processor))

    def pair(self, model: Any = None, processor: Any = None) -> tuple[Any, Any]:
        """Return the model and the processor: those given, or those of the explanation where they still live.

        Raises
        ------
        ModelGoneError
            One is neither given nor there.
        """
        found = (
            self.model() if model is None and self.model is not None else model,
            self.processor() if processor is None and self.processor is not None else processor,
        )
        gone = [name for name, one in zip(("model", "processor"), found, strict=True) if one is None]
        if gone:
            raise ModelGoneError(
                f"the {' and the '.join(gone)} behind this explanation {'is' if len(gone) == 1 else 'are'} gone, as an "
                f"explanation does not keep them: explain again, or load and pass them, check(..., "
                f"{', '.join(f'{name}={name}' for name in gone)})"
            )
        return found

    def __getstate__(self) -> list[Any]:
        """Return all but the references, which hold in this process only."""
        return [self.conversation, self.options, self.said, self.shown, None, None]

    def __setstate__(self, state: list[Any]) -> None:
        for name, value in zip(self.__slots__, state, strict=True):
            object.__setattr__(self, name, value)

    def __deepcopy__(self, memo: dict[int, Any]) -> Origin:
        return self  # nothing of it changes
