"""What a word's earlier context speaks of: what causal inference has to take away, or should leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from scored_words.targets import NAMES, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scored_words.held_out import HeldOut

Context: TypeAlias = Literal["none", "own", "other", "both"]
CONTEXTS: dict[Context, str] = {
    "none": "no thing yet",
    "own": "only the same thing",
    "other": "only the other things",
    "both": "the same and other things",
}


def contexts_of(words: Sequence[str], held: HeldOut) -> list[Context | None]:
    """Tell for each shape, colour and size word of a caption what those before it speak of.

    In "A red star is on a blue circle." that is nothing for "red", only the same thing for "star", only the other thing
    for "blue", and both for "circle". A word that is true of several things speaks of all of them.

    Parameters
    ----------
    words : sequence of str
        The caption's, punctuation marks included.
    held : HeldOut

    Returns
    -------
    list
        None for every other word.
    """
    found: list[Context | None] = []
    earlier: list[frozenset[int]] = []
    for word in map(plain, words):
        things = held.things_called(word) if any(word in names for names in NAMES.values()) else frozenset[int]()
        if not things:
            found.append(None)
            continue
        own = any(things & spoken for spoken in earlier)
        other = any(not things & spoken for spoken in earlier)
        found.append("both" if own and other else "own" if own else "other" if other else "none")
        earlier.append(things)
    return found
