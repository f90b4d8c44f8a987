"""Contributions held to the run that they are of: what a layer's attention returned, and what the layers add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from tam_widget.lenses.path import projection_of
from tam_widget.models.attention.norms import same, tolerance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from tam_widget.lenses.path import Path
    from tam_widget.models.attention.heads import LayerHeads
    from tam_widget.models.attention.watch import Watch

__all__ = ["Sum", "check_adjoint", "check_output"]


class Sum:
    """What the final norm is given, put together again from attention in closed form and what else was added."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._row = watch.checked[-1]
        self._total: Tensor | None = None

    @torch.no_grad()
    def add(self, heads: LayerHeads, path: Path | None, output: Tensor | None) -> None:
        """Go through one layer."""
        passage = heads.passage
        assert passage is not None  # noqa: S101 - for mypy; paths were found
        total = passage.before[-1].cpu().double() if self._total is None else self._total
        total = passage.stay * total + passage.rest[-1]
        if path is not None and output is not None:
            gates = 1 if path.gates is None else path.gates[self._row]
            given = output * gates
            projection, sample = projection_of(heads)
            returned = projection(given.to(sample)).to(given)
            total = total + path.direct * returned[0].cpu().double()
            if path.norm is not None:
                norm = path.norm
                middle = returned - returned.mean(dim=-1, keepdim=True) if norm.centred else returned
                added = (norm.factor[self._row] * norm.scale * middle + norm.bias)[0]
                total = total + path.normed * added.cpu().double()
        self._total = total

    def check(self, final: Tensor) -> None:
        """Hold the sum to what the final norm was given."""
        assert self._total is not None  # noqa: S101 - for mypy; there are layers
        same("summed up, its layers do not give what the final norm is given", self._total, final[self._row])


def check_output(index: int, heads: LayerHeads, found: Tensor) -> None:
    """Hold the last row of the first pass, and of the last one, to what the attention itself returned."""
    kept = torch.cat([heads.outputs[0][-1:], *([heads.outputs[-1][-1:]] if len(found) > 1 else [])])
    same(f"layer {index} does not attend as its scores say", found, kept.to(found.device))


def check_adjoint(index: int, path: Path, seeds: Tensor, pulled: Sequence[tuple[Tensor, Tensor | None]]) -> None:
    """Hold a gradient to the projection itself: a packed one may have a backward that is another's."""
    projection, given = projection_of(path.heads)
    with torch.no_grad():
        returned = projection(given) - projection(torch.zeros_like(given))
    ways = ([seeds * (path.direct * path.later)] if path.direct else []) + (
        [path.norm.pulled_back(seeds.to(path.norm.scale.device)) * (path.normed * path.later)] if path.norm else []
    )
    for before, (after, _) in zip(ways, pulled, strict=True):
        told = before.to(returned.device) @ returned[0].to(before.dtype)
        found = after @ given[0].to(after)
        size = before.norm(dim=-1).max() * returned.float().norm()
        if (told - found.to(told.device)).abs().max() > tolerance_of(given.dtype) * size:
            raise ValueError(f"the output projection of layer {index} is not linear, or its gradient is another's")
