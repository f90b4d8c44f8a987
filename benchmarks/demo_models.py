"""Measure a demo model on held-out scenes: right answers, and how well its maps fit the exact masks.

Prints the Markdown tables of ``MODEL_CARD.md``: ``python benchmarks/demo_models.py --model qwen --scenes 500``. What is
measured is kept in ``runs/figures``, by the model's own digest: a stopped run goes on where it was, and another run
on the same model only prints.

Captions and answers are right when they equal the scene's own, word for word. Maps are those of what the model wrote,
where that is right, so that every word has a mask. Words are held against the mask of all things they are true of,
each with its best token, as the released evaluation does; of a pair's pictures and a film's groups of frames, all
together under one threshold. Function words (a, an, the, and, there) are held against the mean Otsu threshold of the
caption's shape words.

*CAM* is the raw activation, min-max scaled together with the relevances as TAM is; *causal inference only* and *filter
only* add one half each; *attention* is the last layer's, averaged over heads, from the position that predicts the word
to the vision tokens, min-max scaled a word. It is there for single pictures only.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from demo_model_figures import tables
from demo_model_figures.failures import failures
from demo_model_figures.measuring import measure
from demo_model_figures.opening import folder_of, kinds_of, open_model
from demo_model_figures.timing import time_to_answer
from scored_words.held_out import FIRST_SEED, held_out
from scored_words.kept import Row, digest_of_files, digest_of_scenes, rows_of
from scored_words.model import Model
from tam_widget.demo.scenery.staging import KINDS, THINGS_KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tam_widget.demo.scenery.staging import Kind


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="qwen", help="a demo model's name, or the folder of one")
    parser.add_argument("--scenes", type=int, default=500, help="of each kind")
    parser.add_argument(
        "--kinds", nargs="+", choices=(*KINDS, *THINGS_KINDS), help="kinds of scenes; all that the model is shown"
    )
    parser.add_argument("--failures", type=int, metavar="N", help="list up to N wrong answers a kind, and no tables")
    parser.add_argument("--no-time", action="store_true", help="leave the time of fresh processes out")
    parser.add_argument("--fresh", action="store_true", help="measure again what is kept")
    arguments = parser.parse_args()

    model, folder = open_model(arguments.model), folder_of(arguments.model)
    kinds = arguments.kinds or kinds_of(arguments.model, model)
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.scenes)
    rows = _measured(model, folder, kinds, seeds, fresh=arguments.fresh)
    if arguments.failures is not None:
        print(failures(rows, arguments.failures))
        return
    print(f"Held-out scenes {seeds[0]} to {seeds[-1]} of each kind.\n")
    print(f"Share of right answers, by kind of scene.\n\n{tables.accuracy(rows)}\n")
    if of_things := {kind: found for kind, found in rows.items() if kind in THINGS_KINDS}:
        print(f"Things named in captions.\n\n{tables.named(of_things)}\n")
    print(f"{tables.words(rows)}\n")
    print(f"By kind of scene: Obj-IoU of shape and colour words / F1-IoU / energy inside.\n\n{tables.by_kind(rows)}\n")
    if "moving" in rows:
        print(f"The moving thing's shape word: pointing / energy inside.\n\n{tables.groups(rows['moving'])}\n")
    print(f"Second turns: Obj-IoU / pointing / pointing at another thing.\n\n{tables.second_turns(rows)}")
    if not arguments.no_time:
        print(f"\nMedian of five fresh processes.\n\n{time_to_answer(str(folder.resolve()), kinds[0])}")


def _measured(
    model: Model, folder: Path, kinds: Sequence[Kind], seeds: Sequence[int], *, fresh: bool
) -> dict[str, list[Row]]:
    """Return the rows of each kind of scene, and say on the standard error how far they are."""
    weights = digest_of_files(path for path in folder.iterdir() if path.is_file())
    rows: dict[str, list[Row]] = {}
    for kind in kinds:
        name = f"{weights}/{kind}-{digest_of_scenes(kind)}"
        rows[kind] = rows_of(name, seeds, partial(_row, model, kind, seeds[-1]), fresh=fresh)
    print(file=sys.stderr)
    return rows


def _row(model: Model, kind: Kind, last: int, seed: int) -> Row:
    print(f"\r{kind}: scene {seed}, up to {last} ", end="", file=sys.stderr, flush=True)
    return measure(model, held_out(seed, kind))


if __name__ == "__main__":
    main()
