"""A staging as pixels: shapes on a graded ground, things before a photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tam_widget.demo.scenery.drawing import draw_frames
from tam_widget.demo.scenery.things.drawing import draw_things

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tam_widget.demo.scenery.staging import Staging

__all__ = ["paint"]


def paint(staging: Staging, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Draw all pictures of a scene.

    Returns
    -------
    pixels : ndarray of uint8, shape (F, height, width, 3)
    masks : ndarray of bool, shape (F, objects, height, width)
    """
    if staging.of_things:
        return draw_things(staging.placements, staging.ground, rng)
    return draw_frames(staging.placements, rng)
