"""Pictures and videos from strangers: servers that stall or answer badly, damaged files, large ones.

``python benchmarks/reliability/media.py`` prints one JSON line for each row of the table in docs/reliability.md: what
was tried, how often, what happened. The time limit is the real one, so the servers that stall take a minute together.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import io
import json
import os
import re
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

import tam_widget as tam
from tam_widget.media import limits
from tam_widget.media.pictures import as_picture
from tam_widget.media.videos import MOST_FRAMES, as_video

sys.path.append(str(Path(__file__).parents[1]))

from reliability.bad_servers import BAD, GOOD, STALLING, serving
from reliability.damaged_files import damaged, picture_files, video_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LONGEST_MESSAGE = 500
_ENDING_S = 30  # for the thread of a transfer whose connection was closed


def outcome(read: Callable[[Any], object], given: Any) -> str:
    """Return "read", "refused", or what is wrong: an error of another kind, or a message that repeats the input."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(given)
    except tam.PictureError as error:
        return "refused" if len(str(error)) <= _LONGEST_MESSAGE else "a long message"
    except Exception as error:  # noqa: BLE001 - what is looked for
        return f"raised {type(error).__name__}"
    return "read"


def refusal(read: Callable[[Any], object], given: Any) -> str:
    """Return what the :class:`PictureError` says."""
    try:
        read(given)
    except tam.PictureError as error:
        return str(error)
    return "it was read"


def stalling_servers(times: int) -> dict[str, Any]:
    """Ask servers that never end, all at once."""
    with serving(picture_files()["PNG"]) as site, concurrent.futures.ThreadPoolExecutor(len(STALLING) * times) as pool:
        start = time.monotonic()
        said = list(pool.map(lambda name: refusal(as_picture, f"{site}/{name}"), list(STALLING) * times))
        seconds = time.monotonic() - start
        for thread in threading.enumerate():
            if thread.name == "tam_widget fetch":
                thread.join(_ENDING_S)
        left = sum(thread.name == "tam_widget fetch" for thread in threading.enumerate())
    held = left == 0 and all("took longer than" in text for text in said)
    return {
        "tried": f"servers that stall, in {len(STALLING)} ways",
        "times": len(said),
        "happened": f"all given up within {seconds:.1f} s; {left} threads left" if held else sorted(set(said)),
        "held": held,
    }


def answering_servers(times: int) -> Iterator[dict[str, Any]]:
    """Ask servers that answer badly, and some that answer well in unusual ways."""
    with serving(picture_files()["PNG"]) as site:
        for replies, tried, wanted in (
            (BAD, "servers that answer badly", "PictureError, which says why"),
            (GOOD, "servers that answer in unusual ways", "read"),
        ):
            wrong = {}
            for name in list(replies) * times:
                said = refusal(as_picture, f"{site}/{name}")
                if re.search(BAD[name][1] if replies is BAD else "it was read", said) is None:
                    wrong[name] = said
            yield {
                "tried": f"{tried}, in {len(replies)} ways",
                "times": len(replies) * times,
                "happened": wrong or wanted,
                "held": not wrong,
            }


def damaged_files(times: int) -> Iterator[dict[str, Any]]:
    """Read files in which some bytes were changed."""
    files = {**picture_files(), "MP4": video_file()}
    for name, file in files.items():
        read = as_video if name == "MP4" else as_picture
        with _silent():
            happened = Counter(outcome(read, damaged(file, seed)) for seed in range(times))
        yield {
            "tried": f"{name} files with up to 20 bytes changed, some cut short",
            "times": times,
            "happened": dict(happened),
            "held": set(happened) <= {"read", "refused"},
        }


def no_files() -> dict[str, Any]:
    """Read what is no regular file, or larger than anything."""
    with tempfile.TemporaryDirectory() as folder:
        pipe, sparse, loop = (str(Path(folder, name)) for name in ("pipe", "sparse", "loop"))
        os.mkfifo(pipe)
        Path(loop).symlink_to("loop")
        Path(sparse).touch()
        os.truncate(sparse, 2**40)
        reader, writer = os.pipe()
        given = [pipe, sparse, loop, folder, f"/dev/fd/{reader}", "/dev/zero", "/dev/urandom"]
        happened = Counter(outcome(read, path) for path in given for read in (as_picture, as_video))
        os.close(reader)
        os.close(writer)
    return {
        "tried": "pipes, devices, a folder, a link to itself, a file of 1 TiB; as picture and as video",
        "times": 2 * len(given),
        "happened": dict(happened),
        "held": set(happened) == {"refused"},
    }


def large_pictures() -> Iterator[dict[str, Any]]:
    """Read pictures of growing size; the memory is the process's peak above that before the first."""
    start = _peak()
    for width, height in ((4000, 3000), (4096, 4096), (8660, 5774), (11648, 8736), (12000, 9000), (13000, 13000)):
        buffer = io.BytesIO()
        Image.new("RGB", (width, height), "white").save(buffer, "JPEG")
        began = time.perf_counter()
        happened = outcome(as_picture, buffer)
        seconds = time.perf_counter() - began
        yield {
            "tried": f"a JPEG of {width}×{height} pixels ({width * height / 1e6:.0f} megapixels)",
            "times": 1,
            "happened": f"{happened} in {seconds:.1f} s, {_peak() - start:,.0f} MiB",
            "held": happened == ("read" if width * height <= limits.MOST_PIXELS else "refused"),
        }


def film(minutes: int) -> dict[str, Any]:
    """Take the frames of a long film with a key frame every ten seconds."""
    total = minutes * 60 * 24
    file = video_file(frames=total, rate=24, g="240")
    decoded, check = 0, limits.Deadline.check

    def counted(deadline: limits.Deadline, name: str) -> None:
        nonlocal decoded
        decoded += 1
        check(deadline, name)

    limits.Deadline.check = counted  # type: ignore[method-assign] - it is asked once for each frame
    try:
        video = as_video(file)
    finally:
        limits.Deadline.check = check  # type: ignore[method-assign]
    return {
        "tried": f"a film of {minutes} minutes ({total:,} frames)",
        "times": 1,
        "happened": f"{len(video.frames)} frames taken, {decoded:,} decoded ({decoded / total:.1%})",
        "held": len(video.frames) >= MOST_FRAMES / 2 and bool(np.ptp(np.diff(video.times)) < 0.1),
    }


def _peak() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """Keep what libtiff writes about damaged files out of the way."""
    sys.stderr.flush()
    kept = os.dup(2)
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def rows(share: float) -> Iterator[dict[str, Any]]:
    """Yield all rows; ``share`` is that of the full counts."""
    yield from large_pictures()  # first: peaks of memory only grow
    yield no_files()
    yield film(max(5, round(120 * share)))
    yield from damaged_files(max(1, round(1000 * share)))
    yield from answering_servers(max(1, round(5 * share)))
    yield stalling_servers(max(1, round(5 * share)))


def main() -> None:
    """Print the rows; end with 1 where one of them did not hold."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1.0, help="of the full counts (default 1)")
    held = True
    for row in rows(parser.parse_args().share):
        print(json.dumps(row, ensure_ascii=False), flush=True)
        held &= row["held"]
    sys.exit(not held)


if __name__ == "__main__":
    main()
