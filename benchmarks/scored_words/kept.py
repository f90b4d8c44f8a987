"""Rows that outlast a stopped run: JSON lines in a folder that git ignores, one file for each weights and kind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scored_words.held_out import FIRST_SEED, held_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tam_widget.demo.scenery.staging import Kind

Row = dict[str, Any]

FOLDER = Path(__file__).parents[2] / "runs" / "figures"
_FORMAT = 1  # another one where what is measured changes: rows of the old one are not read
_PROBES = 3


def digest_of_files(paths: Iterable[Path]) -> str:
    """Return a short digest of the names and contents of files."""
    return _short(part for path in sorted(paths) for part in (path.name.encode(), path.read_bytes()))


def digest_of_scenes(kind: Kind) -> str:
    """Return a short digest of the first scenes of a kind and of all that is asked about them.

    Rows of scenes that were once drawn, or are asked about, in another way are not read.
    """
    found = [held_out(seed, kind).scene for seed in range(FIRST_SEED, FIRST_SEED + _PROBES)]
    said = [repr((scene.prompt, scene.caption, scene.questions, scene.event)).encode() for scene in found]
    return _short([*said, *(image.tobytes() for scene in found for image in scene.images)])


def _short(parts: Iterable[bytes]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(hashlib.sha256(part).digest())
    return found.hexdigest()[:12]


def rows_of(
    name: str, seeds: Iterable[int], make: Callable[[int], Row], *, folder: Path = FOLDER, fresh: bool = False
) -> list[Row]:
    """Read the rows of some seeds, make those that are missing, and keep each as soon as it is made.

    Parameters
    ----------
    name : str
        Of the rows' file; it holds the digests of all that they depend on.
    seeds : iterable of int
    make : callable
        From a seed to its row, which JSON can hold and whose ``"seed"`` it is.
    folder : Path
    fresh : bool
        Whether rows that are there are thrown away.
    """
    path = folder / f"{name}-{_FORMAT}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    if fresh:
        path.unlink(missing_ok=True)
    known = {row["seed"]: row for row in _read(path)}
    rows = []
    with path.open("a", encoding="utf-8") as file:
        for seed in seeds:
            if seed not in known:
                known[seed] = make(seed)
                file.write(json.dumps(known[seed]) + "\n")
                file.flush()
            rows.append(known[seed])
    return rows


def _read(path: Path) -> list[Row]:
    """Read the rows of a file, but for a last line that a stopped run left unfinished: it is cut off."""
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        path.write_text(whole, encoding="utf-8")
    return [json.loads(line) for line in whole.splitlines()]
