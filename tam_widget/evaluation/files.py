"""Files that are there wholly or not at all."""

from __future__ import annotations

import errno
import json
import os
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from tam_widget.errors import EvaluationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["cannot_write", "open_whole", "read_json", "remove_partials", "write_whole"]

_FULL = "make room and start again: what is done is kept"
_CLOSED = "take a folder that can be written to"
_ADVICE = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: _FULL,
    errno.EROFS: _CLOSED,
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
}


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is there wholly or not at all; its folder is made.

    Where it is there already, nothing is written: a finished run may lie where nothing can be.

    Raises
    ------
    EvaluationError
        It cannot be written; what was there before is still there.
    """
    with suppress(OSError):
        if path.is_file() and path.read_bytes() == data:
            return
    with open_whole(path) as file:
        file.write(data)


@contextmanager
def open_whole(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write, which takes the place of what was there once all of it is on the disk.

    Raises
    ------
    EvaluationError
        As for :func:`write_whole`.
    """
    partial = _partial_path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)  # of what could not be written whole, nothing stays on a full disk


def cannot_write(path: Path, error: Exception) -> EvaluationError:
    """Return an error that says what could not be written, why, and what would help."""
    why = getattr(error, "strerror", None) or error
    advice = _ADVICE.get(getattr(error, "errno", None) or 0)
    return EvaluationError(f"{path} cannot be written: {why}" + (f"; {advice}" if advice else ""))


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    EvaluationError
        It is not there or no JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


def remove_partials(folder: Path, name: str) -> None:
    """Remove what writers that were killed left of the files whose names fit a pattern; none may be at work."""
    for partial in folder.glob(f".{name}.*.part"):
        with suppress(OSError):
            partial.unlink()


def _partial_path(path: Path) -> Path:
    """Return where a file is written until it is whole: beside it, under a name that no glob of its kind finds."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
