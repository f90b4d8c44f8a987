"""What does reading the states cost? ``generate`` with capture against plain ``generate``, and all maps of the answer.

In one process, the ways taking turns; prints the ratio of medians, and on a GPU the peak of memory:
``python benchmarks/capture.py`` for a randomly initialised Qwen2-VL of about 100 million parameters on the CPU,
``python benchmarks/capture.py --size 2b --new-tokens 256`` for the real configuration of Qwen2-VL-2B in bfloat16 and a
picture of 1,344 × 1,008 pixels, on a GPU where there is one.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

import torch
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

from tam_widget.maps import activation_maps, rank_gaussian_filter
from tam_widget.models import capture

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE, START, END = 1, 2, 3
TEXT = 24  # tokens of the prompt's text

SIZES: dict[str, dict[str, Any]] = {
    "100m": {
        "grid": (16, 16),
        "tied": True,
        "text": {
            "vocab_size": 64_000,
            "bos_token_id": None,
            "eos_token_id": None,
            "hidden_size": 640,
            "intermediate_size": 1920,
            "num_hidden_layers": 12,
            "num_attention_heads": 10,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
        },
        "vision": {"depth": 4, "embed_dim": 256, "hidden_size": 640, "num_heads": 4, "mlp_ratio": 4},
    },
    # As Qwen/Qwen2-VL-2B-Instruct has it.
    "2b": {
        "grid": (36, 48),
        "tied": True,
        "text": {
            "vocab_size": 151_936,
            "hidden_size": 1536,
            "intermediate_size": 8960,
            "num_hidden_layers": 28,
            "num_attention_heads": 12,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
        },
        "vision": {"depth": 32, "embed_dim": 1280, "hidden_size": 1536, "num_heads": 16, "mlp_ratio": 4},
    },
}


def build_model(size: dict[str, Any], device: torch.device) -> Qwen2VLForConditionalGeneration:
    """Make the model with random weights; bfloat16 on a GPU."""
    torch.manual_seed(0)
    config = Qwen2VLConfig(
        text_config=size["text"],
        vision_config=size["vision"],
        image_token_id=IMAGE,
        vision_start_token_id=START,
        vision_end_token_id=END,
        tie_word_embeddings=size["tied"],
        dtype=torch.bfloat16 if device.type == "cuda" else torch.float32,
    )
    with device:
        return Qwen2VLForConditionalGeneration._from_config(config).eval()  # noqa: SLF001 - it heeds the dtype


def make_inputs(model: Qwen2VLForConditionalGeneration, grid: tuple[int, int]) -> dict[str, torch.Tensor]:
    """Make a picture of so many vision tokens and a prompt of 24 tokens."""
    rows, columns = grid
    chance = torch.Generator().manual_seed(1)
    ids = torch.randint(10, 60_000, (1, TEXT), generator=chance)
    image = torch.tensor([[START, *[IMAGE] * (rows * columns), END]])
    ids = torch.cat([image, ids], 1)
    patch = 3 * 2 * model.config.vision_config.patch_size**2
    made = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == IMAGE).int(),
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(SIZES), default="100m")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--new-tokens", type=int, default=48)
    arguments = parser.parse_args()
    device, size = torch.device(arguments.device), SIZES[arguments.size]
    model = build_model(size, device)
    inputs = make_inputs(model, size["grid"])
    options: dict[str, Any] = {
        "max_new_tokens": arguments.new_tokens,
        "min_new_tokens": arguments.new_tokens,
        "do_sample": False,
    }
    run = capture.generate(model, inputs, **options)
    ways: dict[str, Callable[[], Any]] = {
        "plain generate": lambda: model.generate(**inputs, **options),
        "with capture": lambda: capture.generate(model, inputs, **options),
        "with output_hidden_states": lambda: model.generate(
            **inputs, **options, output_hidden_states=True, return_dict_in_generate=True
        ),
        "all maps, after it": lambda: all_maps(model, run, size["grid"]),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    peaks: dict[str, float] = {}
    with torch.no_grad():
        for turn in range(arguments.rounds + 1):
            for name, way in ways.items():
                taken, peaks[name] = measured(way, device)
                if turn:  # the first round warms up
                    seconds[name].append(taken)
    plain = statistics.median(seconds["plain generate"])
    parameters = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"
    print(f"{parameters:.0f} M parameters, {arguments.new_tokens} new tokens, {where}, {model.dtype}\n")
    print(
        f"| way | median s of {arguments.rounds} | ratio of medians | median of the rounds' ratios | peak above the "
        "model, MiB |\n|---|---|---|---|---|"
    )
    for name, taken in seconds.items():
        ratios = [one / base for one, base in zip(taken, seconds["plain generate"], strict=True)]
        median = statistics.median(taken)
        memory = f"{peaks[name]:.0f}" if device.type == "cuda" else "not measured on a CPU"
        print(f"| {name} | {median:.4f} | {median / plain:.3f} | {statistics.median(ratios):.3f} | {memory} |")


def measured(way: Callable[[], Any], device: torch.device) -> tuple[float, float]:
    """Return the seconds that something takes, and on a GPU how far its memory rises, in MiB."""
    on_gpu = device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize(device)
        torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device) if on_gpu else 0
    began = time.perf_counter()
    way()
    if on_gpu:
        torch.cuda.synchronize(device)
    taken = time.perf_counter() - began
    peak = torch.cuda.max_memory_allocated(device) if on_gpu else 0
    return taken, (peak - before) / 2**20


if __name__ == "__main__":
    main()
