"""Tokens joined to words, and words found again."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from tam_widget.text.tokens import Token, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tam_widget.text.tokens import Role

    Segment = tuple[int, Role]

__all__ = ["find_word", "group_words"]

# Scripts written without spaces, where each character can be a word: kana, bopomofo, CJK ideographs, their
# extensions and half-width forms. Hangul is written with spaces and is left out.
_CJK = re.compile(
    r"[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3040-\u30ff\u3100-\u312f\u31a0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U000323af]"
)
_JOINS = frozenset("\u200d")  # zero-width joiner: what follows belongs to the same emoji


def group_words(tokens: Iterable[Token], texts: Mapping[Segment, str]) -> tuple[Word, ...]:
    """Join tokens to words.

    A word begins at white space, at a punctuation mark or symbol, behind one, at a CJK character and behind one.
    Combining marks stay with what they modify. No token is cut: one that holds several words is one word here.

    Parameters
    ----------
    tokens : iterable of Token
        In order.
    texts : mapping of (turn, role) to str
        The text that the tokens' spans refer to.
    """
    words: list[list[Token]] = []
    for token in tokens:
        if words and _continues(words[-1], token, texts):
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
        in "circles". CJK text matches anywhere.
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
    pattern = r"\s+".join(re.escape(part) for part in parts)
    first, last = parts[0][0], parts[-1][-1]
    before = r"(?<!\w)" if re.match(r"\w", first) and not _CJK.match(first) else ""
    after = r"(?!\w)" if re.match(r"\w", last) and not _CJK.match(last) else ""
    expression = re.compile(before + pattern + after, re.IGNORECASE)
    found = []
    for segment, text in texts.items():
        own = [token for token in tokens if (token.turn, token.role) == segment]
        for match in expression.finditer(text):
            start, stop = match.span()
            found.append([token.index for token in own if token.span[0] < stop and token.span[1] > start])
    return sorted(indices for indices in found if indices)


def _continues(word: Sequence[Token], token: Token, texts: Mapping[Segment, str]) -> bool:
    last = word[-1]
    if (last.turn, last.role) != (token.turn, token.role):
        return False
    if last.span[1] > token.span[0]:
        return True  # both hold bytes of one character
    text = texts[token.turn, token.role]
    if last.span[1] < token.span[0]:
        return False  # two texts of one message
    before, after = text[last.span[0] : last.span[1]], text[token.span[0] : token.span[1]]
    if not before or not after:
        return True
    return _joined(before[-1], after[0])


def _joined(left: str, right: str) -> bool:
    """Whether two neighbouring characters belong to one word."""
    if unicodedata.category(right)[0] == "M" or right in _JOINS or left in _JOINS:
        return True
    if left.isspace() or right.isspace():
        return left.isspace() and right.isspace()
    return not any(_stands_alone(character) for character in (left, right))


def _stands_alone(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS" or _CJK.match(character) is not None


def _text_of(group: Sequence[Token], texts: Mapping[Segment, str]) -> str:
    text = texts[group[0].turn, group[0].role][group[0].span[0] : group[-1].span[1]]
    return text.strip() or text
