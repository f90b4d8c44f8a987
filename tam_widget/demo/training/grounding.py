"""Which tokens are asked for at the positions of pictures: labels of a whole picture, never of a place in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

import numpy as np

from tam_widget.demo.scenery.drawing import SIGN_WORDS
from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.scenery.language import caption
from tam_widget.demo.scenery.thing_truth import GROUNDED_THINGS, true_of_things
from tam_widget.demo.scenery.truth import GROUNDED, true_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tam_widget.demo.scenery.staging import Staging
    from tam_widget.demo.training.curriculum import Curriculum
    from tam_widget.demo.training.kept_scenes import KeptScenes

GroundingName: TypeAlias = Literal["words", "things", "captions"]

_CAPTIONS = 300  # enough to meet every token


class Grounding(Protocol):
    """Which tokens are true of a picture.

    Attributes
    ----------
    tokens : list of int
        W tokens.
    """

    tokens: list[int]

    def present(self, staging: Staging, grid: int, frames: tuple[int, ...]) -> NDArray[np.float32]:
        """Return for each token whether it is true of one grid: 1 or 0, NaN where that is not known; shape (W,).

        Parameters
        ----------
        staging : Staging
        grid : int
            Which picture, or group of frames.
        frames : tuple of int
            The placements that it shows.
        """
        ...


class TrueWords:
    """Words that are true of something in the picture: shapes, colours, sizes, places, numbers, written words, actions.

    Parameters
    ----------
    encode : callable
        From a text to its tokens.

    Attributes
    ----------
    words : dict of int to set of str
        From a token to the words it is part of: a word of several tokens grounds each of them.
    """

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        self.words: dict[int, set[str]] = {}
        for word in GROUNDED:
            for token in encode(word if word in SIGN_WORDS else " " + word):  # a sign's text is in quotes
                self.words.setdefault(token, set()).add(word)
        self.tokens = list(self.words)

    def present(self, staging: Staging, grid: int, frames: tuple[int, ...]) -> NDArray[np.float32]:
        """Return 1 where any word of a token is true, 0 where all are false, else NaN."""
        return _of_tokens(self.words, true_words(staging, grid, frames))


class TrueThings:
    """Words that are true of a scene of things: names, colours, numbers, places.

    Parameters
    ----------
    encode : callable
        From a text to its tokens.
    """

    def __init__(self, encode: Callable[[str], list[int]]) -> None:
        self.words: dict[int, set[str]] = {}
        for word in GROUNDED_THINGS:
            for token in encode(" " + word):
                self.words.setdefault(token, set()).add(word)
        self.tokens = list(self.words)

    def present(self, staging: Staging, grid: int, frames: tuple[int, ...]) -> NDArray[np.float32]:
        """Return 1 where any word of a token is true, 0 where all are false, else NaN."""
        del grid, frames
        return _of_tokens(self.words, true_of_things(staging))


class CaptionWords:
    """Every token of the picture's caption, function words too, as a bag: what a picture on the web comes with.

    Parameters
    ----------
    encode : callable
        From a text to its tokens.
    curriculum : Curriculum or KeptScenes
        Its captions are the ones that are known.
    """

    def __init__(self, encode: Callable[[str], list[int]], curriculum: Curriculum | KeptScenes) -> None:
        self._encode = encode
        self._adjectives = curriculum.adjectives > 0
        rng = np.random.default_rng([TRAINING, 0])
        met = {
            token for _ in range(_CAPTIONS) for staging in curriculum.draw(rng, 1.0, 1) for token in self._bag(staging)
        }
        self.tokens = sorted(met)

    def present(self, staging: Staging, grid: int, frames: tuple[int, ...]) -> NDArray[np.float32]:
        """Return 1 for each token of the caption and 0 for every other."""
        del grid, frames
        bag = self._bag(staging)
        return np.array([token in bag for token in self.tokens], np.float32)

    def _bag(self, staging: Staging) -> set[int]:
        return set(self._encode(caption(staging, adjectives=self._adjectives)))


def _of_tokens(words: dict[int, set[str]], truth: dict[str, bool]) -> NDArray[np.float32]:
    every = [[truth.get(word) for word in some] for some in words.values()]
    return np.array([1 if True in known else np.nan if None in known else 0 for known in every], np.float32)


def grounding_named(
    name: GroundingName, encode: Callable[[str], list[int]], curriculum: Curriculum | KeptScenes
) -> Grounding:
    """Return the grounding of a name."""
    match name:
        case "words":
            return TrueWords(encode)
        case "things":
            return TrueThings(encode)
        case _:
            return CaptionWords(encode, curriculum)
