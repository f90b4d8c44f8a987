"""The weights that a training run has kept, one model after the other."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch

from scored_words.model import Model
from tam_widget.demo.training.corpus import build_tokenizer
from tam_widget.demo.training.curriculum import Curriculum
from tam_widget.demo.training.families.family import family_named
from tam_widget.models.own.demo_processors import demo_processor


class TrainingCourse:
    """A run's folder: its last checkpoint tells the family, ``weights/`` holds the steps.

    Parameters
    ----------
    run : Path

    Attributes
    ----------
    name : str
        The folder's.
    steps : dict of int to Path
        The kept weights by their step, in order.
    """

    def __init__(self, run: Path) -> None:
        self.name = run.name
        self.steps = {int(path.stem): path for path in sorted((run / "weights").glob("*.pt"))}
        recipe: dict[str, Any] = torch.load(run / "checkpoint.pt", weights_only=True)["recipe"]
        family = family_named(recipe["family"])
        tokenizer = build_tokenizer(family)
        model = family.model(tokenizer).eval()
        with TemporaryDirectory() as folder:
            family.save_processor(tokenizer, Path(folder), side=Curriculum(**recipe["curriculum"]).only_side)
            model.config.save_pretrained(folder)
            self._model = Model(model, demo_processor(Path(folder)))

    def at(self, step: int) -> Model:
        """Return the model with the weights of a step; the last one returned has them too."""
        self._model.model.load_state_dict(torch.load(self.steps[step], weights_only=True))
        return self._model
