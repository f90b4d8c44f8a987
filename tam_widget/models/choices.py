"""How likely each word was, and what else was likely in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["TOP", "Choices", "choices_of", "gathered"]

TOP = 5
"""How many candidates of each step are kept."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """How likely each of n steps' words were; softmax of the model's raw logits in float32, all on the CPU.

    Attributes
    ----------
    ids, probabilities : torch.Tensor, shape (n, k)
        The k ≤ 5 most probable tokens, most probable first.
    chosen, chosen_probability, chosen_rank : torch.Tensor, shape (n,)
        The token that was said, its probability, and its rank counted from 1.
    """

    ids: Tensor
    probabilities: Tensor
    chosen: Tensor
    chosen_probability: Tensor
    chosen_rank: Tensor


def choices_of(logits: Tensor, chosen: Tensor) -> tuple[Tensor, ...]:
    """Return for n rows of logits the columns of :class:`Choices`."""
    # softmax, although the top and the chosen one are all that is kept: on the CPU, logsumexp takes ten times as long.
    probabilities = logits.detach().float().softmax(dim=-1)
    top, ids = probabilities.topk(min(TOP, probabilities.shape[-1]), dim=-1)
    chosen = chosen.to(probabilities.device)
    own = probabilities.gather(-1, chosen[:, None])
    rank = (probabilities > own).sum(dim=-1, dtype=torch.int32) + 1
    return ids, top, chosen, own[:, 0], rank


def gathered(steps: Sequence[tuple[Tensor, ...]]) -> Choices:
    """Join the columns of several steps, on the CPU."""
    return Choices(*(torch.cat(column).cpu() for column in zip(*steps, strict=True)))
