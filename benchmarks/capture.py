"""What does reading the states cost? ``generate`` with capture against plain ``generate``, and all maps of the answer.

In one process, the ways taking turns; prints the ratio of medians, and on a GPU the peak of memory:
``python benchmarks/capture.py`` for a randomly initialised Qwen2-VL of about 100 million parameters on the CPU,
``python benchmarks/capture.py --size 2b --new-tokens 256`` for the real configuration of Qwen2-VL-2B in bfloat16 and a
picture of 1,344 × 1,008 pixels, on a GPU where there is one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from transformers import Qwen2VLForConditionalGeneration

from at_size.measuring import interleaved
from at_size.models import SIZES, build_model
from tam_widget.maps import activation_maps, rank_gaussian_filter
from tam_widget.models import capture

if TYPE_CHECKING:
    from collections.abc import Callable

GRIDS = {"tiny": (4, 4), "100m": (16, 16), "2b": (36, 48)}
TEXT = 24  # tokens of the prompt's text


def make_inputs(model: Qwen2VLForConditionalGeneration, grid: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Make a picture of so many vision tokens and a prompt of 24 tokens."""
    rows, columns = grid
    config = model.config
    chance = torch.Generator().manual_seed(1)
    ids = torch.randint(10, 60_000, (1, TEXT), generator=chance)
    image = torch.tensor(
        [[config.vision_start_token_id, *[config.image_token_id] * (rows * columns), config.vision_end_token_id]]
    )
    ids = torch.cat([image, ids], 1)
    patch = 3 * 2 * config.vision_config.patch_size**2
    made = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == config.image_token_id).int(),
        "pixel_values": torch.randn(rows * columns * 4, patch, generator=chance).to(model.dtype),
        "image_grid_thw": torch.tensor([[1, 2 * rows, 2 * columns]]),
    }
    return {name: value.to(model.device) for name, value in made.items()}


def all_maps(model: Qwen2VLForConditionalGeneration, run: capture.Capture, grid: tuple[int, int]) -> None:
    """Make the maps of every prompt and answer token, as an explanation does, and bring them to the CPU."""
    rows, columns = grid
    first = 1 + rows * columns + 1
    last = first + TEXT
    answer = range(last, len(run.ids))
    read = [*range(first, last), *(position - 1 for position in answer)]
    ids = [run.ids[position] for position in (*range(first, last), *answer)]
    head = model.get_output_embeddings().weight
    maps = activation_maps(run.states, head, ids, read, ids, range(1, 1 + rows * columns)).image
    rank_gaussian_filter(maps.view(-1, rows, columns), 3).cpu()


@dataclass(frozen=True)
class Setting:
    """What is generated with: by the command line."""

    model: Qwen2VLForConditionalGeneration
    inputs: dict[str, torch.Tensor]
    options: dict[str, Any]
    grid: tuple[int, int]
    rounds: int

    def measure(self, ways: dict[str, Callable[[], Any]]) -> dict[str, dict[str, Any]]:
        """Time some ways, taking turns."""
        with torch.no_grad():
            return interleaved(ways, self.model.device, self.rounds)

    def tell(self, found: dict[str, dict[str, Any]], tokens: str) -> None:
        """Print where it was measured and how long each way took, beside plain ``generate``."""
        device = self.model.device
        parameters = sum(parameter.numel() for parameter in self.model.parameters()) / 1e6
        where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
        print(f"{parameters:.0f} M parameters, {tokens}, {where}, {self.model.dtype}\n")
        print(
            f"| way | median s of {self.rounds} | ratio of medians | median of the rounds' ratios | peak above the "
            "model, MiB |\n|---|---|---|---|---|"
        )
        plain = found["plain generate"]["median"]
        for name, one in found.items():
            memory = "not measured on a CPU" if one["peak"] is None else f"{one['peak']:.0f}"
            print(f"| {name} | {one['median']:.4f} | {one['median'] / plain:.3f} | {one['ratio']:.3f} | {memory} |")


def setting(description: str | None) -> Setting:
    """Read the command line and make what it asks for."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(GRIDS), default="100m")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--new-tokens", type=int, default=48)
    arguments = parser.parse_args()
    device, grid = torch.device(arguments.device), GRIDS[arguments.size]
    dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
    model = build_model(SIZES[arguments.size], device, dtype)
    options: dict[str, Any] = {
        "max_new_tokens": arguments.new_tokens,
        "min_new_tokens": arguments.new_tokens,
        "do_sample": False,
    }
    return Setting(model, make_inputs(model, grid), options, grid, arguments.rounds)


def main() -> None:
    """Measure and print."""
    here = setting(__doc__)
    model, inputs, options = here.model, here.inputs, here.options
    run = capture.generate(model, inputs, **options)
    ways: dict[str, Callable[[], Any]] = {
        "plain generate": lambda: model.generate(**inputs, **options),
        "with capture": lambda: capture.generate(model, inputs, **options),
        "with output_hidden_states": lambda: model.generate(
            **inputs, **options, output_hidden_states=True, return_dict_in_generate=True
        ),
        "all maps, after it": lambda: all_maps(model, run, here.grid),
    }
    here.tell(here.measure(ways), f"{options['max_new_tokens']} new tokens")


if __name__ == "__main__":
    main()
