"""All lenses of one run, made when it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from tam_widget.lenses.attention import Attended
from tam_widget.lenses.contribution import Queries, contributions
from tam_widget.lenses.kept import KeptMaps, Refused, kept_maps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tam_widget.lenses.interface import LensName
    from tam_widget.models.activations import Activations
    from tam_widget.models.attention.watch import Watch
    from tam_widget.text.tokens import Token

__all__ = ["Readings", "read_lenses"]

Readings = dict["LensName", KeptMaps | Refused]
"""What each lens gave, or why not."""


@torch.no_grad()
def read_lenses(
    lenses: Sequence[LensName], watch: Watch, activations: Activations, tokens: Sequence[Token]
) -> Readings:
    """Make the maps of every token and candidate, and let go of queries, keys and values.

    Parameters
    ----------
    lenses : sequence of str
        Which lenses; TAM needs nothing of the watch.
    watch : Watch
        The run, finished; it is empty afterwards.
    activations : Activations
        Where everything lies, and the head's rows.
    tokens : sequence of Token
        The explained tokens.

    Returns
    -------
    dict
        For each lens but TAM its maps, or why there are none.
    """
    found: Readings = {}
    cells = torch.from_numpy(np.concatenate([panel.positions.ravel() for panel in activations.panels]))
    for lens in lenses:
        if lens == "tam":
            continue
        try:
            if watch.refusal is not None:
                raise ValueError(watch.refusal)  # noqa: TRY301 - one way for every refusal
            found[lens] = (
                _contributions(watch, activations, tokens, cells)
                if lens == "contribution"
                else _attention(watch, activations, cells, last=lens == "attention")
            )
        except (ValueError, RuntimeError, MemoryError) as error:
            found[lens] = Refused(str(error) or type(error).__name__)
    watch.clear()
    return found


def _contributions(watch: Watch, have: Activations, tokens: Sequence[Token], cells: Tensor) -> KeptMaps:
    row_of: dict[tuple[int, int | None], int] = {}
    for index, token in enumerate(tokens):
        for class_id in dict.fromkeys([token.id, *(candidate.id for candidate in token.candidates)]):
            row_of[index, class_id] = len(row_of)
    at = {position: row for row, position in enumerate(watch.positions)}
    rows = torch.tensor([at[have.read_positions[token]] for token, _ in row_of])
    classes = torch.tensor([have.row_of[class_id] for _, class_id in row_of if class_id is not None])
    values = contributions(watch, Queries(rows, classes, have.rows), cells)
    return kept_maps(values.numpy(), row_of, have.panels, have.read_positions, _layers(watch))


def _attention(watch: Watch, have: Activations, cells: Tensor, *, last: bool) -> KeptMaps:
    layers = watch.layers[-1:] if last else watch.layers
    attending = [heads for heads in layers if heads.attention is not None]
    if not attending:
        raise ValueError("its last layer has no softmax attention")
    at = {position: row for row, position in enumerate(watch.positions)}
    rows = torch.tensor([at[position] for position in have.read_positions])
    total = torch.zeros(len(watch.positions), len(cells))
    masks: dict[object, Tensor] = {}
    for heads in attending:
        attended = Attended(watch, heads, masks)
        for block in attended.blocks():
            total[block] += attended.to(block, cells).mean(dim=1).float().cpu()
    values = (total / len(attending))[rows].numpy()
    row_of: dict[tuple[int, int | None], int] = {(token, None): token for token in range(len(rows))}
    return kept_maps(values, row_of, have.panels, have.read_positions, _layers(watch))


def _layers(watch: Watch) -> tuple[int, int]:
    return len(watch.layers), sum(heads.attention is not None for heads in watch.layers)
