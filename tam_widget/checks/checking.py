"""The passes behind a verdict: the place covered, random places, everything, and another picture."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from tam_widget.checks.places import marked, random_places
from tam_widget.checks.verdict import RANDOM_PLACES, Bars, Verdict
from tam_widget.errors import CheckError
from tam_widget.explanation.region import merge
from tam_widget.replay.covers import Cover, covers_of
from tam_widget.replay.passes import Known, Passes

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from tam_widget.explanation import Explanation
    from tam_widget.models.inputs.parts import Medium
    from tam_widget.replay.covers import Covers
    from tam_widget.replay.replay import Replay
    from tam_widget.text.tokens import Token

__all__ = ["COVERS", "Asked", "Checking", "text_of"]

COVERS: tuple[Cover, ...] = get_args(Cover)


@dataclass(frozen=True, slots=True)
class Asked:
    """How words are checked; all of them the same.

    Attributes
    ----------
    image : int or None
        Which picture or video places are taken from; the one that each word's map peaks in where None.
    frame : int or None
        Which frame of a video; all where None.
    swap : PIL.Image.Image, Video or None
        What is shown in the place of the picture or video.
    seed : int
        Of the random places.
    method : mapping
        How maps are read; keywords of :meth:`tam_widget.Explanation.heatmap`.
    """

    image: int | None
    frame: int | None
    swap: Medium | None
    seed: int
    method: Mapping[str, Any]


class Checking:
    """The check of some words of one explanation.

    Parameters
    ----------
    replay : Replay
        Model and conversation.
    words : sequence of sequence of int
        The tokens of each word; tokens of answers that have seen a picture.
    asked : Asked
        How.
    known : Known, optional
        What an earlier check of the same words, which was broken off, had found.
    batch_size : int, optional
        Covered pictures in one forward pass.

    Raises
    ------
    CheckError
        A word is the prompt's, or stands before every picture.
    """

    def __init__(
        self,
        replay: Replay,
        words: Sequence[Sequence[int]],
        asked: Asked,
        *,
        known: Known | None = None,
        batch_size: int | None = None,
    ) -> None:
        self._replay, self._asked = replay, asked
        self._explanation = replay.explanation
        for tokens in words:
            _check_word(self._explanation, tokens)
        followed = sorted({token for tokens in words for token in tokens})
        self._covers = covers_of(replay)
        self._passes = Passes(replay, followed, known=known, batch_size=batch_size)
        self._words = [_Word(self._explanation, tuple(tokens), self._covers, asked) for tokens in words]

    @property
    def known(self) -> Known:
        """What was found so far."""
        return self._passes.known

    def verdict(self, number: int) -> Verdict:
        """Run what is missing for one of the words, and judge it."""
        for _ in self.steps(number):
            pass
        word, found, swap = self._words[number], self._passes.known.found, self._asked.swap

        def said(key: Hashable) -> float:
            return float(found[key][list(word.tokens)].sum())

        def covered(place: NDArray[np.bool_]) -> tuple[float, float]:
            return said(word.key(place, "mean")), said(word.key(place, "blur"))

        bars = Bars(
            said("original"),
            None if word.place is None else covered(word.place),
            np.array([covered(place) for place in word.elsewhere]).reshape(-1, len(COVERS)),
            (said(("whole", "mean")), said(("whole", "blur"))),
            None if swap is None else said(("swap", word.image)),
        )
        text, covers = text_of(self._explanation, word.tokens), self._covers[word.image]
        return Verdict(text, word.tokens, bars, word.image, word.place, tuple(word.elsewhere), covers, swap)

    def steps(self, number: int) -> Iterator[int]:
        """Run what is missing for one of the words; yield how many passes are left. It may be left at any of them.

        Raises
        ------
        LayoutError
            The model gives the words other probabilities than the explanation holds: it has changed.
        """
        shown, passes = self._shown(number), self._passes
        if not passes.knows(["original"]):
            first = passes.log_probabilities({"original": shown["original"]})["original"]
            seen = np.flatnonzero(np.isfinite(first)).tolist()
            self._replay.check_probabilities({token: float(np.exp(first[token])) for token in seen})
            yield len(shown) - 1
        yield from passes.steps(shown)

    def count(self, number: int) -> int:
        """Return how many passes one of the words takes in all."""
        return len(self._shown(number))

    def _shown(self, number: int) -> dict[Hashable, Callable[[], Sequence[Medium]]]:
        """Return what the model is shown for one of the words: for all the same are nothing and everything covered."""
        media = self._replay.media
        shown: dict[Hashable, Callable[[], Sequence[Medium]]] = {"original": lambda: media}
        for cover in COVERS:
            shown["whole", cover] = lambda cover=cover: [  # type: ignore[misc]
                covers.covered(np.ones(covers.grid, dtype=np.bool_), cover) for covers in self._covers
            ]
        return shown | self._words[number].shown()


class _Word:
    """One word with its place, and the random ones."""

    def __init__(
        self, explanation: Explanation, tokens: tuple[int, ...], covers: Sequence[Covers], asked: Asked
    ) -> None:
        self.tokens = tokens
        heatmaps = [
            merge([explanation.heatmap(token, image=image, **asked.method) for token in tokens])
            for image in range(len(explanation.images))
        ]
        if not any(np.isfinite(one).any() for one in heatmaps):
            raise CheckError(f"{text_of(explanation, tokens)!r} stands before every picture, so it has seen none")
        peaks = [float(one.max(where=np.isfinite(one), initial=-1.0)) for one in heatmaps]
        self.image = int(np.argmax(peaks)) if asked.image is None else asked.image
        heatmap = _of_frame(heatmaps[self.image], asked.frame)
        self.place = marked(heatmap)
        self.elsewhere: list[NDArray[np.bool_]] = []
        if self.place is not None:
            # The same place has the same others, whatever else is checked.
            rng = np.random.default_rng([asked.seed, zlib.crc32(np.packbits(self.place).tobytes())])
            self.elsewhere = random_places(self.place, np.isfinite(heatmap), RANDOM_PLACES, rng)
        self._covers, self._swap = covers, asked.swap

    def shown(self) -> dict[Hashable, Callable[[], Sequence[Medium]]]:
        """Return what the model is shown for this word alone."""
        found: dict[Hashable, Callable[[], Sequence[Medium]]] = {}
        swap = self._swap
        for place in [*([] if self.place is None else [self.place]), *self.elsewhere]:
            for cover in COVERS:
                found[self.key(place, cover)] = lambda place=place, cover=cover: self._with(  # type: ignore[misc]
                    self._covers[self.image].covered(place, cover)
                )
        if swap is not None:
            found["swap", self.image] = lambda: self._with(swap)
        return found

    def key(self, place: NDArray[np.bool_], cover: Cover) -> Hashable:
        return self.image, cover, np.packbits(place).tobytes()

    def _with(self, medium: Medium) -> list[Medium]:
        return [medium if image == self.image else one.medium for image, one in enumerate(self._covers)]


def text_of(explanation: Explanation, tokens: Sequence[int]) -> str:
    """Return the text of some tokens, without the white space around it; an ellipsis stands for what lies between."""
    runs: list[list[Token]] = []
    for token in (explanation.tokens[index] for index in tokens):
        if runs and runs[-1][-1].index + 1 == token.index and runs[-1][-1].turn == token.turn:
            runs[-1].append(token)
        else:
            runs.append([token])
    said = [explanation.texts[run[0].turn, run[0].role][run[0].span[0] : run[-1].span[1]] for run in runs]
    return " … ".join(one.strip() or one for one in said)


def _check_word(explanation: Explanation, tokens: Sequence[int]) -> None:
    for token in tokens:
        one = explanation.tokens[token]
        if one.role != "answer":
            raise CheckError(
                f"{one.text!r} is the prompt's: the model gave it no probability; check a word of an answer"
            )


def _of_frame(heatmap: NDArray[np.float32], frame: int | None) -> NDArray[np.float32]:
    """Return a map that says nothing of the other frames, where one is asked for."""
    if frame is None:
        return heatmap
    alone = np.full_like(heatmap, np.nan)
    alone[frame] = heatmap[frame]
    return alone
