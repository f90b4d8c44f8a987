"""Right captions, read by a model that may not yet write them: the maps of their words by what came before."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import tam_widget as tam
from interference_figures.contexts import CONTEXTS, contexts_of
from scored_words.function_words import functions_of
from scored_words.judged import VARIANTS, AnswerMaps, fit
from scored_words.targets import NAMING, caption_targets
from tam_widget.demo.scenery.language import caption
from tam_widget.evaluation import f1_iou

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scored_words.held_out import HeldOut
    from scored_words.kept import Row
    from scored_words.model import Model
    from tam_widget.demo.scenery.staging import Kind

EVERY = "every"


@dataclass(frozen=True)
class Series:
    """Scenes of a kind, and how their captions are told."""

    kind: Kind
    adjectives: bool = True

    @property
    def name(self) -> str:
        """As tables and figures call it."""
        return self.kind if self.adjectives else f"{self.kind}, no adjectives"


SERIES = (Series("objects"), Series("overlap"), Series("overlap", adjectives=False))


def read_caption(model: Model, held: HeldOut, *, adjectives: bool) -> Row:
    """Measure the words of a scene's right caption, given to the model as its answer.

    Returns
    -------
    dict
        Ready for JSON. ``words``: each word's group, its context and its scores by method. ``functions``: the scores
        of function words.
    """
    told = caption(held.staging, adjectives=adjectives)
    scene = held.scene
    maps = AnswerMaps(tam.explain(model.model, model.processor, scene.image, scene.prompt, answer=told))
    contexts = contexts_of(maps.words, held)
    targets = caption_targets(maps.words, held)
    words = [
        {
            "group": target.group,
            "context": contexts[target.word],
            "scores": {name: fit(found, target.mask) for name, found in maps.of(target.word).items()},
        }
        for target in targets
    ]
    return {"seed": scene.seed, "words": words, "functions": functions_of(maps, targets)}


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the means over scenes, a line for each method and context.

    Returns
    -------
    list of dict
        ``method``; ``context`` (:data:`EVERY` or one of :data:`~interference_figures.contexts.CONTEXTS`); ``words``,
        how many; ``object_iou`` and ``pointing`` of shape, colour and, by context, size words; and of every context
        together ``function_iou``, ``zero`` (share of function words without any activation) and ``f1_iou``, else None.
    """
    words = [word for row in rows for word in row["words"]]
    lines = []
    for method in VARIANTS:
        functions = [word[method] for row in rows for word in row["functions"]]
        named = [word["scores"][method] for word in words if word["group"] in NAMING]
        function_iou = _mean(functions, "iou")
        object_iou = _mean(named, "iou")
        lines.append(
            {
                "method": method,
                "context": EVERY,
                "words": len(named),
                "object_iou": object_iou,
                "pointing": _mean(named, "points"),
                "function_iou": function_iou,
                "zero": _mean(functions, "zero"),
                "f1_iou": None if None in {object_iou, function_iou} else f1_iou(object_iou or 0, function_iou or 0),
            }
        )
        for context in CONTEXTS:
            scores = [word["scores"][method] for word in words if word["context"] == context]
            if scores:
                lines.append(
                    {
                        "method": method,
                        "context": context,
                        "words": len(scores),
                        "object_iou": _mean(scores, "iou"),
                        "pointing": _mean(scores, "points"),
                        **dict.fromkeys(("function_iou", "zero", "f1_iou")),
                    }
                )
    return lines


def _mean(scores: Sequence[Row], key: str) -> float | None:
    return statistics.mean(one[key] for one in scores) if scores else None
