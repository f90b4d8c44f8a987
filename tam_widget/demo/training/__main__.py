"""Train a demo model: ``python -m tam_widget.demo.training qwen --run runs/qwen --export out/``."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

from tam_widget.demo.training.recipes import RECIPES

# glibc gives large blocks back to the system after every step and takes them again: a third of the time is page
# faults. It reads these settings when a process starts, so the process starts itself again with them.
_ENVIRONMENT = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "100000000000",
    "MALLOC_TOP_PAD_": "268435456",
}


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tam_widget.demo.training", description=__doc__)
    parser.add_argument("recipe", choices=tuple(RECIPES))
    parser.add_argument("--run", type=Path, required=True, help="folder of checkpoint and log; a run there goes on")
    parser.add_argument("--export", type=Path, help="folder to write the finished model to")
    parser.add_argument("--tower", type=Path, help="folder of the tower that is not trained, of a recipe that has one")
    parser.add_argument("--seed", type=int, help="the recipe's own when left out")
    arguments = parser.parse_args()
    if not _ENVIRONMENT.keys() <= os.environ.keys():
        command = [sys.executable, "-m", "tam_widget.demo.training", *sys.argv[1:]]
        os.execve(sys.executable, command, os.environ | _ENVIRONMENT)  # noqa: S606
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stdout)

    from tam_widget.demo.training.loop import Run

    recipe = RECIPES[arguments.recipe]
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    if (arguments.tower is None) == (recipe.family == "lite") and not (arguments.run / "checkpoint.pt").exists():
        parser.error(f"{arguments.recipe} {'needs' if recipe.family == 'lite' else 'has no use for'} a --tower")
    run = Run(arguments.run, recipe, arguments.tower)
    run.train()
    if arguments.export:
        run.export(arguments.export)


if __name__ == "__main__":
    main()
