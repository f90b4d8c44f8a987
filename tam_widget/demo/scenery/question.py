"""A question about a scene, with its only right answer."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Question"]


@dataclass(frozen=True)
class Question:
    """A question about a scene and its only right answer.

    Attributes
    ----------
    kind : str
        What is asked for, such as ``"colour"``.
    text, answer : str
    about : int, optional
        The thing of the scene that question and answer speak of.
    again : tuple of str
        The same question and answer with "it", for after another question about the same thing; empty where there are
        none.
    """

    kind: str
    text: str
    answer: str
    about: int | None = None
    again: tuple[str, ...] = ()
