"""The rows of a run as arrays: what each sample adds to each method's means."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.evaluation.report.statistics import bootstrap_means, harmonic_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["CURVES", "FAITHFULNESS", "PLAUSIBILITY", "REGIONS", "REGION_MEASURES", "SHARES", "Noun", "Tally"]

PLAUSIBILITY = ("object_iou", "function_iou", "zero_functions", "precision", "recall", "pointing", "energy")
FAITHFULNESS = ("deletion", "insertion", "random", "gain")
CURVES = ("deletion_curve", "insertion_curve", "random_curve")
REGIONS = ("object", "background")
"""Counted like methods: :meth:`Tally.difference` holds the one against the other, word by word."""
REGION_MEASURES = ("cells", "fall", "mean_fall")
SHARES = np.linspace(0, 1, 41)
"""Of a region's cells, where the curves over it are told: their own steps differ with its size."""
_NOUNS = ("object_iou", "precision", "recall", "pointing", "energy")
_CAPTIONS = ("rouge_l", "meteor")


@dataclass
class Noun:
    """One word whose object is in the picture, and what each method made of it.

    Attributes
    ----------
    sample : int
        The place of its sample among those that were judged.
    text, category : str
    cells, shared : float
        See :meth:`Run.rows`.
    object_iou, energy : dict of str to float
        By method.
    """

    sample: int
    text: str
    category: str
    cells: float
    shared: float
    object_iou: dict[str, float] = field(default_factory=dict)
    energy: dict[str, float] = field(default_factory=dict)


