"""How often ``ex.check()`` says the right kind, where the truth is known without looking at a map.

Held-out scenes of one thing, and the word for its shape:

- *own*: the model's own right answer. The truth is found by covering the cells that hold the thing (its mask is known),
  as a check covers a place. Where that costs more than 0.5 nats, the word needs the thing.
- *given*: the right caption with another shape, which nothing in the picture speaks for.
- *hidden*: the right caption of a picture whose thing lies under the mean colour.

Then scenes whose ground betrays the shape (see ``tam_widget/demo/shortcut.py``), with the demo model, which reads the
thing, and with one that was taught to read the ground: right for the wrong reason. There a place counts as the thing's
where most of its cells hold some of it.

Usage: ``python benchmarks/verdicts.py --scenes 40 --model qwen``; prints a table in Markdown, and each verdict as it
comes to the other stream.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import tam_widget as tam
from tam_widget.checks.verdict import KINDS, LEAST
from tam_widget.demo.scenery.drawing import SHAPES
from tam_widget.evaluation import Covering, Explained
from tam_widget.evaluation.faithfulness.regions import cells_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

PROMPT = "Describe this image."


@dataclass(frozen=True)
class Judged:
    """One word: what is true of it, what the verdict says, and whether its place lies on the thing."""

    case: str
    truth: str
    verdict: tam.Verdict
    on_thing: bool


def judged_scene(pair: tuple[Any, Any], seed: int) -> Iterator[Judged]:
    """Yield the three cases of one scene; *own* only where the model's answer names the right shape."""
    scene = tam.demo.scene(seed, objects=1)
    (thing,) = scene.objects
    ex = tam.explain(*pair, scene.image, PROMPT)
    if ex.occurrences(thing.shape):
        needs = cost_of_thing(pair, ex, thing.mask, thing.shape) > LEAST
        yield judged("own", "needs its thing" if needs else "does not need its thing", ex, thing.shape, thing.mask)
    other = SHAPES[(SHAPES.index(thing.shape) + 1 + seed % (len(SHAPES) - 1)) % len(SHAPES)]
    ex = tam.explain(*pair, scene.image, PROMPT, answer=scene.caption.replace(thing.shape, other))
    yield judged("given", "not in the picture", ex, other, thing.mask)
    covering = Covering(Explained(*pair, ex))
    hidden = covering.picture(cells_of(ex, thing.mask))
    ex = tam.explain(*pair, hidden, PROMPT, answer=scene.caption)
    yield judged("hidden", "not in the picture", ex, thing.shape, thing.mask)


def judged_shortcuts(pair: tuple[Any, Any], name: str, scenes: Iterable[tam.demo.ShortcutScene]) -> Iterator[Judged]:
    """Yield the shape words of right answers to scenes whose ground agrees with the thing."""
    for scene in scenes:
        ex = tam.explain(*pair, scene.image, scene.prompt)
        if ex.occurrences(scene.shape):
            needs = cost_of_thing(pair, ex, scene.mask, scene.shape) > LEAST
            truth = "needs its thing" if needs else "does not need its thing"
            yield judged(name, truth, ex, scene.shape, scene.mask)


def judged(case: str, truth: str, ex: tam.Explanation, word: str, mask: NDArray[np.bool_]) -> Judged:
    """Check a word, and look where its place lies."""
    verdict = ex.check(word)
    on_thing = verdict.place is not None and bool(cells_of(ex, mask)[verdict.place].mean() > 0.5)
    print(f"{case}; {truth}; {verdict}; place on the thing: {on_thing}", file=sys.stderr, flush=True)
    return Judged(case, truth, verdict, on_thing)


def cost_of_thing(pair: tuple[Any, Any], ex: tam.Explanation, mask: NDArray[np.bool_], word: str) -> float:
    """Return what a word loses with the cells that hold its thing, in nats; the mean over both ways of covering."""
    cells, explained = cells_of(ex, mask), Explained(*pair, ex)
    (tokens, *_) = [found for found in ex.occurrences(word) if ex.tokens[found[0]].role == "answer"]
    lost = []
    for cover in ("mean", "blur"):
        found = Covering(explained, cover).log_probabilities(np.stack([np.zeros_like(cells), cells]))[:, tokens]
        lost.append(float((found[0] - found[1]).sum()))
    return sum(lost) / len(lost)


def table(found: Iterable[Judged]) -> str:
    """Return how many words came out as each kind, by case and truth, and how many of their places lie on the thing."""
    rows: dict[tuple[str, str], list[Judged]] = {}
    for one in found:
        rows.setdefault((one.case, one.truth), []).append(one)
    lines = [
        f"| words | truth | n | {' | '.join(KINDS)} | place on the thing |",
        f"|---|---|{'--:|' * (len(KINDS) + 2)}",
    ]
    for (case, truth), own in rows.items():
        counts = Counter(one.verdict.kind for one in own)
        kinds = " | ".join(str(counts[kind]) for kind in KINDS)
        lines.append(f"| {case} | {truth} | {len(own)} | {kinds} | {sum(one.on_thing for one in own)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=40, help="of each of the two sets")
    parser.add_argument("--model", default="qwen", help="a demo model; the shortcut is taught to a copy of it")
    arguments = parser.parse_args()
    model, processor = tam.load_demo(arguments.model)
    scenes = tam.demo.shortcut_scenes(arguments.scenes)
    found = [one for seed in range(arguments.scenes) for one in judged_scene((model, processor), seed)]
    found += judged_shortcuts((model, processor), "telling ground, honest model", scenes)
    taught = tam.demo.learn_shortcut(model, processor)
    found += judged_shortcuts((taught, processor), "telling ground, shortcut model", scenes)
    print(table(found))


if __name__ == "__main__":
    main()
