"""Paths, addresses, texts, bytes and file objects, all as one open file.

Only regular files are opened: a pipe may never end, and a device never does.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import io
import os
import re
import stat
import urllib.parse
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tam_widget.errors import PictureError
from tam_widget.media.fetch import fetch
from tam_widget.media.limits import MOST_BYTES
from tam_widget.media.signatures import is_media
from tam_widget.media.wording import reason, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tam_widget.media.limits import Deadline

__all__ = ["is_source", "opened"]

_SCHEME = re.compile(r"(https?|file|data):|([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]+={0,2}")
_SHORTEST_BASE64 = 64  # characters; the smallest pictures take more, and few file names do
_LONGEST_PATH = 4096
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def is_source(given: Any) -> bool:
    """Tell whether something is, names or holds a file."""
    return isinstance(given, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(given, "read")


@contextlib.contextmanager
def opened(given: Any, deadline: Deadline, *, any_length: bool = False) -> Iterator[tuple[IO[bytes], str]]:
    """Open what :func:`is_source` accepts.

    Parameters
    ----------
    given : str, os.PathLike, bytes, bytearray, memoryview or binary file object
        A text is a path, an address with ``http:``, ``https:``, ``file:`` or ``data:``, or the base64 of a file. A file
        object is read from its beginning, and left where it was found.
    deadline : Deadline
        When an address must have been read.
    any_length : bool
        A file on disk may be longer than ``MOST_BYTES``; whoever reads it keeps only parts of it.

    Yields
    ------
    file : binary file object
        At its beginning; seekable.
    name : str
        What an error message calls it.

    Raises
    ------
    PictureError
        There is no such file, it is no regular one, is too large or cannot be opened; or the text is none of these.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(given, bytes | bytearray | memoryview):
            yield _held(bytes(given)), f"what these {len(given):,} bytes hold"
        elif isinstance(given, str | os.PathLike):
            text = _text(given)
            file = stack.enter_context(_named(text, deadline, any_length=any_length))
            yield file, _name(text)
        else:
            stack.callback(given.seek, _checked(given))
            yield given, f"what the {type(given).__name__} holds"


def _text(given: str | os.PathLike[str]) -> str:
    try:
        text = os.fsdecode(given)
    except Exception as error:
        raise PictureError(f"the {type(given).__name__} gives no path: {reason(error)}") from error
    if not text.strip():
        raise PictureError("an empty text names no file; pass a path, a URL, a PIL image, an array or a tensor")
    return text


def _name(text: str) -> str:
    if text[:5].lower() == "data:":
        return f"what the data: URL ({shown(text[:60].partition(',')[0])}) holds"
    return shown(text)


def _named(text: str, deadline: Deadline, *, any_length: bool) -> IO[bytes]:
    address = text.strip()
    scheme = _SCHEME.match(address)
    if scheme is None:
        return _file_or_base64(text, any_length=any_length)
    match (scheme[1] or scheme[2]).lower():
        case "http" | "https":
            return fetch(address, deadline, MOST_BYTES)
        case "data":
            return _from_data_url(address)
        case "file":
            return _file(_path_of(address), any_length=any_length)
        case other:
            raise PictureError(
                f"{shown(text)} cannot be read: of addresses only http, https, file and data are, not {other[:20]}"
            )


def _path_of(url: str) -> str:
    try:
        parts = urllib.parse.urlsplit(url)
        if os.name != "nt" and parts.netloc.lower() not in {"", "localhost"}:
            raise PictureError(f"{shown(url)} names another machine, {parts.netloc[:40]!r}; write file:///path")
        on = f"//{parts.netloc}" if parts.netloc.lower() not in {"", "localhost"} else ""
        return urllib.request.url2pathname(on + parts.path)
    except ValueError as error:
        if isinstance(error, PictureError):
            raise
        raise PictureError(f"cannot read {shown(url)}: {reason(error)}") from error


def _file_or_base64(text: str, *, any_length: bool) -> IO[bytes]:
    try:
        return _file(text, any_length=any_length)
    except PictureError as error:
        if (decoded := _from_base64(text)) is not None:
            return _held(decoded)
        if len(text) > _LONGEST_PATH:
            raise PictureError(
                f"a text of {len(text):,} characters, {shown(text)}, names no file and is the base64 of no picture"
            ) from error
        raise


