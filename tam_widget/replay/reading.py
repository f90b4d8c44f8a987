"""One conversation with its answer, laid out for one forward pass: what the model is given, and where what stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tam_widget.models.layout import Panel, Slot
    from tam_widget.text.tokens import Role

__all__ = ["Reading"]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One conversation with its answer, ready for one forward pass; N vision tokens on the picture's grid, T tokens.

    Attributes
    ----------
    inputs : dict
        What the processor made of the conversation and, appended to it, the answer; batch of one, on the CPU.
    prompt : dict
        The same without the last answer.
    answer_inputs : dict of str to int
        The inputs that grew with the answer, and the value that its tokens have in each.
    ids : tuple of int
        The token ids of the whole sequence.
    panels : tuple of Panel
        Where each picture lies: its stitched grid (of a video one for each frame), then the coarse view of the whole
        that some models have.
    slots : tuple of Slot
        The explained tokens, in the order of the explanation's.
    texts : dict of (int, str) to str
        Prompts and answers by turn and role.
    """

    inputs: dict[str, Any]
    prompt: dict[str, Any]
    answer_inputs: dict[str, int]
    ids: tuple[int, ...]
    panels: tuple[Panel, ...]
    slots: tuple[Slot, ...]
    texts: dict[tuple[int, Role], str]

    @property
    def panel(self) -> Panel:
        """The first picture's stitched grid."""
        return self.panels[0]

    @property
    def cells(self) -> NDArray[np.int64]:
        """Positions of the seen cells of the first picture's stitched grid, row by row, (N,)."""
        return self.panel.positions.ravel()

    @property
    def vision(self) -> NDArray[np.int64]:
        """Positions of all vision tokens with a place in a picture, panel by panel."""
        return np.concatenate([panel.positions.ravel() for panel in self.panels])

    @property
    def read(self) -> NDArray[np.int64]:
        """Read position of each token, (T,): its own for a prompt token, the one before it for an answer token."""
        return np.array([slot.read_position for slot in self.slots], dtype=np.int64)

    @property
    def said(self) -> list[int]:
        """Indices of the tokens that the model said, and so gave a probability: those of answers."""
        return [index for index, slot in enumerate(self.slots) if slot.role == "answer"]
