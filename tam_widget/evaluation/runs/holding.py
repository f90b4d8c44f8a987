"""One process at a time writes into a run's folder."""

from __future__ import annotations

import json
import os
import platform
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tam_widget.errors import EvaluationError
from tam_widget.evaluation.files import cannot_write, read_json, write_whole
from tam_widget.evaluation.needed import needed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hold_folder"]

_LOCK = ".lock"
_HOLDER = ".holder.json"  # not in the lock's file: Windows lets nobody else read that one


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep other processes from writing into a folder, which is made; it is removed again if it stays empty.

    The operating system lets go of the lock when the process dies, however that happens. On file systems that cannot
    lock, the lock is a file that names its process; one that is left by a process of this machine that died is taken
    over.

    Raises
    ------
    EvaluationError
        Another process holds the folder, or it cannot be made, locked or written to.
    """
    filelock = needed("filelock", "keeping a run's rows", "eval")
    made = _make(folder)
    try:
        lock, first = filelock.FileLock(folder / _LOCK), not (folder / _LOCK).exists()
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            raise EvaluationError(
                f"{folder} is being written by {_holder(folder)}: wait for its end, or take another folder"
            ) from None
        except (OSError, NotImplementedError) as error:
            if first:
                _remove(folder, _LOCK)
            raise cannot_write(folder / _LOCK, error) from error
        try:
            _sign(folder)
            yield
        finally:
            _remove(folder, _HOLDER)
            if isinstance(lock, filelock.UnixFileLock):  # whoever has just opened it sees that it is gone
                _remove(folder, _LOCK)
            lock.release()
    finally:
        for one in made:
            with suppress(OSError):
                one.rmdir()


def _make(folder: Path) -> list[Path]:
    """Make a folder and return those that were missing, the innermost first."""
    try:
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise cannot_write(folder, error) from error
    return missing


def _remove(folder: Path, name: str) -> None:
    with suppress(OSError):
        (folder / name).unlink(missing_ok=True)


def _sign(folder: Path) -> None:
    since = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    holder = {"process": os.getpid(), "machine": platform.node(), "since": since}
    write_whole(folder / _HOLDER, json.dumps(holder).encode())


def _holder(folder: Path) -> str:
    try:
        holder = read_json(folder / _HOLDER)
        return f"process {holder['process']} on {holder['machine']} since {holder['since']}"
    except (EvaluationError, KeyError, TypeError):  # it has only just begun
        return "another process"
