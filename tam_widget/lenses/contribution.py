"""What each vision token contributes to a word's logit by itself, through the attention of all layers at once.

``c_p = Σ_l Σ_h α_lh(t, p) · ŵ_c · J_l W_O,lh v_lh(p)`` at the word's read position t: direct logit attribution (arXiv
2604.04500), everything but α · v held as it was in the run. ``ŵ_c`` is the head's row of class c taken back through the
final norm, ``J_l`` what stands between the output projection and the residual stream: a gate, a norm with its own
statistic, constants. Biases are no token's share. What MLPs and experts make of it is left out: that is not direct.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from tam_widget.lenses.attention import Attended
from tam_widget.models.attention.norms import FrozenNorm, frozen, tolerance_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from tam_widget.models.attention.heads import LayerHeads
    from tam_widget.models.attention.watch import Watch

__all__ = ["Queries", "contributions"]

_TOGETHER = 2**22  # products of weights and values that are held at a time
_CLASSES = 2**24  # numbers of gradients that are held at a time


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
    paths = _paths(watch, final)
    total = torch.zeros(len(queries.rows), len(cells))
    masks: dict[object, Tensor] = {}
    checks = sorted({*watch.checked[-1:], len(watch.positions) - 1})
    summed = _Sum(watch)
    for index, (heads, path) in enumerate(zip(watch.layers, paths, strict=True)):
        if path is not None:
            attended = Attended(watch, heads, masks)
            found = attended.output(checks)
            _check_output(index, heads, found)
            pulled = path.pulled_back(seeds)
            _check_adjoint(index, path, seeds, pulled)
            total += _layer(attended, path, pulled, queries, cells)
            summed.add(heads, path, found[:1])
        else:
            summed.add(heads, None, None)
    summed.check(final)
    return total * norm.factor.float().cpu()[queries.rows][:, None]


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """From what one layer's attention returns to the input of the final norm."""

    heads: LayerHeads
    direct: float
    normed: float
    norm: FrozenNorm | None
    gates: Tensor | None  # (R, heads · width)
    later: float  # what all later layers multiply the residual stream by

    def pulled_back(self, seeds: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """Return gradients with respect to what the projection is given, each with its rows' factors."""
        found: list[tuple[Tensor, Tensor | None]] = []
        if self.direct:
            found.append((_through(self.heads.projection, seeds * (self.direct * self.later)), None))
        if self.norm is not None and self.normed:
            at = seeds.to(self.norm.scale.device)
            before = self.norm.pulled_back(at) * (self.normed * self.later)
            found.append((_through(self.heads.projection, before), self.norm.factor))
        return found


def _paths(watch: Watch, final: Tensor) -> list[_Path | None]:
    """Return every layer's way, None where it has no attention."""
    paths: list[_Path | None] = []
    later = 1.0
    after: Tensor | None = None
    for index, heads in reversed(list(enumerate(watch.layers))):
        passage = heads.passage
        if passage is None:
            raise ValueError(f"layer {index} was not seen")
        following = final[watch.checked] if after is None else after
        _same(f"layer {index} is followed by something else than the next one", passage.after, following)
        after = passage.before
        if heads.attention is None:
            paths.append(None)
        else:
            norm = None
            if passage.norm is not None and passage.normed:
                norm = frozen(passage.norm, torch.cat(heads.normed))
            paths.append(_Path(heads, passage.direct, passage.normed, norm, _gates(index, heads), later))
        later *= passage.stay
    return paths[::-1]


def _gates(index: int, heads: LayerHeads) -> Tensor | None:
    """Return what the attention's output is multiplied by before its projection; None where it is not.

    Raises
    ------
    ValueError
        Something else than a gate between 0 and 1 lies there.
    """
    if not heads.gated:
        return None
    dtype = torch.promote_types(heads.outputs[0].dtype, torch.float32)
    output, projected = torch.cat(heads.outputs).to(dtype), torch.cat(heads.projected).to(dtype)
    if output.shape != projected.shape:
        raise ValueError(f"layer {index} makes something else of what its attention returns")
    nothing = output == 0
    gates = torch.where(nothing, 0, projected / torch.where(nothing, 1, output))
    if gates.min() < 0 or gates.max() > 1 + tolerance_of(heads.outputs[0].dtype):
        raise ValueError(f"layer {index} has something else than a gate between its attention and its projection")
    return gates


def _through(projection: nn.Module | None, gradient: Tensor) -> Tensor:
    """Return gradients (C, d) before a projection, asked of the module itself: it may be adapted, packed or offloaded.

    Raises
    ------
    ValueError
        It cannot be differentiated.
    """
    assert projection is not None  # noqa: S101 - for mypy; a layer with attention has one
    weight = next(projection.parameters(), None)
    dtype = next(
        (one.dtype for one in projection.parameters() if one.is_floating_point() and one.dtype.itemsize > 1),
        gradient.dtype,
    )
    width = _width(projection)
    device = gradient.device if weight is None or weight.device.type == "meta" else weight.device
    step = max(1, _CLASSES // max(width, gradient.shape[-1]))
    found = []
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            for start in range(0, len(gradient), step):
                part = gradient[start : start + step].clone().to(device, dtype)
                given = torch.zeros(len(part), width, dtype=dtype, device=device, requires_grad=True)
                returned = projection(given)
                found.append(torch.autograd.grad(returned, given, part.to(returned))[0].detach())
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(f"its attention's output projection cannot be differentiated: {error}") from error
    return torch.cat(found).to(gradient.dtype)


def _layer(
    attended: Attended,
    path: _Path,
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
    ready = [None if path.gates is not None else _scores(gradient, values) for gradient in gradients]
    step = max(1, _TOGETHER // max(1, attended.count * len(here)))
    for block in attended.blocks():
        weights = attended.to(block, here)
        for start in range(bounds[block.start], bounds[block.stop], step):
            which = order[start : min(start + step, bounds[block.stop])]
            share = weights[rows[which] - block.start]
            for gradient, scores, factor in zip(gradients, ready, factors, strict=True):
                if scores is None:
                    assert path.gates is not None  # noqa: S101 - for mypy
                    each = _scores(gradient[classes[which]] * path.gates.to(values)[rows[which]], values)
                else:
                    each = scores[classes[which]]
                added = (share * each).sum(dim=1)
                total[which] += added if factor is None else added * factor[which, None]
    return total.cpu()


def _scores(gradient: Tensor, values: Tensor) -> Tensor:
    """Return what each vision token's values are worth to each head, (C, heads, N)."""
    groups, width = values.shape[0], values.shape[-1]
    grouped = gradient.view(len(gradient), groups, -1, width).transpose(0, 1).flatten(1, 2)
    found = (grouped @ values.transpose(1, 2)).view(groups, len(gradient), -1, values.shape[1])
    return found.transpose(0, 1).flatten(1, 2)


def _width(projection: Any) -> int:
    found = getattr(projection, "in_features", None)
    if not isinstance(found, int):
        raise ValueError(f"its attention's output projection ({type(projection).__name__}) does not say how wide it is")  # noqa: TRY004
    return found


class _Sum:
    """What the final norm is given, put together again from attention in closed form and what else was added."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._row = watch.checked[-1]
        self._total: Tensor | None = None

    @torch.no_grad()
    def add(self, heads: LayerHeads, path: _Path | None, output: Tensor | None) -> None:
        """Go through one layer."""
        passage = heads.passage
        assert passage is not None  # noqa: S101 - for mypy; paths were found
        total = passage.before[-1].double() if self._total is None else self._total.to(passage.rest.device)
        total = passage.stay * total + passage.rest[-1]
        if path is not None and output is not None:
            gates = 1 if path.gates is None else path.gates[self._row]
            given = output * gates
            weight = next((one for one in heads.projection.parameters() if one.is_floating_point()), given)  # type: ignore[union-attr]  # a layer with attention has one
            returned = heads.projection(given.to(weight.dtype)).to(given)  # type: ignore[misc]  # as above
            total = total + path.direct * returned[0]
            if path.norm is not None:
                norm = path.norm
                middle = returned - returned.mean(dim=-1, keepdim=True) if norm.centred else returned
                total = total + path.normed * (norm.factor[self._row] * norm.scale * middle + norm.bias)[0]
        self._total = total

    def check(self, final: Tensor) -> None:
        """Hold the sum to what the final norm was given."""
        assert self._total is not None  # noqa: S101 - for mypy; there are layers
        _same("summed up, its layers do not give what the final norm is given", self._total, final[self._row])


def _check_output(index: int, heads: LayerHeads, found: Tensor) -> None:
    """Hold the last row of the first pass, and of the last one, to what the attention itself returned."""
    kept = torch.cat([heads.outputs[0][-1:], *([heads.outputs[-1][-1:]] if len(found) > 1 else [])])
    _same(f"layer {index} does not attend as its scores say", found, kept.to(found.device))


def _check_adjoint(index: int, path: _Path, seeds: Tensor, pulled: Sequence[tuple[Tensor, Tensor | None]]) -> None:
    """Hold a gradient to the projection itself: a packed one may have a backward that is another's."""
    projection = path.heads.projection
    assert projection is not None  # noqa: S101 - for mypy
    given = path.heads.outputs[0][-1:]
    with torch.no_grad():
        weight = next((one for one in projection.parameters() if one.is_floating_point()), given)
        returned = projection(given.to(weight.dtype)) - projection(torch.zeros_like(given, dtype=weight.dtype))
    ways = ([seeds * (path.direct * path.later)] if path.direct else []) + (
        [path.norm.pulled_back(seeds.to(path.norm.scale.device)) * (path.normed * path.later)] if path.norm else []
    )
    for before, (after, _) in zip(ways, pulled, strict=True):
        told = before.to(returned.device) @ returned[0].to(before.dtype)
        found = after @ given[0].to(after)
        size = before.norm(dim=-1).max() * returned.float().norm()
        if (told - found.to(told.device)).abs().max() > tolerance_of(given.dtype) * size:
            raise ValueError(f"the output projection of layer {index} is not linear, or its gradient is another's")


def _same(what: str, found: Tensor, real: Tensor) -> None:
    """Raise ValueError where two tensors differ by more than the types they were made in explain."""
    found = found.to(real.device)
    off = (found.double() - real.double()).abs().max()
    if not off <= tolerance_of(real.dtype) * real.double().abs().max():
        raise ValueError(f"{what}: off by {off / real.double().abs().max():.2g} of the largest number")
