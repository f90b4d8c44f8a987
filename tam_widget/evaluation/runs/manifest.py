"""What a run was made with, so that it goes on only with the same."""

from __future__ import annotations

import hashlib
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

__all__ = [
    "MANIFEST",
    "check_same",
    "describe_data",
    "describe_model",
    "describe_settings",
    "describe_versions",
    "is_there",
    "keep_manifest",
    "made_with",
    "read_manifest",
]

MANIFEST = "run.json"

_PACKAGES = ("torch", "transformers", "numpy", "pillow", "nltk", "simplemma", "rouge-score")
_MADE_WITH = ("model", "data", "settings", "versions")
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
    if not is_there(path):
        return
    kept = read_manifest(path)
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
    """Put parts into a manifest, leaving its other parts as they are, and return the whole.

    Raises
    ------
    EvaluationError
        It cannot be read or written.
    """
    kept = read_manifest(path) if is_there(path) else {}
    manifest = {**kept, **parts}
    if manifest != kept:
        write_whole(path, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
    return manifest


def read_manifest(path: Path) -> dict[str, Any]:
    """Read a run's manifest.

    Raises
    ------
    EvaluationError
        It cannot be read, or lacks a part.
    """
    try:
        manifest = read_json(path)
        if lacking := list(_lacking(manifest)):
            raise EvaluationError(f"{path} cannot be read: it says no {lacking[0]}")  # noqa: TRY301 - told as all is
    except EvaluationError as error:
        raise EvaluationError(
            f"{error}. Without it nobody knows what the rows beside it were made with: put a copy back, or take "
            "another folder"
        ) from error
    return dict(manifest)


def is_there(path: Path) -> bool:
    """Tell whether there is a manifest, damaged or not.

    Raises
    ------
    EvaluationError
        The folder cannot be looked into.
    """
    try:
        return path.exists()
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


def made_with(manifest: Mapping[str, Any]) -> str:
    """Return a checksum of all that a row depends on, so that a row of another run is known."""
    parts = {name: manifest[name] for name in _MADE_WITH}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def _lacking(manifest: Any) -> Iterator[str]:
    """Yield what a manifest must say and does not."""
    known = manifest if isinstance(manifest, dict) else {}
    for name, inner, kind in (
        ("model", "name", str),
        ("data", "name", str),
        ("settings", "methods", list),
        ("versions", None, dict),
        ("samples", None, int),
    ):
        part = known.get(name)
        if inner is not None:
            part = part.get(inner) if isinstance(part, dict) else None
        if not isinstance(part, kind):
            yield f"{name}.{inner}" if inner else name


def _leaves(parts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for name, part in parts.items():
        if isinstance(part, dict):
            yield from _leaves(part, f"{above}{name}.")
        else:
            yield f"{above}{name}", part


def _shown(value: Any) -> str:
    return "nothing" if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
