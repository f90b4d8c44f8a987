"""The training run: scheduled in steps, resumable, the same from the same seed."""

from __future__ import annotations

import json
import logging
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from tam_widget.demo.scenery.held_out import TRAINING
from tam_widget.demo.training.corpus import build_tokenizer
from tam_widget.demo.training.families.batch import IGNORED, Batch
from tam_widget.demo.training.families.family import family_named
from tam_widget.demo.training.features import FeatureCache
from tam_widget.demo.training.grounding import grounding_named
from tam_widget.demo.training.kept_scenes import KeptScenes
from tam_widget.demo.training.losses import losses, total
from tam_widget.demo.training.sequences import Maker, encoder, make_batch, training_batch
from tam_widget.demo.training.talk import talk_about

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from tam_widget.demo.training.recipes import Recipe

logger = logging.getLogger(__name__)


class _Batches(Dataset[Batch]):
    def __init__(self, maker: Maker, recipe: Recipe) -> None:
        self._maker = maker
        self._recipe = recipe

    def __getitem__(self, step: int) -> Batch:
        recipe = self._recipe
        progress = step / recipe.learning
        return training_batch(self._maker, recipe.curriculum, recipe.seed, step, progress, recipe.batch_size)


class Run:
    """A training run in a folder: ``checkpoint.pt`` to go on from, ``log.jsonl`` and ``weights/`` to look at.

    Parameters
    ----------
    folder : Path
        Made where it is not there. A checkpoint in it is gone on from.
    recipe : Recipe
    tower : Path, optional
        Folder of the tower of a family that does not train it.

    Raises
    ------
    ValueError
        Where the folder holds a checkpoint of another recipe.
    """

    def __init__(self, folder: Path, recipe: Recipe, tower: Path | None = None) -> None:
        self.folder = folder
        self.recipe = recipe
        self.step = 0
        self.family = family_named(recipe.family)
        of_things = isinstance(recipe.curriculum, KeptScenes)
        self.tokenizer: PreTrainedTokenizerBase = build_tokenizer(self.family, things=of_things)
        encode = encoder(self.tokenizer)
        self.grounding = grounding_named(recipe.grounding, encode, recipe.curriculum)
        torch.manual_seed(recipe.seed)
        self.model: PreTrainedModel = self.family.model(self.tokenizer).train()
        if recipe.start:
            self.model.load_state_dict(_weights_of(recipe.start))
        if tower is not None:
            _put_tower(self.model, tower)
        self._maker = Maker(self.family, encode, self.grounding, _cache(folder, recipe, self.model))
        self._forward = self.family.forward(self.model, _fast_dtype())
        self._grounded = torch.tensor(self.grounding.tokens)
        self._optimizers = _optimizers(self.model, recipe)
        folder.mkdir(parents=True, exist_ok=True)
        self._checkpoint = folder / "checkpoint.pt"
        if self._checkpoint.exists():
            self._restore()

    def train(
        self, *, until: int | None = None, save_every: int = 100, check_every: int = 500, keep_every: int = 500
    ) -> None:
        """Train up to a step (the last one when left out), saving as it goes.

        Parameters
        ----------
        until : int, optional
            The step to stop after.
        save_every, check_every, keep_every : int
            Steps between two checkpoints, of which the last stays, two looks at held-out answers, and two copies of
            the weights, which all stay, as do those at the start.
        """
        last = self.recipe.steps if until is None else until
        batches = DataLoader(
            _Batches(self._maker, self.recipe),
            batch_size=None,
            sampler=range(self.step, last),
            num_workers=1,
            prefetch_factor=4,
            multiprocessing_context="fork",
        )
        if self.step == 0:
            self._keep()
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
            if self.step % keep_every == 0:
                self._keep()

    @torch.no_grad()
    def check(self, scenes: int = 32) -> dict[str, Any]:
        """Share of right answers, word for word, by kind of scene and question, on scenes beside the training's."""
        rng = np.random.default_rng([TRAINING, self.recipe.seed, 2**32])
        right: dict[str, list[bool]] = {}
        curriculum = self.recipe.curriculum
        for kind, _ in curriculum.shares:
            while len(right.get(f"{kind} caption", ())) < scenes:
                stagings = curriculum.draw_checked(kind, rng, self.recipe.batch_size)
                talks = [talk_about(staging, rng, adjectives=curriculum.adjectives > 0) for staging in stagings]
                batch = make_batch(self._maker, stagings, talks, rng)
                hidden, head = self._forward(batch)
                guess = (hidden[:, :-1] @ head.T).argmax(-1)
                wrong = (guess != batch.labels[:, 1:]) & (batch.labels[:, 1:] != IGNORED)
                for talk, segments, missed in zip(talks, batch.segments[:, 1:], wrong, strict=True):
                    for number, question in enumerate(talk, 1):
                        said_wrong = bool(missed[segments == number].any())
                        right.setdefault(f"{kind} {question.kind}", []).append(not said_wrong)
        return {"right": {kind: round(float(np.mean(values)), 3) for kind, values in right.items()}}

    def export(self, folder: Path) -> None:
        """Write the model as a transformers folder, weights in float16."""
        folder.mkdir(parents=True, exist_ok=True)
        self.family.save_processor(self.tokenizer, folder, side=self.recipe.curriculum.only_side)
        model = self.family.model(self.tokenizer)
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
        parts = losses(*self._forward(batch), batch, self._grounded, chance, pool=recipe.pool)
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

    def _keep(self) -> None:
        """Keep the weights of this step, in float16, so that the course of the maps can be followed afterwards."""
        folder = self.folder / "weights"
        folder.mkdir(exist_ok=True)
        torch.save(
            {name: value.half() for name, value in self.model.state_dict().items()}, folder / f"{self.step:05}.pt"
        )

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


def _weights_of(name: str) -> dict[str, torch.Tensor]:
    """Return the weights of the demo model of a name, in float32."""
    from tam_widget.models.load import load_demo

    model, _ = load_demo(name)
    weights: dict[str, torch.Tensor] = model.state_dict()
    return weights


def _put_tower(model: Any, folder: Path) -> None:
    """Give a model the weights of a tower that another training made; its places stay the model's own."""
    from tam_widget.models.own.efficientnet_lite import EfficientNetLiteModel

    weights = EfficientNetLiteModel.from_pretrained(folder, dtype=torch.float32).state_dict()
    kept = {name: weight for name, weight in weights.items() if "embedding" not in name}
    model.model.vision_tower.load_state_dict(kept, strict=False)


def _cache(folder: Path, recipe: Recipe, model: Any) -> FeatureCache | None:
    """Return what keeps the features of a frozen tower, if the recipe's scenes are kept."""
    if not isinstance(recipe.curriculum, KeptScenes):
        return None
    from tam_widget.demo.training.families.lite import picture_processor

    return FeatureCache(folder / "features", recipe.curriculum, model.model.vision_tower, picture_processor())


def _optimizers(model: torch.nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings, norms, biases and the patch kernel."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        (matrices if parameter.ndim == 2 and "embed" not in name else others).append(parameter)  # noqa: PLR2004
    rate = recipe.learning_rate
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, weight_decay=0.0, betas=(0.9, 0.95), fused=True),
    ]


def _fast_dtype() -> torch.dtype:
    """bfloat16 where the processor multiplies it natively, else float32."""
    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
    return torch.bfloat16 if has_bf16 else torch.float32
