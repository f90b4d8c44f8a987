"""How what a layer's attention returns reaches the residual stream: measured on a few rows, once a run.

``after = stay · before + Σ_j share_j · part_j`` holds in every layer with one residual stream, for what its parts
returned and a few constants: 1, a residual multiplier, a layer's scalar. They are found by least squares, whatever they
are called in a family's code, and the equation must then hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

__all__ = ["Passage", "Tracer", "passage_of"]

_UNCERTAIN = 0.02  # of a share: more would be seen in a map
_ROUNDINGS = 4  # of the least precise type, root mean square: a layer adds a few numbers up
_FINEST = 1e-9  # what least squares itself rounds
_SURE = 4  # standard errors within which a share that could be 1 is 1


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """One layer's equation.

    Attributes
    ----------
    stay : float
        What the residual stream before the layer is multiplied by.
    direct, normed : float
        The share of what the attention's projection returned, and of the norm of it.
    norm : torch.nn.Module or None
        That norm.
    rest : torch.Tensor, shape (r, d), float64, on the CPU
        What the other parts added, at the rows looked at.
    before, after : torch.Tensor, shape (r, d)
        The residual stream there.
    """

    stay: float
    direct: float
    normed: float
    norm: nn.Module | None
    rest: Tensor
    before: Tensor
    after: Tensor


@dataclass(slots=True, eq=False)
class Tracer:
    """What the parts of one layer were given and returned in one pass.

    Attributes
    ----------
    branch : torch.nn.Module or None
        The part of the layer that holds its attention.
    norm : torch.nn.Module or None
        The part that was given what the branch returned.
    branch_rows : torch.Tensor or None
        What the branch returned, at all rows that are read.
    before, after : torch.Tensor or None
        The residual stream at the rows that are checked.
    parts : list of (str, torch.Tensor)
        What nothing else in the layer was given, at those rows: that is what is added up. Each is the ``"branch"``'s,
        the ``"norm"``'s or an ``"other"`` part's.
    """

    branch: nn.Module | None = None
    norm: nn.Module | None = None
    branch_rows: Tensor | None = None
    before: Tensor | None = None
    after: Tensor | None = None
    parts: list[tuple[str, Tensor]] = field(default_factory=list)
    _shape: tuple[int, ...] = ()
    _rows: Tensor | None = None
    _checked: Tensor | None = None
    _calls: list[tuple[nn.Module, list[Tensor], Tensor, Tensor | None]] = field(default_factory=list)

    def open(self, given: Tensor, rows: Tensor, checked: Tensor) -> None:
        """Begin with what the layer is given, (1, n, d), the rows that are read and those of them that are checked."""
        self._shape, self._rows, self._checked = tuple(given.shape[-2:]), rows, checked
        self.before = given[0][checked].clone()

    def call(self, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], output: Any) -> None:
        """Note what a part was given and returned."""
        given = [one for one in (*args, *kwargs.values()) if isinstance(one, torch.Tensor)]
        returned = output[0] if isinstance(output, tuple) else output
        if not isinstance(returned, torch.Tensor) or self._rows is None:
            return
        rows = None
        if returned.numel() == self._shape[0] * self._shape[1]:
            flat = returned.reshape(self._shape)
            rows = flat[self._checked].clone()  # now: what follows may write into it
            if module is self.branch:
                self.branch_rows = flat[self._rows].clone()
        self._calls.append((module, given, returned, rows))

    def close(self, output: Tensor) -> None:
        """End with what the layer returned."""
        calls, self._calls = self._calls, []  # they hold the activations of a whole layer
        ours = next((number for number, call in enumerate(calls) if call[0] is self.branch), None)
        behind = None
        for number, (_, _, returned, rows) in enumerate(calls):
            taker = next(
                (k for k in range(number + 1, len(calls)) if any(one is returned for one in calls[k][1])), None
            )
            if taker is None:
                if rows is not None:
                    kind = "branch" if number == ours else "norm" if number == behind else "other"
                    self.parts.append((kind, rows))
            elif number == ours:
                same = calls[taker][3]
                if same is not None and rows is not None and torch.equal(same, rows):
                    ours = taker  # a dropout, for example, which does nothing here
                else:
                    behind, self.norm = taker, calls[taker][0]
        self.after = output[0][self._checked].clone()


def passage_of(tracer: Tracer) -> Passage:
    """Find one layer's equation.

    Raises
    ------
    ValueError
        There is none: several residual streams, or something between that is no constant.
    """
    before, after = tracer.before, tracer.after
    if before is None or after is None or before.shape != after.shape:
        raise ValueError("what it is given and returns have different shapes")
    terms = [before, *(rows for _, rows in tracer.parts)]
    eps = max(_FINEST, *(torch.finfo(one.dtype).eps for one in (after, *terms)))
    # On the CPU: some devices have no float64.
    columns = torch.stack([one.cpu().double().flatten() for one in terms], dim=1)
    found = after.cpu().double().flatten()
    size = torch.maximum(columns.abs().amax(dim=1), found.abs()).clamp_min(1e-30)  # rounding is a share of the largest
    weighed, wanted = columns / size[:, None], found / size
    inverse = torch.linalg.pinv(weighed.T @ weighed, hermitian=True)
    shares = inverse @ (weighed.T @ wanted)
    off = wanted - weighed @ shares
    if off.pow(2).mean().sqrt() > _ROUNDINGS * eps:
        raise ValueError("what its parts return does not add up to what it returns")
    noise = off.pow(2).sum() / max(1, len(off) - len(shares))
    errors = (inverse.diagonal().clamp_min(0) * noise).sqrt() + torch.finfo(torch.float64).eps
    values = [
        1.0 if abs(share - 1) <= max(_SURE * error, 1e-5) else share
        for share, error in zip(shares.tolist(), errors.tolist(), strict=True)
    ]
    kinds = ["before", *(kind for kind, _ in tracer.parts)]
    for kind, share, error in zip(kinds, values, errors.tolist(), strict=True):
        if kind != "other" and error > _UNCERTAIN * max(abs(share), _UNCERTAIN):
            raise ValueError("how much of its attention is added to the residual stream cannot be told")
    share_of = dict(zip(kinds, values, strict=True))
    rest = torch.zeros(before.shape, dtype=torch.float64)
    for (kind, rows), share in zip(tracer.parts, values[1:], strict=True):
        if kind == "other":
            rest += share * rows.cpu().double()
    return Passage(values[0], share_of.get("branch", 0.0), share_of.get("norm", 0.0), tracer.norm, rest, before, after)
