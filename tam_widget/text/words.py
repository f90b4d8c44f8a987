"""Tokens joined to words, and words found again."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from typing import TYPE_CHECKING

import regex

from tam_widget.text.folding import FoldedText, fold
from tam_widget.text.graphemes import boundaries
from tam_widget.text.tokens import Token, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tam_widget.text.tokens import Role

    Segment = tuple[int, Role]

__all__ = ["find_word", "group_words"]

# Scripts written without spaces, where each character can be a word. Hangul is written with spaces and is left out.
_UNSPACED = regex.compile(
    r"[\p{scx=Han}\p{scx=Hiragana}\p{scx=Katakana}\p{scx=Bopomofo}"
    r"\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]"
)


def group_words(tokens: Iterable[Token], texts: Mapping[Segment, str]) -> tuple[Word, ...]:
    """Join tokens to words.

    A word begins at white space, at a punctuation mark or symbol, behind one, at a character of a script without spaces
    (CJK, Thai, Lao, Khmer, Burmese) and behind one. What a reader sees as one character (a flag, a letter with its
    marks) is never cut, and no token is: one that holds several words is one word here.

    Parameters
    ----------
    tokens : iterable of Token
        In order.
    texts : mapping of (turn, role) to str
        The text that the tokens' spans refer to.
    """
    begins = {segment: boundaries(text) for segment, text in texts.items()}
    words: list[list[Token]] = []
    for token in tokens:
        segment = (token.turn, token.role)
        if words and _continues(words[-1], token, texts[segment], begins[segment]):
            words[-1].append(token)
        else:
            words.append([token])
    return tuple(Word(_text_of(group, texts), tuple(group)) for group in words)


def find_word(phrase: str, tokens: Sequence[Token], texts: Mapping[Segment, str]) -> list[list[int]]:
    """Return the token indices of every occurrence of a word or phrase, case ignored, in order.

    Parameters
    ----------
    phrase : str
        One word or several; any white space between them matches any other. Only whole words match: "circle" is not
        in "circles", nor "cafe" in "café". Text in scripts without spaces matches anywhere. However an accented letter
        is encoded, it is the same.
    tokens : sequence of Token
        In order.
    texts : mapping of (turn, role) to str
        The text that the tokens' spans refer to.

    Raises
    ------
    ValueError
        If the phrase is empty.
    """
    parts = phrase.split()
    if not parts:
        raise ValueError("find() needs a word; got an empty one")
    pattern = re.compile(" +".join(re.escape(fold(part)) for part in parts))
    found = []
    for segment, text in texts.items():
        own = [token for token in tokens if (token.turn, token.role) == segment]
        for start, stop in _whole_words(pattern, text):
            found.append([token.index for token in own if token.span[0] < stop and token.span[1] > start])
    return sorted(indices for indices in found if indices)


def _whole_words(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last + 1 character of the matches that begin and end with a word; none overlap."""
    folded = FoldedText(text)
    begin, done = folded.begin, 0
    for first, last in folded.find(pattern):
        if first < done or any(_inside_word(text, begin, edge) for edge in (first, last)):
            continue
        done = last
        yield begin[first], begin[last]


def _inside_word(text: str, begin: Sequence[int], grapheme: int) -> bool:
    """Whether the edge in front of a grapheme lies between two letters of one word."""
    if not 0 < grapheme < len(begin) - 1:
        return False
    left, right = _around(text, begin, grapheme)
    return _joined(left, right) and bool(re.match(r"\w", left) and re.match(r"\w", right))


def _continues(word: Sequence[Token], token: Token, text: str, begin: Sequence[int]) -> bool:
    last = word[-1]
    if (last.turn, last.role) != (token.turn, token.role):
        return False
    edge = token.span[0]
    if last.span[1] != edge:
        return last.span[1] > edge  # both hold bytes of one character; or else these are two texts of one message
    if edge in {0, token.span[1]}:
        return True  # one of them has no text
    grapheme = bisect_left(begin, edge)
    if begin[grapheme] != edge:
        return True
    if _joined(*_around(text, begin, grapheme)):
        return True
    # A run of spaces is one, but no part of a word that has some at its end.
    return text[word[0].span[0] : token.span[1]].isspace()


def _around(text: str, begin: Sequence[int], grapheme: int) -> tuple[str, str]:
    """Return the grapheme before one, and itself."""
    before, start, stop = begin[grapheme - 1 : grapheme + 2]
    return text[before:start], text[start:stop]


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring graphemes belong to one word."""
    return not any(one.isspace() or _stands_alone(one) for one in (left, right))


def _stands_alone(grapheme: str) -> bool:
    """Whether it is a punctuation mark, a symbol (a digit in a key cap is one) or a character without spaces around."""
    categories = {unicodedata.category(character) for character in grapheme}
    return any(one[0] in "PS" or one == "Me" for one in categories) or _UNSPACED.match(grapheme) is not None


def _text_of(group: Sequence[Token], texts: Mapping[Segment, str]) -> str:
    text = texts[group[0].turn, group[0].role][group[0].span[0] : group[-1].span[1]]
    return text.strip() or text
