"""What painted squares showed, cell by cell."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from tam_widget.checks.squares import EDGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from PIL import Image

    from tam_widget.figures.figure import TAMFigure
    from tam_widget.models.layout import PanelKind

__all__ = ["CellCheck", "FamilyCheck", "Refusal"]

_MOST = 8
"""Cells that do not fit are listed up to this number."""


@dataclass(frozen=True, slots=True)
class CellCheck:
    """One cell of one map.

    Attributes
    ----------
    picture : int
        Which picture, counted from 0.
    view : {"stitched", "global"}
        Of which map, as ``heatmap(view=...)`` names it.
    row, column : int
        Which cell of that map.
    box : tuple of float
        The cell, cut to the picture: left, top, right, bottom in pixels.
    reacts_at : tuple of int or None
        Row and column of the cell that its vision token reacts to; None where no cell stands out.
    edges : mapping of str to bool or None
        Whether the token reacts to a square just inside its ``left``, ``top``, ``right`` and ``bottom`` edge rather
        than to one inside its neighbours'; None where the cell is too small to have edges.
    contrast : float
        How much of the token's reaction is that cell's own: 1 where it reacts to nothing else, near 0 where to all
        alike.
    """

    picture: int
    view: PanelKind
    row: int
    column: int
    box: tuple[float, float, float, float]
    reacts_at: tuple[int, int] | None
    edges: Mapping[str, bool | None]
    contrast: float

    @property
    def fits(self) -> bool:
        """Whether its token looks at this cell, to each of its edges."""
        return self.reacts_at == (self.row, self.column) and False not in self.edges.values()

    def __str__(self) -> str:
        where = f"picture {self.picture}, {self.view} cell ({self.row}, {self.column})"
        if self.reacts_at is None:
            return f"{where}: its token reacts to no cell more than to others"
        if self.reacts_at != (self.row, self.column):
            return f"{where}: its token reacts to cell {self.reacts_at}"
        over = [edge for edge, fits in self.edges.items() if fits is False]
        return f"{where}: beyond its {' and '.join(over)} edge" if over else f"{where}: fits"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A picture's width and height, and why the family did not lay it out."""

    size: tuple[int, int]
    reason: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FamilyCheck:
    """What :func:`tam_widget.check_family` found.

    Attributes
    ----------
    model_type : str
        The configuration's.
    rows : tuple of CellCheck
        Every cell that was tried, picture by picture.
    pictures : tuple of PIL.Image.Image
        What the squares were painted on.
    refused : tuple of Refusal
        Pictures that the family refuses; nothing is wrong about them, but nothing was checked either.
    words : int
        How many tokens of the question react to the picture; any that does is no word.
    """

    model_type: str
    rows: tuple[CellCheck, ...]
    pictures: tuple[Image.Image, ...]
    refused: tuple[Refusal, ...] = ()
    words: int = 0

    @property
    def ok(self) -> bool:
        """Whether every cell that was tried lies on the pixels that its token was made from, and some were tried."""
        return bool(self.rows) and self.words == 0 and all(row.fits for row in self.rows)

    @property
    def misfits(self) -> tuple[CellCheck, ...]:
        """The cells that do not fit."""
        return tuple(row for row in self.rows if not row.fits)

    def plot(self, width: float = 9.0) -> TAMFigure:
        """Draw the pictures with their cells: which fit, which do not, and where their tokens look instead.

        Parameters
        ----------
        width : float
            Width of the figure in inches.

        Returns
        -------
        TAMFigure
            A ``matplotlib.figure.Figure``.
        """
        from tam_widget.figures.cells import plot_cells

        return plot_cells(self, width)

    def __repr__(self) -> str:
        table = [self._head, *self._table]
        widths = [max(len(line[k]) for line in table) for k in range(len(self._head))]
        lines = ["  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True)) for line in table]
        return "\n".join([f"<FamilyCheck {self._verdict}", *lines, *self._notes]) + ">"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(text)}</th>" for text in self._head)
        body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in line) + "</tr>" for line in self._table)
        notes = "".join(f"<li>{escape(note)}</li>" for note in self._notes)
        return (
            f"<p><b>{escape(self._verdict)}</b></p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            + (f"<ul>{notes}</ul>" if notes else "")
        )

    @property
    def _verdict(self) -> str:
        count = len(self.rows)
        if not count:
            return f"{self.model_type}: no cell was tried, as none is two pixels wide; show larger pictures"
        if not self.misfits:
            return f"{self.model_type}: all {count} cells fit"
        return f"{self.model_type}: {len(self.misfits)} of {count} cells do not fit"

    @property
    def _head(self) -> tuple[str, ...]:
        return ("picture", "view", "cells", "middle", *EDGES, "least contrast")

    @property
    def _table(self) -> list[tuple[str, ...]]:
        """One line for each map: how many of its cells fit, of how many that were tried."""
        lines = []
        for number, view in dict.fromkeys((row.picture, row.view) for row in self.rows):
            rows = [row for row in self.rows if (row.picture, row.view) == (number, view)]
            size = self.pictures[number].size
            middle = sum(row.reacts_at == (row.row, row.column) for row in rows)
            edges = [_share([row.edges[edge] for row in rows]) for edge in EDGES]
            least = min(row.contrast for row in rows)
            lines.append(
                (f"{size[0]}×{size[1]}", view, str(len(rows)), f"{middle}/{len(rows)}", *edges, f"{least:.2f}")
            )
        return lines

    @property
    def _notes(self) -> list[str]:
        notes = [str(row) for row in self.misfits[:_MOST]]
        if len(self.misfits) > _MOST:
            notes.append(f"and {len(self.misfits) - _MOST} more")
        if self.words:
            notes.append(f"{self.words} tokens of the question react to the picture")
        return notes + [f"{one.size[0]}×{one.size[1]} is refused: {one.reason}" for one in self.refused]


def _share(fits: Sequence[bool | None]) -> str:
    tried = [one for one in fits if one is not None]
    return f"{sum(tried)}/{len(tried)}" if tried else "–"
