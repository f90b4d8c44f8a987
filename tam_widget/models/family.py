"""What is particular to a kind of model: the contract that a family fulfils."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tam_widget.models.inputs.chat_template import Render
    from tam_widget.models.layout import View
    from tam_widget.models.place import Place

    Views = Callable[[Place], Sequence[View]]

__all__ = ["Family"]


@dataclass(frozen=True, slots=True)
class Family:
    """What is particular to a kind of model.

    Attributes
    ----------
    views : callable
        From a :class:`tam_widget.models.place.Place` (one picture or video, and where it stands in the input) to its
        views, a sequence of :class:`tam_widget.models.layout.View`. Called once for each, before the model runs.
    name : str
        What people call it; its model type where this is empty.
    render : callable, optional
        For a model without chat template: from the processor, the conversation and its texts to what the processor is
        given and what it makes of that before it writes the placeholders out, as in
        :func:`tam_widget.models.families.paligemma.render`.
    answer_inputs : mapping of str to int
        Inputs of the sequence's length beside ``attention_mask``, ``token_type_ids`` and ``mm_token_type_ids``, or
        with other values than theirs (1, 0 and 0), and the value that a token of an answer has there.
    final_norm : str, optional
        The path from the text decoder (``model.get_decoder()``) to the module that returns the last hidden states,
        where it is not called ``norm``, ``embedding_norm`` or ``final_layernorm``.
    """

    views: Views
    name: str = ""
    render: Render | None = None
    answer_inputs: Mapping[str, int] = field(default_factory=dict)
    final_norm: str | None = None
