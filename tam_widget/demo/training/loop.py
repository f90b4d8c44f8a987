"""The training run: scheduled in steps, resumable, the same from the same seed."""

from __future__ import annotations

import json
import logging
import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tam_widget.demo.drawing import place
from tam_widget.demo.scenes import TRAINING
from tam_widget.demo.training.architecture import SIDE, build_image_processor, build_model
from tam_widget.demo.training.forward import BatchedForward
from tam_widget.demo.training.losses import Weights, losses, total
from tam_widget.demo.training.sequences import IGNORED, Batch, Vocabulary, make_batch, training_batch
from tam_widget.demo.training.tokenizer import build_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen2VLForConditionalGeneration

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides what a run comes to.

    A run learns, on a learning rate that falls from its height to almost nothing, and then settles: for the last steps
    it starts again from a quarter of that height, with the matting loss, which evens the maps and draws their edges.
    """

    seed: int = 0
    steps: int = 5000
    settling: int = 500
    batch_size: int = 16
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up: int = 100
    weights: Weights = field(default_factory=Weights)

    @property
    def learning(self) -> int:
        """Steps before the run settles."""
        return self.steps - self.settling

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step: a short rise and half a cosine, in each of the two parts."""
        settles = step >= self.learning
        height = self.learning_rate / 4 if settles else self.learning_rate
        place, length = (step - self.learning, self.settling) if settles else (step, self.learning)
        rise = min(1.0, (place + 1) / self.warm_up)
        return height * rise * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * place / length)))

    def weights_at(self, step: int) -> Weights:
        """Return the weights of the losses at a step."""
        return self.weights if step >= self.learning else replace(self.weights, matting=0.0)


class _Batches(Dataset[Batch]):
    def __init__(self, vocabulary: Vocabulary, recipe: Recipe) -> None:
        self._vocabulary = vocabulary
        self._recipe = recipe

    def __getitem__(self, step: int) -> Batch:
        recipe = self._recipe
        return training_batch(self._vocabulary, recipe.seed, step, step / recipe.learning, recipe.batch_size)


class Run:
    """A training run in a folder: ``checkpoint.pt`` to go on from, ``log.jsonl`` to look at.

    Parameters
    ----------
    folder : Path
        Made where it is not there. A checkpoint in it is gone on from.
    recipe : Recipe

    Raises
    ------
    ValueError
        Where the folder holds a checkpoint of another recipe.
    """

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder = folder
        self.recipe = recipe
        self.step = 0
        self.tokenizer: PreTrainedTokenizerBase = build_tokenizer()
        self.vocabulary = Vocabulary(self.tokenizer)
        torch.manual_seed(recipe.seed)
        self.model: Qwen2VLForConditionalGeneration = build_model(self.tokenizer).train()
        self._forward = BatchedForward(self.model, _fast_dtype())
        self._grounded = torch.tensor(list(self.vocabulary.grounded))
        self._optimizers = _optimizers(self.model, recipe)
        folder.mkdir(parents=True, exist_ok=True)
        self._checkpoint = folder / "checkpoint.pt"
        if self._checkpoint.exists():
            self._restore()

    def train(self, *, until: int | None = None, save_every: int = 100, check_every: int = 500) -> None:
        """Train up to a step (the last one when left out), saving as it goes."""
        last = self.recipe.steps if until is None else until
        batches = DataLoader(
            _Batches(self.vocabulary, self.recipe),
            batch_size=None,
            sampler=range(self.step, last),
            num_workers=1,
            prefetch_factor=4,
            multiprocessing_context="fork",
        )
        started, first, smooth = time.monotonic(), self.step, dict[str, float]()
        for batch in batches:
            for name, value in self._update(batch).items():
                smooth[name] = 0.97 * smooth.get(name, value) + 0.03 * value
            if self.step % 50 == 0:
                rate = (time.monotonic() - started) / (self.step - first)
                self._log(step=self.step, seconds_left=round(rate * (last - self.step)), **smooth)
            if self.step % check_every == 0 or self.step == self.recipe.steps:
                self._log(step=self.step, **self.check())
            if self.step % save_every == 0 or self.step == last:
                self._save()

    @torch.no_grad()
    def check(self, pictures: int = 48) -> dict[str, Any]:
        """Share of right answers, word for word, by kind of question, on scenes beside the training's."""
        rng = np.random.default_rng([TRAINING, self.recipe.seed, 2**32])
        right: dict[str, list[bool]] = {}
        for _ in range(pictures // self.recipe.batch_size):
            placements = [place(rng, SIDE, SIDE) for _ in range(self.recipe.batch_size)]
            batch = make_batch(self.vocabulary, placements, rng)
            hidden, head = self._forward(batch)
            guess = (hidden[:, :-1] @ head.T).argmax(-1)
            wrong = (guess != batch.labels[:, 1:]) & (batch.labels[:, 1:] != IGNORED)
            for picture, segments in enumerate(batch.segments[:, 1:]):
                for segment in range(1, int(segments.max()) + 1):
                    here = segments == segment
                    asked = self.tokenizer.decode(batch.ids[picture, 1:][here])
                    kind = "caption" if segment == 1 else " ".join(asked.split()[:2])
                    right.setdefault(kind, []).append(not bool(wrong[picture][here].any()))
        return {"right": {kind: round(float(np.mean(values)), 3) for kind, values in sorted(right.items())}}

    def export(self, folder: Path) -> None:
        """Write the model as a transformers folder, weights in float16."""
        folder.mkdir(parents=True, exist_ok=True)
        self.tokenizer.save_pretrained(folder)
        build_image_processor().save_pretrained(folder)
        model = build_model(self.tokenizer)
        model.load_state_dict(self.model.state_dict())
        model.generation_config.do_sample = False
        model.half().save_pretrained(folder)
        for file in folder.iterdir():
            file.chmod(0o644)  # safetensors writes 0600, which a wheel would keep

    def _update(self, batch: Batch) -> dict[str, float]:
        recipe = self.recipe
        for optimizer in self._optimizers:
            for group in optimizer.param_groups:
                group["lr"] = recipe.rate_at(self.step)
        chance = torch.Generator().manual_seed(self.step)
        parts = losses(*self._forward(batch), batch, self._grounded, chance)
        torch.autograd.backward(total(parts, recipe.weights_at(self.step)))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self._optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step += 1
        return {name: value.item() for name, value in parts.items()}

    def _log(self, **entry: Any) -> None:
        entry = {key: round(value, 4) if isinstance(value, float) else value for key, value in entry.items()}
        logger.info("%s", json.dumps(entry))
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def _save(self) -> None:
        state = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
        }
        # Written beside and moved: a run that is killed while saving leaves the last whole checkpoint.
        part = self._checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self._checkpoint)

    def _restore(self) -> None:
        state = torch.load(self._checkpoint, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            raise ValueError(
                f"{self._checkpoint} is of another recipe, {state['recipe']}; "
                "go on with that recipe or train in another folder"
            )
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        logger.info("going on from step %d", self.step)


def _optimizers(model: torch.nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings, norms, biases and the patch kernel."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (matrices if parameter.ndim == 2 and "embed_tokens" not in name else others).append(parameter)  # noqa: PLR2004
    rate = recipe.learning_rate
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, weight_decay=0.0, betas=(0.9, 0.95), fused=True),
    ]


def _fast_dtype() -> torch.dtype:
    """bfloat16 where the processor multiplies it natively, else float32."""
    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
    return torch.bfloat16 if has_bf16 else torch.float32
