"""The models that are measured: a demo model's name, or a folder like one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch
from transformers import AutoModelForImageTextToText

import tam_widget as tam
from scored_words.model import Model
from tam_widget.demo.scenery.staging import KINDS, STILL, THINGS_STILL
from tam_widget.demo.training.recipes import RECIPES
from tam_widget.models.own.demo_processors import demo_processor

if TYPE_CHECKING:
    from tam_widget.demo.scenery.staging import Kind

_DEMOS = Path(tam.__file__).parent / "demo" / "models"


def folder_of(name_or_path: str) -> Path:
    """Return the folder of a demo model, or the folder itself."""
    path = Path(name_or_path)
    return path if (path / "config.json").is_file() else _DEMOS / name_or_path


def open_model(name_or_path: str) -> Model:
    """Load a model in float32 and its processor."""
    folder = folder_of(name_or_path)
    if folder.parent == _DEMOS:
        return Model(*tam.load_demo(folder.name))
    model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32)
    return Model(model.eval(), demo_processor(folder))


def kinds_of(name_or_path: str, model: Model) -> tuple[Kind, ...]:
    """Return the kinds of scenes that a demo model was shown; of another folder's, those that its family takes.

    Of things, the kind whose drawings it has not seen, too.
    """
    if model.model.config.vision_config.model_type == "efficientnet_lite":
        return THINGS_STILL
    if name_or_path in RECIPES:
        return tuple(kind for kind, _ in RECIPES[name_or_path].curriculum.shares)
    return STILL if model.model.config.model_type == "llava" else KINDS
