"""Work in blocks that shrink where memory runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import torch

from tam_widget.errors import MapMemoryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Result = TypeVar("Result")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out; torch on the CPU says it by a ``RuntimeError`` like any other."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)
    )


def in_blocks(work: Callable[[slice], Result], count: int, step: int) -> Iterator[tuple[slice, Result]]:
    """Do work on some of `count` things at a time, in order; where memory runs out, on half as many.

    Parameters
    ----------
    work
        Called with each block; called again with a part of it where memory runs out.
    count
        How many things there are.
    step
        How many make a block at first, at least one.

    Yields
    ------
    block, result
        What of it was done, and what `work` returned.

    Raises
    ------
    MapMemoryError
        If the memory does not suffice for one of them.
    """
    start = 0
    while start < count:
        block = slice(start, min(start + step, count))
        result, cause = _tried(work, block)
        if cause is None:
            yield block, result  # type: ignore[misc]  # there is a result where there is no cause
            start = block.stop
        elif step > 1:
            step = max(1, min(step, count - start) // 2)
        else:
            raise MapMemoryError(
                f"there is not enough memory, even for the smallest blocks ({cause}); free some (explanations that are "
                "no longer needed, the model), or show fewer or smaller pictures"
            )


def _tried(work: Callable[[slice], Result], block: slice) -> tuple[Result | None, str | None]:
    """Return what the work returned, or what it said when memory ran out; the error itself would hold its tensors."""
    try:
        return work(block), None
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        return None, str(error).split("\n", maxsplit=1)[0] or type(error).__name__
