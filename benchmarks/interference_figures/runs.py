"""Six short runs that start from the demo model "qwen" and let go, each in its way, of what keeps its maps clean."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.staging import PICTURE_SIDE
from tam_widget.demo.training.loop import Run
from tam_widget.demo.training.recipes import RECIPES

if TYPE_CHECKING:
    from pathlib import Path

_FINE = RECIPES["noisy"]
_COARSE = replace(_FINE, batch_size=16, curriculum=replace(_FINE.curriculum, side=PICTURE_SIDE), pool=16 * 16)

INTERFERENCE_RUNS = {
    "answers": replace(_COARSE, weights=replace(_COARSE.weights, presence=0)),
    "words, all cells": replace(_COARSE, grounding="words"),
    "captions, 64 cells": replace(_COARSE, pool=64),
    "captions, all cells": _COARSE,
    "captions, finer grid": _FINE,
    "captions, finer grid, longer": replace(_FINE, steps=400),
}
"""By what is still asked of the maps: nothing, true words, or all words of a caption, in some or all of the cells."""

_KEPT = 4  # times along a run, beside its start


def trained(folder: Path) -> list[Path]:
    """Train the runs, each in a folder of its own, and return these; what is there already is gone on from."""
    runs = []
    for name, recipe in INTERFERENCE_RUNS.items():
        runs.append(folder / name)
        Run(runs[-1], recipe).train(check_every=recipe.steps, keep_every=recipe.steps // _KEPT)
    return runs
