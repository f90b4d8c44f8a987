"""The output head's rows of a few classes, whatever the head is made of and wherever it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from tam_widget.errors import CaptureError, MissingDependencyError, UnsupportedModelError
from tam_widget.models.capture import input_device

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["head_rows"]

_CHUNK = 2**24  # logits made at a time where the head has to be asked
_TOLERANCE = (
    0.05  # of the largest score: a head that multiplies in bfloat16 or int8 rounds, one that is not linear is far off
)


@torch.no_grad()
def head_rows(model: Any, ids: Sequence[int], states: Tensor) -> Tensor:
    """Return the rows w_c of the output head, so that ``states @ rows.T`` are the classes' raw scores.

    Parameters
    ----------
    model : transformers.PreTrainedModel
        Its head may be tied, offloaded, quantised or wrapped.
    ids : sequence of int
        Vocabulary ids c, C of them.
    states : torch.Tensor, shape (n, d)
        A few last hidden states, on which an indirect answer is tried.

    Returns
    -------
    torch.Tensor, shape (C, d)
        A copy on the states' device, in the head's own floating-point type (float32 where the head had to be asked).

    Raises
    ------
    UnsupportedModelError
        The head is not linear, so no row stands for a class.
    CaptureError
        The rows do not give the head's own scores back.
    MissingDependencyError
        The weights are offloaded and accelerate, which brought them there, is missing.
    """
    head = model.get_output_embeddings()
    index = torch.tensor(list(ids), dtype=torch.long)
    if _is_plain(head):
        return _rows_of(head, index, states.device)
    if type(head) is nn.Linear and head.weight.device.type == "meta":
        # Indexing a meta tensor returns uninitialised memory without an error.
        try:
            from accelerate.utils import align_module_device
        except ImportError as error:
            raise MissingDependencyError(
                "the model's head is offloaded; reading it needs accelerate: pip install accelerate"
            ) from error
        with align_module_device(head, input_device(model)):
            if _is_plain(head):
                return _rows_of(head, index, states.device)
    return _rows_by_asking(head, index, states)


def _is_plain(head: nn.Module) -> bool:
    """Whether ``head.weight[c]`` is the row of class c: exactly a Linear with its own floating-point Parameter.

    A wrapped head (LoRA) has a ``weight`` too, that of the layer it wraps; a quantised one has packed numbers.
    """
    weight = getattr(head, "weight", None)
    return (
        type(head) is nn.Linear
        and type(weight) is nn.Parameter
        and weight.is_floating_point()
        and weight.dtype.itemsize > 1  # float8 has scales elsewhere
        and weight.device.type != "meta"
        and weight.shape == (head.out_features, head.in_features)
    )


def _rows_of(head: nn.Module, index: Tensor, device: torch.device) -> Tensor:
    weight = head.weight
    assert isinstance(weight, nn.Parameter)  # noqa: S101 - for mypy; _is_plain looked
    return weight.detach().index_select(0, index.to(weight.device)).to(device)


def _rows_by_asking(head: nn.Module, index: Tensor, states: Tensor) -> Tensor:
    """Read the rows off a head that does not show them: what it says to each unit vector is a column of its matrix."""
    width = states.shape[-1]
    unit = torch.eye(width, dtype=states.dtype, device=states.device)
    probe = head(unit[:1])
    step = max(1, _CHUNK // probe.shape[-1])
    columns = index.to(probe.device)
    offset = head(torch.zeros_like(unit[:1]))[:, columns].float()
    rows = torch.cat([head(unit[k : k + step])[:, columns].float() - offset for k in range(0, width, step)]).T
    sample = states[:: max(1, len(states) // 16)]
    told = torch.cat([head(sample[k : k + step])[:, columns].float() for k in range(0, len(sample), step)]) - offset
    difference = (sample.to(rows.device).float() @ rows.T - told).abs().max()
    if not torch.isfinite(rows).all():
        raise CaptureError("the output head returned values that are not finite")
    if difference > _TOLERANCE * told.abs().max():
        raise UnsupportedModelError(
            f"the output head ({type(head).__name__}) is not linear, so no row of it stands for a word"
        )
    return rows.to(states.device).contiguous()
