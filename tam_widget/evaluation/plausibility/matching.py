"""Which of a sample's categories a word names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tam_widget.evaluation.plausibility.parts_of_speech import Kind

__all__ = ["Matching", "Naming", "find_names"]

Matching: TypeAlias = Literal["exact", "released"]

_HYPHENS = frozenset("-‐‑")


@dataclass(frozen=True, slots=True)
class Naming:
    """Neighbouring words that name one object.

    Attributes
    ----------
    category : str
        The name as the sample spells it.
    words : tuple of int
        Which words, in order.
    """

    category: str
    words: tuple[int, ...]


def find_names(
    words: Sequence[str],
    kinds: Sequence[Kind],
    names: Iterable[str],
    lemma: Callable[[str], str],
    matching: Matching = "exact",
) -> tuple[Naming, ...]:
    """Find the words that name a category, neighbouring words of one object joined.

    A word names a category where their lemmas are equal. ``"exact"`` takes the longest whole name that the words spell:
    "hot dog" before "dog". A name of one word needs a noun; of the words of a longer one, no type is asked. A noun that
    is no whole name names what it is part of, first what ends with it: "light" a "traffic light".

    ``"released"`` is what the released evaluation does (github.com/xmed-lab/TAM, commit 7c7df1d), for figures that
    shall be compared with published ones: a noun alone names every category that it is, or is part of, and the *last*
    of these wins. In COCO's order a "dog" is then held against hot dogs, and a "bear" against teddy bears.

    Parameters
    ----------
    words : sequence of str
        The words of one answer, punctuation marks included, in order.
    kinds : sequence of {"noun", "function", "other"}
        Their types.
    names : iterable of str
        The sample's categories, in its order.
    lemma : callable
        From a word to its lemma.
    matching : {"exact", "released"}

    Returns
    -------
    tuple of Naming
        In the order of the words; no word is in two.

    Raises
    ------
    ValueError
        Another matching, or not one type for each word.
    """
    if matching not in {"exact", "released"}:
        raise ValueError(f"matching is 'exact' or 'released', not {matching!r}")
    if len(words) != len(kinds):
        raise ValueError(f"there are {len(words)} words but {len(kinds)} types of words")
    if matching == "released":
        parts = {name: tuple(map(lemma, name.split())) for name in names}
        order = list(range(len(words)))
        named = _last_match(words, kinds, parts, lemma)
    else:
        parts = {name: tuple(map(lemma, _split(name))) for name in names}
        order = [i for i, word in enumerate(words) if word not in _HYPHENS]  # "t-shirt" has three words
        named = _exact_match([words[i] for i in order], [kinds[i] for i in order], parts, lemma)
        named = {order[place]: name for place, name in named.items()}
    return tuple(_neighbours(order, named))


def _split(name: str) -> list[str]:
    for hyphen in (*_HYPHENS, "_"):
        name = name.replace(hyphen, " ")
    return name.split()


def _last_match(
    words: Sequence[str], kinds: Sequence[Kind], parts: Mapping[str, tuple[str, ...]], lemma: Callable[[str], str]
) -> dict[int, str]:
    named = {}
    for i, (word, kind) in enumerate(zip(words, kinds, strict=True)):
        own = lemma(word)
        holding = [name for name, lemmas in parts.items() if own in lemmas]
        if kind == "noun" and holding:
            named[i] = holding[-1]
    return named


def _exact_match(
    words: Sequence[str], kinds: Sequence[Kind], parts: Mapping[str, tuple[str, ...]], lemma: Callable[[str], str]
) -> dict[int, str]:
    lemmas = [lemma(word) for word in words]
    longest_first = sorted(parts.items(), key=lambda item: -len(item[1]))  # stable: the sample's order among equals
    named: dict[int, str] = {}
    place = 0
    while place < len(words):
        for name, whole in longest_first:
            several = len(whole) > 1
            if (several or kinds[place] == "noun") and tuple(lemmas[place : place + len(whole)]) == whole != ():
                named.update(dict.fromkeys(range(place, place + len(whole)), name))
                place += len(whole)
                break
        else:
            place += 1
    for i, kind in enumerate(kinds):
        if kind == "noun" and i not in named:
            holding = [name for name, whole in parts.items() if lemmas[i] in whole]
            holding.sort(key=lambda name: parts[name][-1] != lemmas[i])  # a kind of light before a part of its name
            if holding:
                named[i] = holding[0]
    return named


def _neighbours(order: Sequence[int], named: Mapping[int, str]) -> Iterator[Naming]:
    """Join words that stand side by side and name the same category."""
    group: list[int] = []
    for i in (*order, -1):
        if group and named.get(i) != named[group[0]]:
            yield Naming(named[group[0]], tuple(group))
            group = []
        if i in named:
            group.append(i)
