"""Scores of a text's classes, computed when a map first needs them and kept for the next one."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tam_widget.maps.activation import activation, head_rows
from tam_widget.maps.memory import in_blocks, is_out_of_memory
from tam_widget.maps.precision import working_dtype

# Bytes of scores that are kept.  On the CPU it is their calculation that a map takes long for.  An accelerator is quick
# at it, and its memory is wanted for the model.
_CPU_KEPT = 2**29
_DEVICE_KEPT = 2**26
# Scores that are calculated at a time: 64 MiB of float64.
_BLOCK = 2**23


class Scores:
    """``ReLU(h_p · w_c)`` of some classes c at some positions p: a row of n for each of C classes.

    Any thread may ask.  There is no lock: two threads that need a row at the same time both compute it, and write what
    is the same to the last digits of float64.

    Parameters
    ----------
    hidden
        (P, d), last hidden states.
    weight
        (V, d), the output head.
    classes
        (C,) int64 on the CPU, different rows of `weight`.
    positions
        (n,) int64 on the CPU.
    """

    def __init__(self, hidden: Tensor, weight: Tensor, classes: Tensor, positions: Tensor) -> None:
        self._hidden, self._weight = hidden, weight
        self._classes, self._positions = classes, positions
        self._number = {class_id: number for number, class_id in enumerate(classes.tolist())}
        self._done = np.zeros(len(classes), dtype=bool)
        self._kept = self._room()

    @property
    def are_kept(self) -> bool:
        """Whether a row is computed once, or whenever it is needed."""
        return self._kept is not None

    def of(self, class_ids: Tensor) -> Tensor:
        """Return the rows of any classes of the head, (q, n), in the working type."""
        numbers = [self._number.get(class_id, -1) for class_id in class_ids.tolist()]
        if self._kept is None or -1 in numbers:
            distinct, back = torch.unique(class_ids, return_inverse=True)
            return self._computed(distinct)[back.to(self._hidden.device)]
        self._fill(numbers)
        return self._kept[torch.tensor(numbers, device=self._kept.device, dtype=torch.int64)]

    def weighted(self, weights: Tensor) -> Tensor:
        """Return sums of the first k classes' rows, each by its weight: (q, k) weights of k classes give (q, n)."""
        numbers = np.arange(weights.shape[1])
        if self._kept is not None:
            self._fill(numbers)
            return weights @ self._kept[: len(numbers)]
        total = weights.new_zeros(len(weights), len(self._positions))
        for block, rows in self._blocks(numbers):
            total.addmm_(weights[:, block[0] : block[-1] + 1], rows)
        return total

    def _fill(self, numbers: npt.ArrayLike) -> None:
        """Compute what is missing of some classes' rows."""
        assert self._kept is not None  # noqa: S101 - for mypy; both callers looked
        wanted = np.unique(np.asarray(numbers, dtype=np.int64))
        for missing, rows in self._blocks(wanted[~self._done[wanted]]):
            self._kept.index_copy_(0, torch.from_numpy(missing).to(self._kept.device), rows)
            self._done[missing] = True  # only now: another thread may read it

    def _blocks(self, numbers: npt.NDArray[np.int64]) -> Iterator[tuple[npt.NDArray[np.int64], Tensor]]:
        """Compute rows of some classes, some at a time."""
        step = max(1, _BLOCK // max(1, len(self._positions)))
        for block, rows in in_blocks(lambda block: self._computed(self._classes[numbers[block]]), len(numbers), step):
            yield numbers[block], rows

    def _computed(self, class_ids: Tensor) -> Tensor:
        return activation(self._hidden, head_rows(self._weight, class_ids, self._hidden.device), self._positions)

    def _room(self) -> Tensor | None:
        """Return zeros where the rows will lie; None for too many."""
        device, dtype = self._hidden.device, working_dtype(self._hidden.device)
        shape = (len(self._classes), len(self._positions))
        if shape[0] * shape[1] * dtype.itemsize > (_CPU_KEPT if device.type == "cpu" else _DEVICE_KEPT):
            return None
        try:
            # What is made in inference mode cannot be written to outside of it, where the next map may be asked for.
            with torch.inference_mode(mode=False):
                if device.type == "cpu":  # NumPy's zeros take no memory before something is written
                    return torch.from_numpy(np.zeros(shape, dtype=str(dtype).removeprefix("torch.")))
                return torch.zeros(shape, dtype=dtype, device=device)
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            return None
