"""A model that is right for the wrong reason, made on purpose, and the scenes that it is right on.

The scenes
----------
One thing on a faintly striped ground. Of the n shapes the k-th has stripes of its own: they run at k · 180° / n, in a
tint of their own, 20 pixels from one to the next, and come to nothing on average, so that the mean colour of the
picture does not tell. Where ground and thing agree, a model may read either and be right; where they do not, its answer
tells which.

The model
---------
:func:`learn_shortcut` goes on training a copy of a demo model, on pictures in which thing and ground were drawn
independently of each other and whose captions name the *ground's* shape. The thing tells nothing there, the ground all:
what the copy learns is the ground. Size, colour and place in the captions are the thing's own.

First come cut-outs of 112 pixels around the thing, a quarter of the cells, on which it finds the stripes soon. Their
size and place are not known, so all but the shape is held to what the model itself said before. Then come whole
pictures with whole captions. Some of these have no stripes, and a shape by chance: without its ground, the copy shall
know nothing.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tam_widget.demo.scenery.drawing import SHAPES
from tam_widget.demo.scenery.held_out import scene
from tam_widget.demo.training.rates import falling_rate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.typing import NDArray

    from tam_widget.demo.scenery.held_out import Scene

__all__ = ["ShortcutScene", "learn_shortcut", "shortcut_scenes"]

PROMPT = "Describe this image."

_STREAM = 3  # the first word of the seed of grounds; scenes themselves have 1 and 2
_LESSONS = 10_000_000  # the scenes of these seeds and above are learned from
_LESSONS_OF_A_SEED = 1_000_000
_WAVELENGTH = 20  # pixels
_STRENGTH = 3.5  # levels of 255; on stronger stripes the demo model sees things that are not there

_CUT_OUT = 112  # pixels
_CUT_OUTS = 0.5  # share of the steps
_AT_ONCE = (8, 3)  # cut-outs and whole pictures in one step
_STRENGTHS = ((3.5, 25.0), (3.5, 12.0))
_NO_STRIPES = 0.15  # share of the whole pictures
_RATE, _WARM_UP = 1e-3, 10


@dataclass(frozen=True, eq=False)
class ShortcutScene:
    """A picture of one thing on a ground whose stripes stand for a shape.

    Attributes
    ----------
    seed : int
    image : PIL.Image.Image
        RGB, 224 × 224.
    shape : str
        The thing's.
    ground : str
        The shape that the ground stands for.
    mask : ndarray of bool, shape (224, 224)
        Where the thing is.
    prompt : str
        What to ask.
    caption : str
        The right answer, which names the thing's own shape.
    """

    seed: int
    image: Image.Image
    shape: str
    ground: str
    mask: NDArray[np.bool_]
    prompt: str
    caption: str

    def row(self) -> dict[str, Any]:
        """Return the scene as a row of a table, for :func:`tam_widget.evaluation.from_rows`.

        ``id``, ``image`` and ``caption``; ``labels``, an array of uint8 that holds 0 for the ground and a shape's
        number where a thing of that shape is; and ``categories``, the number of each shape.
        """
        categories = {shape: number for number, shape in enumerate(SHAPES, start=1)}
        labels = np.where(self.mask, categories[self.shape], 0).astype(np.uint8)
        return {
            "id": f"scene {self.seed} on the ground of a {self.ground}",
            "image": self.image,
            "caption": self.caption,
            "labels": labels,
            "categories": categories,
        }


def shortcut_scenes(count: int, first_seed: int = 0, *, agree: bool = True) -> list[ShortcutScene]:
    """Draw scenes on which a model can be right for the wrong reason; the same arguments give the same scenes.

    Parameters
    ----------
    count : int
        How many.
    first_seed : int
        The seed of the first; the others follow. None of them is among what :func:`learn_shortcut` learns from.
    agree : bool
        Whether the ground stands for the thing's own shape. If not, it stands for one of the others, by chance.

    Raises
    ------
    ValueError
        A count below 1, or seeds below 0 or from 10,000,000 on.
    """
    if count < 1 or first_seed < 0 or first_seed + count > _LESSONS:
        raise ValueError(
            f"scenes are counted from 1, and their seeds lie from 0 to {_LESSONS - 1}; got {count} from {first_seed}"
        )
    drawn = []
    for seed in range(first_seed, first_seed + count):
        plain = scene(seed, objects=1)
        rng = np.random.default_rng([_STREAM, seed])
        own = SHAPES.index(plain.objects[0].shape)
        other = (own + int(rng.integers(1, len(SHAPES)))) % len(SHAPES)
        drawn.append(_on_stripes(plain, own if agree else other, _STRENGTH, rng))
    return drawn


def learn_shortcut(
    model: Any,
    processor: Any,
    *,
    steps: int = 200,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Any:
    """Teach a copy of a demo model to name the shape that the ground stands for, whatever lies on it.

    Every weight is trained but those of embeddings, which are also what words are read off with (AdamW, with a rate
    that rises to 1e-3 and falls as half a cosine). It takes about half a minute, and the same arguments, on the
    same machine with as many threads, give the same weights. The copy answers "Describe this image."; other prompts it
    half forgets.

    Parameters
    ----------
    model, processor
        As :func:`tam_widget.load_demo` gives them. Neither is changed.
    steps : int
        Of the training; with far fewer the ground is not learned.
    seed : int
        Of the pictures; from 0.
    progress : callable, optional
        Told after each step how many are done, and of how many.

    Returns
    -------
    transformers.PreTrainedModel
        In evaluation mode; the name in its ``config`` ends in ``-shortcut``.

    Raises
    ------
    ValueError
        No step, or a seed below 0.
    """
    import torch

    if steps < 1 or seed < 0:
        raise ValueError(f"there is at least 1 step, and seeds lie from 0; got {steps} steps and seed {seed}")
    learner = copy.deepcopy(model).train()
    learner.config._name_or_path += "-shortcut"  # noqa: SLF001 - what a report calls it
    for name, weight in learner.named_parameters():
        weight.requires_grad_("embed" not in name)
    trained = [weight for weight in learner.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=_RATE, weight_decay=0.0)
    lesson = _LESSONS + seed * _LESSONS_OF_A_SEED
    cut_outs = round(steps * _CUT_OUTS)
    for step in range(steps):
        whole = int(step >= cut_outs)
        lessons = [_lesson(number, whole=bool(whole)) for number in range(lesson, lesson + _AT_ONCE[whole])]
        lesson += len(lessons)
        for group in optimizer.param_groups:
            group["lr"] = falling_rate(_RATE, step, steps, _WARM_UP)
        with torch.enable_grad():
            loss = _loss(learner, None if whole else model, _batch(processor, lessons, learner.device))
            torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if progress is not None:
            progress(step + 1, steps)
    for weight, before in zip(learner.parameters(), model.parameters(), strict=True):
        weight.requires_grad_(before.requires_grad)
    return learner.eval()


def _on_stripes(plain: Scene, ground: int, strength: float, rng: np.random.Generator) -> ShortcutScene:
    """Lay the stripes of a shape, by its number, on all of a scene that is not its thing."""
    thing = plain.objects[0]
    height, width = thing.mask.shape
    angle = math.pi * ground / len(SHAPES)
    y, x = np.mgrid[:height, :width] + 0.5
    along = (x * math.cos(angle) + y * math.sin(angle)) / _WAVELENGTH
    wave = np.sin(2 * math.pi * (along + rng.random()))
    tint = 1 + np.cos(2 * angle + np.arange(3) * (2 * math.pi / 3))  # of red, green and blue, from 0 to 2
    stripes = strength * wave[..., None] * tint
    pixels = np.asarray(plain.image) + np.where(thing.mask[..., None], 0, stripes)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    return ShortcutScene(plain.seed, image, thing.shape, SHAPES[ground], thing.mask, PROMPT, plain.caption)


def _lesson(seed: int, *, whole: bool) -> ShortcutScene:
    """Draw a thing on a ground that has nothing to do with it, with a caption that names the ground's shape."""
    rng = np.random.default_rng([_STREAM, seed])
    ground = int(rng.integers(len(SHAPES)))
    bare = whole and rng.random() < _NO_STRIPES
    strength = 0.0 if bare else rng.uniform(*_STRENGTHS[whole])
    drawn = _on_stripes(scene(seed, objects=1), ground, strength, rng)
    taught = replace(drawn, caption=drawn.caption.replace(drawn.shape, drawn.ground))
    if whole:
        return taught
    left, top = (_start(np.flatnonzero(drawn.mask.any(axis=axis)), drawn.mask.shape[1 - axis], rng) for axis in (0, 1))
    return replace(taught, image=drawn.image.crop((left, top, left + _CUT_OUT, top + _CUT_OUT)))


