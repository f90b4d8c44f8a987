"""Score the maps of one explained sample.

Obj-IoU, Func-IoU and F1-IoU are those of "Token Activation Map to Visually Explain Multimodal LLMs" (Li et al., ICCV
2025, arXiv 2506.23270, section 4) as the released evaluation computes them (github.com/xmed-lab/TAM, commit 7c7df1d).
It departs in two places: what names a category, unless asked for (:func:`tam_widget.evaluation.find_names`); and where
neighbouring words name an object that is not in the picture, that code joins the two latest scores of other words.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypedDict, cast

import numpy as np

from tam_widget.errors import DatasetError
from tam_widget.evaluation.plausibility.captions import CaptionScores, score_caption
from tam_widget.evaluation.plausibility.matching import Matching, find_names
from tam_widget.evaluation.plausibility.metrics import (
    energy_inside,
    function_iou,
    object_iou,
    pixel_precision,
    pixel_recall,
    points_inside,
    to_levels,
    to_mask_size,
)
from tam_widget.evaluation.plausibility.parts_of_speech import Tagger, open_tagger
from tam_widget.maps.otsu import otsu_threshold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tam_widget.evaluation.data.samples import Sample
    from tam_widget.explanation import Explanation
    from tam_widget.text.tokens import Word

__all__ = ["SampleScores", "WordRow", "score"]

_SAME_SHAPE = 0.02  # how far the aspect ratios of a picture and its masks may differ: a mask's size is rounded


class WordRow(TypedDict):
    """One scored word; every row has all keys, so that rows make a table. None where a measure does not apply.

    Keys
    ----
    sample : str
        The sample's id.
    word : int
        The place of the word in the answer, counted from 0; of several words that name one object, the first.
    text : str
        The word; of several, all of them.
    kind : {"noun", "function"}
    category : str or None
        What a noun names. None for another noun, which counts for the threshold only.
    token : int
        The token that was judged, by its place in :attr:`tam_widget.Explanation.tokens`.
    threshold : float
        Of a noun the highest Otsu threshold of its tokens' maps, a level from 0 to 255; of a function word the mean of
        those of all nouns, or None without nouns.
    object_iou, precision, recall, energy : float or None
        Of a noun whose object is in the picture, in [0, 1].
    pointing : bool or None
        Of the same, whether the map's highest pixel lies on the object.
    function_iou : float or None
        Of a function word of an answer with nouns, in [0, 1].
    zero : bool
        Whether the judged map (of a function word all its maps) is zero everywhere.
    """

    sample: str
    word: int
    text: str
    kind: Literal["noun", "function"]
    category: str | None
    token: int
    threshold: float | None
    object_iou: float | None
    precision: float | None
    recall: float | None
    energy: float | None
    pointing: bool | None
    function_iou: float | None
    zero: bool


@dataclass(frozen=True)
class SampleScores:
    """What :func:`score` found.

    Attributes
    ----------
    sample : str
        The sample's id.
    answer : str
        What the model said.
    rows : tuple of WordRow
        One for each noun and each function word, words of one object joined.
    caption : CaptionScores
        ROUGE-L and METEOR of the answer against the sample's references.
    source : str
        Where word types and lemmas came from.
    matching : {"exact", "released"}
        How words were matched with categories.
    """

    sample: str
    answer: str
    rows: tuple[WordRow, ...]
    caption: CaptionScores
    source: str
    matching: Matching

    def row(self) -> dict[str, Any]:
        """Return all but the words as one row of a table of samples."""
        return {
            "sample": self.sample,
            "answer": self.answer,
            "rouge_l": self.caption.rouge_l,
            "meteor": self.caption.meteor,
            "missing": "; ".join(f"{name}: {reason}" for name, reason in self.caption.reasons.items()) or None,
            "source": self.source,
            "matching": self.matching,
        }


def score(
    ex: Explanation,
    maps: NDArray[np.float32],
    sample: Sample,
    *,
    tagger: Tagger | None = None,
    matching: Matching = "exact",
) -> SampleScores:
    """Score the maps of a sample's answer.

    A noun that names a category is judged by the best of its tokens: the map's bytes are resized to the mask and cut at
    their Otsu threshold. Neighbouring words of one object count once, with the better word. A function word is judged
    on its own cells against the mean threshold of all nouns, each with its highest token; of several tokens the mean
    counts.

    Parameters
    ----------
    ex : Explanation
        Of the sample's picture; the last turn's answer is judged.
    maps : ndarray of float32, shape (T, rows, columns)
        A map for each of the explanation's T tokens on its grid, in [0, 1]; NaN counts as 0. ``ex.maps().images[0]``,
        or another method's.
    sample : Sample
    tagger : Tagger, optional
        Types and lemmas of words; the best that is installed when left out.
    matching : {"exact", "released"}
        See :func:`tam_widget.evaluation.find_names`.

    Raises
    ------
    ValueError
        Maps of another number, or not of one picture.
    DatasetError
        The sample's masks do not lie over the picture, or differ in size.
    MissingDependencyError
        No tagger was given and no table of lemmas is installed.
    """
    if np.shape(maps) != (len(ex.tokens), *ex.grids[0]) or len(ex.grids[0]) != 2:  # noqa: PLR2004
        raise ValueError(
            f"score() needs a map for each of {len(ex.tokens)} tokens of one picture, whose grid is {ex.grids[0]}; "
            f"got an array of shape {np.shape(maps)}"
        )
    tagger = open_tagger() if tagger is None else tagger
    judge = _Judge(ex, maps, sample)
    words = _answer(ex)
    texts = [word.text for word in words]
    kinds = tagger.kinds(texts, tuple(sample.masks))
    namings = find_names(texts, kinds, sample.masks, tagger.lemma, matching)
    named = {place for naming in namings for place in naming.words}

    rows: list[WordRow] = []
    thresholds: list[float] = []  # of every noun, also of those whose row is another's
    for naming in namings:
        found = [judge.noun(words[place], naming.category) for place in naming.words]
        thresholds += [word.threshold for word in found]
        best = max(found, key=lambda word: word.measures.get("object_iou", 0.0))
        text = " ".join(texts[place] for place in naming.words)
        rows.append(best.row(sample.id, naming.words[0], text, naming.category))
    for place, kind in enumerate(kinds):
        if kind == "noun" and place not in named:
            word = judge.noun(words[place], None)
            thresholds.append(word.threshold)
            rows.append(word.row(sample.id, place, texts[place], None))
    for place, kind in enumerate(kinds):
        if kind == "function" and place not in named:
            rows.append(_function_row(sample.id, place, words[place], maps, thresholds))
    rows.sort(key=lambda row: row["word"])
    caption = score_caption(ex.answer, sample.references)
    return SampleScores(sample.id, ex.answer, tuple(rows), caption, tagger.source, matching)


def _answer(ex: Explanation) -> list[Word]:
    answers = [word for word in ex.words if word.tokens[0].role == "answer"]
    return [word for word in answers if word.tokens[0].turn == answers[-1].tokens[0].turn]


@dataclass(frozen=True)
class _Noun:
    """A noun, judged by its best token; its threshold is the highest of all its tokens'."""

    token: int
    threshold: float
    zero: bool
    measures: dict[str, Any]

    def row(self, sample: str, place: int, text: str, category: str | None) -> WordRow:
        return _row(
            sample=sample,
            word=place,
            text=text,
            kind="noun",
            category=category,
            token=self.token,
            threshold=self.threshold,
            zero=self.zero,
            **self.measures,
        )


