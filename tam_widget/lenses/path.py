"""The way from what a layer's attention returns to the input of the final norm, with everything on it held."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tam_widget.models.attention.norms import FrozenNorm, frozen, same, tolerance_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tam_widget.models.attention.heads import LayerHeads
    from tam_widget.models.attention.watch import Watch

__all__ = ["Path", "paths_of", "projection_of"]

_CLASSES = 2**24  # numbers of gradients that are held at a time


@dataclass(frozen=True, slots=True, eq=False)
class Path:
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
            found.append((_through(self.heads, seeds * (self.direct * self.later)), None))
        if self.norm is not None and self.normed:
            at = seeds.to(self.norm.scale.device)
            before = self.norm.pulled_back(at) * (self.normed * self.later)
            found.append((_through(self.heads, before), self.norm.factor))
        return found


def paths_of(watch: Watch, final: Tensor) -> list[Path | None]:
    """Return every layer's way, None where it has no attention."""
    paths: list[Path | None] = []
    later = 1.0
    after: Tensor | None = None
    for index, heads in reversed(list(enumerate(watch.layers))):
        passage = heads.passage
        if passage is None:
            raise ValueError(f"layer {index} was not seen")
        following = final[watch.checked] if after is None else after
        same(f"layer {index} is followed by something else than the next one", passage.after, following)
        after = passage.before
        if heads.attention is None:
            paths.append(None)
        else:
            norm = None
            if passage.norm is not None and passage.normed:
                norm = frozen(passage.norm, torch.cat(heads.normed))
            paths.append(Path(heads, passage.direct, passage.normed, norm, _gates(index, heads), later))
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


def _through(heads: LayerHeads, gradient: Tensor) -> Tensor:
    """Return gradients (C, d) before a projection, asked of the module itself: it may be adapted, packed or offloaded.

    Raises
    ------
    ValueError
        It cannot be differentiated.
    """
    projection, sample = projection_of(heads)
    step = max(1, _CLASSES // max(sample.shape[-1], gradient.shape[-1]))
    try:
        with torch.inference_mode(mode=False), torch.enable_grad():
            parts = (gradient[start : start + step].clone() for start in range(0, len(gradient), step))
            found = [_before(projection, sample, part).detach() for part in parts]
    except (RuntimeError, NotImplementedError) as error:
        raise ValueError(f"its attention's output projection cannot be differentiated: {error}") from error
    return torch.cat(found).to(gradient.dtype)


def _before(projection: nn.Module, sample: Tensor, gradient: Tensor) -> Tensor:
    given = sample.new_zeros(1, sample.shape[-1]).requires_grad_()
    returned = projection(given)
    try:  # one row forward is enough for all of them backward
        together = gradient[:, None].to(returned)
        return torch.autograd.grad(returned, given, together, is_grads_batched=True)[0][:, 0]
    except RuntimeError:  # a backward of its own may know no batches
        given = sample.new_zeros(len(gradient), sample.shape[-1]).requires_grad_()
        returned = projection(given)
        return torch.autograd.grad(returned, given, gradient.to(returned))[0]


def projection_of(heads: LayerHeads) -> tuple[nn.Module, Tensor]:
    """Return a layer's output projection and what it was given once."""
    assert heads.projection is not None  # noqa: S101 - for mypy; a layer with attention has both
    assert heads.sample is not None  # noqa: S101 - as above
    return heads.projection, heads.sample
