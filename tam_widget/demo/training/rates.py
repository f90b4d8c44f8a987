"""The learning rate along a training."""

from __future__ import annotations

import math

__all__ = ["falling_rate"]

_LOWEST = 0.02


def falling_rate(height: float, step: int, steps: int, warm_up: int) -> float:
    """Return the learning rate of a step: a short straight rise, times half a cosine down to a fiftieth.

    Parameters
    ----------
    height : float
        What it falls from.
    step, steps : int
        Which one, from 0, and of how many.
    warm_up : int
        Steps of the rise.
    """
    falling = 0.5 * (1 + math.cos(math.pi * step / steps))
    return height * min(1.0, (step + 1) / warm_up) * (_LOWEST + (1 - _LOWEST) * falling)
