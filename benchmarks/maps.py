"""All maps of an answer: the batched method against the dense way, in one process.

The dense way is what the method costs when it is written down as it reads: logits of every position over the whole
vocabulary in float32, causal inference token by token, and the rank Gaussian filter window by window in Python. It is
given the closed form of the scale, which the released code searches for instead. Both ways get the same random states,
and their filtered maps must agree to 1/255, or the script fails. The default sizes are those of Qwen2-VL-2B; a quarter
of the tokens repeat an earlier one, as text does.

Time: both ways take turns, once each a round (the batched way several times, it is short), after a warm-up at a small
size; reported is the median of each and the ratio of the medians. `--threads 1` makes the figures steadier on a machine
that is busy otherwise.

Memory: the high-water mark of the process's resident memory (VmHWM of Linux's /proc/self/status) over what was resident
before. It counts everything, libraries' work space too, and not only what torch knows of. Before each measurement the
allocator's free memory is returned to the system (malloc_trim) and the mark is reset (clear_refs), so that a way cannot
hide in pages that an earlier one has left. The arguments (states and head) are there before and are not counted; the
results are. Largest of a few runs each. It is exact to about 0.3 MB.

Usage: python benchmarks/maps.py [--rounds 3] [--threads 1] [--no-memory]
"""

import argparse
import ctypes
import gc
import math
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tam_widget.maps import rank_gaussian_filter, token_activation_maps

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Case:
    """One answer: the six arguments of `token_activation_maps`, and the grid."""

    hidden: Tensor
    weight: Tensor
    class_ids: list[int]
    positions: list[int]
    keys: list[int]
    image_positions: list[int]
    grid: tuple[int, int]


@dataclass(frozen=True)
class Timed:
    """Filtered maps (T, h, w), and the seconds that went into the maps and into the filter."""

    maps: Floats
    before_filter: float
    filter: float


def make_case(*, width: int, vocabulary: int, grid: tuple[int, int], prompt: int, answer: int, seed: int = 0) -> Case:
    """Make random states and a random head: some template tokens, the picture, the prompt, the answer."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    cells, tokens, template = math.prod(grid), prompt + answer, 15
    count = template + cells + tokens
    class_ids = rng.choice(vocabulary, tokens, replace=False)
    for index in rng.choice(np.arange(1, tokens), tokens // 4, replace=False):
        class_ids[index] = class_ids[rng.integers(index)]
    return Case(
        hidden=torch.randn(count, width),
        weight=torch.randn(vocabulary, width).div_(math.sqrt(width)),
        class_ids=class_ids.tolist(),
        positions=list(range(count - tokens, count)),
        keys=class_ids.tolist(),
        image_positions=list(range(template, template + cells)),
        grid=grid,
    )


def batched(case: Case) -> Timed:
    """Return all maps in the product's way."""
    start = time.perf_counter()
    maps = token_activation_maps(
        case.hidden, case.weight, case.class_ids, case.positions, case.keys, case.image_positions
    )
    middle = time.perf_counter()
    filtered = rank_gaussian_filter(maps.view(-1, *case.grid))
    end = time.perf_counter()
    return Timed(filtered.numpy(), middle - start, end - middle)


def dense(case: Case) -> Timed:
    """Return all maps in the dense way."""
    start = time.perf_counter()
    logits = (case.hidden @ case.weight.T).numpy()
    raw: list[Floats] = []
    maps: list[Floats] = []
    for index, class_id in enumerate(case.class_ids):
        raw.append(np.maximum(logits[case.image_positions, class_id], 0))
        relevance = np.maximum(logits[case.positions[:index], class_id], 0)
        estimate = np.zeros_like(raw[index])
        for k in range(index):
            if case.keys[k] != case.keys[index]:
                estimate += relevance[k] * raw[k]
        square = estimate @ estimate
        scale = raw[index] @ estimate / square if square > 0 else 0.0
        image = np.maximum(raw[index] - scale * estimate, 0)
        joint = np.concatenate([image, relevance])
        low, high = joint.min(), joint.max()
        maps.append((image - low) / (high - low) if high > low else np.zeros_like(image))
    middle = time.perf_counter()
    filtered = np.stack([dense_filter(one.reshape(case.grid)) for one in maps])
    return Timed(filtered, middle - start, time.perf_counter() - middle)