class Tally:
    """Sums and counts of a run's measures.

    Parameters
    ----------
    rows : iterable of mapping
        As :meth:`Run.rows` yields them.
    methods : sequence of str
    seed : int
        Of the draws.

    Attributes
    ----------
    rows, samples, words, objects, functions : int
        How many rows there are; how many samples were judged by at least one method; and how many words, objects and
        function words the first method that judged them has.
    failures : list of (int, str or None, str)
        Index, id and error of the samples that failed, wholly or for a method.
    nouns : list of Noun
    sources, missing : Counter of str
        Where types of words came from, and why captions have no score.
    curves : dict of (str, str) to ndarray of float64, shape (K + 1,)
        By method and one of :data:`CURVES`, the mean normalised curve at even shares; absent without any.
    """

    def __init__(self, rows: Iterable[Mapping[str, Any]], methods: Sequence[str], seed: int = 0) -> None:
        self._methods, self._seed = tuple(methods), seed
        self.rows = self.samples = self.words = self.objects = self.functions = 0
        self.failures: list[tuple[int, str | None, str]] = []
        self.nouns: list[Noun] = []
        self.sources: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        self._noted: dict[tuple[str, str], list[tuple[int, float]]] = {}
        self._curves: dict[tuple[str, str], list[NDArray[np.float64]]] = {}
        self._changes: dict[str, list[tuple[int, NDArray[np.float64]]]] = {region: [] for region in REGIONS}
        for row in rows:
            self._add(row)
        self.curves = {key: np.mean(found, axis=0) for key, found in self._curves.items()}

    def means(self, method: str, measure: str, *, beside: str | None = None) -> NDArray[np.float64]:
        """Return a mean over words and those of its draws, for :func:`.statistics.estimate`.

        Parameters
        ----------
        method : str
            Or ``"caption"``, for ``"rouge_l"`` and ``"meteor"``, which are means over samples; or one of
            :data:`REGIONS`.
        measure : str
            One of :data:`PLAUSIBILITY`, ``"f1_iou"``, or one of :data:`FAITHFULNESS`; of one of :data:`REGIONS`, one of
            :data:`REGION_MEASURES`.
        beside : str, optional
            Another method: only samples that both judged count, so that differences are of the same words.
        """
        if measure == "f1_iou":
            parts = (self.means(method, part, beside=beside) for part in ("object_iou", "function_iou"))
            return harmonic_mean(*parts)
        sums, counts = self._arrays(method, measure)
        if beside is not None:
            both = (counts > 0) & (self._arrays(beside, measure)[1] > 0)
            sums, counts = sums * both, counts * both
        if not self.samples:
            return np.full(1, np.nan)
        return bootstrap_means(sums, counts, seed=self._seed)

    def difference(self, method: str, first: str, measure: str) -> NDArray[np.float64]:
        """Return how far a method's mean lies above the first one's on the same words, and that of each draw."""
        return self.means(method, measure, beside=first) - self.means(first, measure, beside=method)

    def count(self, method: str, measure: str) -> int:
        """Return how many words a mean is of."""
        return int(self._arrays(method, measure)[1].sum())

    def samples_of(self, method: str, measure: str) -> int:
        """Return how many samples these words are of."""
        return int(np.count_nonzero(self._arrays(method, measure)[1]))

    def region_curve(self, region: str) -> NDArray[np.float64]:
        """Return how words' log-probabilities change while a region is covered, and the same of each draw, in nats.

        Parameters
        ----------
        region : {"object", "background"}

        Returns
        -------
        ndarray of float64, shape (1 + B, 41)
            Means over words at :data:`SHARES`; NaN without any.
        """
        sums, counts = np.zeros((2, max(1, self.samples), len(SHARES)))
        for sample, change in self._changes[region]:
            sums[sample] += change
            counts[sample] += 1
        return bootstrap_means(sums, counts, seed=self._seed)

    def mean_change(self, nouns: Sequence[Noun], change: Callable[[Noun], float]) -> NDArray[np.float64]:
        """Return the mean of a number of some nouns, and that of each draw of samples."""
        sums, counts = np.zeros((2, max(1, self.samples)))
        for noun in nouns:
            sums[noun.sample] += change(noun)
            counts[noun.sample] += 1
        return bootstrap_means(sums, counts, seed=self._seed)

    def _arrays(self, method: str, measure: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        sums, counts = np.zeros((2, self.samples))
        for sample, value in self._noted.get((method, measure), ()):
            sums[sample] += value
            counts[sample] += 1
        return sums, counts

    def _add(self, row: Mapping[str, Any]) -> None:
        self.rows += 1
        if row["error"] is not None:
            self.failures.append((row["index"], row["sample"], row["error"]))
        if row["answer"] is None:
            return
        place = self.samples
        self.samples += 1
        self.sources[row["source"]] += 1
        self.missing.update((row["missing"] or "").split("; ") if row["missing"] else ())
        for name in _CAPTIONS:
            self._note("caption", name, place, row[name])
        nouns: dict[int, Noun] = {}
        judged = next((word["method"] for word in row["words"]), None)
        for word in row["words"]:
            first = word["method"] == judged
            self.words += first
            self.objects += first and word["object_iou"] is not None
            self.functions += first and word["function_iou"] is not None
            self._add_word(word, place, nouns)
        self.nouns += nouns.values()
        self._add_followed(row, place)

    def _add_followed(self, row: Mapping[str, Any], place: int) -> None:
        for one in row["faithfulness"]:
            for name in FAITHFULNESS:
                self._note(one["method"], name, place, one[name])
            for name in CURVES:
                if one[name] is not None:
                    even = np.linspace(0, 1, len(one["shares"]))
                    curve = np.interp(even, one["shares"], one[name])
                    self._curves.setdefault((one["method"], name), []).append(curve)
        for one in row.get("regions") or ():  # rows of an earlier version have none
            for region in REGIONS:
                for name in REGION_MEASURES:
                    self._note(region, name, place, one[f"{region}_{name}"])
                change = np.interp(SHARES, one[f"{region}_shares"], one[f"{region}_curve"])
                self._changes[region].append((place, change))

    def _add_word(self, word: Mapping[str, Any], place: int, nouns: dict[int, Noun]) -> None:
        for name in _NOUNS:
            self._note(word["method"], name, place, word[name])
        if word["function_iou"] is not None:
            self._note(word["method"], "function_iou", place, word["function_iou"])
            self._note(word["method"], "zero_functions", place, word["zero"])
        if word["object_iou"] is not None:
            noun = nouns.setdefault(
                word["word"], Noun(place, word["text"].lower(), word["category"], word["cells"], word["shared"])
            )
            noun.object_iou[word["method"]] = word["object_iou"]
            noun.energy[word["method"]] = word["energy"]

    def _note(self, method: str, measure: str, sample: int, value: float | None) -> None:
        if value is not None:
            self._noted.setdefault((method, measure), []).append((sample, float(value)))
