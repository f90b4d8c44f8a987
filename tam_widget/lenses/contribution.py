"""What each vision token contributes to a word's logit by itself, through the attention of all layers at once.

``c_p = Σ_l Σ_h α_lh(t, p) · ŵ_c · J_l W_O,lh v_lh(p)`` at the word's read position t: direct logit attribution (arXiv
2604.04500), everything but α · v held as it was in the run. ``ŵ_c`` is the head's row of class c taken back through the
final norm, ``J_l`` what stands between the output projection and the residual stream: a gate, a norm with its own
statistic, constants. Biases are no token's share. What MLPs and experts make of it is left out: that is not direct.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tam_widget.lenses.attention import Attended
from tam_widget.lenses.path import Path, paths_of
from tam_widget.lenses.self_check import Sum, check_adjoint, check_output
from tam_widget.models.attention.norms import frozen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tam_widget.models.attention.watch import Watch

__all__ = ["Queries", "contributions"]

_TOGETHER = 2**22  # products of weights and values that are held at a time
_AT_ONCE = 2**25  # what values are worth to every class, held for all of them


@dataclass(frozen=True, slots=True, eq=False)
class Queries:
    """Which words are explained; K of them.

    Attributes
    ----------
    rows : torch.Tensor of int64, shape (K,)
        Each one's row among the positions that were read.
    classes : torch.Tensor of int64, shape (K,)
        Each one's row of `weights`.
    weights : torch.Tensor, shape (C, d)
        The output head's rows.
    """

    rows: Tensor
    classes: Tensor
    weights: Tensor


def contributions(watch: Watch, queries: Queries, cells: Tensor) -> Tensor:
    """Return the signed contributions of N vision tokens to K words, (K, N), in logits, float32, on the CPU.

    Parameters
    ----------
    watch : Watch
        A run, finished.
    queries : Queries
        The words.
    cells : torch.Tensor of int64, shape (N,)
        The vision tokens' positions.

    Raises
    ------
    ValueError
        The equations do not reproduce the run; the message says where.
    """
    final = torch.cat(watch.final)
    norm = frozen(watch.norm, final)
    seeds = norm.pulled_back(queries.weights.to(final.device, torch.promote_types(final.dtype, torch.float32)))
    paths = paths_of(watch, final)
    total = torch.zeros(len(queries.rows), len(cells))
    masks: dict[object, Tensor] = {}
    checks = sorted({*watch.checked[-1:], len(watch.positions) - 1})
    summed = Sum(watch)
    for index, (heads, path) in enumerate(zip(watch.layers, paths, strict=True)):
        if path is not None:
            attended = Attended(watch, heads, masks)
            found = attended.output(checks)
            check_output(index, heads, found)
            pulled = path.pulled_back(seeds)
            check_adjoint(index, path, seeds, pulled)
            total += _layer(attended, path, pulled, queries, cells)
            summed.add(heads, path, found[:1])
        else:
            summed.add(heads, None, None)
    summed.check(final)
    return total * norm.factor.float().cpu()[queries.rows][:, None]


def _layer(
    attended: Attended,
    path: Path,
    pulled: Sequence[tuple[Tensor, Tensor | None]],
    queries: Queries,
    cells: Tensor,
) -> Tensor:
    """Return one layer's contributions, (K, N), but for the final norm's factor."""
    device = attended.keys.device
    here, rows, classes = cells.to(device), queries.rows.to(device), queries.classes.to(device)
    values = attended.values[:, here]
    total = torch.zeros(len(rows), len(here), device=device)
    order = torch.argsort(rows)  # so that each block of rows has its queries together
    bounds = torch.searchsorted(rows[order], torch.arange(attended.rows + 1, device=device)).tolist()
    factors = [None if factor is None else factor.to(device)[rows] for _, factor in pulled]
    gradients = [gradient.to(values) for gradient, _ in pulled]
    fits = path.gates is None and len(gradients[0]) * attended.count * len(here) <= _AT_ONCE
    ready = [_scores(gradient, values) if fits else None for gradient in gradients]
    step = max(1, _TOGETHER // max(1, attended.count * len(here)))
    for block in attended.blocks():
        weights = attended.to(block, here)
        for start in range(bounds[block.start], bounds[block.stop], step):
            which = order[start : min(start + step, bounds[block.stop])]
            share = weights[rows[which] - block.start]
            for gradient, scores, factor in zip(gradients, ready, factors, strict=True):
                if scores is None:
                    own = gradient[classes[which]]
                    each = _scores(own if path.gates is None else own * path.gates.to(own)[rows[which]], values)
                else:
                    each = scores[classes[which]]
                added = (share * each).sum(dim=1)
                total[which] += (added if factor is None else added * factor[which, None]).to(total)
    return total.cpu()


def _scores(gradient: Tensor, values: Tensor) -> Tensor:
    """Return what each vision token's values are worth to each head, (C, heads, N)."""
    groups, width = values.shape[0], values.shape[-1]
    grouped = gradient.view(len(gradient), groups, -1, width).transpose(0, 1).flatten(1, 2)
    found = (grouped @ values.transpose(1, 2)).view(groups, len(gradient), -1, values.shape[1])
    return found.transpose(0, 1).flatten(1, 2)
