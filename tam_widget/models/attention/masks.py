"""Which keys a read position attends to, at the moment it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["earlier", "joined"]


def earlier(rows: Tensor, columns: Tensor, window: int | None, *, causal: bool = True) -> Tensor:
    """Return which positions come before or are the same, within a sliding window, (R, K) bool."""
    apart = rows[:, None] - columns[None]
    seen = apart >= 0 if causal else torch.ones_like(apart, dtype=torch.bool)
    return seen if window is None else seen & (apart < window)


def joined(
    masks: Sequence[tuple[Tensor | None, int]], positions: Sequence[Sequence[int]], total: int, rule: Tensor
) -> Tensor:
    """Join the masks of several passes to one over all positions.

    Parameters
    ----------
    masks : sequence of (torch.Tensor or None, int)
        Of each pass a mask's rows, (1 or heads, rows, K), bool or to be added, and the position of its first column.
        None where the rule says it.
    positions : sequence of sequence of int
        The rows' positions, a pass each.
    total : int
        How many positions there are, T.
    rule : torch.Tensor, shape (R, T), bool
        What a row sees where there is no mask.

    Returns
    -------
    torch.Tensor, shape (1 or heads, R, T), float32
        To be added to the scores; −∞ where a key is not seen.
    """
    heads = max((mask.shape[0] for mask, _ in masks if mask is not None), default=1)
    whole = torch.zeros(heads, *rule.shape, device=rule.device).masked_fill_(~rule, -torch.inf)
    start = 0
    for (mask, first), rows in zip(masks, positions, strict=True):
        here = slice(start, start + len(rows))
        start = here.stop
        if mask is None:
            continue
        added = torch.zeros_like(mask, dtype=torch.float32)
        if mask.dtype == torch.bool:
            added.masked_fill_(~mask, -torch.inf)
        else:
            added += mask
            added.masked_fill_(mask <= torch.finfo(mask.dtype).min / 2, -torch.inf)
        count = min(mask.shape[-1], total - first)  # a static cache has room for more
        whole[:, here] = -torch.inf
        whole[:, here, first : first + count] = added[..., :count].to(whole)
    return whole
