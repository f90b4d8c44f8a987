"""A conversation fed to the model again with its answer, its pictures as they were or others in their place.

The answer is given: teacher forcing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch

from tam_widget.errors import LayoutError, ModelGoneError, PromptError
from tam_widget.models import capture
from tam_widget.models.activations import activations_of
from tam_widget.models.families import family_of, panels_of
from tam_widget.models.inputs.answer_inputs import answer_inputs
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.parts import Shown
from tam_widget.models.layout import Layout, Slot
from tam_widget.models.wrapped import unwrapped
from tam_widget.replay.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tam_widget.explanation import Explanation
    from tam_widget.explanation.origin import Origin
    from tam_widget.models.activations import Activations
    from tam_widget.models.attention.watch import Watch
    from tam_widget.models.capture import Capture
    from tam_widget.models.inputs.messages import Conversation
    from tam_widget.models.inputs.parts import Medium
    from tam_widget.models.layout import Panel

__all__ = ["Replay", "origin_of"]

_TOLERANCE = {torch.float32: 0.02, torch.float64: 0.02}
_ADVICE = "pass the model and the processor that explain() was given, as they were then"
_HALF_TOLERANCE = 0.2  # in bfloat16 a step of generation and one pass over the whole text differ visibly


class Replay:
    """A model, its processor, and the conversation of an explanation that it made.

    Parameters
    ----------
    model, processor
        Those that :func:`tam_widget.explain` was given.
    explanation : Explanation
        What they made.
    origin : Origin
        The conversation behind it.

    Attributes
    ----------
    model, processor, explanation
        As given: the model without what a compiled or adapted one is wrapped in, the processor with the options
        applied.
    """

    def __init__(self, model: Any, processor: Any, explanation: Explanation, origin: Origin) -> None:
        if not origin.shown:
            raise PromptError("the model answered nothing, so there is no answer to read again")
        self.model = unwrapped(model)
        self.processor = origin.options.applied(processor)
        self.explanation = explanation
        self._origin = origin

    @classmethod
    def of(cls, explanation: Explanation, model: Any = None, processor: Any = None) -> Replay:
        """Bring an explanation and its model together again.

        Raises
        ------
        ModelGoneError
            Model or processor are neither given nor alive, or the explanation does not hold its conversation.
        """
        origin = origin_of(explanation)
        return Replay(*origin.pair(model, processor), explanation, origin)

    @property
    def media(self) -> tuple[Medium, ...]:
        """The pictures and videos as the model was given them, in order."""
        return self._origin.conversation.media

    @cached_property
    def reading(self) -> Reading:
        """The conversation as it was explained.

        Raises
        ------
        LayoutError
            Tokens or grids differ from the explanation's: another processor, or another conversation.
        """
        found = self.read(*self.media)
        same = [slot.id for slot in found.slots] == [token.id for token in self.explanation.tokens]
        if not same or _grids(found.panels) != self.explanation.grids:
            raise LayoutError(
                f"read again, the conversation has other tokens or another grid than the explanation: {_ADVICE}"
            )
        return found

    @cached_property
    def run(self) -> Capture:
        """The model's states over that reading; one forward pass.

        Raises
        ------
        LayoutError
            As :meth:`check_probabilities`.
        """
        index_of = {slot.position: index for index, slot in enumerate(self.reading.slots)}
        run = self.capture(self.reading)
        found = zip(run.said, run.choices.chosen_probability.tolist(), strict=True)
        self.check_probabilities({index_of[at]: probability for at, probability in found if at in index_of})
        return run

    def check_probabilities(self, found: Mapping[int, float]) -> None:
        """Make sure that the model is the explanation's.

        Parameters
        ----------
        found : mapping of int to float
            The probability of some answer tokens, by index.

        Raises
        ------
        LayoutError
            The explanation holds other probabilities: another model or conversation.
        """
        limit = _TOLERANCE.get(self.model.dtype, _HALF_TOLERANCE)
        for index, probability in found.items():
            token = self.explanation.tokens[index]
            expected = next((one.probability for one in token.candidates if one.chosen), probability)
            if abs(probability - expected) > limit:
                raise LayoutError(
                    f"read again, {token.text!r} has the probability {probability:.3f}, in the explanation "
                    f"{expected:.3f}: {_ADVICE}"
                )

    def read(self, *media: Medium) -> Reading:
        """Return the conversation with other pictures and videos in the place of its own, and the same answer.

        Parameters
        ----------
        *media : PIL.Image.Image or Video
            As many as the conversation has, in order and of the same kinds; RGB, of any size.
        """
        origin = self._origin
        conversation = _with_media(origin.conversation, media)
        family = family_of(self.model.config)
        prepared = prepare(self.processor, conversation, family.render, origin.options)
        panels = panels_of(prepared, self.model.config, self.processor)
        length, turn = len(prepared.ids), conversation.turn
        grows = answer_inputs(prepared, family.answer_inputs)
        said = [token for token in self.explanation.tokens if token.role == "answer" and token.turn == turn]
        answer = (
            Slot(length + k, token.id, token.text, token.span, "answer", turn)
            for k, token in zip(origin.shown, said, strict=True)
        )
        return Reading(
            capture.extended(prepared.inputs, origin.said, grows),
            prepared.inputs,
            grows,
            (*prepared.ids, *origin.said),
            panels,
            (*prepared.slots, *answer),
            {**prepared.texts, (turn, "answer"): self.explanation.answer},
        )

    def capture(self, reading: Reading, watch: Watch | None = None) -> Capture:
        """Run the model over a reading and return the states and probabilities; one forward pass.

        `watch` takes what other lenses need of it.
        """
        length = int(reading.prompt["input_ids"].shape[1])
        earlier = [slot.position for slot in reading.slots if slot.role == "answer" and slot.position < length]
        said = reading.ids[length:]
        return capture.replay(
            self.model, reading.prompt, said, earlier=earlier, answer_inputs=reading.answer_inputs, watch=watch
        )

    def activations(self, reading: Reading, run: Capture) -> Activations:
        """Return the states and head rows that Token Activation Maps of a reading are made of."""
        layout = Layout(reading.panels, reading.slots, reading.texts)
        return activations_of(self.model, self.processor.tokenizer, layout, run, self.explanation.tokens)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the model to ourselves and in evaluation mode; it is left as it was."""
        with capture.alone(self.model):
            yield


def origin_of(explanation: Explanation) -> Origin:
    """Return the conversation behind an explanation.

    Raises
    ------
    ModelGoneError
        It does not hold one.
    """
    if explanation.origin is None:
        raise ModelGoneError("this explanation does not hold the conversation that it was made of; explain again")
    return explanation.origin


def _grids(panels: tuple[Panel, ...]) -> tuple[tuple[int, ...], ...]:
    """Return the grid of each picture, with the number of frames before it where it is a video's."""
    stitched = [panel for panel in panels if panel.kind == "stitched"]
    own = [[panel for panel in stitched if panel.image == k] for k in sorted({panel.image for panel in stitched})]
    return tuple((len(some), *some[0].grid) if some[0].frame is not None else some[0].grid for some in own)


def _with_media(conversation: Conversation, media: tuple[Medium, ...]) -> Conversation:
    following = iter(media)
    messages = tuple(
        replace(
            message,
            parts=tuple(
                replace(one, medium=next(following)) if isinstance(one, Shown) else one for one in message.parts
            ),
        )
        for message in conversation.messages
    )
    return replace(conversation, messages=messages)
