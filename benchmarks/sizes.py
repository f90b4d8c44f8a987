"""How time and memory of maps grow with cells, tokens, pictures and frames, beside what the machine could do at best.

Explanations of random states as wide as those of Qwen2-VL-2B, in bfloat16, with tokens drawn as words occur in text (by
Zipf's law), so that a long answer repeats itself as answers do. Times are the processor's, on one thread, which another
program's work disturbs least; memory is what the process adds at its highest (see ``benchmarks/maps.py``).

The limit of memory is the bytes that have to be moved, once each, by the rate at which this machine copies. For a hover
these are the scores of the text's classes; for all maps the states, the head's rows, the scores (written and read) and
the maps. The limit of arithmetic is the multiplications that the equations ask for, scores and estimates, by the rate
of this machine's matrix product; the rank Gaussian filter and all else come on top.

Usage: python benchmarks/sizes.py [--largest 134217728] [--write docs/sizes.md]
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from maps import peak_memory
from marked_page import page_with
from tam_widget.explanation import Explanation
from tam_widget.media.videos import Video
from tam_widget.models.activations import Activations
from tam_widget.models.layout import Panel
from tam_widget.text.tokens import Token

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 1536
VOCABULARY = 20_000
PROMPT = 8
COLUMNS = (
    "grid",
    "cells",
    "tokens",
    "classes",
    "first hover",
    "next hover",
    "limit: memory",
    "all maps",
    "each token and cell",
    "limit: memory",
    "limit: arithmetic",
    "region, again",
    "memory added",
)
MARKS = ("<!-- sizes: made by benchmarks/sizes.py -->", "<!-- end of sizes -->")


@dataclass(frozen=True)
class Size:
    """What is explained: some pictures, or a video of some frames, each of one grid; and how many text tokens."""

    side: int
    tokens: int
    pictures: int = 1
    frames: int = 0

    @property
    def cells(self) -> int:
        """How many vision tokens there are."""
        return self.side**2 * max(self.pictures, self.frames)

    def __str__(self) -> str:
        """Return a cell of the table."""
        grid = f"{self.side} × {self.side}"
        if self.frames:
            return f"{self.frames} frames of {grid}"
        return f"{self.pictures} pictures of {grid}" if self.pictures > 1 else grid


SIZES = (
    *(Size(side, 2048) for side in (32, 64, 128)),
    *(Size(64, tokens) for tokens in (512, 8192)),
    Size(128, 8192),
    *(Size(16, 512, pictures=count) for count in (1, 8, 64)),
    *(Size(16, 512, frames=count) for count in (16, 64, 256)),
)


def explanation_of(size: Size, seed: int = 0) -> Explanation:
    """Make an explanation of random states."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    likely = 1 / (np.arange(VOCABULARY) + 2.7)
    ids = [int(i) for i in rng.choice(VOCABULARY, size.tokens, p=likely / likely.sum())]
    texts, tokens = {(0, "prompt"): "", (0, "answer"): ""}, []
    for index, i in enumerate(ids):
        role = "prompt" if index < PROMPT else "answer"
        start = len(texts[0, role])
        texts[0, role] += f" w{i}"
        tokens.append(Token(index, f" w{i}", i, role, 0, (start, len(texts[0, role]))))
    box = (0.0, 0.0, 28.0 * size.side, 28.0 * size.side)
    panels = tuple(
        Panel(
            0 if size.frames else k,
            "stitched",
            (size.side, size.side),
            box,
            np.arange(k * size.side**2, (k + 1) * size.side**2).reshape(size.side, size.side),
            frame=k if size.frames else None,
        )
        for k in range(max(size.pictures, size.frames))
    )
    shown = Image.new("RGB", (28 * size.side, 28 * size.side))
    film = Video((shown,) * size.frames, tuple(float(k) for k in range(size.frames)))
    classes = sorted(set(ids))
    activations = Activations(
        states=torch.randn(size.cells + size.tokens, WIDTH).bfloat16(),
        rows=torch.randn(len(classes), WIDTH).div_(WIDTH**0.5).bfloat16(),
        row_of={i: row for row, i in enumerate(classes)},
        ids=ids,
        key_of={i: i for i in classes},
        panels=panels,
        read_positions=range(size.cells, size.cells + size.tokens),
    )
    return Explanation(tokens, texts, [film] if size.frames else [shown] * size.pictures, activations, "random")


