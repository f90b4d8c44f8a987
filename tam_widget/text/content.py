"""Which words of an answer say something of a picture: all but function words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tam_widget.text.tokens import Word

__all__ = ["FUNCTION_WORDS", "content_words"]

# The closed classes of English, by their Penn Treebank tags. Words that are mostly something else (so, need, one, well)
# are left out.
_CLOSED = {
    "CC": "and or but nor either neither both plus",
    "DT": "a an the this that these those each every some any no all another",
    "EX": "there",
    "MD": "can cannot could may might must shall should will would ought",
    "POS": "'s ’s",
    "PRP": (
        "i you he she it we they me him us them myself yourself himself herself itself ourselves yourselves themselves "
        "oneself mine yours hers ours theirs"
    ),
    "PRP$": "my your his her its our their",
    "UH": "oh ah yes yeah hello hi hey wow ok okay uh um",
    "WDT, WP, WP$": "which whatever whichever what who whom whoever whose",
    "WRB": "how when where why whenever wherever",
}

FUNCTION_WORDS = frozenset(word for words in _CLOSED.values() for word in words.split())
"""The closed list of English function words; prepositions and numbers are not among them."""

# What else says nothing of a picture by itself; "yes" and "no" can be a whole answer.
_VERBS = "is are was were be been being am has have had having do does did"
_EMPTY = FUNCTION_WORDS - {"yes", "no"} | {*_VERBS.split(), "of", "to", "as"}


def content_words(words: Iterable[Word], turn: int) -> list[Word]:
    """Return the words of one turn's answer that have a letter or a digit and are no English function words.

    Forms of "be", "have" and "do" are left out, too, and so are "of", "to" and "as". In other languages all words
    count.

    Parameters
    ----------
    words : iterable of Word
        In order.
    turn : int
        Of which turn.
    """
    return [
        word
        for word in words
        if word.tokens[0].role == "answer"
        and word.tokens[0].turn == turn
        and any(map(str.isalnum, word.text))
        and word.text.lower() not in _EMPTY
    ]
