"""Function words of a caption: nothing in the picture is theirs, and their maps are held against that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scored_words.judged import AnswerMaps, function_fit, threshold
from scored_words.targets import Target, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scored_words.kept import Row

# Determiners, conjunction and existential there: of the words that captions are made of, those that the released
# evaluation counts as function words. Prepositions and forms of "to be" are not among them.
FUNCTION_WORDS = frozenset(("a", "an", "and", "the", "there"))


def functions_of(maps: AnswerMaps, targets: Sequence[Target]) -> list[Row]:
    """Score a caption's function words by every method, against the thresholds of its shape words."""
    thresholds: dict[str, list[float]] = {}
    for noun in (target for target in targets if target.group == "shape"):
        for name, found in maps.of(noun.word).items():
            thresholds.setdefault(name, []).append(threshold(found, noun.mask))
    return [
        {name: function_fit(one[0], thresholds[name]) for name, one in maps.of(place).items()}
        for place, word in enumerate(maps.words)
        if thresholds and plain(word) in FUNCTION_WORDS
    ]