@dataclass(frozen=True)
class Machine:
    """What one thread of this machine does in a second: bytes read and written, float64 multiplications with sums."""

    bytes: float
    products: float


def measure_machine() -> Machine:
    """Copy 256 MiB, and multiply matrices of the shape that scores have; the best of some times."""
    values = torch.zeros(2**25, dtype=torch.float64)
    other = torch.ones_like(values)
    copied = min(cpu_seconds(lambda: values.copy_(other)) for _ in range(9))
    rows, states = (torch.randn(count, WIDTH, dtype=torch.float64) for count in (1024, 680))
    multiplied = min(cpu_seconds(lambda: rows @ states.T) for _ in range(9))
    return Machine(2 * values.nbytes / copied, len(rows) * len(states) * WIDTH / multiplied)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the processor's time that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


@dataclass(frozen=True)
class Measured:
    """Seconds and megabytes of one size."""

    size: Size
    classes: int
    first: float
    hover: float
    every: float
    region: float
    memory: float


def measure(size: Size) -> Measured:
    """Hover, hover again, make all maps, ask about a region again."""
    explanation = explanation_of(size)
    times: dict[str, float] = {}

    def work() -> None:
        last = size.tokens - 1
        times["first"] = cpu_seconds(lambda: explanation.heatmap(last))
        times["hover"] = statistics.median(
            cpu_seconds(lambda token=last - k: explanation.heatmap(token)) for k in range(1, 10)
        )
        times["every"] = cpu_seconds(explanation.prepare)
        frame = 0 if size.frames else None
        times["region"] = statistics.median(
            cpu_seconds(lambda k=k: explanation.responses((0, 0, 28.0 * (1 + k), 56.0), 0, frame)) for k in range(5)
        )

    memory = peak_memory(work, runs=1)
    return Measured(size, len({token.id for token in explanation.tokens}), **times, memory=memory)


def row(one: Measured, machine: Machine) -> str:
    """Return a line of the table."""
    cells, tokens, classes = one.size.cells, one.size.tokens, one.classes
    states = 2 * WIDTH * (cells + tokens + classes)
    scores = 8 * classes * (cells + tokens)
    hover_limit = 8 * classes * cells / machine.bytes
    memory_limit = (states + 2 * scores + 4 * tokens * (cells + tokens)) / machine.bytes
    products = classes * (cells + tokens) * WIDTH + tokens * classes / 2 * cells
    return (
        f"| {one.size} | {cells:,} | {tokens:,} | {classes:,} | {shown(one.first)} | {shown(one.hover)} "
        f"| {shown(hover_limit)} | {shown(one.every)} | {one.every / tokens / cells * 1e9:.0f} ns "
        f"| {shown(memory_limit)} | {shown(products / machine.products)} | {shown(one.region)} | {one.memory:,.0f} MB |"
    )


def shown(seconds: float) -> str:
    """Return a duration for the table."""
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.{0 if seconds >= 0.01 else 1}f} ms"


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the table into a page if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--largest", type=int, default=2**27, help="leave out what has more tokens × cells than this")
    parser.add_argument("--write", type=Path, help="a page whose table is made anew")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    machine = measure_machine()
    explanation_of(Size(8, 16)).maps()  # what torch does once
    about = (
        f"One thread of {platform.machine()} ({os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}), torch "
        f"{torch.__version__.split('+', maxsplit=1)[0]}; it copies {machine.bytes / 2e9:.1f} GB/s and multiplies "
        f"{2 * machine.products / 1e9:.0f} GFLOPS in float64. States {WIDTH:,} wide."
    )
    lines = [
        about,
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---|" + "--:|" * (len(COLUMNS) - 1),
    ]
    print("\n".join(lines), flush=True)
    for size in SIZES:
        if size.cells * size.tokens > options.largest:
            continue
        lines.append(row(measure(size), machine))
        print(lines[-1], flush=True)
        gc.collect()
    if options.write is not None:
        page = page_with("\n".join(lines), options.write.read_text(encoding="utf-8"), MARKS)
        options.write.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
