"""One sample of a run: the model answers, every method's maps are scored, and a row of plain values comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from tam_widget.errors import EvaluationError, MissingDependencyError, UnsupportedModelError
from tam_widget.evaluation.plausibility.matching import Matching
from tam_widget.evaluation.plausibility.scoring import score
from tam_widget.evaluation.runs.storage import ROW_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from tam_widget.evaluation.data.samples import Dataset, Sample
    from tam_widget.evaluation.faithfulness.deletion import Faithfulness
    from tam_widget.evaluation.faithfulness.regions import Regions
    from tam_widget.evaluation.plausibility.parts_of_speech import Tagger
    from tam_widget.evaluation.plausibility.scoring import WordRow
    from tam_widget.explanation import Explanation
    from tam_widget.replay.covering import Covering
    from tam_widget.replay.explained import Explained

__all__ = ["HOPELESS", "Settings", "judge_sample"]

HOPELESS = (MissingDependencyError, UnsupportedModelError)
"""Errors that every other sample would raise too: a run ends with them."""


@dataclass(frozen=True)
class Settings:
    """What a row depends on besides the model and the data; it travels between processes.

    Attributes
    ----------
    methods : tuple of str
        Names of methods; the first is what the others are held against.
    faithfulness : int
        For how many samples, from the first, faithfulness is measured, and the object held against the background.
    steps : int
        In how many steps the picture, or one of the two, is covered.
    max_new_tokens : int
        Longest answer.
    matching : {"exact", "released"}
        How words are matched with categories.
    seed : int
        Of the random orders of faithfulness, and of the intervals in a report.

    Raises
    ------
    MethodError
        A method that does not exist.
    EvaluationError
        No method or one twice, or a number out of its range.
    """

    methods: tuple[str, ...]
    faithfulness: int = 0
    steps: int = 8
    max_new_tokens: int = 128
    matching: Matching = "exact"
    seed: int = 0

    def __post_init__(self) -> None:
        from tam_widget.evaluation.methods import MethodError, method_names

        unknown = [name for name in self.methods if name not in method_names()]
        if unknown:
            raise MethodError(f"there is no method {unknown[0]!r}; there are: {', '.join(method_names())}")
        if not self.methods or len(set(self.methods)) < len(self.methods):
            raise EvaluationError(f"methods are named once each, at least one; got {', '.join(self.methods) or 'none'}")
        for name, least in (("faithfulness", 0), ("steps", 1), ("max_new_tokens", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise EvaluationError(f"{name} must be at least {least}, not {getattr(self, name)}")
        if self.matching not in {"exact", "released"}:
            raise EvaluationError(f"matching is 'exact' or 'released', not {self.matching!r}")


def judge_sample(  # noqa: PLR0917 - all that a row depends on
    model: Any, processor: Any, dataset: Dataset, index: int, settings: Settings, tagger: Tagger
) -> dict[str, Any]:
    """Explain one sample and score every method's maps of it.

    The answer is the most probable one (greedy), so that it is the same in every process.

    Parameters
    ----------
    model, processor
        As :func:`tam_widget.explain` takes them.
    dataset : Dataset
    index : int
        Which sample.
    settings : Settings
    tagger : Tagger

    Returns
    -------
    dict
        A row. Where a method failed, its words are missing and ``error`` says why; where the sample did, all are.

    Raises
    ------
    MissingDependencyError, UnsupportedModelError
        No sample could be judged.
    """
    row: dict[str, Any] = dict.fromkeys(ROW_FIELDS)
    row.update(index=index, source=tagger.source, matching=settings.matching, words=[], faithfulness=[], regions=[])
    errors: list[str] = []
    try:
        _judge(row, errors, (model, processor), dataset, settings, tagger)
    except HOPELESS:
        raise
    except Exception as error:  # noqa: BLE001 - one sample's failure must not cost the others
        errors.append(_told(error))
    row["error"] = "; ".join(errors) or None
    return row


def _judge(  # noqa: PLR0917 - called once, above
    row: dict[str, Any], errors: list[str], pair: tuple[Any, Any], dataset: Dataset, settings: Settings, tagger: Tagger
) -> None:
    from tam_widget.evaluation.methods import method_maps
    from tam_widget.explainer import explain
    from tam_widget.replay.explained import Explained

    sample = dataset[row["index"]]
    row["sample"] = sample.id
    ex = explain(*pair, sample.image, sample.prompt, max_new_tokens=settings.max_new_tokens, do_sample=False)
    row["answer"] = ex.answer
    explained = Explained(*pair, ex)
    last = ex.tokens[-1].turn
    said = [token.index for token in ex.tokens if token.role == "answer" and token.turn == last]
    places = _Places(ex, sample)
    judged = sample
    maps: dict[str, NDArray[np.float32]] = {}
    for method in settings.methods:
        try:
            found = np.zeros((len(ex.tokens), *ex.grids[0]), np.float32)
            found[said] = method_maps(method, explained, said)
            scores = score(ex, found, judged, tagger=tagger, matching=settings.matching)
        except HOPELESS:
            raise
        except Exception as error:  # noqa: BLE001 - a method that does not apply here must not cost the others
            errors.append(f"{method}: {_told(error)}")
            continue
        if not maps:
            row.update(scores.row())
            judged = replace(sample, references=())  # the caption is the same for all methods: it is scored once
            places.learn(scores.rows)
        row["words"] += [{"method": method, **word, **places.of(word)} for word in scores.rows]
        maps[method] = found
    if maps and row["index"] < settings.faithfulness:
        _follow(explained, maps, row, sample, settings)


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


class _Places:
    """How large the objects of an answer are, and which of them lie in one place."""

    def __init__(self, ex: Explanation, sample: Sample) -> None:
        self._masks = sample.masks
        picture, (left, top, right, bottom), (rows, columns) = ex.images[0], ex.boxes[0], ex.grids[0]
        self._cell = (right - left) * (bottom - top) / (rows * columns) / (picture.height * picture.width)
        self._known: dict[tuple[int, str], dict[str, float | None]] = {}

    def learn(self, words: Sequence[WordRow]) -> None:
        """Measure the objects of an answer's words; all methods have the same."""
        earlier: dict[str, NDArray[np.bool_]] = {}
        for word in words:
            category = word["category"]
            if category is None or word["object_iou"] is None:
                continue
            mask = self._masks[category]
            text = word["text"].lower()
            others = (np.mean(other[mask]) for name, other in earlier.items() if name != text)
            self._known[word["word"], category] = {
                "cells": float(mask.mean()) / self._cell,
                "shared": float(max(others, default=0.0)),
            }
            earlier[text] = mask

    def of(self, word: WordRow) -> dict[str, float | None]:
        """Return a word's ``cells``, its object's size in cells, and ``shared``.

        That is the largest share of the object that an earlier word's object covers: what causal inference may take
        away with it.
        """
        return self._known.get((word["word"], word["category"] or ""), {"cells": None, "shared": None})


