"""Time and memory of work on a device."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["copy_bandwidth", "interleaved", "measured"]


def measured(way: Callable[[], Any], device: torch.device) -> tuple[float, float | None]:
    """Return the seconds that something takes, and on a GPU how far its memory rises, in MiB."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device) if on_gpu else 0
    began = time.perf_counter()
    way()
    if on_gpu:
        torch.cuda.synchronize(device)
    taken = time.perf_counter() - began
    return taken, (torch.cuda.max_memory_allocated(device) - before) / 2**20 if on_gpu else None


def interleaved(ways: Mapping[str, Callable[[], Any]], device: torch.device, rounds: int) -> dict[str, dict[str, Any]]:
    """Run several ways in turn, after a round that warms up.

    Returns
    -------
    dict
        For each way ``seconds`` of every round, their ``median``, the median of the rounds' ``ratio`` to the first
        way, and on a GPU the ``peak`` of its memory over what was there before, in MiB.
    """
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float | None] = {}
    for turn in range(rounds + 1):
        for name, way in ways.items():
            taken, peaks[name] = measured(way, device)
            if turn:
                seconds[name].append(taken)
    first = next(iter(seconds.values()))
    return {
        name: {
            "seconds": taken,
            "median": statistics.median(taken),
            "ratio": statistics.median(one / base for one, base in zip(taken, first, strict=True)),
            "peak": peaks[name],
        }
        for name, taken in seconds.items()
    }


def copy_bandwidth(device: torch.device, size: int = 2**30, rounds: int = 10) -> float:
    """Return how many bytes a second the device moves when it copies its own memory: read and written both count.

    Parameters
    ----------
    device : torch.device
    size : int
        Bytes of one copy; more than any cache holds.
    rounds : int
        Copies; the fastest counts.
    """
    source = torch.empty(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    target.copy_(source)
    return 2 * size / min(measured(lambda: target.copy_(source), device)[0] for _ in range(rounds))
