"""What one layer's attention left of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tam_widget.models.attention.keys import Keys

if TYPE_CHECKING:
    from torch import Tensor, nn

    from tam_widget.models.attention.residual import Passage

__all__ = ["LayerHeads"]


@dataclass(slots=True, eq=False)
class LayerHeads:
    """What one layer's attention left; R read rows in the order of :attr:`Watch.positions`.

    Attributes
    ----------
    attention, projection : torch.nn.Module or None
        The module and its output projection; None where the layer has no softmax attention.
    queries : list of torch.Tensor, each (rows, heads, width)
        Rotated queries, a pass at a time.
    masks : list of (torch.Tensor or None, int)
        Of each pass the mask's rows, (1 or heads, rows, K), and the position of its first column; None: what came
        before.
    keys : Keys
        All keys and values.
    scaling, softcap, sinks, window, causal
        How scores are made of them.
    outputs, projected : list of torch.Tensor, each (rows, heads · width)
        What the attention returned and what its projection was given: the gate between them is a factor of each number.
        Where there is none, `projected` is empty and `outputs` holds the rows that are checked.
    normed : list of torch.Tensor, each (rows, d)
        What the norm behind the projection was given, where there is one.
    sample : torch.Tensor or None, shape (1, heads · width)
        What the projection was given once: its type and device are those it works with.
    gated : bool or None
        Whether there is something between the attention and its projection; None before one pass has been seen.
    passage : Passage or None
        How it reaches the residual stream; of every layer, attention or not.
    step : int
        The latest pass.
    """

    attention: nn.Module | None = None
    projection: nn.Module | None = None
    queries: list[Tensor] = field(default_factory=list)
    masks: list[tuple[Tensor | None, int]] = field(default_factory=list)
    keys: Keys = field(default_factory=Keys)
    scaling: float = 1.0
    softcap: float | None = None
    sinks: Tensor | None = None
    window: int | None = None
    causal: bool = True
    outputs: list[Tensor] = field(default_factory=list)
    projected: list[Tensor] = field(default_factory=list)
    normed: list[Tensor] = field(default_factory=list)
    sample: Tensor | None = None
    gated: bool | None = None
    passage: Passage | None = None
    step: int = -1