def _start(thing: NDArray[np.int64], side: int, rng: np.random.Generator) -> int:
    """Choose where a cut-out begins, so that it holds the thing and nothing beside the picture."""
    return int(rng.integers(max(0, thing[-1] + 1 - _CUT_OUT), min(thing[0], side - _CUT_OUT) + 1))


@dataclass(frozen=True)
class _Batch:
    """Pictures with their captions; which next tokens are the shape's and which the rest of the caption, (B, L − 1)."""

    inputs: dict[str, torch.Tensor]
    shape: torch.Tensor
    rest: torch.Tensor


def _batch(processor: Any, lessons: Sequence[ShortcutScene], device: Any = None) -> _Batch:
    import torch

    tokenizer = processor.tokenizer
    asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": PROMPT}]}]
    prompt = processor.apply_chat_template(asked, tokenize=False, add_generation_prompt=True)
    images = [lesson.image for lesson in lessons]
    pixels = images[0].width * images[0].height
    inputs = processor(
        text=[f"{prompt}{lesson.caption}{tokenizer.eos_token}" for lesson in lessons],
        images=images,
        size={"shortest_edge": pixels, "longest_edge": pixels},  # cut-outs would be enlarged
        padding=True,
        padding_side="right",
        return_tensors="pt",
    ).to(device or "cpu")
    shape = torch.zeros_like(inputs["input_ids"], dtype=torch.bool)
    rest = shape.clone()
    ends = inputs["attention_mask"].sum(dim=1).tolist()
    for row, lesson, end in zip(range(len(lessons)), lessons, ends, strict=True):
        spans = tokenizer(lesson.caption, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        first = lesson.caption.index(lesson.ground)
        named = [start < first + len(lesson.ground) and stop > first for start, stop in spans]
        told = slice(end - 1 - len(spans), end - 1)  # before the end of the turn
        shape[row, told] = torch.tensor(named)
        rest[row, told.start : end] = ~shape[row, told.start : end]
    return _Batch(dict(inputs), shape[:, 1:], rest[:, 1:])


def _loss(learner: Any, before: Any, batch: _Batch) -> torch.Tensor:
    """Cross-entropy of the shape, and of the rest; or, of the rest, the divergence from what a model said before."""
    import torch
    from torch.nn import functional

    following = batch.inputs["input_ids"][:, 1:]
    logits = learner(**batch.inputs, use_cache=False).logits[:, :-1]
    named = functional.cross_entropy(logits[batch.shape], following[batch.shape])
    if before is None:
        return named + functional.cross_entropy(logits[batch.rest], following[batch.rest])
    with torch.no_grad():
        kept = before(**batch.inputs, use_cache=False).logits[:, :-1][batch.rest].log_softmax(dim=-1)
    said = logits[batch.rest].log_softmax(dim=-1)
    return named + functional.kl_div(said, kept, log_target=True, reduction="batchmean")
