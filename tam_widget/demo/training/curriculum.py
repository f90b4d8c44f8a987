"""Which scenes are shown when, in which size, and how many at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tam_widget.demo.scenery.staging import PICTURE_SIDE, STILL, Kind, Staging, side_of, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_SIZES = [(224, 224), (196, 196), (252, 196), (196, 252), (224, 168), (168, 224)]  # width, height
_SIZE_SHARES = [0.6, 0.12, 0.1, 0.1, 0.04, 0.04]
_SMALL_SHARE = 0.85
_SMALL_SCALE = 154.0
_READING_SHARE = 0.7
# As many vision tokens as one picture has: 10 pairs or films cost as much as 16 pictures.
_COST = {"pair": 0.6, "moving": 0.6}


@dataclass(frozen=True)
class Curriculum:
    """What a model is shown.

    Attributes
    ----------
    shares : tuple of (str, float)
        How often each kind of scene is shown.
    adjectives : float
        Share of the batches whose captions tell sizes and colours, where they may be left out.
    small : float
        For this share of the run most pictures are small canvases with one or two things: three times as many pass in
        the same time, and words find their places much sooner.
    reading : (float, float)
        From which share of the run to which most pictures are signs. Met only among other things, letters are not told
        apart at all: a word on a sign is one token in a hundred.
    resizes : bool
        Whether the model sees pictures of other sizes than 224×224, and small canvases.
    side : int
        Width and height of pictures where they are not resized, in pixels: larger ones show the same in finer cells.
    """

    shares: tuple[tuple[Kind, float], ...] = (
        ("objects", 0.34),
        ("count", 0.13),
        ("text", 0.12),
        ("overlap", 0.13),
        ("moving", 0.14),
        ("pair", 0.14),
    )
    adjectives: float = 1.0
    small: float = 0.1
    reading: tuple[float, float] = (0.22, 0.29)
    resizes: bool = True
    side: int = PICTURE_SIDE

    @property
    def only_side(self) -> int | None:
        """Width and height of every single picture in pixels; None where they differ."""
        return None if self.resizes else self.side

    def draw(self, rng: np.random.Generator, progress: float, batch_size: int) -> list[Staging]:
        """Draw the scenes of a batch, all of one kind and size.

        Parameters
        ----------
        rng : numpy.random.Generator
        progress : float
            Share of the run that is done.
        batch_size : int
            How many single pictures; of what is larger, fewer.
        """
        kinds, shares = [kind for kind, _ in self.shares], [share for _, share in self.shares]
        if progress < self.small and rng.random() < _SMALL_SHARE:
            return self._small(rng, batch_size)
        if self.reading[0] <= progress < self.reading[1] and rng.random() < _READING_SHARE:
            return self._signs(rng, batch_size)
        kind = kinds[int(rng.choice(len(kinds), p=[share / sum(shares) for share in shares]))]
        count = max(1, round(batch_size * _COST.get(kind, 1)))
        width, height = self._size(kind, rng)
        return [stage(kind, rng, width, height) for _ in range(count)]

    def draw_checked(self, kind: Kind, rng: np.random.Generator, batch_size: int) -> Sequence[Staging]:
        """Draw scenes of a kind as they are at the end, for a look at how far a training is."""
        return replace(self, shares=((kind, 1.0),)).draw(rng, 1.0, batch_size)

    def _signs(self, rng: np.random.Generator, count: int) -> list[Staging]:
        if self.resizes and rng.random() < 0.5:  # noqa: PLR2004
            return [stage("text", rng, 112, 112, objects=1, scale=_SMALL_SCALE) for _ in range(count)]
        return [stage("text", rng, self.side, self.side) for _ in range(count)]

    def _small(self, rng: np.random.Generator, count: int) -> list[Staging]:
        draw = rng.random()
        if draw < 0.25:  # noqa: PLR2004 - reading begins with one sign and nothing else
            return [stage("text", rng, 112, 112, objects=1, scale=_SMALL_SCALE) for _ in range(count)]
        if draw < 0.35:  # noqa: PLR2004
            return [stage("overlap", rng, 112, 112, scale=_SMALL_SCALE) for _ in range(count)]
        if draw < 0.65:  # noqa: PLR2004
            return [stage("objects", rng, 84, 84, objects=1, scale=_SMALL_SCALE) for _ in range(count)]
        width, height = [(112, 112), (112, 140), (140, 112)][int(rng.integers(3))]
        return [stage("objects", rng, width, height, scale=_SMALL_SCALE) for _ in range(count)]

    def _size(self, kind: Kind, rng: np.random.Generator) -> tuple[int, int]:
        if kind not in STILL:
            return side_of(kind), side_of(kind)
        if self.resizes:
            return _SIZES[int(rng.choice(len(_SIZES), p=_SIZE_SHARES))]
        return self.side, self.side
