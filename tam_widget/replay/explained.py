"""The conversation behind an explanation, fed to the model again with its answer: what methods and tests work from.

An explanation keeps neither the model nor its inputs. Here both are brought together again, with the picture as it was
or with another in its place (resized, partly covered), and the answer given: teacher forcing.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from tam_widget.errors import LayoutError, LensError, PictureError, PromptError
from tam_widget.explanation.map_bank import MapBank
from tam_widget.lenses.interface import LENSES
from tam_widget.lenses.taking import taken, watch_for
from tam_widget.models import capture
from tam_widget.models.activations import activations_of
from tam_widget.models.families import family_of, panels_of
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from, conversation_from_messages
from tam_widget.models.inputs.parts import Shown
from tam_widget.models.inputs.processor_options import ProcessorOptions
from tam_widget.models.layout import Layout, Slot
from tam_widget.models.wrapped import unwrapped
from tam_widget.replay.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tam_widget.explanation import Explanation
    from tam_widget.models.activations import Activations
    from tam_widget.models.attention.watch import Watch
    from tam_widget.models.capture import Capture
    from tam_widget.models.inputs.messages import Conversation

__all__ = ["Explained", "mean_coloured"]

_TOLERANCE = {torch.float32: 0.02, torch.float64: 0.02}
_HALF_TOLERANCE = 0.2  # in bfloat16 a step of generation and one pass over the whole text differ visibly


class Explained:
    """A model, its processor and an explanation of one picture that it made: what every method is given.

    Parameters
    ----------
    model, processor
        Those that :func:`tam_widget.explain` was given.
    explanation : Explanation
        Of one picture.
    system : str, optional
        The system prompt, where explain() was given one; an explanation does not keep it.
    messages : sequence of mapping, optional
        The conversation, where explain() was given one; its pictures may be left out (``{"type": "image"}``).
    image_kwargs, chat_template_kwargs : mapping, optional
        Those that explain() was given.

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
        A conversation of several turns without its messages, or an empty answer.
    """

    def __init__(
        self,
        model: Any,
        processor: Any,
        explanation: Explanation,
        *,
        system: str | None = None,
        messages: Sequence[Mapping[str, Any]] | None = None,
        image_kwargs: Mapping[str, Any] | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        picture = explanation.images[0]
        if len(explanation.images) != 1 or not isinstance(picture, Image.Image):
            kind = f"{len(explanation.images)} pictures" if len(explanation.images) > 1 else "a video"
            raise PictureError(f"methods are compared on one picture; this explanation is of {kind}")
        last = max(turn for turn, _ in explanation.texts)
        if messages is None and (last > 0 or not explanation.prompt):
            raise PromptError("pass messages=: an explanation does not keep where each turn's pictures stood")
        self._said = [token for token in explanation.tokens if token.role == "answer" and token.turn == last]
        if not self._said:
            raise PromptError("the model answered nothing, so there is no answer to read again")
        self.model = unwrapped(model)
        self._options = ProcessorOptions.of(image=image_kwargs, template=chat_template_kwargs)
        self.processor = self._options.applied(processor)
        self.explanation = explanation
        self.picture = picture
        self._conversation = _conversation(picture, explanation.prompt, system, messages)
        if len(self._conversation.media) != 1:
            raise PictureError(f"the messages hold {len(self._conversation.media)} pictures; the explanation is of one")

    @cached_property
    def reading(self) -> Reading:
        """The conversation as it was explained.

        Raises
        ------
        LayoutError
            Tokens or grid differ from the explanation's: another processor, or a system prompt or messages that were
            not given.
        """
        found = self.read(self.picture)
        same = [slot.id for slot in found.slots] == [token.id for token in self.explanation.tokens]
        if not same or found.panel.grid != self.explanation.grids[0]:
            raise LayoutError(
                "read again, the conversation has other tokens or another grid than the explanation: pass the "
                "processor, system=, messages=, image_kwargs= and chat_template_kwargs= that explain() was given"
            )
        return found

    @cached_property
    def run(self) -> Capture:
        """The model's states over that reading; one forward pass.

        Raises
        ------
        LayoutError
            The model gives the answer other probabilities than the explanation holds: another model or system prompt,
            or an answer with control tokens in it, which an explanation leaves out.
        """
        slots, tokens = self.reading.slots, self.explanation.tokens
        run = self.capture(self.reading)
        index_of = {slot.position: index for index, slot in enumerate(slots)}
        limit = _TOLERANCE.get(self.model.dtype, _HALF_TOLERANCE)
        for position, found in zip(run.said, run.choices.chosen_probability.tolist(), strict=True):
            token = tokens[index_of[position]]
            expected = next((one.probability for one in token.candidates if one.chosen), found)
            if abs(found - expected) > limit:
                raise LayoutError(
                    f"read again, {token.text!r} has the probability {found:.3f}, in the explanation {expected:.3f}: "
                    "pass the model, system= and messages= that explain() was given; or the answer had control tokens "
                    "in it, which are not kept: explain its text with answer="
                )
        return run

    def read(self, picture: Image.Image) -> Reading:
        """Return the conversation with another picture in the picture's place, and the same answer.

        Parameters
        ----------
        picture : PIL.Image.Image
            RGB, of any size.
        """
        conversation = _with_picture(self._conversation, picture)
        family = family_of(self.model.config)
        prepared = prepare(self.processor, conversation, family.render, self._options)
        panels = panels_of(prepared, self.model.config, self.processor)
        length, turn = len(prepared.ids), conversation.turn
        said = [token.id for token in self._said]
        inputs = capture.extended(prepared.inputs, said, family.answer_type_id)
        answer = (
            Slot(length + k, token.id, token.text, token.span, "answer", turn) for k, token in enumerate(self._said)
        )
        return Reading(
            inputs,
            prepared.inputs,
            (*prepared.ids, *said),
            panels,
            (*prepared.slots, *answer),
            {**prepared.texts, (turn, "answer"): self.explanation.answer},
        )

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

    def capture(self, reading: Reading, watch: Watch | None = None) -> Capture:
        """Run the model over a reading and return the states and probabilities; one forward pass."""
        length = int(reading.prompt["input_ids"].shape[1])
        earlier = [slot.position for slot in reading.slots if slot.role == "answer" and slot.position < length]
        return capture.replay(
            self.model,
            reading.prompt,
            reading.ids[length:],
            earlier=earlier,
            answer_type_id=family_of(self.model.config).answer_type_id,
            watch=watch,
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


def mean_coloured(picture: Image.Image) -> Image.Image:
    """Return a picture of the same size in the mean colour of the picture, rounded to whole levels."""
    colour = np.asarray(picture).reshape(-1, 3).mean(axis=0).round().astype(int)
    return Image.new("RGB", picture.size, tuple(colour.tolist()))


def _conversation(
    picture: Image.Image, prompt: str, system: str | None, messages: Sequence[Mapping[str, Any]] | None
) -> Conversation:
    if messages is None:
        return conversation_from(picture, None, prompt, system=system)
    try:
        return conversation_from_messages(messages, picture, system=system)
    except PictureError:  # the messages hold the picture themselves
        return conversation_from_messages(messages, system=system)


def _with_picture(conversation: Conversation, picture: Image.Image) -> Conversation:
    messages = tuple(
        replace(
            message,
            parts=tuple(replace(one, medium=picture) if isinstance(one, Shown) else one for one in message.parts),
        )
        for message in conversation.messages
    )
    return replace(conversation, messages=messages)
