"""How long a fresh process takes to load a model and to answer.

``python -m demo_model_figures.timing MODEL KIND`` is one run.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from tam_widget.demo.scenery.staging import Kind

_STEPS = {
    "import": "importing the package, with torch and transformers",
    "load": "loading model and processor",
    "answer": "one answer with its maps",
    "again": "the next answer with its maps",
}


def time_to_answer(model: str, kind: Kind, runs: int = 5) -> str:
    """Return the medians over fresh processes as a Markdown table; the files are in the system's cache after one."""
    from demo_model_figures.tables import table

    scripts = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, (scripts, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "demo_model_figures.timing", model, kind]
    found = []
    for _ in range(runs + 1):
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, check=True)  # noqa: S603
        found.append(json.loads(done.stdout))
    medians = {step: statistics.median(one[step] for one in found[1:]) for step in _STEPS}
    return table(["step", "seconds"], [[what, f"{medians[step]:.2f}"] for step, what in _STEPS.items()])


def _once(model: str, kind: Kind) -> dict[str, float]:
    marks = [time.perf_counter()]

    def passed() -> float:
        marks.append(time.perf_counter())
        return marks[-1] - marks[-2]

    import tam_widget as tam
    from demo_model_figures.opening import open_model
    from scored_words.held_out import FIRST_SEED

    seconds = {"import": passed()}
    opened = open_model(model)
    seconds["load"] = passed()
    for seed, step in ((FIRST_SEED, "answer"), (FIRST_SEED + 1, "again")):
        scene = tam.demo.scene(seed, kind)
        passed()
        tam.explain(opened.model, opened.processor, scene.image, scene.prompt).maps()
        seconds[step] = passed()
    return seconds


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_once(sys.argv[1], cast("Kind", sys.argv[2]))))
