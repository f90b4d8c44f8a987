"""Maps made of what a forward pass left: many tokens at a time, on the model's device, kept on the CPU."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import numpy as np

from tam_widget.maps import activation_maps, rank_gaussian_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from tam_widget.models.activations import Activations
    from tam_widget.models.layout import Panel

__all__ = ["KERNEL_SIZE", "PUBLISHED", "MapBank", "Maps", "Method", "Part"]

KERNEL_SIZE = 3
"""Side of the rank Gaussian filter's window, in cells, as published."""

Part: TypeAlias = Literal["map", "raw", "interference"]

_CHUNK_SCORES = 2**24  # scores of one batch of queries: 64 MiB in float32
_CACHE_BYTES = 2**28  # maps kept on the CPU before only the latest are
_LATEST = 64
_LATEST_METHODS = 2  # one to look at, and one to come back to

Key = TypeVar("Key")


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

    def only(self, query: int) -> Maps:
        """Return one query's maps."""
        here = slice(query, query + 1)
        return Maps(
            tuple(image[here] for image in self.images),
            tuple(image[here] for image in self.overviews),
            self.relevance[here],
        )


class MapBank:
    """Computes maps on the model's device, many tokens at a time, and keeps them on the CPU; any thread may ask."""

    def __init__(self, activations: Activations) -> None:
        self._activations = activations
        self._lock = threading.RLock()
        self._every: OrderedDict[Method, Maps] = OrderedDict()
        self._latest: OrderedDict[tuple[int, int, Method], Maps] = OrderedDict()
        self._cells = sum(panel.positions.size for panel in activations.panels)
        self._unseen = _unseen(activations)
        self._small = (self._cells + self.length) * self.length * 4 <= _CACHE_BYTES

    @property
    def length(self) -> int:
        """Number of text tokens, T."""
        return len(self._activations.ids)

    def every(self, method: Method = PUBLISHED) -> Maps:
        """Return the maps of all T tokens, each with its own class; those by the latest methods are kept."""
        with self._lock:
            if not self._small:
                return self._compute(range(self.length), list(self._activations.ids), method)
            return _remembered(
                self._every,
                method,
                lambda: self._compute(range(self.length), list(self._activations.ids), method),
                _LATEST_METHODS,
            )

    def one(self, token: int, class_id: int, method: Method = PUBLISHED) -> Maps:
        """Return the map of one token explained with any class that has a row; Q is 1."""
        with self._lock:
            if class_id == self._activations.ids[token] and self._small:
                return self.every(method).only(token)
            key = (token, class_id, method)
            return _remembered(self._latest, key, lambda: self._compute([token], [class_id], method), _LATEST)

    def weighted(self, weights: Tensor) -> Maps:
        """Return the maps of all T tokens with other weights of the context than its relevance, (T, T); not kept."""
        return self._compute(range(self.length), list(self._activations.ids), weights=weights)

    def _compute(
        self,
        tokens: Sequence[int],
        class_ids: Sequence[int],
        method: Method = PUBLISHED,
        *,
        weights: Tensor | None = None,
    ) -> Maps:
        have = self._activations
        step = max(1, _CHUNK_SCORES // max(1, self._cells + self.length))
        parts = []
        for start in range(0, len(tokens), step):
            here = slice(start, start + step)
            found = activation_maps(
                have.states,
                have.rows,
                [have.row_of[i] for i in have.ids],
                range(self._cells, self._cells + self.length),
                [have.key_of[i] for i in have.ids],
                range(self._cells),
                tokens=tokens[here],
                query_class_ids=[have.row_of[i] for i in class_ids[here]],
                query_keys=[have.key_of[i] for i in class_ids[here]],
                causal_inference=method.causal_inference,
                unseen=None if self._unseen is None else self._unseen[list(tokens[here])],
                context_weights=None if weights is None else weights[list(tokens[here])],
            )
            cells = {"map": found.image, "raw": found.raw, "interference": found.interference}[method.part]
            # The parts are what the equations subtract from each other, cell by cell, before the filter.
            kernel_size = method.kernel_size if method.part == "map" else 1
            parts.append((_filtered(cells, have.panels, kernel_size), found.text.cpu().numpy()))
        return _maps(have.panels, [panels for panels, _ in parts], [text for _, text in parts])


def _remembered(kept: OrderedDict[Key, Maps], key: Key, make: Callable[[], Maps], most: int) -> Maps:
    """Return what is kept under a key, or make and keep it; of what is kept, the least lately used goes first."""
    if key not in kept:
        kept[key] = make()
        if len(kept) > most:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _unseen(have: Activations) -> NDArray[np.bool_] | None:
    """Return for each text token which vision tokens come after it, (T, N); None where none do."""
    cells = np.concatenate([panel.positions.ravel() for panel in have.panels])
    read = np.asarray(have.read_positions, dtype=np.int64)
    if not len(read) or cells.max() <= read.min():
        return None
    # A picture is seen as a whole or not at all: a token between two of its parts has not seen it.
    last: dict[int, int] = {}
    for panel in have.panels:
        last[panel.image] = max(last.get(panel.image, 0), int(panel.positions.max()))
    ends = np.concatenate([np.full(panel.positions.size, last[panel.image]) for panel in have.panels])
    later: NDArray[np.bool_] = ends[None] > read[:, None]
    return later


def _filtered(cells: Tensor, panels: Sequence[Panel], kernel_size: int) -> list[NDArray[np.float32]]:
    """Filter each panel's cells as the rectangle that was seen, and put them in their place."""
    found, done = [], 0
    for panel in panels:
        seen = cells[:, done : done + panel.positions.size].reshape(-1, *panel.positions.shape)
        found.append(panel.spread(rank_gaussian_filter(seen, kernel_size).cpu().numpy()))
        done += panel.positions.size
    return found


def _maps(
    panels: Sequence[Panel], parts: Sequence[Sequence[NDArray[np.float32]]], texts: Sequence[NDArray[np.float32]]
) -> Maps:
    """Join the panels' maps to pictures, a video's frames to a stack, and the chunks of queries."""
    every = [_join(list(chunks)) for chunks in zip(*parts, strict=True)]
    images, overviews = [], []
    for image in sorted({panel.image for panel in panels}):
        own = [(panel, found) for panel, found in zip(panels, every, strict=True) if panel.image == image]
        stitched = [found for panel, found in own if panel.kind == "stitched"]
        whole = [found for panel, found in own if panel.kind == "global"]
        is_video = own[0][0].frame is not None
        images.append(_frozen(np.stack(stitched, axis=1)) if is_video else stitched[0])
        overviews.append(whole[0] if whole else images[-1])
    return Maps(tuple(images), tuple(overviews), _join(list(texts)))


def _join(parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
    return _frozen(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _frozen(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.flags.writeable = False  # handed out as it is kept
    return array
