"""What a run was made with, so that it goes on only with the same."""

from __future__ import annotations

import json
import platform
import zlib
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.files import read_json, write_whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tam_widget.evaluation.data.samples import Dataset
    from tam_widget.evaluation.runs.judging import Settings

__all__ = ["check_same", "describe_data", "describe_model", "describe_settings", "describe_versions", "keep_manifest"]

_PACKAGES = ("torch", "transformers", "numpy", "pillow", "nltk", "simplemma", "rouge-score")
_LOOKED_AT = 64  # values of each weight that tell one model from another


def describe_model(model: Any) -> dict[str, Any]:
    """Return a model's name, class, type of numbers and size, and a checksum of a few values of each weight."""
    import torch

    parameters = list(model.parameters())
    known = [one for one in parameters if one.device.type != "meta"]  # weights that are kept elsewhere until needed
    checksum = 0
    for one in known:
        values = one.detach().flatten()[:_LOOKED_AT].to("cpu", torch.float64)
        checksum = zlib.crc32(values.numpy().tobytes(), checksum)
    return {
        "name": str(getattr(model.config, "_name_or_path", "") or type(model).__name__),
        "class": type(model).__name__,
        "dtype": str(model.dtype).removeprefix("torch."),
        "parameters": sum(one.numel() for one in parameters),
        "weights": f"{checksum:08x}",
    }


def describe_data(dataset: Dataset) -> dict[str, Any]:
    """Return a data set's name and size."""
    return {"name": dataset.name, "samples": len(dataset)}


def describe_settings(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON has them."""
    return {**asdict(settings), "methods": list(settings.methods)}


def describe_versions() -> dict[str, str]:
    """Return the versions of what figures depend on; a package that is not installed is left out."""
    from tam_widget import __version__

    found = {"tam_widget": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def check_same(path: Path, wanted: Mapping[str, Any]) -> None:
    """Make sure that a run's manifest, where there is one, says what is wanted.

    Parameters
    ----------
    path : path
        The manifest.
    wanted : mapping
        The parts to compare; other parts of the manifest are not looked at.

    Raises
    ------
    EvaluationError
        Something differs; the message names it.
    """
    if not path.exists():
        return
    kept = read_json(path)
    before, now = ({name: part[name] for name in wanted if name in part} for part in (kept, wanted))
    before, now = dict(_leaves(before)), dict(_leaves(now))
    differing = [
        f"{name} is {_shown(now.get(name))}, there {_shown(before.get(name))}"
        for name in {**before, **now}
        if before.get(name) != now.get(name)
    ]
    if differing:
        raise EvaluationError(
            f"{path.parent} holds another run: {'; '.join(differing)}. Take another folder, or the same settings to "
            "go on"
        )


def keep_manifest(path: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put parts into a manifest, leaving its other parts as they are, and return the whole."""
    manifest = {**(read_json(path) if path.exists() else {}), **parts}
    write_whole(path, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return manifest


def _leaves(parts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in parts.items():
        if isinstance(part, dict):
            yield from _leaves(part, f"{above}{name}.")
        else:
            yield f"{above}{name}", part


def _shown(value: Any) -> str:
    return "nothing" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
