"""What a family of models is to the training: its tokenizer, its weights, its way to write a chat, its forward pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tam_widget.demo.training.families.batch import Forward, Opening

__all__ = ["FAMILIES", "Family", "family_named"]

FAMILIES = ("qwen", "llava", "lite")


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
            From a :class:`~tam_widget.demo.training.families.batch.Batch` to the hidden states after the final norm,
            shape (B, L, d), and the rows of the head, shape (V, d).
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
    if name == "lite":
        from tam_widget.demo.training.families.lite import LlavaLite

        return LlavaLite()
    raise ValueError(f"there is no family {name!r}; there are {', '.join(FAMILIES)}")
