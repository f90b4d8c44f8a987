"""What do lenses cost? ``generate`` with them against plain ``generate``, and what is kept.

In one process, the ways taking turns; prints the ratio of medians, the bytes that are kept a vision token, and on a GPU
the peak of memory: ``python benchmarks/lenses.py`` for a randomly initialised Qwen2-VL of about 100 million parameters
on the CPU, ``python benchmarks/lenses.py --size 2b --new-tokens 256`` for the real configuration of Qwen2-VL-2B in
bfloat16, on a GPU where there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from capture import TEXT, setting
from tam_widget.lenses.interface import LENSES
from tam_widget.lenses.taking import taken, watch_for
from tam_widget.models import capture
from tam_widget.models.activations import Activations
from tam_widget.models.head import head_rows
from tam_widget.models.layout import Panel, Slot
from tam_widget.text.tokens import Candidate, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tam_widget.lenses.interface import LensName
    from tam_widget.lenses.reading import Readings
    from tam_widget.models.capture import Capture


def laid_out(model: Any, run: Capture, grid: tuple[int, int]) -> tuple[Activations, list[Token]]:
    """Return what an explanation keeps of a run, and its tokens with their candidates."""
    rows, columns = grid
    first = 1 + rows * columns + 1
    cells = np.arange(1, 1 + rows * columns).reshape(grid)
    panel = Panel(0, "stitched", grid, (0, 0, columns, rows), cells)
    tokens = [Token(k, "", run.ids[first + k], "prompt", 0, (0, 0), ()) for k in range(TEXT)]
    for step, position in enumerate(run.said):
        nearly = tuple(
            Candidate("", token, probability, rank, chosen=rank == 1)
            for rank, (token, probability) in enumerate(
                zip(run.choices.ids[step].tolist(), run.choices.probabilities[step].tolist(), strict=True), 1
            )
        )
        tokens.append(Token(TEXT + step, "", run.ids[position], "answer", 0, (0, 0), nearly))
    read = [*range(first, first + TEXT), *(position - 1 for position in run.said)]
    states = run.states[torch.tensor([*cells.ravel().tolist(), *read], device=run.states.device)]
    classes = sorted({token.id for token in tokens} | {one.id for token in tokens for one in token.candidates})
    return (
        Activations(
            states,
            head_rows(model, classes, states),
            {token: row for row, token in enumerate(classes)},
            [token.id for token in tokens],
            {token: token for token in classes},
            (panel,),
            read,
        ),
        tokens,
    )


def with_lenses(
    model: Any, inputs: dict[str, Any], options: dict[str, Any], grid: tuple[int, int], lenses: Sequence[LensName]
) -> Readings:
    """Generate as :func:`tam_widget.explain` does, and take lenses."""
    first = 1 + grid[0] * grid[1] + 1
    slots = [Slot(first + k, 0, "", (0, 0), "prompt", 0) for k in range(TEXT)]
    watch = watch_for(model, lenses, slots, first + TEXT)
    run = capture.generate(model, inputs, watch=watch, **options)
    return taken(model, lenses, watch, *laid_out(model, run, grid))


def main() -> None:
    """Measure and print."""
    here = setting(__doc__)
    model, inputs, options, grid = here.model, here.inputs, here.options, here.grid
    ways: dict[str, Callable[[], Any]] = {
        "plain generate": lambda: model.generate(**inputs, **options),
        "with TAM alone": lambda: with_lenses(model, inputs, options, grid, ("tam",)),
        "with contribution": lambda: with_lenses(model, inputs, options, grid, ("tam", "contribution")),
        "with all lenses": lambda: with_lenses(model, inputs, options, grid, LENSES),
    }
    kept = with_lenses(model, inputs, options, grid, LENSES)
    cells = grid[0] * grid[1]
    told = f"{cells} vision tokens, {TEXT} + {options['max_new_tokens']} text tokens"
    here.tell(here.measure(ways), told)
    print("\n| lens | maps kept | bytes a vision token | MiB |\n|---|---|---|---|")
    for name, maps in kept.items():
        values = maps.values  # type: ignore[union-attr]  # Qwen2-VL refuses none
        print(f"| {name} | {len(values)} | {values.nbytes / cells:.0f} | {values.nbytes / 2**20:.2f} |")


if __name__ == "__main__":
    main()
