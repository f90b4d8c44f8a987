"""Where everything lies in the sequence: which position shows which part of a picture, and which is which word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Box", "Kind", "Layout", "Role", "Slot", "View"]

Kind: TypeAlias = Literal["main", "tile", "global", "crop", "frame"]
Role: TypeAlias = Literal["prompt", "answer"]
Box: TypeAlias = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One grid of vision tokens over one part of one picture.

    Attributes
    ----------
    image : int
        Which picture, counted from 0.
    kind : {"main", "tile", "global", "crop", "frame"}
        What the model was shown: the whole picture once, a tile of it, …
    box : tuple of float
        (left, top, right, bottom) of the shown part, in pixels of the original picture.
    positions : numpy.ndarray of int64, shape (rows, columns)
        The sequence position of each cell, rows from the top, columns from the left.
    """

    image: int
    kind: Kind
    box: Box
    positions: NDArray[np.int64]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        rows, columns = self.positions.shape
        return int(rows), int(columns)


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
    """Every view of every picture and every text token that is explained, both in order, and the texts they are of."""

    views: tuple[View, ...]
    slots: tuple[Slot, ...]
    texts: Mapping[tuple[int, Role], str]
