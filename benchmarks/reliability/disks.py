"""What becomes of a run of the evaluation on damaged files and full disks, killed, or begun twice at once.

``python benchmarks/reliability/disks.py`` prints a line of JSON for each row: what was tried, how often, what happened.
``--share 0.02`` does a fiftieth of each; ``--only kills`` one of them. The rows are those of the demo model; going on
writes them again as they were, so that what a file says can be held against what was written. Needs a Unix system.
"""

from __future__ import annotations

import argparse
import errno
import json
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tam_widget as tam
from tam_widget.errors import EvaluationError
from tam_widget.evaluation import demo_scenes, evaluate, open_run
from tam_widget.evaluation.runs.judging import Settings
from tam_widget.evaluation.runs.manifest import MANIFEST
from tam_widget.evaluation.runs.row_format import row_bytes, row_from
from tam_widget.evaluation.runs.runner import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Row = dict[str, Any]

SEED = 7
SAMPLES = 4
SETTINGS = Settings(("tam", "cam"), faithfulness=1, steps=2)
SAME, FOUND, OTHER = "as written", "found damaged", "other values taken for whole"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    parser.add_argument("--only", choices=sorted(ROWS), help="one of the rows")
    parser.add_argument("--go-on", type=Path, metavar="DIR", help=argparse.SUPPRESS)  # what `kills` starts and kills
    given = parser.parse_args()
    if given.go_on is not None:
        _go_on(given.go_on, *json.load(sys.stdin))
        return
    for name, (measure, times) in ROWS.items():
        if given.only in {None, name}:
            start = time.perf_counter()
            row = measure(max(1, round(times * given.share)))
            print(json.dumps({**row, "seconds": round(time.perf_counter() - start, 1)}), flush=True)


def flips(times: int) -> Row:
    """Flip bits in the file of one row: one, or 200."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    _, rows = _known()
    whole = row_bytes(rows[0])
    happened = Counter(_read(_flipped(whole, 1 if one % 2 else 200, rng), rows[0]) for one in range(times))
    return _row("1 or 200 bits flipped in a row's file", times, happened, (SAME, FOUND, OTHER))


def cuts(times: int) -> Row:
    """Cut the file of one row short."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    _, rows = _known()
    whole = row_bytes(rows[0])
    happened = Counter(_read(whole[: rng.randrange(len(whole))], rows[0]) for _ in range(times))
    return _row("a row's file cut short", times, happened, (SAME, FOUND, OTHER))


def joined(times: int) -> Row:
    """Flip bits in ``samples.parquet``, with ``rows/`` beside it and alone."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    _, rows = _known()
    happened: Counter[str] = Counter()
    with _finished() as folder:
        path = folder / "samples.parquet"
        whole = path.read_bytes()
        for one in range(times):
            if one == times // 2:
                shutil.rmtree(folder / "rows")
            path.write_bytes(_flipped(whole, rng.choice((1, 200)), rng))
            found = _rows(folder)
            beside = "with rows/" if one < times // 2 else "alone"
            kind = SAME if found == rows else FOUND if all(row in rows for row in found) else OTHER
            happened[f"{beside}: {kind}"] += 1
    kinds = (f"with rows/: {SAME}", f"with rows/: {OTHER}", f"alone: {SAME}", f"alone: {FOUND}", f"alone: {OTHER}")
    return _row("1 or 200 bits flipped in samples.parquet", times, happened, kinds)


def manifests(times: int) -> Row:
    """Flip bits in ``run.json`` and go on."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    manifest, rows = _known()
    happened: Counter[str] = Counter()
    with _finished() as folder:
        path = folder / MANIFEST
        whole = path.read_bytes()
        for one in range(times):
            path.write_bytes(_flipped(whole, 1 if one % 2 else 200, rng))
            try:
                _go_on(folder, manifest, rows)
            except EvaluationError:
                happened["refused"] += 1
            else:
                happened["went on, rows as written" if _rows(folder) == rows else OTHER] += 1
            path.write_bytes(whole)
    return _row("1 or 200 bits flipped in run.json", times, happened, ("refused", "went on, rows as written", OTHER))


def limits(times: int) -> Row:
    """Let writing end within one of the files, as on a full disk, and go on with room."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    largest = max(len(row_bytes(row)) for row in _known()[1])

    @contextmanager
    def limit(_: Path) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (rng.randrange(largest * 2), before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return _interrupted("a file that may not grow further", times, limit)


def full_disks(times: int) -> Row:
    """Let a disk in memory be full at some byte, and go on with room; where one can be mounted."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    needed = sum(len(row_bytes(row)) for row in _known()[1])

    @contextmanager
    def fill(folder: Path) -> Iterator[None]:
        filler = folder.parent / "filler"
        with filler.open("wb") as file:
            room = shutil.disk_usage(folder.parent).free - rng.randrange(needed * 2)
            file.write(bytes(max(room, 0)))
        try:
            yield
        finally:
            filler.unlink()

    with tempfile.TemporaryDirectory() as disk:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={max(needed * 8, 2**20)}", "tmpfs", disk]
        if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603 - as above
            return _row("a full disk", 0, Counter({"no disk can be mounted here": 1}), ())
        try:
            return _interrupted("a full disk", times, fill, disk)
        finally:
            subprocess.run(["umount", disk], check=True)  # noqa: S603, S607 - mounted above


