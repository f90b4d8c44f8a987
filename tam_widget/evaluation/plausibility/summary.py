"""The rows of a whole data set as a few means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tam_widget.evaluation.plausibility.metrics import f1_iou

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Summary", "aggregate"]


@dataclass(frozen=True)
class Summary:
    """Means over a data set; None where nothing was to be averaged.

    Attributes
    ----------
    objects, functions : int
        How many words Obj-IoU and Func-IoU are the means of.
    object_iou, function_iou : float or None
        Over all words of the data set, each word counting the same.
    f1_iou : float or None
        The harmonic mean of the two.
    zero_functions : float or None
        The share of function words whose maps are zero everywhere: these score a Func-IoU of 1 for free.
    precision, recall, energy, pointing : float or None
        Over the words of Obj-IoU.
    rouge_l, meteor : float or None
        Over the samples.
    """

    objects: int
    functions: int
    object_iou: float | None
    function_iou: float | None
    f1_iou: float | None
    zero_functions: float | None
    precision: float | None
    recall: float | None
    energy: float | None
    pointing: float | None
    rouge_l: float | None
    meteor: float | None


def aggregate(rows: Iterable[Mapping[str, Any]], samples: Iterable[Mapping[str, Any]] = ()) -> Summary:
    """Average the rows of a data set.

    Parameters
    ----------
    rows : iterable of WordRow
        All words of all samples; also as a table gives them back, with NaN for None.
    samples : iterable of mapping
        What :meth:`SampleScores.row` gave, for ROUGE-L and METEOR.
    """
    rows, samples = list(rows), list(samples)
    objects = [row for row in rows if _known(row["object_iou"])]
    functions = [row for row in rows if _known(row["function_iou"])]
    object_mean, function_mean = _mean(objects, "object_iou"), _mean(functions, "function_iou")
    return Summary(
        objects=len(objects),
        functions=len(functions),
        object_iou=object_mean,
        function_iou=function_mean,
        f1_iou=None if object_mean is None or function_mean is None else f1_iou(object_mean, function_mean),
        zero_functions=_mean(functions, "zero"),
        **{name: _mean(objects, name) for name in ("precision", "recall", "energy", "pointing")},
        **{name: _mean(samples, name) for name in ("rouge_l", "meteor")},
    )


def _known(value: Any) -> bool:
    return value is not None and not math.isnan(value)


def _mean(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    values = [float(row[name]) for row in rows if _known(row[name])]
    return math.fsum(values) / len(values) if values else None
