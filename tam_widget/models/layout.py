"""Where everything lies in the sequence: which position shows which part of a picture, and which is which word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tam_widget.text.tokens import Role

__all__ = ["Box", "Kind", "Layout", "Panel", "PanelKind", "Slot", "View"]

Kind: TypeAlias = Literal["main", "tile", "global", "crop", "frame"]
PanelKind: TypeAlias = Literal["stitched", "global"]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One grid of vision tokens over one part of one picture, or over one frame of a video.

    Attributes
    ----------
    kind : {"main", "tile", "global", "crop", "frame"}
        What the model was shown: the whole picture once (``"main"``), a part of it beside others (``"tile"``,
        ``"crop"``), the whole of it beside those parts (``"global"``), or a frame.
    box : tuple of float
        (left, top, right, bottom) of the shown part, in pixels of the original picture. It may reach beyond the
        picture, where the model was shown padding.
    positions : numpy.ndarray of int64, shape (rows, columns)
        The sequence position of each cell, rows from the top, columns from the left.
    frame : int
        The video's frame it was made from (of several merged into one, the first), counted over the frames that the
        model was given; 0 for a picture.
    """

    kind: Kind
    box: Box
    positions: NDArray[np.int64]
    frame: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One grid over one whole picture or frame, of which a rectangle was seen.

    Attributes
    ----------
    image : int
        Which picture or video, counted from 0.
    kind : {"stitched", "global"}
        The sharpest map of the whole picture, or the coarse one that some models have beside it.
    grid : tuple of int
        Rows and columns of the whole grid.
    box : tuple of float
        (left, top, right, bottom) of the whole grid in pixels of the original picture: the picture itself, to half a
        cell where part of it was cut away, to a cell where it was padded.
    positions : numpy.ndarray of int64, shape (rows seen, columns seen)
        The sequence position of each cell that was seen.
    corner : tuple of int
        Row and column of the whole grid where the seen rectangle begins.
    frame : int or None
        Of a video, which of the frames that the model was given (of several merged into one, the first).
    """

    image: int
    kind: PanelKind
    grid: tuple[int, int]
    box: Box
    positions: NDArray[np.int64]
    corner: tuple[int, int] = (0, 0)
    frame: int | None = None

    def spread(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put maps of the seen rectangle (…, rows seen, columns seen) into the whole grid; the rest is NaN."""
        if values.shape[-2:] == self.grid:
            return values
        whole = np.full((*values.shape[:-2], *self.grid), np.nan, dtype=np.float32)
        (top, left), (rows, columns) = self.corner, values.shape[-2:]
        whole[..., top : top + rows, left : left + columns] = values
        return whole


@dataclass(frozen=True, slots=True)
class Slot:
    """One text token's place.

    Attributes
    ----------
    position : int
        Where the token itself stands in the sequence.
    id : int
        Its id in the vocabulary.
    text : str
        The characters it stands for. A token that holds only the first bytes of a character shows U+FFFD instead of
        them.
    span : tuple of int
        First and last + 1 character in the text of its part (one prompt, one answer), a character begun here included.
    role : {"prompt", "answer"}
        Who wrote it.
    turn : int
        Question and answer number, counted from 0.
    """

    position: int
    id: int
    text: str
    span: tuple[int, int]
    role: Role
    turn: int

    @property
    def read_position(self) -> int:
        """Where the token's own scores are read: at the position that predicted it (an answer token), or at its own."""
        return self.position - 1 if self.role == "answer" else self.position


@dataclass(frozen=True, slots=True)
class Layout:
    """Every panel of every picture and every text token that is explained, both in order, and the texts they are of."""

    panels: tuple[Panel, ...]
    slots: tuple[Slot, ...]
    texts: Mapping[tuple[int, Role], str]
