"""What a family writes and a forward pass reads: openings and batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import torch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["IGNORED", "Batch", "Forward", "Opening"]

IGNORED = -100  # labels that no loss reads


@dataclass
class Batch:
    """Samples whose media have one form, and what is said about each.

    B samples of L positions; F grids in each (pictures, or groups of a video's frames), S frames in a grid;
    N = rows · columns vision tokens for a grid; W grounded words.

    Attributes
    ----------
    pictures : tensor of uint8, shape (B, F, S, H, W, 3)
        S is 1 for still pictures and 2 for the frame groups of a video. Beside `features`, the mean colours of the
        cells: H and W are rows and columns.
    grid : tuple of int
        Rows and columns of vision tokens in one grid.
    ids, labels, segments : tensor of int64, shape (B, L)
        A position attends to earlier ones of its own segment and of segment 0 (the opening); −1 is padding. Labels are
        the ids that the answers' loss asks for, :data:`IGNORED` elsewhere.
    places : tensor of int64, shape (3, B, L)
        Positions for M-RoPE: time, row, column. A family with one position has it three times.
    image_at : tensor of int64, shape (F · N,)
        Where the vision tokens are in the sequence, grid after grid: the same for all samples.
    present : tensor of float32, shape (B, F, W)
        1 where a word that the grounded token belongs to is true of a grid, 0 where not, NaN where unknown.
    features : tensor of float16, shape (B, F, N, C), optional
        What a frozen tower makes of the pictures.
    """

    pictures: torch.Tensor
    grid: tuple[int, int]
    ids: torch.Tensor
    labels: torch.Tensor
    segments: torch.Tensor
    places: torch.Tensor
    image_at: torch.Tensor
    present: torch.Tensor
    features: torch.Tensor | None = None


@dataclass(frozen=True)
class Opening:
    """What stands before the first question: system prompt and media.

    Attributes
    ----------
    ids : list of int
        O tokens, those of the vision among them.
    places : array of int64, shape (3, O)
        Time, row and column.
    image_at : array of int64, shape (F · N,)
        Where the vision tokens are.
    next_place : int
        The position, in time, row and column, of the token that follows.
    """

    ids: list[int]
    places: NDArray[np.int64]
    image_at: NDArray[np.int64]
    next_place: int


Forward: TypeAlias = Callable[[Batch], tuple[torch.Tensor, torch.Tensor]]
"""From a batch to the hidden states after the final norm, shape (B, L, d), and the rows of the head, shape (V, d)."""
