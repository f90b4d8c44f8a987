"""Training batches: one picture with several questions about it, packed so that the picture is encoded once."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from tam_widget.demo.drawing import COLOURS, SCALE, SHAPES, SIZES, draw, place
from tam_widget.demo.language import CAPTION_PROMPTS, SYSTEM_PROMPT, ask, caption, plural
from tam_widget.demo.scenes import TRAINING
from tam_widget.demo.training.architecture import CELL, MERGE, PATCH

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from transformers import PreTrainedTokenizerBase

    from tam_widget.demo.drawing import Placement

IGNORED = -100  # labels that no loss reads
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
_SIZES = [(224, 224), (196, 196), (252, 196), (196, 252), (224, 168), (168, 224)]  # width, height
_SIZE_SHARES = [0.55, 0.15, 0.1, 0.1, 0.05, 0.05]
_QUESTIONS = 4


@dataclass
class Batch:
    """Pictures of one size and what is said about them. B pictures, L positions, N vision tokens, W grounded tokens.

    Attributes
    ----------
    pixels : tensor of float, shape (B, 4 N, 3 · 7 · 7)
        Normalised patches in Qwen2-VL's order: the four patches of a vision token stand together.
    grid : tuple of int
        Rows and columns of vision tokens.
    ids, labels, segments : tensor of int64, shape (B, L)
        A position attends to earlier ones of its own segment and of segment 0 (system prompt and picture);
        −1 is padding.
    places : tensor of int64, shape (3, B, L)
        Positions for M-RoPE: time, row, column.
    image_start : int
        Index of the first vision token.
    present : tensor of bool, shape (B, W)
        Whether a word that the grounded token belongs to is true of the picture: a label of the whole picture.
    """

    pixels: torch.Tensor
    grid: tuple[int, int]
    ids: torch.Tensor
    labels: torch.Tensor
    segments: torch.Tensor
    places: torch.Tensor
    image_start: int
    present: torch.Tensor


class Vocabulary:
    """Token ids of everything that the sequences are made of."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self.encode = functools.cache(self._encode)
        self.image = self._encode("<|image_pad|>")[0]
        # Token id → words it is part of: a word of several tokens grounds each of them.
        self.grounded: dict[int, set[str]] = {}
        for word in (*SHAPES, *map(plural, SHAPES), *COLOURS, *SIZES):
            for token in self._encode(" " + word):
                self.grounded.setdefault(token, set()).add(word)

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def training_batch(vocabulary: Vocabulary, seed: int, step: int, progress: float, size: int) -> Batch:
    """Make the batch of a step: a function of its arguments alone, so that a run can be resumed.

    For the first quarter of the run most pictures are small canvases with one or two things: three times as many pass
    in the same time, and words find their places much sooner.
    """
    rng = np.random.default_rng([TRAINING, seed, step])
    width, height = _SIZES[rng.choice(len(_SIZES), p=_SIZE_SHARES)]
    objects, scale = None, SCALE * min(width, height)
    if progress < 0.25 and rng.random() < 0.85:  # noqa: PLR2004
        scale = 154.0
        width, height = (84, 84) if rng.random() < 0.5 else _choose(rng, [(112, 112), (112, 140), (140, 112)])  # noqa: PLR2004
        objects = 1 if (width, height) == (84, 84) else None
    placements = [place(rng, width, height, objects=objects, scale=scale) for _ in range(size)]
    chained = rng.random() < 0.2  # noqa: PLR2004
    system = rng.random() < 0.2  # noqa: PLR2004
    return make_batch(vocabulary, placements, rng, chained=chained, system=system)


