"""Text compared as a reader would: without case, and whichever way an accented letter is encoded."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

from tam_widget.text.graphemes import boundaries

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

__all__ = ["FoldedText", "fold"]

# Which of I, i, İ and ı are one letter in two cases depends on the language, so all four are one here. How an emoji
# is painted (U+FE0E as text, U+FE0F in colour) is no part of what it says.
_ALIKE = str.maketrans({"ı": "i", "\ufe0e": None, "\ufe0f": None})


def fold(text: str) -> str:
    """Return a text that is the same for all that shall be found as the same; white space becomes plain spaces.

    Canonical caseless matching (Unicode, definition D145). Compatibility forms stay apart: "①" is not "1".
    """
    begin = boundaries(text)
    return "".join(_folded(text[start:stop]) for start, stop in pairwise(begin))


def _folded(grapheme: str) -> str:
    if grapheme.isspace():
        return " "
    plain = unicodedata.normalize("NFD", grapheme).casefold().replace("i\u0307", "i").translate(_ALIKE)
    return unicodedata.normalize("NFC", plain) or grapheme


class FoldedText:
    """A text, folded, that knows where each of its graphemes came from."""

    def __init__(self, text: str) -> None:
        self.begin = boundaries(text)
        parts = [_folded(text[start:stop]) for start, stop in pairwise(self.begin)]
        self._folded = "".join(parts)
        self._grapheme_at = {0: 0}
        offset = 0
        for number, part in enumerate(parts, start=1):
            offset += len(part)
            self._grapheme_at[offset] = number

    def find(self, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
        """Yield the first and last + 1 grapheme of every match that cuts none, overlapping ones included."""
        match = pattern.search(self._folded)
        while match:
            first, stop = (self._grapheme_at.get(offset) for offset in match.span())
            if first is not None and stop is not None:
                yield first, stop
            match = pattern.search(self._folded, match.start() + 1)
