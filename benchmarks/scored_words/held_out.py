"""Held-out scenes with the exact masks of what words speak of, on the grids that a model's maps lie over."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from tam_widget.demo.scenery.held_out import Scene, held_out_staging, scene
from tam_widget.demo.scenery.language import plural
from tam_widget.demo.scenery.staging import FILMS, FRAMES_IN_A_GRID, Kind, Staging
from tam_widget.evaluation.data.datasets import FIRST_SEED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from tam_widget.demo.scenery.drawing import Item

__all__ = ["FIRST_SEED", "HeldOut", "held_out", "joined"]

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True)
class HeldOut:
    """A held-out scene, and the staging that it was drawn from.

    A scene's things tell their first colour and size; the staging knows what they are in every picture, so that the
    second colour of a pair has a mask too.

    Masks are boolean arrays of the shape (grids, height, width), a grid for each picture or group of a film's frames;
    of a group's frames the union counts.

    Attributes
    ----------
    scene : Scene
    staging : Staging
    """

    scene: Scene
    staging: Staging

    @property
    def kind(self) -> Kind:
        """The kind of scene."""
        return self.scene.kind

    @cached_property
    def masks(self) -> NDArray[np.bool_]:
        """The mask of every thing, shape (things, grids, height, width)."""
        return self._in_grids(np.stack([thing.masks for thing in self.scene.objects]))

    def of_thing(self, thing: int, *, later: bool = False) -> NDArray[np.bool_]:
        """Return the mask of one thing; with `later` it is empty in the first grid, before which nothing happened."""
        return _later(self.masks[thing]) if later else self.masks[thing]

    def of_others(self, thing: int) -> NDArray[np.bool_]:
        """Return the mask of all things but one."""
        others: NDArray[np.bool_] = np.logical_or.reduce(np.delete(self.masks, thing, axis=0))
        return others

    def called(self, word: str) -> NDArray[np.bool_]:
        """Return the mask of all that a shape, colour, size or written word is true of, in each picture by itself."""
        pictures = np.zeros((len(self.staging.placements), *self.masks.shape[2:]), bool)
        for picture, placement in enumerate(self.staging.placements):
            for item, thing in zip(placement.items, self.scene.objects, strict=True):
                if item.shown and word in _names(item):
                    pictures[picture] |= thing.masks[picture]
        return self._in_grids(pictures)

    def things_called(self, word: str) -> frozenset[int]:
        """Return which things a word is true of in any picture."""
        return frozenset(
            number
            for placement in self.staging.placements
            for number, item in enumerate(placement.items)
            if word in _names(item)
        )

    def _in_grids(self, masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Join the masks of the frames that a grid holds, (…, pictures, height, width)."""
        if self.kind not in FILMS:
            return masks
        *things, frames, height, width = masks.shape
        grouped = masks.reshape(*things, frames // FRAMES_IN_A_GRID, FRAMES_IN_A_GRID, height, width)
        joint: NDArray[np.bool_] = np.logical_or.reduce(grouped, axis=-3)
        return joint


def held_out(seed: int, kind: Kind) -> HeldOut:
    """Draw a scene, and stage it a second time from the same chance."""
    staging, _ = held_out_staging(seed, kind)
    return HeldOut(scene(seed, kind), staging)


def joined(grids: Iterable[NDArray[Scalar]]) -> NDArray[Scalar]:
    """Lay the grids of one map or mask below each other, so that one threshold cuts them all."""
    return np.concatenate(list(grids), axis=0)


def _names(item: Item) -> set[str]:
    return {item.shape, plural(item.shape), item.colour, item.size, item.text} - {""}


def _later(masks: NDArray[np.bool_]) -> NDArray[np.bool_]:
    masks = masks.copy()
    masks[0] = False
    return masks
