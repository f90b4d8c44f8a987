"""What a family of models is to the training: its tokenizer, its weights, its way to write a chat, its forward pass."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import numpy as np
    import torch
    from numpy.typing import NDArray
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Forward = Callable[["Batch"], tuple[torch.Tensor, torch.Tensor]]

__all__ = ["FAMILIES", "IGNORED", "Batch", "Family", "Opening", "family_named"]

FAMILIES = ("qwen", "llava")
IGNORED = -100  # labels that no loss reads


@dataclass
class Batch:
    """Samples whose media have one form, and what is said about each.

    B samples of L positions; F grids in each (pictures, or groups of a video's frames), S frames in a grid;
    N = rows · columns vision tokens for a grid; W grounded words.

    Attributes
    ----------
    pictures : tensor of uint8, shape (B, F, S, H, W, 3)
        S is 1 for still pictures and 2 for the frame groups of a video.
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
    """

    pictures: torch.Tensor
    grid: tuple[int, int]
    ids: torch.Tensor
    labels: torch.Tensor
    segments: torch.Tensor
    places: torch.Tensor
    image_at: torch.Tensor
    present: torch.Tensor


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


class Family(Protocol):
    """One family of models, small enough to be trained on a CPU.

    The text that it writes is, token for token, what the processor makes of a chat with the same content.

    Attributes
    ----------
    name : str
        Its name, as :func:`family_named` takes it.
    special_tokens : tuple of str
        The tokens that stand for no text.
    end : str
        What ends an answer.
    cell : int
        How many pixels, each way, a vision token covers.
    """

    name: str
    special_tokens: tuple[str, ...]
    end: str
    cell: int

    def tokenizer(self, corpus: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
        """Learn byte-level BPE with the family's special tokens and chat template.

        Parameters
        ----------
        corpus : iterable of str
            No merge crosses from one text to the next.
        vocabulary_size : int
            At most so many tokens, the special ones not counted.
        """
        ...

    def model(self, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
        """Make the model with random weights; seed torch before."""
        ...

    def save_processor(self, tokenizer: PreTrainedTokenizerBase, folder: Path, *, side: int | None = None) -> None:
        """Write all that :func:`tam_widget.load_demo` needs besides configuration and weights.

        Parameters
        ----------
        tokenizer : PreTrainedTokenizerBase
        folder : Path
        side : int, optional
            Pictures are brought to as many pixels as a square of this side has; to the family's own range when left
            out.

        Raises
        ------
        ValueError
            The family cannot be shown such pictures.
        """
        ...

    def opening(
        self,
        encode: Callable[[str], list[int]],
        *,
        pictures: int,
        video: bool,
        grid: tuple[int, int],
        system: str | None,
    ) -> Opening:
        """Write what stands before the first question.

        Parameters
        ----------
        encode : callable
            From a text to its tokens.
        pictures : int
            F, how many grids there are.
        video : bool
            Whether the grids are one video, instead of a picture each.
        grid : tuple of int
            Rows and columns of vision tokens in one grid.
        system : str or None
            The system prompt.

        Raises
        ------
        ValueError
            The family is not shown such media.
        """
        ...

    def asked(self, prompt: str, *, first: bool) -> str:
        """Return the text from where the last part ended to where the answer begins.

        Parameters
        ----------
        prompt : str
            The question.
        first : bool
            Whether it stands right after the opening, instead of after an answer and its end.
        """
        ...

    def forward(self, model: PreTrainedModel, dtype: torch.dtype) -> Forward:
        """Return the batched forward pass of a model of this family.

        Parameters
        ----------
        model : PreTrainedModel
            Made by :meth:`model`; gradients flow into its float32 parameters.
        dtype : torch.dtype
            What the products are computed in.

        Returns
        -------
        callable
            From a :class:`Batch` to the hidden states after the final norm, shape (B, L, d), and the rows of the
            head, shape (V, d).
        """
        ...


def family_named(name: str) -> Family:
    """Return a family of :data:`FAMILIES`.

    Raises
    ------
    ValueError
        There is none of this name.
    """
    if name == "qwen":
        from tam_widget.demo.training.families.qwen import Qwen2VL

        return Qwen2VL()
    if name == "llava":
        from tam_widget.demo.training.families.llava import Llava

        return Llava()
    raise ValueError(f"there is no family {name!r}; there are {', '.join(FAMILIES)}")
