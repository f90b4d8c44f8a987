"""Several readings of one conversation in one forward pass, where the model can, and one by one where it cannot."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import torch

from tam_widget.errors import LayoutError
from tam_widget.maps.memory import in_blocks
from tam_widget.models import capture
from tam_widget.replay.covers import mean_coloured

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.models.inputs.parts import Medium
    from tam_widget.replay.reading import Reading
    from tam_widget.replay.replay import Replay

__all__ = ["Known", "Passes", "batch_of", "batch_size_for", "can_batch", "log_probabilities"]

_MIXED = 0.1
"""A batch that mixes pictures up is off by as much as the pictures make a difference; rounding is off by far less."""

_UNEQUAL = 0.01
"""Within one batch, one picture is rounded as its copy is, or nearly so; but a model may count its pictures through."""

_ROUNDING = 0.01  # nats, where the pictures make no difference at all
_BATCH_SIZE = 8

_CAN_BATCH: WeakKeyDictionary[Replay, bool] = WeakKeyDictionary()


@dataclass(slots=True)
class Known:
    """What passes found so far; it holds nothing of the model.

    Attributes
    ----------
    found : dict
        Log-probabilities of the tokens, (T,), by what was shown.
    batches : bool or None
        Whether the model can take several readings at once; None where nobody has tried.
    """

    found: dict[Hashable, NDArray[np.float64]] = field(default_factory=dict)
    batches: bool | None = None


class Passes:
    """Other pictures in the place of a conversation's own, each shown to the model once.

    Parameters
    ----------
    replay : Replay
        Model and conversation.
    tokens : sequence of int, optional
        Which tokens are followed; all that the model said when left out.
    batch_size : int, optional
        Readings in one forward pass; see :func:`batch_size_for`, which tries it out once there are two.
    known : Known, optional
        What earlier passes of the same conversation found, which is not run again.

    Attributes
    ----------
    run : int
        How many times something was shown to the model.
    known : Known
        What was found.

    Raises
    ------
    ValueError
        A batch size below 1.
    """

    def __init__(
        self,
        replay: Replay,
        tokens: Sequence[int] | None = None,
        *,
        batch_size: int | None = None,
        known: Known | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        self.known = Known() if known is None else known
        self.run = 0
        self._replay, self._tokens, self._batch_size = replay, tokens, batch_size
        if self.known.batches is not None:
            _CAN_BATCH[replay] = self.known.batches

    def knows(self, keys: Iterable[Hashable]) -> bool:
        """Whether nothing of this would have to be run."""
        return all(key in self.known.found for key in keys)

    def log_probabilities(
        self, shown: Mapping[Hashable, Callable[[], Sequence[Medium]]]
    ) -> dict[Hashable, NDArray[np.float64]]:
        """Return how probable the model finds each token when other pictures are shown.

        Parameters
        ----------
        shown : mapping
            By any key, a function that returns the pictures and videos, as many as the conversation has.

        Returns
        -------
        dict
            By the same keys natural logarithms, ndarray of float64, shape (T,); NaN for tokens that are not followed.
        """
        for _ in self.steps(shown):
            pass
        return {key: self.known.found[key] for key in shown}

    def steps(self, shown: Mapping[Hashable, Callable[[], Sequence[Medium]]]) -> Iterator[int]:
        """Do the same, some at a time, into :attr:`known`; yield how many are left. It may be left at any of them."""
        todo = [(key, make) for key, make in shown.items() if key not in self.known.found]
        step = batch_size_for(self._replay, self._batch_size, _BATCH_SIZE) if len(todo) > 1 else 1
        self.known.batches = _CAN_BATCH.get(self._replay)

        def run(here: slice) -> NDArray[np.float64]:
            readings = [self._replay.read(*make()) for _, make in todo[here]]
            return log_probabilities(self._replay, readings, self._tokens)

        for block, found in in_blocks(run, len(todo), step):  # pictures and inputs of one batch at a time are kept
            self.known.found.update(zip((key for key, _ in todo[block]), found, strict=True))
            self.run += len(found)
            yield len(todo) - block.stop


def batch_of(replay: Replay, readings: Sequence[Reading]) -> dict[str, Tensor]:
    """Join readings of equally long sequences to one batch, on the model's device.

    Parameters
    ----------
    replay : Replay
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
    each = [capture.on_device(replay.model, reading.inputs) for reading in readings]
    return each[0] if len(each) == 1 else {name: torch.cat([one[name] for one in each]) for name in each[0]}


def log_probabilities(
    replay: Replay,
    readings: Sequence[Reading],
    tokens: Sequence[int] | None = None,
    *,
    batch_size: int | None = None,
) -> NDArray[np.float64]:
    """Return how probable the model finds tokens of its answers, given what stands before them.

    Parameters
    ----------
    replay : Replay
        Model and answer.
    readings : sequence of Reading
        M of them; neighbours whose sequences are the same go into one forward pass.
    tokens : sequence of int, optional
        Which tokens of answers; all of them when left out.
    batch_size : int, optional
        How many go into one forward pass at most; all of them by default.

    Returns
    -------
    ndarray of float64, shape (M, T)
        Natural logarithms; NaN for tokens that are not asked for, and those of prompts, which the model did not say.
    """
    found = []
    for _, group in groupby(readings, key=lambda reading: reading.ids):
        same = list(group)
        step = len(same) if batch_size is None else batch_size
        found += [_one_pass(replay, same[start : start + step], tokens) for start in range(0, len(same), step)]
    return np.concatenate(found) if found else np.empty((0, len(replay.reading.slots)))


def can_batch(replay: Replay) -> bool:
    """Tell whether the model gives two different pictures in one batch what it gives each alone; tried once.

    Three passes: the pictures, the same sizes in their mean colours, and in a batch the pictures, these and the
    pictures again. A model that mixes them up, treats the second ones otherwise than the first, or refuses, is run one
    by one.
    """
    if replay not in _CAN_BATCH:
        readings = [replay.reading, replay.read(*map(mean_coloured, replay.media))]
        alone = log_probabilities(replay, readings, batch_size=1)
        try:
            together = log_probabilities(replay, [*readings, readings[0]])
        except (RuntimeError, ValueError, IndexError, TypeError):
            _CAN_BATCH[replay] = False
        else:
            difference = float(np.nanmax(np.abs(alone[0] - alone[1])))
            mixed = np.nanmax(np.abs(together[:2] - alone)) > max(_ROUNDING, _MIXED * difference)
            unequal = np.nanmax(np.abs(together[0] - together[2])) > max(_ROUNDING, _UNEQUAL * difference)
            _CAN_BATCH[replay] = not (mixed or unequal)
    return _CAN_BATCH[replay]


def batch_size_for(replay: Replay, asked: int | None, otherwise: int) -> int:
    """Return how many readings go into one pass: 1 where the model cannot batch.

    Parameters
    ----------
    replay : Replay
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
        asked = 1 if capture.input_device(replay.model).type == "cpu" else otherwise
    return asked if asked == 1 or can_batch(replay) else 1


@torch.no_grad()
def _one_pass(replay: Replay, readings: Sequence[Reading], tokens: Sequence[int] | None) -> NDArray[np.float64]:
    reading, model = readings[0], replay.model
    inputs = batch_of(replay, readings)
    said = reading.said if tokens is None else list(tokens)
    device = inputs["input_ids"].device
    keep = torch.from_numpy(reading.read[said]).to(device)
    with replay.alone():
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
