"""What read positions attend to: the softmax of a layer's scores at some columns, in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tam_widget.models.attention.masks import earlier, joined

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from tam_widget.models.attention.heads import LayerHeads
    from tam_widget.models.attention.watch import Watch

__all__ = ["Attended"]

_SCORES = 2**23  # that are held at a time


class Attended:
    """One layer's attention from R read positions to all T positions.

    ``α_h(t, p) = exp(s_h(t, p) − logsumexp_p′ s_h(t, p′))``, with what a softcap, a mask, a sliding window and an
    attention sink make of the scores s. In float32, or the model's type where it is wider.

    Parameters
    ----------
    watch : Watch
        A run.
    heads : LayerHeads
        One of its layers, with attention.
    masks : dict
        Masks of other layers; layers with the same ones share them.

    Attributes
    ----------
    keys, values : torch.Tensor, shape (groups, T, width)
        Of all positions; heads of one group share them.
    count : int
        Heads.
    """

    def __init__(self, watch: Watch, heads: LayerHeads, masks: dict[object, Tensor]) -> None:
        key, value = heads.keys.all()
        dtype = torch.promote_types(key.dtype, torch.float32)
        self.keys, self.values = key.to(dtype), value.to(dtype)
        self._queries = torch.cat(heads.queries).to(dtype)
        self.count = self._queries.shape[1]
        self._heads = heads
        total = max(watch.positions) + 1  # later keys are padding, or of a word that was taken back
        self.keys, self.values = self.keys[:, :total], self.values[:, :total]
        name = (heads.window, heads.causal, key.device, *((id(mask), first) for mask, first in heads.masks))
        if name not in masks:
            at = torch.tensor(watch.positions, device=key.device)
            rule = earlier(at, torch.arange(total, device=key.device), heads.window, causal=heads.causal)
            masks[name] = joined(heads.masks, watch.passes, total, rule)
        self._mask = masks[name]

    @property
    def rows(self) -> int:
        """Read positions, R."""
        return len(self._queries)

    def blocks(self) -> Iterator[slice]:
        """Yield all rows in order, as many at a time as fit."""
        step = max(1, _SCORES // max(1, self.count * self.keys.shape[1]))
        for start in range(0, self.rows, step):
            yield slice(start, min(start + step, self.rows))

    def to(self, rows: slice | list[int], columns: Tensor | None = None) -> Tensor:
        """Return the weights of some rows at some columns, (rows, heads, columns); at all where none are named."""
        queries = self._queries[rows]
        count, groups = len(queries), self.keys.shape[0]
        grouped = queries.reshape(count, groups, -1, queries.shape[-1]).transpose(0, 1).flatten(1, 2)
        scores = (grouped @ self.keys.transpose(1, 2)).view(groups, count, -1, self.keys.shape[1])
        scores = scores.transpose(0, 1).flatten(1, 2) * self._heads.scaling
        if self._heads.softcap is not None:
            scores = torch.tanh(scores / self._heads.softcap) * self._heads.softcap
        scores = scores + self._mask[:, rows].transpose(0, 1)
        whole = scores.logsumexp(dim=-1, keepdim=True)
        if self._heads.sinks is not None:
            whole = torch.logaddexp(whole, self._heads.sinks.detach().to(whole).view(1, -1, 1))
        if columns is not None:
            scores = scores[..., columns.to(scores.device)]
        return (scores - whole).exp().nan_to_num()

    def output(self, rows: list[int]) -> Tensor:
        """Return what the attention returns at some rows, (rows, heads · width)."""
        weights = self.to(rows)
        groups = self.values.shape[0]
        grouped = weights.view(len(rows), groups, -1, weights.shape[-1]).transpose(0, 1).flatten(1, 2)
        found = (grouped @ self.values).view(groups, len(rows), -1, self.values.shape[-1])
        return found.transpose(0, 1).flatten(1)