def dense_filter(one_map: Floats) -> Floats:
    """Return one map filtered 3×3, window by window."""
    height, width = one_map.shape
    padded = np.pad(one_map, 1, mode="reflect")
    result = np.zeros_like(one_map)
    distance = (np.arange(9) - 4) ** 2
    for row in range(height):
        for column in range(width):
            window = np.sort(padded[row : row + 3, column : column + 3], axis=None)
            mean, deviation = window.mean(), window.std()
            if mean == 0:
                continue
            if deviation == 0:
                result[row, column] = window[4]
                continue
            weights = np.exp(-distance / (2 * (deviation / mean) ** 2))
            result[row, column] = (weights @ window) / weights.sum()
    return result


def resident(field: str) -> float:
    """Return a figure of this process's resident memory in MB (10⁶ bytes): VmRSS now, VmHWM the high-water mark."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"/proc/self/status has no {field}")


def peak_memory(work: Callable[[], object], runs: int) -> float:
    """Return how many MB the work adds to the resident memory at its highest: the largest of some runs."""
    libc = ctypes.CDLL(None)
    peaks = []
    for _ in range(runs):
        gc.collect()
        libc.malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
        before = resident("VmRSS")
        work()
        peaks.append(resident("VmHWM") - before)
    return max(peaks)


def medians(runs: list[Timed]) -> tuple[float, float, float]:
    """Return the median seconds of all, of the maps before the filter, and of the filter."""
    return (
        statistics.median(run.before_filter + run.filter for run in runs),
        statistics.median(run.before_filter for run in runs),
        statistics.median(run.filter for run in runs),
    )


def seconds(value: float) -> str:
    """Return a duration for the table."""
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.1f} ms"


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--width", type=int, default=1536, help="width of the hidden states")
    parser.add_argument("--vocabulary", type=int, default=151_936)
    parser.add_argument("--grid", type=int, nargs=2, default=(26, 36), metavar=("H", "W"))
    parser.add_argument("--prompt", type=int, default=8, help="text tokens of the prompt")
    parser.add_argument("--answer", type=int, default=128, help="tokens of the answer")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of one dense and five batched runs")
    parser.add_argument("--threads", type=int, default=None, help="threads of torch (default: its own choice)")
    parser.add_argument("--no-memory", action="store_true", help="leave the memory out (it needs Linux with glibc)")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print a Markdown table; return 1 if the two ways disagree."""
    options = parse(arguments)
    if options.threads is not None:
        torch.set_num_threads(options.threads)
    small = make_case(width=64, vocabulary=2000, grid=(6, 8), prompt=4, answer=8)
    batched(small)
    dense(small)
    sizes: dict[str, Any] = {name: getattr(options, name) for name in ("width", "vocabulary", "prompt", "answer")}
    case = make_case(**sizes, grid=tuple(options.grid))
    batched(case)

    slow: list[Timed] = []
    fast: list[Timed] = []
    for _ in range(options.rounds):
        slow.append(dense(case))
        fast += [batched(case) for _ in range(5)]
    difference = float(np.abs(slow[0].maps - fast[0].maps).max())
    slow_time, fast_time = medians(slow), medians(fast)

    print(
        f"d {options.width}, vocabulary {options.vocabulary}, grid {options.grid[0]}×{options.grid[1]}, "
        f"{options.prompt} prompt + {options.answer} answer tokens; torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, {platform.machine()}; medians of {len(slow)} and {len(fast)} runs\n"
    )
    print("| | dense way | tam_widget | ratio |\n|---|--:|--:|--:|")
    for name, one, other in zip(("all maps", "before the filter", "filter"), slow_time, fast_time, strict=True):
        print(f"| {name} | {seconds(one)} | {seconds(other)} | {one / other:.0f} × |")
    print(f"| share of the filter | {slow_time[2] / slow_time[0]:.2f} | {fast_time[2] / fast_time[0]:.2f} | |")
    if not options.no_memory:
        fast_peak = peak_memory(lambda: batched(case), runs=5)
        slow_peak = peak_memory(lambda: dense(case), runs=1)
        print(f"| peak memory | {slow_peak:.0f} MB | {fast_peak:.1f} MB | 1/{slow_peak / fast_peak:.0f} |")
    print(f"\nlargest difference of the filtered maps: {difference:.1e} (allowed: 1/255 = {1 / 255:.1e})")
    return int(difference > 1 / 255)


if __name__ == "__main__":
    sys.exit(main())
