"""Maps made of what a forward pass left: many tokens at a time, on the model's device, kept on the CPU."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from tam_widget.errors import MapMemoryError
from tam_widget.explanation.token_maps import AllMaps, Maps, joined, size_of_all
from tam_widget.maps import TextActivations, rank_gaussian_filter
from tam_widget.maps.memory import in_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Panel

__all__ = ["KERNEL_SIZE", "PUBLISHED", "MapBank", "Maps", "Method", "Part", "check_window"]

KERNEL_SIZE = 3
"""Side of the rank Gaussian filter's window, in cells, as published."""

Part: TypeAlias = Literal["map", "raw", "interference"]

_TOGETHER = 2**18  # values of all maps that take hardly longer than one of them
_LATEST = 128  # single maps that are kept
_KEPT_BYTES = 2**30  # maps of all tokens that are kept
_KEPT_METHODS = 2  # one to look at, and one to come back to
_ALWAYS_ALLOWED, _LARGEST = 7, 15  # windows, in cells: what the page offers; what still takes seconds, not minutes


@dataclass(frozen=True, slots=True)
class Method:
    """Which parts of the method make a map.

    Attributes
    ----------
    causal_inference : bool
        Whether what earlier text explains is taken away (equations 3 to 5).
    kernel_size : int
        Side of the rank Gaussian filter's window in cells, odd; 1 for none.
    part : {"map", "raw", "interference"}
        The map in [0, 1] on the joint scale; or, in logits and without the filter, the raw activation it begins with,
        or what causal inference takes away from it.
    """

    causal_inference: bool = True
    kernel_size: int = KERNEL_SIZE
    part: Part = "map"

    def __post_init__(self) -> None:
        if self.part not in {"map", "raw", "interference"}:
            raise ValueError(f"part must be 'map', 'raw' or 'interference', not {self.part!r}")
        size = self.kernel_size
        if isinstance(size, bool) or not isinstance(size, int) or size < 1 or size % 2 == 0:
            raise ValueError(f"kernel_size must be a positive odd number, not {size!r}")


PUBLISHED = Method()
"""As published."""


def check_window(size: int, grids: Sequence[Sequence[int]]) -> None:
    """Raise ValueError where the rank Gaussian filter's window is too large for maps of some grids.

    It may be as large as the shorter side of the largest grid, and no larger than 15 cells; up to 7 are allowed on any
    grid.
    """
    rows, columns = max(((grid[-2], grid[-1]) for grid in grids), key=min)
    side = min(rows, columns)
    largest = min(max(side - 1 + side % 2, _ALWAYS_ALLOWED), _LARGEST)
    if size > largest:
        raise ValueError(
            f"kernel_size must be odd and at most {largest} for maps of {rows} × {columns} cells, not {size:,}"
        )