def _file(text: str, *, any_length: bool) -> IO[bytes]:
    try:
        path = Path(text).expanduser()
        # Opened without waiting: a pipe would wait for its writer. What it is shows once it is open.
        file = open(path, "rb", opener=_without_waiting)  # noqa: SIM115 - the caller's to close
    except FileNotFoundError as error:
        raise PictureError(f"there is no file {shown(text)} (looked in {shown(Path.cwd())})") from error
    except IsADirectoryError as error:
        raise PictureError(f"cannot read {shown(text)}: it is a folder; pass the file in it") from error
    # A NUL and a lone surrogate are ValueErrors, an unknown home a RuntimeError.
    except (OSError, ValueError, RuntimeError) as error:
        raise PictureError(f"cannot read {shown(text)}: {reason(error)}") from error
    try:
        _check(os.fstat(file.fileno()), shown(text), any_length=any_length)
    except BaseException:
        file.close()
        raise
    return file


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _check(found: os.stat_result, name: str, *, any_length: bool) -> None:
    if not stat.S_ISREG(found.st_mode):
        kind = next((said for is_kind, said in _KINDS if is_kind(found.st_mode)), "no file")
        raise PictureError(f"cannot read {name}: it is {kind}; only regular files are read")
    if not any_length:
        _check_size(found.st_size, name)


def _check_size(size: int, name: str) -> None:
    if size > MOST_BYTES:
        raise PictureError(f"{name} has {size / 2**20:,.0f} MiB; the limit is {MOST_BYTES // 2**20:,} MiB")


def _held(data: bytes) -> IO[bytes]:
    _check_size(len(data), "what was given")
    return io.BytesIO(data)


def _checked(file: Any) -> int:
    """Check a person's file object and put it at its beginning; return where it was."""
    kind = f"the {type(file).__name__}"
    try:
        with contextlib.suppress(AttributeError, OSError):  # a BytesIO has no descriptor
            _check(os.fstat(file.fileno()), kind, any_length=True)
        place: int = file.tell()
        binary = isinstance(file.read(0), bytes)
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
    except PictureError:
        raise
    except Exception as error:  # whatever a person's class raises
        raise PictureError(f"{kind} cannot be read: {reason(error)}; pass the bytes, or a file on disk") from error
    if not binary:
        raise PictureError(f"{kind} gives text: open the file with mode 'rb'")
    _check_size(size, kind)
    return place


def _from_data_url(url: str) -> IO[bytes]:
    head, comma, body = url.partition(",")
    if not comma or not head.lower().rstrip().endswith(";base64"):
        raise PictureError(f"a data: URL must hold base64, as in data:image/png;base64,…; got {shown(url)}")
    decoded = _decoded(body)
    if isinstance(decoded, binascii.Error):
        raise PictureError(f"the data: URL's base64 is broken: {reason(decoded)}") from decoded
    return _held(decoded)


def _from_base64(text: str) -> bytes | None:
    """Return what a text holds that is no path, where it is the base64 of a picture or a video."""
    if len(text) < _SHORTEST_BASE64 or _BASE64.fullmatch("".join(text[:1024].split()).rstrip("=")) is None:
        return None
    decoded = _decoded(text)
    return decoded if isinstance(decoded, bytes) and is_media(decoded[:16]) else None


def _decoded(body: str) -> bytes | binascii.Error:
    """Decode base64 of either alphabet, with or without line breaks, padding and percent-encoding."""
    if len(body) > 2 * MOST_BYTES:
        raise PictureError(f"the base64 has {len(body) / 2**20:,.0f} MiB; the limit is {MOST_BYTES // 2**20:,} MiB")
    if "%" in body:
        body = urllib.parse.unquote(body)
    plain = "".join(body.split()).translate({ord("-"): "+", ord("_"): "/"}).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except binascii.Error as error:
        return error
    except ValueError:  # a letter beyond ASCII
        return binascii.Error("it holds letters beyond ASCII")
