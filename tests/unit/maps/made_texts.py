"""Texts with random states, for the method on tensors."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from hypothesis import strategies as st


@dataclass(frozen=True)
class Text:
    """The six arguments that describe a text, as numpy arrays and lists."""

    hidden: np.ndarray
    weight: np.ndarray
    class_ids: np.ndarray
    positions: np.ndarray
    keys: list
    image_positions: np.ndarray

    @property
    def arguments(self):
        return (
            torch.from_numpy(self.hidden),
            torch.from_numpy(self.weight),
            self.class_ids,
            self.positions,
            self.keys,
            self.image_positions,
        )

    def cast(self, dtype):
        return replace(self, hidden=self.hidden.astype(dtype), weight=self.weight.astype(dtype))


def make_text(seed, tokens=7, cells=12, width=6, *, coarse=False, spellings=4):
    rng = np.random.default_rng(seed)
    count = 2 + cells + tokens
    # Small integers make ties, zeros and equal scores, without any rounding; normal numbers make none.

    def draw(*shape):
        return rng.integers(-1, 2, shape).astype(np.float32) if coarse else rng.standard_normal(shape, np.float32)

    classes = rng.integers(0, 9, tokens)
    order = rng.permutation(count)
    return Text(
        hidden=draw(count, width),
        weight=draw(9, width),
        class_ids=classes,
        positions=order[cells : cells + tokens],
        keys=[f" {rng.integers(spellings)}" for _ in range(tokens)],
        image_positions=order[:cells],
    )


texts = st.builds(
    make_text,
    seed=st.integers(0, 2**32 - 1),
    tokens=st.integers(1, 9),
    cells=st.integers(0, 12),
    width=st.integers(1, 8),
    coarse=st.booleans(),
    spellings=st.sampled_from([1, 3, 1000]),
)
