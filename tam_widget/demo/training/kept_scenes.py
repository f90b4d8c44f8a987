"""The scenes of a training that sees each of them several times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.scenery.painting import paint
from tam_widget.demo.scenery.staging import THINGS_SIDE, Kind, Staging, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["KeptScenes", "KeptStaging"]

_STREAM = 2**32 + 1  # beside the steps of a training and its checks


@dataclass(frozen=True)
class KeptStaging(Staging):
    """A staging with its number among those that are kept."""

    number: int = 0


@dataclass(frozen=True)
class KeptScenes:
    """Scenes of things, the same for the same seed: a :class:`~tam_widget.demo.training.curriculum.Curriculum` of them.

    Attributes
    ----------
    seed : int
    count : int
        How many there are.
    checked : int
        How many of them, the first, are not learned from: they tell how far a training is.
    """

    seed: int = 0
    count: int = 16384
    checked: int = 256

    adjectives = 1.0
    only_side = THINGS_SIDE

    @property
    def shares(self) -> tuple[tuple[Kind, float], ...]:
        """How often each kind of scene is shown."""
        return (("things", 1.0),)

    def draw(self, rng: np.random.Generator, progress: float, batch_size: int) -> Sequence[KeptStaging]:
        """Draw the scenes of a batch; how far the training is makes no difference."""
        del progress
        return [self.staging(int(number)) for number in rng.integers(self.checked, self.count, batch_size)]

    def draw_checked(self, kind: Kind, rng: np.random.Generator, batch_size: int) -> Sequence[KeptStaging]:
        """Draw scenes that are not learned from."""
        del kind
        return [self.staging(int(number)) for number in rng.integers(self.checked, size=batch_size)]

    def staging(self, number: int) -> KeptStaging:
        """Stage a scene: the same one for the same number."""
        staged = stage("things", self._chance(number, 0), THINGS_SIDE, THINGS_SIDE)
        return KeptStaging(staged.kind, staged.placements, staged.relation, staged.event, staged.ground, number)

    def picture(self, staging: KeptStaging) -> Image.Image:
        """Draw a scene."""
        pixels, _ = paint(staging, self._chance(staging.number, 1))
        return Image.fromarray(pixels[0])

    def _chance(self, number: int, part: int) -> np.random.Generator:
        return np.random.default_rng([TRAINING, self.seed, _STREAM, number, part])