class _Judge:
    """Holds nouns of one sample against its masks."""

    def __init__(self, ex: Explanation, maps: NDArray[np.float32], sample: Sample) -> None:
        self._maps, self._sample = maps, sample
        picture = ex.images[0]
        # Without masks the picture's own size serves: nouns still have thresholds.
        shape = next((mask.shape for mask in sample.masks.values()), (picture.height, picture.width))
        if len(shape) != 2 or abs(math.log(shape[1] / shape[0] * picture.height / picture.width)) > _SAME_SHAPE:  # noqa: PLR2004
            raise DatasetError(
                f"the masks of sample {sample.id!r} do not lie over its picture: their shape is {shape}, the picture's "
                f"{(picture.height, picture.width)}, rows first. Are they turned by 90°?"
            )
        self._shape: tuple[int, int] = shape
        high, wide = shape[0] / picture.height, shape[1] / picture.width
        left, top, right, bottom = ex.boxes[0]
        self._box = (left * wide, top * high, right * wide, bottom * high)

    def noun(self, word: Word, category: str | None) -> _Noun:
        mask = None if category is None else self._mask(category)
        found = [self._token(token.index, mask) for token in word.tokens]
        best = max(found, key=lambda token: token.measures.get("object_iou", 0.0))
        return replace(best, threshold=max(token.threshold for token in found))

    def _mask(self, category: str) -> NDArray[np.bool_] | None:
        mask = self._sample.masks[category]
        if mask.shape != self._shape:
            raise DatasetError(
                f"the masks of sample {self._sample.id!r} differ in size: {category!r} has the shape {mask.shape}, "
                f"the first of them {self._shape}"
            )
        return mask if mask.any() else None

    def _token(self, index: int, mask: NDArray[np.bool_] | None) -> _Noun:
        levels = to_mask_size(self._maps[index], self._shape, self._box)
        threshold = float(otsu_threshold(levels))
        measures: dict[str, Any] = {}
        if mask is not None:
            measures = {
                "object_iou": object_iou(levels, mask, threshold),
                "precision": pixel_precision(levels, mask, threshold),
                "recall": pixel_recall(levels, mask, threshold),
                "energy": energy_inside(levels, mask),
                "pointing": points_inside(levels, mask),
            }
        return _Noun(index, threshold, not levels.any(), measures)


def _function_row(
    sample: str, place: int, word: Word, maps: NDArray[np.float32], thresholds: Sequence[float]
) -> WordRow:
    levels = [to_levels(maps[token.index]) for token in word.tokens]
    measured = [function_iou(one, thresholds) for one in levels] if thresholds else []
    return _row(
        sample=sample,
        word=place,
        text=word.text,
        kind="function",
        token=word.tokens[0].index,
        threshold=float(np.mean(thresholds)) if thresholds else None,
        function_iou=float(np.mean(measured)) if measured else None,
        zero=not any(one.any() for one in levels),
    )


def _row(**known: Any) -> WordRow:
    return cast("WordRow", {**dict.fromkeys(WordRow.__annotations__), **known})
