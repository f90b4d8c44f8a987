"""One picture or video where it stands in the model's input: what a family works from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tam_widget.errors import LayoutError
from tam_widget.models.layout import View

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from torch import Tensor

    from tam_widget.models.layout import Box, Kind
    from tam_widget.models.ramps import Ramps

__all__ = ["Place"]


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """One picture or video of a conversation, and where the processor put it.

    Attributes
    ----------
    index : int
        Which it is, counted from 0 over pictures and videos together.
    kind : {"image", "video"}
        What it is.
    row : int
        Which it is among those of its kind: its row in arrays such as ``image_grid_thw``.
    beside : int
        How many of its kind the conversation has.
    width, height : int
        Size of the original, in pixels.
    frames : int
        How many frames the model was given; 1 for a picture.
    ids : sequence of int
        The token ids of the whole input.
    span : tuple of int
        First and last + 1 position of what the processor wrote for it: placeholders, break, end and tile tokens.
    inputs : mapping of str to torch.Tensor
        The processor's output, batch of one.
    config : transformers.PretrainedConfig
        The model's configuration.
    processor : transformers.ProcessorMixin
        The model's processor.
    ramps : Ramps
        What the processor makes of ramps in the place of the pictures: it says which part of each was shown.
    """

    index: int
    kind: Literal["image", "video"]
    row: int
    beside: int
    width: int
    height: int
    frames: int
    ids: Sequence[int]
    span: tuple[int, int]
    inputs: Mapping[str, Tensor]
    config: Any
    processor: Any
    ramps: Ramps

    def __str__(self) -> str:
        return f"{'picture' if self.kind == 'image' else 'video'} {self.index}"

    @property
    def whole(self) -> Box:
        """The box of the whole picture."""
        return (0.0, 0.0, float(self.width), float(self.height))

    def positions(self, *token_ids: int) -> NDArray[np.int64]:
        """Return the positions in its span that hold one of some tokens, in order."""
        first, last = self.span
        return first + np.flatnonzero(np.isin(np.asarray(self.ids[first:last]), token_ids))

    @property
    def placeholders(self) -> NDArray[np.int64]:
        """The positions in its span that the model fills with picture features, in order.

        Raises
        ------
        LayoutError
            The configuration names no placeholder, or its span has none.
        """
        named = (getattr(self.config, f"{kind}_token_id", None) for kind in ("image", self.kind))
        token_ids = {int(token_id) for token_id in named if token_id is not None}
        if not token_ids:
            raise LayoutError(f"{type(self.config).__name__} names no image_token_id, so no vision token can be found")
        found = self.positions(*token_ids)
        if not len(found):
            raise LayoutError(f"{self} has no vision token (ids {sorted(token_ids)}) among its {self.span} positions")
        return found

    def view(  # noqa: PLR0917 - what a view is, in its order
        self, kind: Kind, positions: ArrayLike, rows: int, columns: int, box: Box | None = None, frame: int = 0
    ) -> View:
        """Return a view of some positions, row by row.

        Parameters
        ----------
        kind : {"main", "tile", "global", "crop", "frame"}
            What it shows.
        positions : array_like of int
            The sequence position of each cell, rows × columns of them.
        rows, columns : int
            The grid.
        box : tuple of float, optional
            What it covers, in pixels of the original; the whole picture by default.
        frame : int
            Which frame, for a video.

        Raises
        ------
        LayoutError
            The number of positions is not rows × columns.
        """
        found = np.asarray(positions, dtype=np.int64)
        if found.size != rows * columns or not found.size:
            raise LayoutError(
                f"{self} has {found.size} vision tokens where a {kind} view of {rows}×{columns} cells was due"
            )
        return View(kind, self.whole if box is None else box, found.reshape(rows, columns), frame)

    def tiles(self, runs: ArrayLike, across: int, rows: int, columns: int, shown: Box | None = None) -> list[View]:
        """Return views of equal tiles, row by row, which together cover a box.

        Parameters
        ----------
        runs : array_like of int, shape (tiles, rows · columns)
            Each tile's positions.
        across : int
            Tiles side by side.
        rows, columns : int
            Cells of one tile.
        shown : tuple of float, optional
            What all tiles together cover; the whole picture by default.
        """
        found = np.asarray(runs, dtype=np.int64).reshape(-1, rows * columns)
        down = len(found) // across
        if down * across != len(found):
            raise LayoutError(f"{self} has {len(found)} tiles where rows of {across} were due")
        left, top, right, bottom = shown or self.whole
        wide, high = (right - left) / across, (bottom - top) / down
        views = []
        for number, run in enumerate(found):
            y, x = divmod(number, across)
            box = (left + x * wide, top + y * high, left + (x + 1) * wide, top + (y + 1) * high)
            views.append(self.view("tile", run, rows, columns, box))
        return views
