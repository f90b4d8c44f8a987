"""Lenses taken of a run: a watch before it, maps after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tam_widget.lenses.reading import Readings, read_lenses
from tam_widget.models import capture
from tam_widget.models.attention.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tam_widget.lenses.interface import LensName
    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Slot
    from tam_widget.text.tokens import Token

__all__ = ["taken", "watch_for"]


def watch_for(model: Any, lenses: Sequence[LensName], slots: Sequence[Slot], length: int) -> Watch | None:
    """Return what has to watch the run, None where the lenses need nothing beyond the last hidden states.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The model that will run.
    lenses : sequence of str
        Which lenses.
    slots : sequence of Slot
        The explained tokens of the prompt.
    length : int
        How long the prompt is, L; from its last position on, every position is read.
    """
    if all(lens == "tam" for lens in lenses):
        return None
    norm, _ = capture.readable_parts(model)
    return Watch(model, capture.decoder_of(model), norm, [slot.read_position for slot in slots], length - 1)


def taken(
    model: Any, lenses: Sequence[LensName], watch: Watch | None, activations: Activations, tokens: Sequence[Token]
) -> Readings:
    """Return what each lens but TAM gave, or why it gave nothing; the watch is empty afterwards.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        The model that ran: its projections are asked for their gradients.
    lenses, watch
        As given to and returned by :func:`watch_for`.
    activations : Activations
        Where everything lies, and the head's rows.
    tokens : sequence of Token
        The explained tokens.
    """
    if watch is None:
        return {}
    with capture.alone(model):
        return read_lenses(lenses, watch, activations, tokens)
