"""Maps made of what a forward pass left: many tokens at a time, on the model's device, kept on the CPU."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from types import NoneType
from typing import TYPE_CHECKING

from tam_widget.errors import LensError, MapMemoryError
from tam_widget.explanation.token_maps import AllMaps, Maps, joined, size_of_all
from tam_widget.lenses.interface import KERNEL_SIZE, PUBLISHED, Lens, LensName, Method
from tam_widget.lenses.kept import KeptLens, Refused
from tam_widget.lenses.tam import TAMLens
from tam_widget.maps.memory import in_blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from tam_widget.lenses.kept import KeptMaps
    from tam_widget.models.activations import Activations

__all__ = ["KERNEL_SIZE", "PUBLISHED", "MapBank", "Maps", "Method", "check_window"]

_TOGETHER = 2**18  # values of all maps that take hardly longer than one of them
_LATEST = 128  # single maps that are kept
_KEPT_BYTES = 2**30  # maps of all tokens that are kept
_KEPT_METHODS = 2  # one to look at, and one to come back to
_ALWAYS_ALLOWED, _LARGEST = 7, 15  # windows, in cells: what the page offers; what still takes seconds, not minutes


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

    def __init__(self, activations: Activations, readings: Mapping[LensName, KeptMaps | Refused] | None = None) -> None:
        self._activations = activations
        self._readings = dict(readings or {})
        self._tam = TAMLens(activations)
        self._lock = threading.Lock()  # around what is kept
        self._latest: OrderedDict[tuple[int, int, Method], Maps] = OrderedDict()
        self._all: OrderedDict[Method, AllMaps] = OrderedDict()
        self._cells = sum(panel.positions.size for panel in activations.panels)

    @property
    def length(self) -> int:
        """Number of text tokens, T."""
        return len(self._activations.ids)

    def lens(self, name: LensName) -> Lens:
        """Return a lens; :class:`LensError` where it was not taken during the run, or could not be."""
        if name == "tam":
            return self._tam
        kept = self._readings.get(name)
        if kept is None:
            taken = ", ".join(map(repr, ("tam", *self._readings)))
            raise LensError(
                f"lens {name!r} was not taken during the run ({taken} were): explain again with "
                f"lenses=('tam', {name!r})"
            )
        if isinstance(kept, Refused):
            raise LensError(f"lens {name!r} cannot be had of this model: {kept.reason}")
        return KeptLens(name, kept, self._activations.panels, self.length)

    def has(self, name: LensName) -> bool:
        """Whether a lens can be had."""
        return name == "tam" or not isinstance(self._readings.get(name), (Refused, NoneType))

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
        panels, lens = self._activations.panels, self.lens(method.lens)

        def make(here: slice) -> Maps:
            if weights is None:
                found = lens.read(tokens[here], class_ids[here], method)
            else:
                found = self._tam.read(tokens[here], class_ids[here], method, weights=weights)
            return joined(panels, found.cells, found.relevance)

        for _, maps in in_blocks(make, len(tokens), lens.together(method)):
            yield maps
