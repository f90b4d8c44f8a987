"""An explanation of one picture with its model: what methods of explanation and their tests work from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PIL import Image

from tam_widget.errors import PictureError
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
