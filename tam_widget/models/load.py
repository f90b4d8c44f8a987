"""Models from the hub, from a folder, and the small one that comes with the package."""

from __future__ import annotations

import importlib.util
import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor
from transformers.utils import logging

from tam_widget.errors import MissingDependencyError, UnknownDemoError, UnsupportedModelError
from tam_widget.models.own.demo_processors import demo_processor

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["load", "load_demo"]

_SHARED: tuple[str, ...] = ("revision", "token", "cache_dir", "local_files_only", "trust_remote_code")
_PACKAGES = ("torchvision", "sentencepiece", "tiktoken", "timm", "einops", "av", "num2words")
_DEMOS = Path(__file__).parent.parent / "demo" / "models"


def load(name_or_path: str, **kwargs: Any) -> tuple[Any, Any]:
    """Load a vision-language model and its processor, ready to be explained.

    Parameters
    ----------
    name_or_path : str
        A name on the Hugging Face hub or a local folder.
    **kwargs
        For ``AutoModelForImageTextToText.from_pretrained``. ``dtype`` is ``"auto"`` (the weights' own) and, where
        accelerate is installed, ``device_map`` is ``"auto"`` (a GPU if there is one). ``revision``, ``token``,
        ``cache_dir``, ``local_files_only`` and ``trust_remote_code`` also go to the processor.

    Returns
    -------
    model : transformers.PreTrainedModel
        In evaluation mode.
    processor : transformers.ProcessorMixin
        The model's processor.

    Raises
    ------
    UnsupportedModelError
        The model has no vision, or its processor is missing or incomplete: the message says whose to take.
    MissingDependencyError
        Something that the processor needs is not installed; the message names the command.
    """
    processor = _processor(name_or_path, {name: kwargs[name] for name in _SHARED if name in kwargs})
    kwargs.setdefault("dtype", "auto")
    if importlib.util.find_spec("accelerate") is not None:
        kwargs.setdefault("device_map", "auto")
    try:
        model = AutoModelForImageTextToText.from_pretrained(name_or_path, **kwargs)
    except ValueError as error:
        if "Unrecognized configuration class" in str(error):
            raise UnsupportedModelError(
                f"{name_or_path!r} is no vision-language model: {str(error).splitlines()[0]}"
            ) from error
        raise
    return model.eval(), processor


def load_demo(name: str = "qwen") -> tuple[Any, Any]:
    """Load a small model that comes with the package: no download, no GPU, no torchvision.

    Parameters
    ----------
    name : str
        Which one: ``"qwen"``, a Qwen2-VL; ``"llava"``, a LLaVA, which takes one picture; ``"noisy"``, a copy of
        ``"qwen"`` whose maps have been spoiled on purpose, so that there is something for causal inference to take out.
        They speak about coloured shapes only; see ``demo/MODEL_CARD.md``.

    Returns
    -------
    model : transformers.PreTrainedModel
        On the CPU, float32, in evaluation mode.
    processor : transformers.ProcessorMixin
        Its processor: for pictures, and for Qwen2-VL also for videos.

    Raises
    ------
    UnknownDemoError
        There is no demo model of this name.
    MissingDependencyError
        The installation is broken: there is no demo model at all.
    """
    return _load_demo(_DEMOS, name)


def _load_demo(folder: Path, name: str) -> tuple[Any, Any]:
    there = sorted(config.parent.name for config in folder.glob("*/config.json"))
    if not there:
        raise MissingDependencyError(
            f"the demo models are missing from this installation ({folder}); pip install --force-reinstall tam-widget"
        )
    if name not in there:
        raise UnknownDemoError(f"there is no demo model {name!r}; there are {', '.join(map(repr, there))}")
    with _no_progress_bar():  # it would be gone before it is read
        model = AutoModelForImageTextToText.from_pretrained(folder / name, dtype=torch.float32)
    model.config._name_or_path = f"tam-demo-{name}"  # noqa: SLF001 - its name, which the folder's path hides
    return model.eval(), demo_processor(folder / name)


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    was_on = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if was_on:
            logging.enable_progress_bar()


def _processor(name_or_path: str, shared: dict[str, Any]) -> Any:
    try:
        processor = AutoProcessor.from_pretrained(name_or_path, **shared)
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        advice = _advice(str(error))
        if advice is not None:
            raise MissingDependencyError(
                f"the processor of {name_or_path!r} cannot be made without {advice}"
            ) from error
        missing = any(sign in str(error) for sign in ("Can't load", "Unrecognized processing class"))
        if missing and Path(name_or_path).is_dir():
            raise UnsupportedModelError(_without_processor(Path(name_or_path))) from error
        raise
    if getattr(processor, "image_processor", None) is None:
        if Path(name_or_path).is_dir() and not any(Path(name_or_path).glob("*processor_config.json")):
            raise UnsupportedModelError(_without_processor(Path(name_or_path)))
        raise UnsupportedModelError(
            f"{name_or_path!r} has no image processor (AutoProcessor gave a {type(processor).__name__}): it is no "
            "vision-language model, or a part is missing from its folder"
        )
    return processor


def _without_processor(folder: Path) -> str:
    """Say where the processor of a folder that holds none can be had: a fine-tuned model shares its base's."""
    there = {path.name for path in folder.iterdir()}
    if not there & {"config.json", "adapter_config.json"}:
        return f"{str(folder)!r} holds no model: there is no config.json in it"
    base = None
    for name, key in (("adapter_config.json", "base_model_name_or_path"), ("config.json", "_name_or_path")):
        if name in there and base is None:
            base = json.loads((folder / name).read_text(encoding="utf-8")).get(key) or None
    whose = f"{base!r}" if base else "the model that it was made from"
    return (
        f"{str(folder)!r} holds no complete processor; take that of {whose}: processor = "
        f"AutoProcessor.from_pretrained({base or '...'!r}), and processor.save_pretrained({str(folder)!r}) to keep it "
        "beside the model"
    )


def _advice(message: str) -> str | None:
    """Name the package that an error of transformers is about, and the command that installs it."""
    message = message.lower()
    if "operator torchvision::" in message:
        return "a torchvision that matches this torch: pip install --upgrade torch torchvision"
    if "video processor" in message and importlib.util.find_spec("torchvision") is None:
        return "torchvision: pip install torchvision"  # transformers says only that it cannot load the video processor
    missing = [name for name in _PACKAGES if name in message and importlib.util.find_spec(name) is None]
    return f"{missing[0]}: pip install {missing[0]}" if missing else None
