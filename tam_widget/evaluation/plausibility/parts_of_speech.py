"""Which words are nouns, which are function words, and what is a word's lemma.

The released evaluation (github.com/xmed-lab/TAM, commit 7c7df1d) asks NLTK's perceptron tagger about each word by
itself, and counts as function words those it tags CC DT EX MD POS PRP PRP$ UH WDT WP WP$ WRB; lemmas are WordNet's.
Both need data that NLTK downloads. Nothing is downloaded here: where the data is missing, a closed list of English
function words and the lemma table of the package simplemma stand in, and the tagger says so.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from tam_widget.errors import MissingDependencyError
from tam_widget.text.content import FUNCTION_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["FUNCTION_TAGS", "FUNCTION_WORDS", "Kind", "Tagger", "WordTagger", "open_tagger"]

Kind: TypeAlias = Literal["noun", "function", "other"]

FUNCTION_TAGS = frozenset(["CC", "DT", "EX", "MD", "POS", "PRP", "PRP$", "UH", "WDT", "WP", "WP$", "WRB"])
"""Penn Treebank tags of function words; prepositions (IN) and numbers (CD) are not among them."""

NOUN_TAGS = frozenset(["NN", "NNS", "NNP", "NNPS"])

# What simplemma does not know, or takes for something rarer.
_CORRECTED = {"crosses": "cross", "drier": "drier", "tvs": "tv"}

_NLTK_DATA = "averaged_perceptron_tagger_eng"


class Tagger(Protocol):
    """What :func:`tam_widget.evaluation.score` asks about words; :class:`WordTagger` is one."""

    @property
    def source(self) -> str:
        """Where types and lemmas come from, for a report to print."""

    def kinds(self, words: Sequence[str], names: Iterable[str] = ()) -> tuple[Kind, ...]:
        """Return the type of each word of one answer; `names` are the sample's categories."""

    def lemma(self, word: str) -> str:
        """Return a word's lemma."""


@dataclass(frozen=True)
class WordTagger:
    """Types and lemmas of English words; it holds no data, so it travels between processes.

    Make one with :func:`open_tagger`, which checks that the data is there.

    Attributes
    ----------
    types : {"nltk", "list"}
        The perceptron tagger, asked about each word by itself; or the closed list :data:`FUNCTION_WORDS`. By the list,
        a word that is no function word and whose lemma is, or is part of, the name of one of the sample's categories
        is certainly a noun. All other words are "other", nouns among them: fewer nouns then enter the mean threshold
        of Func-IoU than by the tagger.
    lemmas : {"wordnet", "simplemma"}
        WordNet's lemma of the word as a noun, or simplemma's.
    """

    types: Literal["nltk", "list"]
    lemmas: Literal["wordnet", "simplemma"]

    @property
    def source(self) -> str:
        """Where types and lemmas come from, versions included."""
        types = "a closed list of function words" if self.types == "list" else f"the tagger of NLTK {_version('nltk')}"
        lemmas = f"simplemma {_version('simplemma')}" if self.lemmas == "simplemma" else "WordNet"
        return f"word types by {types}, lemmas by {lemmas}"

    def kinds(self, words: Sequence[str], names: Iterable[str] = ()) -> tuple[Kind, ...]:
        """Return the type of each word.

        Parameters
        ----------
        words : sequence of str
            The words of one answer, punctuation marks included, in order.
        names : iterable of str
            The sample's categories; only the closed list makes use of them.

        Returns
        -------
        tuple of {"noun", "function", "other"}
            One for each word. What holds no letter or digit is "other".
        """
        if self.types == "nltk":
            return tuple(_tagged(word) for word in words)
        named = {self.lemma(part) for name in names for part in name.split()}
        return tuple(self._listed(word, named) for word in words)

    def lemma(self, word: str) -> str:
        """Return a word's lemma in lower case, hyphens left out as the released evaluation does."""
        return _LEMMAS[self.lemmas](word.lower().replace("-", ""))

    def _listed(self, word: str, named: set[str]) -> Kind:
        if word.lower() in FUNCTION_WORDS:
            return "function"
        return "noun" if _has_letter(word) and self.lemma(word) in named else "other"


def open_tagger(
    types: Literal["auto", "nltk", "list"] = "auto", lemmas: Literal["auto", "wordnet", "simplemma"] = "auto"
) -> WordTagger:
    """Return a tagger whose data is installed.

    Parameters
    ----------
    types : {"auto", "nltk", "list"}
        Where word types come from; ``"auto"`` takes NLTK's tagger where it is installed with its data.
    lemmas : {"auto", "wordnet", "simplemma"}
        Where lemmas come from; ``"auto"`` takes WordNet where it is installed.

    Raises
    ------
    MissingDependencyError
        What was asked for is not installed; the message names the command that installs it.
    ValueError
        Another source.
    """
    if types not in {"auto", "nltk", "list"} or lemmas not in {"auto", "wordnet", "simplemma"}:
        raise ValueError(
            f"types is 'auto', 'nltk' or 'list', lemmas 'auto', 'wordnet' or 'simplemma'; got {types!r} and {lemmas!r}"
        )
    if types == "auto":
        types = "nltk" if _is_there(_perceptron) else "list"
    elif types == "nltk":
        _demand(_perceptron, f"NLTK's tagger: pip install nltk && python -m nltk.downloader {_NLTK_DATA}")
    if lemmas == "auto":
        lemmas = "wordnet" if _is_there(_wordnet) else "simplemma"
    elif lemmas == "wordnet":
        _demand(_wordnet, "WordNet's lemmas: pip install nltk && python -m nltk.downloader wordnet")
    if lemmas == "simplemma":
        _demand(_simplemma, "a table of lemmas: pip install 'tam-widget[eval]'")
    return WordTagger(types, lemmas)


def _is_there(part: Callable[[], Any]) -> bool:
    try:
        part()
    except (ImportError, LookupError):
        return False
    return True


def _demand(part: Callable[[], Any], what: str) -> None:
    try:
        part()
    except (ImportError, LookupError) as error:  # NLTK's LookupError is a screenful about downloading
        raise MissingDependencyError(f"this evaluation needs {what}") from error


@functools.cache
def _perceptron() -> Any:
    return import_module("nltk.tag.perceptron").PerceptronTagger()


@functools.cache
def _wordnet() -> Any:
    import_module("nltk.corpus").wordnet.ensure_loaded()
    return import_module("nltk.stem").WordNetLemmatizer()


@functools.cache
def _simplemma() -> Any:
    return import_module("simplemma")


@functools.lru_cache(maxsize=65536)
def _tagged(word: str) -> Kind:
    if not _has_letter(word):
        return "other"
    tag = _perceptron().tag([word])[0][1]
    if tag in FUNCTION_TAGS:
        return "function"
    return "noun" if tag in NOUN_TAGS else "other"


@functools.lru_cache(maxsize=65536)
def _wordnet_lemma(word: str) -> str:
    return str(_wordnet().lemmatize(word))


@functools.lru_cache(maxsize=65536)
def _simplemma_lemma(word: str) -> str:
    return _CORRECTED.get(word) or str(_simplemma().lemmatize(word, lang="en")).lower()


_LEMMAS: dict[str, Callable[[str], str]] = {"wordnet": _wordnet_lemma, "simplemma": _simplemma_lemma}


def _has_letter(word: str) -> bool:
    return any(character.isalnum() for character in word)


def _version(package: str) -> str:
    return str(import_module(package).__version__)
