"""Follow causal inference through training: what it takes away from maps, and whether that was interference.

Trains the six short runs of ``interference_figures/runs.py``, one of which is the demo model "noisy", or reads the
weights that other runs have kept (``--runs``); gives each model the right captions of held-out scenes as its answers,
so that an early model's wrong words do not matter, and holds the maps of their words against the exact masks: CAM,
causal inference only, filter only, TAM. Three kinds of captions: of things that stand apart; of one thing on or in
front of another; and the same told without adjectives, "A star is on a circle.", so that no two words of one thing
follow each other.

Writes ``interference.csv``, ``course.png`` (F1-IoU, or another measure, along training) and ``gain.png``: what causal
inference adds to Obj-IoU, by what a word's earlier context speaks of. Words of *the same thing* share its place; there
is nothing to be taken away but signal. Words of *another thing* have another place; what they leave in a map is
interference.

Usage: ``python benchmarks/interference.py --scenes 100``, or with ``--runs runs/qwen runs/other``. What is trained is
kept in ``runs/interference`` and what is measured in ``runs/figures``, so a stopped script goes on where it was, and a
growing run is measured where it has grown.
"""

from __future__ import annotations

import argparse
import csv
import sys
from functools import partial
from pathlib import Path
from typing import Any

from interference_figures.measures import SERIES, Series, read_caption, summary
from interference_figures.plots import course, gain
from interference_figures.runs import trained
from interference_figures.training_course import TrainingCourse
from scored_words.held_out import FIRST_SEED, held_out
from scored_words.kept import FOLDER, Row, digest_of_files, digest_of_scenes, rows_of
from scored_words.model import Model


def main() -> None:
    """Measure, write and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", nargs="+", type=Path, help="folders of training runs; trained here when left out")
    parser.add_argument("--scenes", type=int, default=100, help="of each kind")
    parser.add_argument("--out", type=Path, default=FOLDER / "interference", help="folder of the table and the plots")
    parser.add_argument("--measure", choices=("f1_iou", "object_iou", "function_iou"), default="f1_iou")
    arguments = parser.parse_args()
    runs = arguments.runs or trained(Path("runs/interference"))
    if len({run.name for run in runs}) < len(runs):
        parser.error("the runs' folders need different names")

    lines = [line for run in runs for line in _followed(run, arguments.scenes)]
    if not lines:
        sys.exit("no run has kept any weights yet")
    arguments.out.mkdir(parents=True, exist_ok=True)
    with (arguments.out / "interference.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(_rounded(line) for line in lines)
    course(lines, arguments.measure).savefig(arguments.out / "course.png", dpi=150)
    gain(lines).savefig(arguments.out / "gain.png", dpi=150)
    print(f"{arguments.out}: interference.csv, course.png, gain.png")


def _followed(run: Path, scenes: int) -> list[dict[str, Any]]:
    """Return the summaries of all that a run has kept, and say on the standard error how far they are."""
    training = TrainingCourse(run)
    digests = {series: digest_of_scenes(series.kind) for series in SERIES}
    lines = []
    for step, path in training.steps.items():
        model = training.at(step)
        weights = digest_of_files([path])
        for series in SERIES:
            print(f"\r{training.name}, step {step}: {series.name:25}", end="", file=sys.stderr, flush=True)
            rows = rows_of(
                f"{weights}/read-{series.kind}{'' if series.adjectives else '-bare'}-{digests[series]}",
                range(FIRST_SEED, FIRST_SEED + scenes),
                partial(_row, model, series),
            )
            known = {"run": training.name, "step": step, "scenes": series.name}
            lines += [{**known, **line} for line in summary(rows)]
    print(file=sys.stderr)
    return lines


def _row(model: Model, series: Series, seed: int) -> Row:
    return read_caption(model, held_out(seed, series.kind), adjectives=series.adjectives)


def _rounded(line: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in line.items()}


if __name__ == "__main__":
    main()
