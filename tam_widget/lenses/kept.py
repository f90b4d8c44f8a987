"""Maps that were made at the end of a run and kept, because what they are made of is gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tam_widget.lenses.interface import Found
from tam_widget.lenses.seen import Seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from tam_widget.lenses.interface import LensName, Method
    from tam_widget.models.layout import Panel

__all__ = ["KeptLens", "KeptMaps", "Refused", "kept_maps"]

_SHOWS = {
    "contribution": "What each cell contributes to the word's logit directly, through the attention of {}; what MLPs "
    "and experts make of it is left out.",
    "attention": "What the word's read position attends to in the last of {}, the mean of its heads.",
    "attention_mean": "What the word's read position attends to, the mean of all heads of {}.",
}
_TOGETHER = 2**20  # values of maps that are read at a time


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class KeptMaps:
    """One lens's maps over the vision tokens, of every token and candidate.

    Attributes
    ----------
    values : numpy.ndarray of float32, shape (K, N)
        In the lens's own unit, signed; vision tokens panel by panel, NaN where they come after the token.
    row_of : mapping of (int, int or None) to int
        From a token and a class to its row; None stands for any class, where the lens does not tell them apart.
    scale : float
        The largest value of all: what is 1 in a map.
    layers, attending : int
        How many layers the text decoder has, and how many of them have softmax attention. The others have no part.
    """

    values: NDArray[np.float32]
    row_of: Mapping[tuple[int, int | None], int]
    scale: float
    layers: int
    attending: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A lens that cannot be had of a run, and why."""

    reason: str


class KeptLens:
    """Kept maps as a lens.

    Parameters
    ----------
    name : str
        The lens's name.
    kept : KeptMaps
        Its maps.
    panels : sequence of Panel
        Where the vision tokens lie.
    length : int
        How many text tokens there are, T.
    """

    def __init__(self, name: LensName, kept: KeptMaps, panels: Sequence[Panel], length: int) -> None:
        self.name, self.kept = name, kept
        self._panels, self._length = panels, length

    @property
    def about(self) -> str:
        """What it shows, in a sentence, and how many layers have a part in it."""
        kept = self.kept
        layers = (
            f"all {kept.layers} layers"
            if kept.attending == kept.layers
            else (f"{kept.attending} of {kept.layers} layers, the others having no softmax attention")
        )
        return _SHOWS[self.name].format(layers)

    def together(self, method: Method) -> int:  # noqa: ARG002 - a lens is asked with it
        """Return how many maps are read at a time."""
        return max(1, _TOGETHER // max(1, int(self.kept.values.shape[1])))

    def read(self, tokens: Sequence[int], class_ids: Sequence[int], method: Method) -> Found:
        """Return the maps of some tokens, each explained with its own class or one of its candidates'."""
        row_of = self.kept.row_of
        rows = [
            row_of.get((token, class_id), row_of.get((token, None), -1))
            for token, class_id in zip(tokens, class_ids, strict=True)
        ]
        if -1 in rows:
            place = rows.index(-1)
            raise KeyError(f"no map was kept of token {tokens[place]} as class {class_ids[place]}")
        values: NDArray[np.floating] = self.kept.values[rows]
        if method.part == "map":
            values = np.maximum(values, 0) / (self.kept.scale or 1)
        found, done = [], 0
        for panel in self._panels:
            seen = values[:, done : done + panel.positions.size].reshape(-1, *panel.positions.shape)
            found.append(panel.spread(np.ascontiguousarray(seen, dtype=np.float32)))
            done += panel.positions.size
        return Found(found, np.full((len(rows), self._length), np.nan, np.float32))


def kept_maps(
    values: NDArray[np.float32],
    row_of: Mapping[tuple[int, int | None], int],
    panels: Sequence[Panel],
    read_positions: Sequence[int],
    layers: tuple[int, int],
) -> KeptMaps:
    """Keep maps: what a token has not seen becomes NaN, and the largest value of all is their scale.

    Parameters
    ----------
    values : numpy.ndarray of float32, shape (K, N)
        Signed, in the lens's unit.
    row_of, panels, read_positions
        As in :class:`KeptMaps` and :class:`~tam_widget.models.activations.Activations`.
    layers : (int, int)
        All layers, and those with softmax attention.
    """
    unseen = Seen(panels, read_positions).unseen([token for token, _ in row_of])
    if unseen is not None:
        values = np.where(unseen, np.float32(np.nan), values)
    scale = float(np.nanmax(values, initial=0)) if not np.isnan(values).all() else 0.0
    return KeptMaps(values, dict(row_of), scale, *layers)
