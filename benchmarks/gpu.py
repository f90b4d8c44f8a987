"""What the product costs on a GPU: real configurations with random weights, and maps held against those of the CPU.

For Qwen2-VL-2B and Qwen2.5-VL-7B in bfloat16, a picture of 1,344 × 1,008 pixels and 256 new tokens: ``generate`` plain,
with our capture, and with ``output_hidden_states=True``, taking turns, with the peak of memory of each; all maps of the
answer, one hover; the same maps for a picture of 4,096 cells; how much of the card's bandwidth all maps reach; and the
largest difference of maps made on the GPU from those made on the CPU of the same states.

Needs torch, transformers, numpy, pillow and matplotlib, no network and no installation: ``make gpu``, or
``PYTHONPATH=. python benchmarks/gpu.py``. Each section is written to the JSON file as it ends; none begins after
``--minutes``. ``python benchmarks/gpu_table.py out/gpu.json`` puts the figures into the docs. Exit status 1 where maps
differ by more than they may.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers
from PIL import Image

import tam_widget as tam
from at_size.measuring import copy_bandwidth, interleaved
from at_size.models import SIZES, build_model
from at_size.processor import CELL, WORDS, build_processor
from tam_widget.maps import activation_maps, rank_gaussian_filter
from tam_widget.models import capture
from tam_widget.models.inputs.conversation import prepare
from tam_widget.models.inputs.messages import conversation_from

if TYPE_CHECKING:
    from collections.abc import Callable


TOLERANCE = {"float32": 1e-4, "bfloat16": 1 / 255}
"""Of filtered maps in [0, 1], GPU against CPU. States in bfloat16 are multiplied in another order on each; 1/255 is one
level of what the browser paints."""

PROMPT = "word11 word22 word33"
ROUNDS = 3


def picture(rows: int, columns: int) -> Image.Image:
    """Return a noisy picture of so many cells; nothing is resized."""
    chance = np.random.default_rng(0)
    return Image.fromarray(chance.integers(0, 256, (rows * CELL, columns * CELL, 3), dtype=np.uint8))


class Bench:
    """One model on one device, and what is measured with it.

    Parameters
    ----------
    size : str
        One of :data:`at_size.models.SIZES`.
    device : torch.device
    options : argparse.Namespace
        ``new_tokens``, the length of the answer; ``grid`` and ``large``, rows and columns of the picture's cells and of
        the large picture's; ``rounds``, how often each way is run.
    """

    def __init__(self, size: str, device: torch.device, options: argparse.Namespace) -> None:
        self.device, self.rounds = device, options.rounds
        self.grid, self.large = tuple(options.grid), tuple(options.large)
        dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
        self.model = build_model(SIZES[size], device, dtype)
        self.processor = build_processor()
        vocabulary = SIZES[size].text["vocab_size"]
        self.options: dict[str, Any] = {
            "max_new_tokens": options.new_tokens,
            "min_new_tokens": options.new_tokens,
            "do_sample": False,
            "suppress_tokens": list(range(WORDS, vocabulary)),  # so that every token is a word
        }

    def sections(self) -> dict[str, Callable[[], Any]]:
        """Return what is measured, by name, in order."""
        return {
            "generate": self.generate,
            "maps": partial(self.maps, self.grid),
            "maps of a large picture": partial(self.maps, self.large),
            "agreement": self.agreement,
        }

    def generate(self) -> dict[str, Any]:
        """Generate in three ways, in turn."""
        conversation = conversation_from(picture(*self.grid), None, PROMPT)
        inputs = prepare(self.processor, conversation).inputs
        inputs = capture.on_device(self.model, inputs)
        ways = {
            "plain": lambda: self.model.generate(**inputs, **self.options),
            "capture": lambda: capture.generate(self.model, inputs, **self.options),
            "output_hidden_states": lambda: self.model.generate(
                **inputs, **self.options, output_hidden_states=True, return_dict_in_generate=True
            ),
        }
        with torch.no_grad():
            found = interleaved(ways, self.device, self.rounds)
        return {"positions": int(inputs["input_ids"].shape[1]), "ways": found}

    def maps(self, grid: tuple[int, int]) -> dict[str, Any]:
        """Make all maps of an answer, and one map as the first hover asks for it."""
        ex = tam.explain(self.model, self.processor, picture(*grid), PROMPT, **self.options)
        if len(ex.find("word11")) == 0 or ex.grids != (grid,):
            raise RuntimeError(f"the explanation is not of what was asked: {ex!r:.200}")
        # A fresh bank each time: an explanation keeps the maps it has made.
        fresh = lambda: tam.Explanation(ex.tokens, ex.texts, ex.images, ex._bank._activations, "")  # noqa: E731, SLF001
        last = len(ex.tokens) - 1
        ways = {"one hover": lambda: fresh().heatmap(last), "all maps": lambda: fresh().maps()}
        found = interleaved(ways, self.device, max(5, self.rounds))
        have = ex._bank._activations  # noqa: SLF001
        moved = self._least_bytes(have, grid[0] * grid[1])
        rate = moved / found["all maps"]["median"]
        return {
            "cells": grid[0] * grid[1],
            "tokens": len(ex.tokens),
            "ways": found,
            "least bytes": moved,
            "bytes a second": rate,
            "share of bandwidth": rate / copy_bandwidth(self.device, 2**30 if self.device.type == "cuda" else 2**26),
        }

    @staticmethod
    def _least_bytes(have: Any, cells: int) -> int:
        """Count what no way can do without: states and rows are read, scores and maps written and read, once each."""
        tokens, width = len(have.ids), have.states.element_size()
        read = (have.states.numel() + have.rows.numel()) * width
        scores = tokens * (cells + tokens) * 4
        return read + 2 * scores + 2 * tokens * cells * 4

    def agreement(self) -> dict[str, Any]:
        """Hold filtered maps of random states against those that the CPU makes of the same states."""
        rows, columns = self.grid
        cells, tokens = rows * columns, 64
        width = self.model.config.text_config.hidden_size
        chance = torch.Generator().manual_seed(0)
        states = torch.randn(cells + tokens, width, generator=chance)
        heads = torch.randn(tokens, width, generator=chance) / width**0.5
        keys = [number % 48 for number in range(tokens)]
        found = {}
        for name, allowed in TOLERANCE.items():
            dtype = getattr(torch, name)
            made = [
                rank_gaussian_filter(
                    activation_maps(
                        states.to(device, dtype),
                        heads.to(device, dtype),
                        range(tokens),
                        range(cells, cells + tokens),
                        keys,
                        range(cells),
                    ).image.view(-1, rows, columns)
                ).cpu()
                for device in (self.device, torch.device("cpu"))
            ]
            largest = float((made[0] - made[1]).abs().max())
            found[name] = {"largest difference": largest, "allowed": allowed, "held": largest <= allowed}
        return found


def describe(device: torch.device) -> dict[str, Any]:
    """Return what it was measured on."""
    told: dict[str, Any] = {
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return told | {
            "device": properties.name,
            "memory GiB": properties.total_memory / 2**30,
            "copy bandwidth": copy_bandwidth(device),
        }
    return told | {"device": f"CPU, {torch.get_num_threads()} threads", "copy bandwidth": copy_bandwidth(device, 2**26)}


def main(arguments: list[str] | None = None) -> int:
    """Measure and write; return 1 where maps differ by more than they may."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", nargs="+", choices=sorted(SIZES.keys() - {"100m"}), default=["2b", "7b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--new-tokens", type=int, default=256)
    parser.add_argument("--grid", type=int, nargs=2, default=(36, 48), metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--large", type=int, nargs=2, default=(64, 64), metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--minutes", type=float, default=7.0, help="no section begins after so long")
    parser.add_argument("--out", type=Path, default=Path("out/gpu.json"))
    options = parser.parse_args(arguments)
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error("there is no CUDA device that this torch can use; --device cpu --size tiny tries the script")
    began, device = time.monotonic(), torch.device(options.device)
    report: dict[str, Any] = {"machine": describe(device), "models": {}, "left out": []}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    for size in options.size:
        bench = Bench(size, device, options)
        parameters = sum(one.numel() for one in bench.model.parameters())
        mine = report["models"][SIZES[size].name] = {
            "parameters": parameters,
            "dtype": str(bench.model.dtype),
            "new tokens": options.new_tokens,
        }
        for name, section in bench.sections().items():
            if time.monotonic() - began > options.minutes * 60:
                report["left out"].append(f"{SIZES[size].name}: {name}")
                continue
            mine[name] = section()
            print(f"{time.monotonic() - began:6.1f} s  {SIZES[size].name}: {name}", flush=True)
            options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        del bench
        if device.type == "cuda":
            torch.cuda.empty_cache()
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(options.out)
    held = [one["held"] for model in report["models"].values() for one in model.get("agreement", {}).values()]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