def _follow(
    explained: Explained, maps: dict[str, NDArray[np.float32]], row: dict[str, Any], sample: Sample, settings: Settings
) -> None:
    """Follow the words that name a category, each by its first token: the others often follow from it."""
    from tam_widget.replay.covering import Covering

    first = next(iter(maps))
    answer = [word for word in explained.explanation.words if word.tokens[0].role == "answer"]
    answer = [word for word in answer if word.tokens[0].turn == answer[-1].tokens[0].turn]
    named = [word for word in row["words"] if word["method"] == first and word["category"] is not None]
    tokens = [answer[word["word"]].tokens[0].index for word in named]
    covering = Covering(explained)
    how = {"steps": settings.steps, "seed": settings.seed + row["index"]}
    row["faithfulness"] = _faithfulness(covering, maps, named, tokens, how)
    row["regions"] = _regions(covering, sample, named, tokens, how)


def _faithfulness(
    covering: Covering,
    maps: dict[str, NDArray[np.float32]],
    named: Sequence[dict[str, Any]],
    tokens: Sequence[int],
    how: dict[str, int],
) -> list[dict[str, Any]]:
    from tam_widget.evaluation.faithfulness.deletion import measure_faithfulness

    found: list[dict[str, Any]] = []
    for method, every in maps.items():
        found += [
            {"method": method, "word": word["word"], "text": word["text"], **_measured(one)}
            for word, one in zip(named, measure_faithfulness(covering, every[tokens], tokens, **how), strict=True)
        ]
    return found


def _regions(
    covering: Covering, sample: Sample, named: Sequence[dict[str, Any]], tokens: Sequence[int], how: dict[str, int]
) -> list[dict[str, Any]]:
    """Leave out the words whose object is not in the picture, or fills it."""
    from tam_widget.evaluation.faithfulness.regions import has_two_regions, measure_regions

    masks = {word["category"]: sample.masks[word["category"]] for word in named}
    usable = {category for category, mask in masks.items() if has_two_regions(covering, mask)}
    kept = [(word, token) for word, token in zip(named, tokens, strict=True) if word["category"] in usable]
    found = measure_regions(covering, [masks[word["category"]] for word, _ in kept], [one for _, one in kept], **how)
    return [
        {"word": word["word"], "text": word["text"], "category": word["category"], **_two_regions(one)}
        for (word, _), one in zip(kept, found, strict=True)
    ]


def _two_regions(one: Regions) -> dict[str, Any]:
    measured: dict[str, Any] = {"token": one.token, "gain": one.gain}
    for name, region in (("object", one.object), ("background", one.background)):
        measured |= {
            f"{name}_cells": region.cells,
            f"{name}_fall": region.fall,
            f"{name}_mean_fall": region.mean_fall,
            f"{name}_shares": region.shares.tolist(),
            f"{name}_curve": (region.curve - region.curve[0]).tolist(),
        }
    return measured


def _measured(one: Faithfulness) -> dict[str, Any]:
    measured: dict[str, Any] = {"token": one.token, "gain": one.gain, "shares": one.shares.tolist()}
    areas = {"deletion": one.deletion_area, "insertion": one.insertion_area, "random": one.random_area}
    known = not math.isnan(areas["deletion"])
    curves = {"deletion": one.deletion, "insertion": one.insertion, "random": one.random.mean(axis=0)}
    for name, area in areas.items():
        measured[name] = _number(area)
        measured[f"{name}_curve"] = _normalised(curves[name], one) if known else None
    return measured


def _normalised(curve: Iterable[float], one: Faithfulness) -> list[float]:
    return [(float(value) - one.covered) / one.gain for value in curve]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
