"""All that is left of the model once it has run: the states and head rows that the maps are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tam_widget.models.head import head_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor

    from tam_widget.models.capture import Capture
    from tam_widget.models.layout import Layout, Panel
    from tam_widget.text.tokens import Token

__all__ = ["Activations", "activations_of"]


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """States and rows on the model's device; N vision tokens, T text tokens, C classes, width d.

    Attributes
    ----------
    states : torch.Tensor, shape (N + T, d)
        The vision tokens' last hidden states, panel by panel, then the text tokens', each at its read position.
    rows : torch.Tensor, shape (C, d)
        The output head's rows of every class and candidate.
    row_of : mapping of int to int
        From a vocabulary id to its row.
    ids : sequence of int
        The text tokens' vocabulary ids.
    key_of : mapping of int to int
        From a vocabulary id to its key: ids whose own strings are equal share one.
    panels : tuple of Panel
        Which vision tokens lie where; those of one picture or video stand together.
    read_positions : sequence of int
        Where in the sequence each text token is read: what comes later it cannot have seen.
    """

    states: Tensor
    rows: Tensor
    row_of: Mapping[int, int]
    ids: Sequence[int]
    key_of: Mapping[int, int]
    panels: tuple[Panel, ...]
    read_positions: Sequence[int]


def activations_of(model: Any, tokenizer: Any, layout: Layout, run: Capture, tokens: Sequence[Token]) -> Activations:
    """Keep the states of the vision tokens and of the text tokens' read positions, and every row ever asked for."""
    cells = np.concatenate([panel.positions.ravel() for panel in layout.panels])
    read = np.array([slot.read_position for slot in layout.slots], dtype=np.int64)
    states = run.states[torch.from_numpy(np.concatenate([cells, read])).to(run.states.device)]
    ids = [token.id for token in tokens]
    classes = sorted({*ids, *(candidate.id for token in tokens for candidate in token.candidates)})
    strings = tokenizer.convert_ids_to_tokens(classes)
    first: dict[Any, int] = {}
    return Activations(
        states=states,
        rows=head_rows(model, classes, states),
        row_of={token: row for row, token in enumerate(classes)},
        ids=ids,
        # A token's key is its own string, space and case included; ids that the tokenizer does not know are their own.
        key_of={
            token: first.setdefault(string or token, token) for token, string in zip(classes, strings, strict=True)
        },
        panels=layout.panels,
        read_positions=read.tolist(),
    )