class MapBank:
    """Computes maps on the model's device, many tokens at a time, and keeps them on the CPU.

    Any thread may ask. A single map never waits for all of them: nothing is computed under the bank's own lock, and who
    makes all maps locks them alone. Two threads that ask for the same single map may both compute it.
    """

    def __init__(self, activations: Activations) -> None:
        self._activations = activations
        self._lock = threading.Lock()  # around what is kept
        self._text: TextActivations | None = None
        self._latest: OrderedDict[tuple[int, int, Method], Maps] = OrderedDict()
        self._all: OrderedDict[Method, AllMaps] = OrderedDict()
        self._cells = sum(panel.positions.size for panel in activations.panels)
        self._ends = _ends(activations)

    @property
    def length(self) -> int:
        """Number of text tokens, T."""
        return len(self._activations.ids)

    def every(self, method: Method = PUBLISHED) -> Maps:
        """Return the maps of all T tokens, each with its own class; those by the latest methods are kept."""
        room = self._room(method) or self._new_room()
        for _ in self._filled(room, method):
            pass
        return room.maps

    def blocks(self, method: Method = PUBLISHED) -> Iterator[Maps]:
        """Yield the same in order, some tokens at a time: all of them need not fit into the memory."""
        room = self._room(method)
        if room is None:
            yield from self._computed(range(self.length), self._activations.ids, method)
        else:
            yield from self._filled(room, method)

    def fill(self, method: Method, seconds: float) -> bool:
        """Make more of all maps for about so long; return whether all are there, or too large to be kept."""
        room = self._room(method)
        if room is None:
            return True
        end = time.monotonic() + seconds
        for _ in self._filled(room, method, room.done):
            if time.monotonic() >= end:
                break
        return room.done == self.length

    def one(self, token: int, class_id: int, method: Method = PUBLISHED) -> Maps:
        """Return the map of one token explained with any class that has a row; Q is 1."""
        return self.several([(token, class_id)], method)[0]

    def several(self, queries: Sequence[tuple[int, int]], method: Method = PUBLISHED) -> list[Maps]:
        """Return the maps of some tokens and classes, one by one; those that are not kept are computed together."""
        own = self._activations.ids
        is_small = self.length * (self._cells + self.length) <= _TOGETHER
        if is_small and any(class_id == own[token] for token, class_id in queries):
            self.every(method)
        found = {query: self._known(query, method) for query in queries}
        missing = [query for query, maps in found.items() if maps is None]
        start = 0
        for block in self._computed([token for token, _ in missing], [class_id for _, class_id in missing], method):
            for k, query in enumerate(missing[start : start + len(block)]):
                found[query] = self._keep(query, method, block.only(k))
            start += len(block)
        return [maps for query in queries if (maps := found[query]) is not None]

    def weighted(self, weights: Tensor) -> Maps:
        """Return the maps of all T tokens with other weights of the context than its relevance, (T, T); not kept."""
        room = self._new_room()
        for block in self._computed(range(self.length), self._activations.ids, weights=weights):
            room.put(block)
        return room.maps

    def _known(self, query: tuple[int, int], method: Method) -> Maps | None:
        token, class_id = query
        with self._lock:
            room = self._all.get(method)
            if room is not None and token < room.done and class_id == self._activations.ids[token]:
                return room.maps.part(token, token + 1)
            if (*query, method) in self._latest:
                self._latest.move_to_end((*query, method))
            return self._latest.get((*query, method))

    def _keep(self, query: tuple[int, int], method: Method, maps: Maps) -> Maps:
        with self._lock:
            self._latest[*query, method] = maps
            while len(self._latest) > _LATEST:
                self._latest.popitem(last=False)
        return maps

    def _room(self, method: Method) -> AllMaps | None:
        """Return where all maps by a method are kept, some of them perhaps there; None where they are too large."""
        size = size_of_all(self._activations.panels, self.length)
        with self._lock:
            if method not in self._all:
                if size > _KEPT_BYTES:
                    return None
                self._all[method] = self._new_room()
            self._all.move_to_end(method)
            while len(self._all) > min(_KEPT_METHODS, max(1, _KEPT_BYTES // max(1, size))):
                self._all.popitem(last=False)
            return self._all[method]

    def _new_room(self) -> AllMaps:
        panels, length = self._activations.panels, self.length
        try:
            return AllMaps(panels, length)
        except MemoryError:
            raise MapMemoryError(
                f"the maps of all {length:,} tokens take {size_of_all(panels, length) / 1e9:.1f} GB, and there is not "
                "so much memory; ask for those of single tokens (heatmap), or explain fewer or smaller pictures"
            ) from None

    def _filled(self, room: AllMaps, method: Method, start: int = 0) -> Iterator[Maps]:
        """Yield all maps in order, those that are there at once; other threads may fill the same room."""
        ids = self._activations.ids
        while start < self.length:
            with room.lock:
                if room.done == start:
                    rest = range(start, self.length)
                    room.put(next(self._computed(rest, ids[start:], method)))
                stop = room.done
            yield room.maps.part(start, stop)
            start = stop

    def _computed(
        self,
        tokens: Sequence[int],
        class_ids: Sequence[int],
        method: Method = PUBLISHED,
        *,
        weights: Tensor | None = None,
    ) -> Iterator[Maps]:
        """Compute maps in order, some at a time; fewer where the memory does not suffice."""
        have, text = self._activations, self._activations_of_text()
        # The parts are what the equations subtract from each other, cell by cell, before the filter.
        kernel_size = method.kernel_size if method.part == "map" else 1

        def make(here: slice) -> Maps:
            places = list(tokens[here])
            found = text.maps(
                tokens=places,
                query_class_ids=[have.row_of[i] for i in class_ids[here]],
                query_keys=[have.key_of[i] for i in class_ids[here]],
                causal_inference=method.causal_inference,
                unseen=self._unseen(places),
                context_weights=None if weights is None else weights[places],
            )
            cells = {"map": found.image, "raw": found.raw, "interference": found.interference}[method.part]
            return joined(have.panels, _filtered(cells, have.panels, kernel_size), found.text.cpu().numpy())

        step = max(1, text.step * KERNEL_SIZE**2 // max(KERNEL_SIZE, kernel_size) ** 2)
        for _, maps in in_blocks(make, len(tokens), step):
            yield maps

    def _activations_of_text(self) -> TextActivations:
        have, cells = self._activations, self._cells
        with self._lock:
            if self._text is None:
                self._text = TextActivations(
                    have.states,
                    have.rows,
                    [have.row_of[i] for i in have.ids],
                    range(cells, cells + self.length),
                    [have.key_of[i] for i in have.ids],
                    range(cells),
                )
            return self._text

    def _unseen(self, tokens: list[int]) -> NDArray[np.bool_] | None:
        """Return for each of Q tokens which vision tokens come after it, (Q, N); None where none do."""
        if self._ends is None:
            return None
        read = np.asarray(self._activations.read_positions, dtype=np.int64)[tokens]
        later: NDArray[np.bool_] = self._ends[None] > read[:, None]
        return later


def _ends(have: Activations) -> NDArray[np.int64] | None:
    """Return for each vision token where its picture ends in the sequence, (N,); None where no text comes before it."""
    cells = np.concatenate([panel.positions.ravel() for panel in have.panels])
    if not len(have.read_positions) or cells.max() <= min(have.read_positions):
        return None
    # A picture is seen as a whole or not at all: a token between two of its parts has not seen it.
    last: dict[int, int] = {}
    for panel in have.panels:
        last[panel.image] = max(last.get(panel.image, 0), int(panel.positions.max()))
    return np.concatenate([np.full(panel.positions.size, last[panel.image]) for panel in have.panels])


def _filtered(cells: Tensor, panels: Sequence[Panel], kernel_size: int) -> list[NDArray[np.float32]]:
    """Filter each panel's cells as the rectangle that was seen, and put them in their place."""
    found, done = [], 0
    for panel in panels:
        seen = cells[:, done : done + panel.positions.size].reshape(-1, *panel.positions.shape)
        found.append(panel.spread(rank_gaussian_filter(seen, kernel_size).cpu().numpy()))
        done += panel.positions.size
    return found