def kills(times: int) -> Row:
    """Kill the process that writes at a random moment, and go on."""
    rng = random.Random(SEED)  # noqa: S311 - nothing secret
    manifest, rows = _known()
    happened: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for one in range(times):
            folder = Path(place, str(one))
            command = [sys.executable, __file__, "--go-on", str(folder)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as child:  # noqa: S603 - this file
                child.stdin.write(json.dumps([manifest, rows]))
                child.stdin.close()
                after = rng.randrange(-1, SAMPLES)  # so many rows, or at once
                while len(_written(folder)) < after or not folder.exists():
                    if child.poll() is not None:
                        break
                    time.sleep(0.0005)
                time.sleep(rng.uniform(0, 0.02))
                child.kill()
            written = len(_written(folder))
            _go_on(folder, manifest, rows)
            happened["left something" if _left(folder) or _rows(folder) != rows else SAME] += 1
            happened["killed before the last row"] += written < SAMPLES
            happened["killed after the first row"] += written > 0
    kinds = (SAME, "killed after the first row", "killed before the last row", "left something")
    return _row("killed while it writes", times, happened, kinds)


def pairs(times: int) -> Row:
    """Begin two runs with other settings in one folder at once."""
    manifest, rows = _known()
    happened: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        for one in range(times):
            folder, both = Path(place, str(one)), threading.Barrier(2)
            ends: list[str] = []

            def begin(settings: Settings, folder: Path = folder, both: Any = both, ends: Any = ends) -> None:
                both.wait()
                try:
                    _go_on(folder, manifest, rows, settings)
                except EvaluationError:
                    ends.append("refused")
                else:
                    ends.append("wrote")

            threads = [threading.Thread(target=begin, args=(replace(SETTINGS, seed=seed),)) for seed in (0, 1)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            right = sorted(ends) == ["refused", "wrote"] and _rows(folder) == rows and not _left(folder)
            happened["one wrote, one was refused" if right else "mixed"] += 1
    return _row("two runs at once in one folder", times, happened, ("one wrote, one was refused", "mixed"))


ROWS: dict[str, tuple[Callable[[int], Row], int]] = {
    "flips": (flips, 10_000),
    "cuts": (cuts, 2_000),
    "joined": (joined, 1_000),
    "manifests": (manifests, 1_000),
    "limits": (limits, 200),
    "full_disks": (full_disks, 200),
    "kills": (kills, 30),
    "pairs": (pairs, 100),
}
"""What is measured by name, and how often."""


@cache
def _known() -> tuple[Row, list[Row]]:
    """Return what a run was made with, and its rows."""
    with tempfile.TemporaryDirectory() as place:
        how = {"methods": SETTINGS.methods, "faithfulness": SETTINGS.faithfulness, "steps": SETTINGS.steps}
        run = evaluate(*tam.load_demo(), demo_scenes(SAMPLES), out=place, progress=False, **how)
        return run.manifest["model"], list(run.rows())


def _go_on(folder: Path, model: Row, rows: list[Row], settings: Settings = SETTINGS) -> None:
    """Go on with a run as :func:`evaluate` does, with the rows that a model gave before."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is damaged is counted
        with Session(folder, demo_scenes(SAMPLES), settings, progress=False) as session:
            session.learn_model(model)
            for index in session.todo:
                session.keep(index, rows[index])


def _rows(folder: Path) -> list[Row]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return list(open_run(folder).rows())


@contextmanager
def _finished(place: str | None = None) -> Iterator[Path]:
    """Make a folder with a finished run."""
    with tempfile.TemporaryDirectory(dir=place) as made:
        folder = Path(made, "run")
        _go_on(folder, *_known())
        yield folder


def _interrupted(tried: str, times: int, hindrance: Any, place: str | None = None) -> Row:
    """Go on with a run of which one row is damaged, hindered, and again without hindrance."""
    model, rows = _known()
    happened: Counter[str] = Counter()
    for one in range(times):
        with _finished(place) as folder:
            (folder / "rows" / f"{one % SAMPLES:07d}.parquet").write_bytes(b"damaged")
            try:
                with hindrance(folder):
                    _go_on(folder, model, rows)
            except EvaluationError as error:
                happened["told"] += getattr(error.__cause__, "errno", None) in {errno.EFBIG, errno.ENOSPC}
                happened["rows lost meanwhile"] += _rows(folder) != rows
            else:
                happened["had room"] += 1
            happened["left something"] += bool(_left(folder))
            _go_on(folder, model, rows)
            happened["as written in the end"] += _rows(folder) == rows
    kinds = ("told", "had room", "rows lost meanwhile", "left something", "as written in the end")
    return _row(tried, times, happened, kinds)


def _written(folder: Path) -> list[Path]:
    return list(folder.glob("rows/*.parquet"))


def _left(folder: Path) -> list[Path]:
    return list(folder.rglob(".*"))


def _read(data: bytes, row: Row) -> str:
    try:
        return SAME if row_from(data) == row else OTHER
    except EvaluationError:
        return FOUND


def _flipped(data: bytes, count: int, rng: random.Random) -> bytes:
    flipped = bytearray(data)
    for _ in range(count):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    return bytes(flipped)


def _row(tried: str, times: int, happened: Counter[str], kinds: tuple[str, ...]) -> Row:
    return {"tried": tried, "times": times, "happened": {kind: happened[kind] for kind in kinds or happened}}


if __name__ == "__main__":
    main()