def make_batch(
    vocabulary: Vocabulary,
    placements: list[Placement],
    rng: np.random.Generator,
    *,
    chained: bool = False,
    system: bool = False,
) -> Batch:
    """Draw placements of one size and pack what is said about each.

    Parameters
    ----------
    chained : bool
        Whether questions follow each other as turns of one conversation, instead of standing each for itself.
    system : bool
        Whether the system prompt comes first.
    """
    width, height = placements[0].width, placements[0].height
    rows, columns = height // CELL, width // CELL
    pictures = np.stack([draw(placement, rng)[0] for placement in placements])
    encode = vocabulary.encode
    before = (encode(f"<|im_start|>system\n{SYSTEM_PROMPT}<|im_end|>\n") if system else []) + encode(
        "<|im_start|>user\n<|vision_start|>"
    )
    start = len(before)
    prefix = [*before, *[vocabulary.image] * (rows * columns), *encode("<|vision_end|>")]
    packed = [_pack(vocabulary, _talk(placement, rng, shuffled=chained), chained=chained) for placement in placements]
    length = -(-max(len(ids) for ids, *_ in packed) // 8) * 8  # few different lengths: memory is used again
    total = len(prefix) + length
    ids = np.zeros((len(packed), total), np.int64)
    labels = np.full((len(packed), total), IGNORED)
    segments = np.full((len(packed), total), -1)
    places = np.zeros((3, len(packed), total), np.int64)
    ids[:, : len(prefix)] = prefix
    segments[:, : len(prefix)] = 0
    places[:, :, : len(prefix)] = _prefix_places(start, rows, columns)[:, None]
    first = start + max(rows, columns) + 1
    for row, (text_ids, text_labels, text_segments, offsets) in enumerate(packed):
        span = slice(len(prefix), len(prefix) + len(text_ids))
        ids[row, span], labels[row, span], segments[row, span] = text_ids, text_labels, text_segments
        places[:, row, span] = first + np.array(offsets)
    return Batch(
        pixels=torch.from_numpy(_patches(pictures)),
        grid=(rows, columns),
        ids=torch.from_numpy(ids),
        labels=torch.from_numpy(labels),
        segments=torch.from_numpy(segments),
        places=torch.from_numpy(places),
        image_start=start,
        present=torch.from_numpy(np.stack([_present(vocabulary, placement) for placement in placements])),
    )


def _choose(rng: np.random.Generator, options: list[tuple[int, int]]) -> tuple[int, int]:
    return options[rng.integers(len(options))]


def _talk(placement: Placement, rng: np.random.Generator, *, shuffled: bool) -> list[tuple[str, str]]:
    talk = [(str(rng.choice(CAPTION_PROMPTS)), caption(placement))]
    talk += [(question.text, question.answer) for question in ask(placement, rng, _QUESTIONS)]
    if shuffled:
        rng.shuffle(talk)
    return talk


def _pack(
    vocabulary: Vocabulary, talk: list[tuple[str, str]], *, chained: bool
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Ids, labels, segments and positions (from 0) of all that is said about one picture."""
    ids: list[int] = []
    labels: list[int] = []
    segments: list[int] = []
    offsets: list[int] = []
    encode = vocabulary.encode
    for number, (prompt, answer) in enumerate(talk):
        asked = encode("\n<|im_start|>user\n") if chained and number else []
        asked = asked + encode(prompt) + encode("<|im_end|>\n<|im_start|>assistant\n")
        told = encode(answer) + encode("<|im_end|>")
        offset = len(ids) if chained else 0
        ids += asked + told
        labels += [IGNORED] * len(asked) + told
        segments += [1 if chained else number + 1] * (len(asked) + len(told))
        offsets += range(offset, offset + len(asked) + len(told))
    return ids, labels, segments, offsets


def _prefix_places(start: int, rows: int, columns: int) -> NDArray[np.int64]:
    """M-RoPE positions of system prompt and picture, shape (3, start + rows · columns + 1)."""
    text = np.tile(np.arange(start), (3, 1))
    row, column = np.divmod(np.arange(rows * columns), columns)
    image = start + np.stack([np.zeros_like(row), row, column])
    end = np.full((3, 1), start + max(rows, columns))
    return np.concatenate([text, image, end], axis=1)


def _patches(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(B, H, W, 3) → (B, patches, 3 · 7 · 7), the patches of one vision token together."""
    count, height, width, _ = pictures.shape
    x: NDArray[np.float32] = (pictures.astype(np.float32) / np.float32(255) - _MEAN) / _STD
    x = x.reshape(count, height // CELL, MERGE, PATCH, width // CELL, MERGE, PATCH, 3)
    x = x.transpose(0, 1, 4, 2, 5, 7, 3, 6)
    return np.ascontiguousarray(x).reshape(count, -1, 3 * PATCH * PATCH)


def _present(vocabulary: Vocabulary, placement: Placement) -> NDArray[np.bool_]:
    words: set[str] = set()
    for item in placement.items:
        words |= {item.shape, plural(item.shape), item.colour, item.size}
    return np.array([not words.isdisjoint(parts) for parts in vocabulary.grounded.values()])
