"""Several readings of one conversation in one forward pass, where the model can, and one by one where it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from tam_widget.errors import LayoutError
from tam_widget.models import capture
from tam_widget.replay.explained import mean_coloured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.replay.explained import Explained
    from tam_widget.replay.reading import Reading

__all__ = ["batch_of", "batch_size_for", "can_batch", "log_probabilities"]

_MIXED = 0.1
"""A batch that mixes pictures up is off by as much as the pictures make a difference; rounding is off by far less."""

_UNEQUAL = 0.01
"""Within one batch, one picture is rounded as its copy is, or nearly so; but a model may count its pictures through."""

_ROUNDING = 0.01  # nats, where the pictures make no difference at all

_CAN_BATCH: WeakKeyDictionary[Explained, bool] = WeakKeyDictionary()


def batch_of(explained: Explained, readings: Sequence[Reading]) -> dict[str, Tensor]:
    """Join readings of equally long sequences to one batch, on the model's device.

    Parameters
    ----------
    explained : Explained
        Whose model they are for.
    readings : sequence of Reading
        B of them, of pictures of one size.

    Returns
    -------
    dict of str to torch.Tensor
        Every array of the processor, one reading after the other along the first axis.

    Raises
    ------
    LayoutError
        The sequences differ: the processor makes another number of cells of one picture than of another.
    """
    if any(reading.ids != readings[0].ids for reading in readings):
        raise LayoutError("the processor gives pictures of one size different places; they do not fit into one batch")
    each = [capture.on_device(explained.model, reading.inputs) for reading in readings]
    return each[0] if len(each) == 1 else {name: torch.cat([one[name] for one in each]) for name in each[0]}


def log_probabilities(
    explained: Explained, readings: Sequence[Reading], *, batch_size: int | None = None
) -> NDArray[np.float64]:
    """Return how probable the model finds each token of the answer, given what stands before it.

    Parameters
    ----------
    explained : Explained
        Model and answer.
    readings : sequence of Reading
        M of them.
    batch_size : int, optional
        How many go into one forward pass; all of them by default.

    Returns
    -------
    ndarray of float64, shape (M, T)
        Natural logarithms; NaN for tokens of prompts, which the model did not say.
    """
    step = len(readings) if batch_size is None else batch_size
    found = [_one_pass(explained, readings[start : start + step]) for start in range(0, len(readings), max(1, step))]
    return np.concatenate(found) if found else np.empty((0, len(explained.reading.slots)))


def can_batch(explained: Explained) -> bool:
    """Tell whether the model gives two different pictures in one batch what it gives each alone; tried once.

    Three passes: the picture, the same size in its mean colour, and in a batch the picture, this and the picture again.
    A model that mixes them up, treats the second one otherwise than the first, or refuses, is run one by one.
    """
    if explained not in _CAN_BATCH:
        readings = [explained.reading, explained.read(mean_coloured(explained.picture))]
        alone = log_probabilities(explained, readings, batch_size=1)
        try:
            together = log_probabilities(explained, [*readings, readings[0]])
        except (RuntimeError, ValueError, IndexError, TypeError):
            _CAN_BATCH[explained] = False
        else:
            difference = float(np.nanmax(np.abs(alone[0] - alone[1])))
            mixed = np.nanmax(np.abs(together[:2] - alone)) > max(_ROUNDING, _MIXED * difference)
            unequal = np.nanmax(np.abs(together[0] - together[2])) > max(_ROUNDING, _UNEQUAL * difference)
            _CAN_BATCH[explained] = not (mixed or unequal)
    return _CAN_BATCH[explained]


def batch_size_for(explained: Explained, asked: int | None, otherwise: int) -> int:
    """Return how many readings go into one pass: 1 where the model cannot batch.

    Parameters
    ----------
    explained : Explained
        Whose model is run.
    asked : int, optional
        What the caller wants.
    otherwise : int
        What is taken where nothing was asked for; but 1 on a CPU, where a batch of whole pictures is no faster.

    Raises
    ------
    ValueError
        Less than 1 was asked for.
    """
    if asked is not None and asked < 1:
        raise ValueError(f"batch_size must be at least 1, not {asked}")
    if asked is None:
        asked = 1 if capture.input_device(explained.model).type == "cpu" else otherwise
    return asked if asked == 1 or can_batch(explained) else 1


@torch.no_grad()
def _one_pass(explained: Explained, readings: Sequence[Reading]) -> NDArray[np.float64]:
    reading, model = readings[0], explained.model
    inputs = batch_of(explained, readings)
    said = reading.said
    device = inputs["input_ids"].device
    keep = torch.from_numpy(reading.read[said]).to(device)
    with explained.alone():
        output: Any = model(**inputs, logits_to_keep=keep, use_cache=False, return_dict=True)
    logits = output.logits
    if logits.shape[1] != len(said):  # a model without logits_to_keep
        logits = logits[:, keep.to(logits.device)]
    own = torch.tensor([reading.slots[index].id for index in said], device=logits.device)
    # One reading at a time: in float32 the logits of all of them could be the largest thing in memory.
    chosen = [one.float().log_softmax(dim=-1).gather(-1, own[:, None])[:, 0].double().cpu() for one in logits]
    found = np.full((len(readings), len(reading.slots)), np.nan)
    found[:, said] = torch.stack(chosen).numpy()
    return found
