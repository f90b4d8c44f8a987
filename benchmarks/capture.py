"""What does reading the states cost? ``generate`` with capture against plain ``generate``.

On a randomly initialised Qwen2-VL of about 100 million parameters, in one process, the two ways taking turns;
prints the ratio of medians: ``python benchmarks/capture.py``.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import TYPE_CHECKING, Any

import torch
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

from tam_widget.models import capture

if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE, START, END = 1, 2, 3
ROWS, COLUMNS = 16, 16


def build_model() -> Qwen2VLForConditionalGeneration:
    """Make the model: 12 decoder layers of 640, 64,000 words, tied head."""
    torch.manual_seed(0)
    config = Qwen2VLConfig(
        text_config={
            "vocab_size": 64_000,
            "hidden_size": 640,
            "intermediate_size": 1920,
            "num_hidden_layers": 12,
            "num_attention_heads": 10,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [8, 12, 12]},
        },
        vision_config={"depth": 4, "embed_dim": 256, "hidden_size": 640, "num_heads": 4, "mlp_ratio": 4},
        image_token_id=IMAGE,
        vision_start_token_id=START,
        vision_end_token_id=END,
        tie_word_embeddings=True,
    )
    return Qwen2VLForConditionalGeneration(config).eval()


def make_inputs(model: Qwen2VLForConditionalGeneration) -> dict[str, torch.Tensor]:
    """Make a picture of 16×16 vision tokens and a prompt of 24 tokens."""
    chance = torch.Generator().manual_seed(1)
    ids = torch.randint(10, 60_000, (1, 24), generator=chance)
    image = torch.tensor([[START, *[IMAGE] * (ROWS * COLUMNS), END]])
    ids = torch.cat([image, ids], 1)
    patch = 3 * 2 * model.config.vision_config.patch_size**2
    return {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "mm_token_type_ids": (ids == IMAGE).int(),
        "pixel_values": torch.randn(ROWS * COLUMNS * 4, patch, generator=chance),
        "image_grid_thw": torch.tensor([[1, 2 * ROWS, 2 * COLUMNS]]),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--new-tokens", type=int, default=48)
    arguments = parser.parse_args()
    model = build_model()
    inputs = make_inputs(model)
    options: dict[str, Any] = {
        "max_new_tokens": arguments.new_tokens,
        "min_new_tokens": arguments.new_tokens,
        "do_sample": False,
    }
    ways: dict[str, Callable[[], Any]] = {
        "plain generate": lambda: model.generate(**inputs, **options),
        "with capture": lambda: capture.generate(model, inputs, **options),
        "with output_hidden_states": lambda: model.generate(
            **inputs, **options, output_hidden_states=True, return_dict_in_generate=True
        ),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with torch.no_grad():
        for turn in range(arguments.rounds + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                if turn:  # the first round warms up
                    seconds[name].append(time.perf_counter() - began)
    plain = statistics.median(seconds["plain generate"])
    parameters = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    print(f"{parameters:.0f} M parameters, {arguments.new_tokens} new tokens, {torch.get_num_threads()} threads\n")
    print(
        f"| way | median s of {arguments.rounds} | ratio of medians | median of the rounds' ratios |\n|---|---|---|---|"
    )
    for name, taken in seconds.items():
        ratios = [one / base for one, base in zip(taken, seconds["plain generate"], strict=True)]
        median = statistics.median(taken)
        print(f"| {name} | {median:.3f} | {median / plain:.3f} | {statistics.median(ratios):.3f} |")


if __name__ == "__main__":
    main()
