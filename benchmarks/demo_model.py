"""Measure the demo model on held-out scenes: right answers, and how well its maps fit the exact masks.

Prints two Markdown tables for ``MODEL_CARD.md``: ``python benchmarks/demo_model.py --scenes 500``.

Captions and answers are right when they equal the scene's own, word for word. Maps are those of the caption
that the model wrote, on the scenes whose caption is right, so that every word has a mask. Shape and colour
words are held against the mask of all things they are true of, each with its best token, as the released
evaluation does; function words (a, and, there) against the mean Otsu threshold of the caption's shape words.

*CAM* is the raw activation, min-max scaled together with the relevances as TAM is; *causal inference only*
and *filter only* add one half each; *attention* is the last layer's, averaged over heads, from the position
that predicts the word to the vision tokens, min-max scaled a word.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import tam_widget as tam
from tam_widget.demo import Scene
from tam_widget.demo.drawing import COLOURS, SHAPES
from tam_widget.evaluation import (
    Explained,
    f1_iou,
    function_iou,
    method_maps,
    object_iou,
    otsu_threshold,
    points_inside,
    to_mask_size,
)

FIRST_SEED = 10_000
PROMPT = "Describe this image."
FUNCTION_WORDS = {"a", "and", "there"}  # determiner, conjunction and existential there: what the released code counts
VARIANTS = {
    "CAM (neither)": {"causal_inference": False, "kernel_size": 1},
    "causal inference only": {"causal_inference": True, "kernel_size": 1},
    "filter only": {"causal_inference": False, "kernel_size": 3},
    "TAM (both)": {"causal_inference": True, "kernel_size": 3},
}
ATTENTION = "last-layer attention"
BOUND = "best possible at this grid"


@dataclass
class Scores:
    """What one method scored, a number for each word."""

    shapes: list[float] = field(default_factory=list)
    colours: list[float] = field(default_factory=list)
    functions: list[float] = field(default_factory=list)
    zero: list[bool] = field(default_factory=list)
    points: dict[str, list[bool]] = field(default_factory=lambda: {"shapes": [], "colours": []})
    ratios: list[float] = field(default_factory=list)

    def row(self, name: str) -> str:
        """One row of the table of maps."""
        objects = statistics.mean(self.shapes + self.colours)
        cells = [name, f"{objects:.3f} ({statistics.mean(self.shapes):.3f} / {statistics.mean(self.colours):.3f})"]
        if self.functions:
            functions = statistics.mean(self.functions)
            cells += [f"{functions:.3f}", f"{statistics.mean(self.zero):.3f}", f"{f1_iou(objects, functions):.3f}"]
        else:
            cells += ["", "", ""]
        cells.append(" / ".join(f"{statistics.mean(hits):.3f}" for hits in self.points.values()))
        cells.append(f"{statistics.median(self.ratios):.0f}" if np.isfinite(statistics.median(self.ratios)) else "∞")
        return "| " + " | ".join(cells) + " |"


def score(scores: Scores, ex: Any, scene: Scene, maps: np.ndarray) -> None:
    """Add one caption's words to a method's scores; `maps` has a map for each token."""
    words = [word for word in ex.words if word.tokens[0].role == "answer"]

    def resized(word: Any) -> list[np.ndarray]:
        return [to_mask_size(maps[token.index], scene.objects[0].mask.shape) for token in word.tokens]

    thresholds = []
    for word in words:
        text = word.text.strip().lower()
        if text not in SHAPES and text not in COLOURS:
            continue
        kind = "shapes" if text in SHAPES else "colours"
        mask = scene.mask(text)
        levels = max(resized(word), key=lambda levels: object_iou(levels, mask))
        getattr(scores, kind).append(object_iou(levels, mask))
        scores.points[kind].append(points_inside(levels, mask))
        outside = levels[~mask].mean()
        scores.ratios.append(levels[mask].mean() / outside if outside else float("inf"))
        if kind == "shapes":
            thresholds.append(max(otsu_threshold(levels) for levels in resized(word)))
    for word in words:
        if word.text.strip().lower() in FUNCTION_WORDS:
            levels = resized(word)[0]
            scores.functions.append(function_iou(levels, thresholds))
            scores.zero.append(not levels.any())


def bound_maps(scene: Scene, ex: Any) -> np.ndarray:
    """Return the share of each cell that the word's mask covers: what a perfect map of this grid would be."""
    rows, columns = ex.grids[0]
    maps = np.zeros((len(ex.tokens), rows, columns), np.float32)
    for word in ex.words:
        text = word.text.strip().lower()
        if word.tokens[0].role == "answer" and (text in SHAPES or text in COLOURS):
            mask = scene.mask(text)
            cells = mask.reshape(rows, mask.shape[0] // rows, columns, -1).mean((1, 3))
            for token in word.tokens:
                maps[token.index] = cells
    return maps


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=500)
    arguments = parser.parse_args()
    model, processor = tam.load_demo()

    right: dict[str, list[bool]] = defaultdict(list)
    methods = {name: Scores() for name in (*VARIANTS, ATTENTION, BOUND)}
    for seed in range(FIRST_SEED, FIRST_SEED + arguments.scenes):
        scene = tam.demo.scene(seed)
        ex = tam.explain(model, processor, scene.image, PROMPT)
        right["caption"].append(ex.answer == scene.caption)
        by_kind: dict[str, list[Any]] = defaultdict(list)
        for question in scene.questions:
            by_kind[question.kind].append(question)
        for kind, questions in by_kind.items():
            question = questions[seed % len(questions)]
            said = tam.explain(model, processor, scene.image, question.text, max_new_tokens=32).answer
            right[kind].append(said == question.answer)
        if not right["caption"][-1]:
            continue
        for name, options in VARIANTS.items():
            score(methods[name], ex, scene, ex.maps(**options).images[0])
        score(methods[ATTENTION], ex, scene, method_maps("attention", Explained(model, processor, ex)))
        score(methods[BOUND], ex, scene, bound_maps(scene, ex))
    methods[BOUND].functions.clear()

    print(f"Held-out scenes {FIRST_SEED} to {FIRST_SEED + arguments.scenes - 1}.\n")
    print("| asked for | right, word for word | of |\n|---|---|---|")
    for kind, answers in right.items():
        print(f"| {kind} | {statistics.mean(answers):.3f} | {len(answers)} |")
    print(
        "\n| map | Obj-IoU (shape / colour words) | Func-IoU | of it all-zero maps | F1-IoU | "
        "pointing shape / colour | inside ÷ outside, median |\n|---|---|---|---|---|---|---|"
    )
    for name, scores in methods.items():
        print(scores.row(name))


if __name__ == "__main__":
    main()
