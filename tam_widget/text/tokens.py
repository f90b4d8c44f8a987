"""What an explanation is made of: tokens, the candidates of each, and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Candidate", "Role", "Token", "Word"]

Role: TypeAlias = Literal["prompt", "answer"]
"""Who wrote a text."""


@dataclass(frozen=True, slots=True)
class Candidate:
    r"""A token that the model could have said at one step.

    Attributes
    ----------
    text : str
        Its text, leading space included. A control token (the end of the answer) shows its name, and bytes that make no
        character are written as ``\xf0``.
    id : int
        Its id in the vocabulary.
    probability : float
        Softmax of the model's own logits over the whole vocabulary, before temperature and the like. In [0, 1].
    rank : int
        1 for the most probable; equally probable ones share the better rank.
    chosen : bool
        Whether it is what the model said, or what the given answer says.
    """

    text: str
    id: int
    probability: float
    rank: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Token:
    r"""One text token of the prompt or of the answer. It can stand wherever its index can.

    Attributes
    ----------
    index : int
        Its place in :attr:`Explanation.tokens`.
    text : str
        The characters it stands for, leading space included. A token without a character of its own (it holds
        the first bytes of one, or is SentencePiece's mark in front of the first word) has ``"\ufffd"``; the token that
        completes a character has it.
    id : int
        Its id in the vocabulary.
    role : {"prompt", "answer"}
        Who wrote it.
    turn : int
        Question and answer number, counted from 0.
    span : tuple of int
        First and last + 1 character in the prompt's or the answer's text.
    candidates : tuple of Candidate
        What the model held likeliest at this step, in rank order: five, and the chosen one behind them where it
        ranks lower. Empty for a prompt token, which the model did not choose.
    """

    index: int
    text: str
    id: int
    role: Role
    turn: int
    span: tuple[int, int]
    candidates: tuple[Candidate, ...] = ()

    def __index__(self) -> int:
        return self.index


@dataclass(frozen=True, slots=True)
class Word:
    """Neighbouring tokens that a reader takes for one word, punctuation mark or CJK character.

    Attributes
    ----------
    text : str
        The word without the white space around it; a line break stands as it is.
    tokens : tuple of Token
        Its tokens, in order, at least one.
    """

    text: str
    tokens: tuple[Token, ...]
