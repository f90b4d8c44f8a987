"""An explanation of one picture with its model: what methods of explanation and their tests work from."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from PIL import Image

from tam_widget.errors import LensError, PictureError
from tam_widget.explanation.map_bank import MapBank
from tam_widget.lenses.interface import LENSES
from tam_widget.lenses.taking import taken, watch_for
from tam_widget.replay.replay import Replay, origin_of

if TYPE_CHECKING:
    from tam_widget.explanation import Explanation

__all__ = ["Explained"]


class Explained(Replay):
    """A model, its processor and an explanation of one picture that it made: what every method is given.

    Parameters
    ----------
    model, processor
        Those that :func:`tam_widget.explain` was given.
    explanation : Explanation
        Of one picture.

    Attributes
    ----------
    model, processor, explanation
        As given: the model without what a compiled or adapted one is wrapped in, the processor with the options
        applied.
    picture : PIL.Image.Image
        The picture.

    Raises
    ------
    PictureError
        The explanation is of several pictures or of a video.
    PromptError
        An empty answer.
    ModelGoneError
        The explanation does not hold its conversation.
    """

    def __init__(self, model: Any, processor: Any, explanation: Explanation) -> None:
        picture = explanation.images[0]
        if len(explanation.images) != 1 or not isinstance(picture, Image.Image):
            kind = f"{len(explanation.images)} pictures" if len(explanation.images) > 1 else "a video"
            raise PictureError(f"methods are compared on one picture; this explanation is of {kind}")
        super().__init__(model, processor, explanation, origin_of(explanation))
        self.picture = picture

    @cached_property
    def lenses(self) -> MapBank:
        """Maps of every lens over that reading; one forward pass, which is watched.

        Raises
        ------
        LensError
            The model's attention cannot be watched. Raised before it runs.
        """
        length = int(self.reading.prompt["input_ids"].shape[1])
        slots = [slot for slot in self.reading.slots if slot.position < length]
        watch = watch_for(self.model, LENSES, slots, length)
        if watch is not None and watch.refusal is not None:
            raise LensError(f"{type(self.model).__name__} has no other lens than TAM: {watch.refusal}")
        run = self.capture(self.reading, watch)
        activations = self.activations(self.reading, run)
        tokens = self.explanation.tokens
        return MapBank(activations, taken(self.model, LENSES, watch, activations, tokens))
