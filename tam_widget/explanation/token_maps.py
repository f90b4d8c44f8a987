"""Maps of several tokens at once: what is handed out, and room for those of all tokens."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from tam_widget.models.layout import Panel

__all__ = ["AllMaps", "Maps", "joined", "size_of_all"]


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Maps of Q tokens at once, float32, on the CPU.

    Attributes
    ----------
    images : tuple of numpy.ndarray, each (Q, rows, columns)
        For each picture the filtered maps in [0, 1], jointly scaled over all pictures and the earlier text; for a
        video (Q, frames, rows, columns). NaN where the model saw nothing: cut away, padding, or shown only later.
    overviews : tuple of numpy.ndarray
        The same for the coarse global view that some models have beside tiles; of other pictures the same arrays.
    relevance : numpy.ndarray, shape (Q, T)
        The relevance of each earlier text token on the same scale; 0 for the token itself and later ones.
    """

    images: tuple[NDArray[np.float32], ...]
    overviews: tuple[NDArray[np.float32], ...]
    relevance: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.relevance)

    def part(self, start: int, stop: int) -> Maps:
        """Return some queries' maps, a view that cannot be written to."""
        return self.each(lambda array: _read_only(array[start:stop]))

    def only(self, query: int) -> Maps:
        """Return one query's maps, a copy that cannot be written to."""
        return self.each(lambda array: _read_only(array[query : query + 1].copy()))

    def each(self, make: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> Maps:
        """Return maps of other arrays, each made of one of these; an overview stays the map itself where it is."""
        images = tuple(make(image) for image in self.images)
        overviews = tuple(
            image if overview is old else make(overview)
            for overview, old, image in zip(self.overviews, self.images, images, strict=True)
        )
        return Maps(images, overviews, make(self.relevance))


class AllMaps:
    """Room for the maps of all T tokens, which are put in some at a time, in order.

    Attributes
    ----------
    maps : Maps
        Those of the first `done` tokens are there.
    done : int
        How many are.
    lock : threading.Lock
        Held by who makes the next ones and puts them in. What is done can be read without it.
    """

    def __init__(self, panels: Sequence[Panel], length: int) -> None:
        nothing = [np.empty((0, *panel.grid), np.float32) for panel in panels]
        # NumPy's zeros take no memory before something is written.
        self._arrays = joined(panels, nothing, np.empty((0, length), np.float32)).each(
            lambda array: np.zeros((length, *array.shape[1:]), np.float32)
        )
        self.maps = self._arrays.part(0, length)
        self.done = 0
        self.lock = threading.Lock()

    def put(self, maps: Maps) -> None:
        """Put in the maps of the next tokens."""
        here = slice(self.done, self.done + len(maps))
        for kept, new in zip(self._arrays.images + self._arrays.overviews, maps.images + maps.overviews, strict=True):
            kept[here] = new
        self._arrays.relevance[here] = maps.relevance
        self.done = here.stop  # only now: another thread may read them


def size_of_all(panels: Sequence[Panel], length: int) -> int:
    """Return how many bytes the maps of all T tokens take."""
    cells = sum(panel.grid[0] * panel.grid[1] for panel in panels)
    return 4 * length * (cells + length)


def joined(panels: Sequence[Panel], found: Sequence[NDArray[np.float32]], relevance: NDArray[np.float32]) -> Maps:
    """Join each panel's maps to those of pictures, a video's frames to a stack."""
    images, overviews = [], []
    for image in sorted({panel.image for panel in panels}):
        own = [(panel, maps) for panel, maps in zip(panels, found, strict=True) if panel.image == image]
        stitched = [maps for panel, maps in own if panel.kind == "stitched"]
        whole = [maps for panel, maps in own if panel.kind == "global"]
        images.append(np.stack(stitched, axis=1) if own[0][0].frame is not None else stitched[0])
        overviews.append(whole[0] if whole else images[-1])
    return Maps(tuple(images), tuple(overviews), relevance)


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False
    return array
