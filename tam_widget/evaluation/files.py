"""Files that are there wholly or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tam_widget.errors import EvaluationError

__all__ = ["partial_path", "read_json", "write_whole"]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there wholly or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = partial_path(path)
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    EvaluationError
        It is not there or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


def partial_path(path: Path) -> Path:
    """Return where a file is written until it is whole: beside it, under a name that no glob of its kind finds."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")
