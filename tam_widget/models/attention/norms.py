"""A norm with its statistic held: the linear map that it is at one position."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["FrozenNorm", "frozen", "same", "tolerance_of"]


def tolerance_of(dtype: torch.dtype) -> float:
    """Return how far a value computed in another way may be off, as a share of the largest one."""
    return {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 0.02}.get(dtype, 0.05)


def same(what: str, found: Tensor, real: Tensor) -> None:
    """Raise ValueError where two tensors differ by more than the types they were made in explain."""
    one, other = found.cpu().double(), real.cpu().double()
    off, largest = (one - other).abs().max(), other.abs().max()
    if not off <= tolerance_of(real.dtype) * largest:
        raise ValueError(f"{what}: off by {off / largest:.2g} of the largest number")


@dataclass(frozen=True, slots=True, eq=False)
class FrozenNorm:
    """``n(x) = factor · scale ⊙ (x − mean(x) where centred) + bias``, at each of R rows with its own statistic held.

    Attributes
    ----------
    scale, bias : torch.Tensor, shape (d,)
        What is common to all rows.
    factor : torch.Tensor, shape (R,)
        Each row's own: one over its root mean square or standard deviation, up to what is in `scale`.
    centred : bool
        True for a LayerNorm, which takes the mean away.
    """

    scale: Tensor
    bias: Tensor
    factor: Tensor
    centred: bool

    def pulled_back(self, gradient: Tensor) -> Tensor:
        """Return gradients with respect to the norm's input, (…, d), but for the row's factor."""
        pulled = gradient * self.scale.to(gradient)
        return pulled - pulled.mean(dim=-1, keepdim=True) if self.centred else pulled


@torch.no_grad()
def frozen(norm: nn.Module, rows: Tensor) -> FrozenNorm:
    """Read a norm off the module itself, whether it multiplies by γ or 1 + γ, whatever its ε.

    A vector of ±1 as long as a row has the row's own statistic, and shows the scale of every component.

    Parameters
    ----------
    norm : torch.nn.Module
        An RMSNorm or a LayerNorm of any make.
    rows : torch.Tensor, shape (R, d)
        What it was given.

    Raises
    ------
    ValueError
        It is neither.
    """
    given = rows.to(torch.promote_types(rows.dtype, torch.float32))
    signs = _signs(given)
    flat = torch.ones_like(signs)
    spread = _called(norm, signs[None], rows.dtype) - _called(norm, -signs[None], rows.dtype)
    same = _called(norm, flat[None], rows.dtype) - _called(norm, -flat[None], rows.dtype)
    centred = bool(same.abs().max() < 0.01 * spread.abs().max())
    middle = given - given.mean(dim=-1, keepdim=True) if centred else given
    length = middle.pow(2).mean(dim=-1, keepdim=True).sqrt().clamp_min(torch.finfo(torch.float32).tiny)
    up, down = (_called(norm, way * length * signs, rows.dtype) for way in (1, -1))
    each = (up - down) / (2 * length * signs)
    bias = ((up + down) / 2)[0]
    scale = each[0]
    factor = (each @ scale) / (scale @ scale)
    found = factor[:, None] * scale * middle + bias
    real = norm(rows).to(found)
    if (found - real).abs().max() > tolerance_of(rows.dtype) * real.abs().max():
        raise ValueError(f"its {type(norm).__name__} is neither an RMSNorm nor a LayerNorm")
    return FrozenNorm(scale, bias, factor, centred)


def _signs(like: Tensor) -> Tensor:
    """Return a vector without zeros, of mean 0 and mean square 1."""
    width = like.shape[-1]
    signs = torch.ones(width, dtype=like.dtype, device=like.device)
    signs[1::2] = -1
    if width % 2:
        signs[-3:] = torch.tensor([math.sqrt(2), -math.sqrt(0.5), -math.sqrt(0.5)]).to(signs)
    return signs


def _called(norm: nn.Module, rows: Tensor, dtype: torch.dtype) -> Tensor:
    try:
        found: Tensor = norm(rows)
    except RuntimeError:  # a fused norm takes the weights' own type alone
        found = norm(rows.to(dtype))
    return found.to(rows)
