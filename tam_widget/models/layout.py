"""Where everything lies in the sequence: which position shows which part of a picture, and which is which word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from tam_widget.models.stitch import Panel

__all__ = ["Box", "Kind", "Layout", "Role", "Slot", "View"]

Kind: TypeAlias = Literal["main", "tile", "global", "crop", "frame"]
Role: TypeAlias = Literal["prompt", "answer"]
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
