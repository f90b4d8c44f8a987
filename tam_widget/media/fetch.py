"""What an http or https address holds, within a time and a size.

A socket's own timeout starts anew with every byte, and looking up a name has none. So a thread reads, and whoever
waits for it closes its connection when the time is over.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import string
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request
import zlib
from typing import IO, TYPE_CHECKING, Any

from tam_widget.errors import PictureError
from tam_widget.media.wording import reason, shown

if TYPE_CHECKING:
    from tam_widget.media.limits import Deadline

__all__ = ["fetch"]

_PIECE = 2**16
_IN_MEMORY = 64 * 2**20  # what is larger goes to a temporary file
_GRACE_S = 1.0  # a socket gives up only after whoever waits for it has
_PACKED = {"gzip", "x-gzip", "deflate"}


def fetch(url: str, deadline: Deadline, most_bytes: int) -> IO[bytes]:
    """Return what an address holds as an open file, at its beginning.

    Parameters
    ----------
    url : str
        An ``http`` or ``https`` address. Spaces and letters beyond ASCII are encoded.
    deadline : Deadline
        For everything together: name, connection, redirects, head and body.
    most_bytes : int
        No more than this is kept, unpacked.

    Raises
    ------
    PictureError
        The address is malformed, leads elsewhere than to http or https, does not answer as HTTP says, answers with an
        error, with too much or too slowly.
    """
    transfer = _Transfer(url, deadline, most_bytes)
    # No executor: its threads are waited for when Python ends.
    threading.Thread(target=transfer.run, name="tam_widget fetch", daemon=True).start()
    try:
        transfer.done.wait(deadline.left)
    finally:
        finished = transfer.stop()
    if not finished:
        raise PictureError(
            f"cannot fetch {shown(url)}: it took longer than {deadline.seconds:g} s; download it and pass the file"
        )
    if isinstance(transfer.error, PictureError):
        raise transfer.error
    if transfer.error is not None:
        raise PictureError(f"cannot fetch {shown(url)}: {_said(transfer.error)}") from transfer.error
    return transfer.file


class _Transfer:
    """One address being read by a thread of its own."""

    def __init__(self, url: str, deadline: Deadline, most_bytes: int) -> None:
        self.done = threading.Event()
        self.error: Exception | None = None
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller's to close
        self._url, self._deadline, self._most_bytes = url, deadline, most_bytes
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._stopped = False

    def run(self) -> None:
        """Read the address to its end, or until an error."""
        try:
            self._read()
        except Exception as error:  # noqa: BLE001 - told by who waits
            self.error = error
        with self._lock:
            if self.error is not None or self._stopped:
                self.file.close()
            self.done.set()

    def stop(self) -> bool:
        """Close what is still open; return whether all was read, or failed, before."""
        with self._lock:
            self._stopped = True
            for sock in self._sockets:
                # Closing alone would not wake a thread that waits for the next byte.
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)
            return self.done.is_set()

    def watch(self, sock: socket.socket) -> None:
        """Remember a connection, to be shut when the time is over."""
        with self._lock:
            if self._stopped:
                raise TimeoutError
            self._sockets.append(sock)

    def _read(self) -> None:
        opener = urllib.request.OpenerDirector()  # not the usual one: that follows redirects to ftp, too
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPRedirectHandler(),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.UnknownHandler(),
            _Handler(self),
        ):
            opener.add_handler(handler)
        # An http or https address: the opener knows no other.
        request = urllib.request.Request(_encoded(self._url), headers={"User-Agent": "tam-widget"})  # noqa: S310
        with opener.open(request, timeout=self._deadline.left + _GRACE_S) as reply:
            self._keep(reply)
        self.file.seek(0)

    def _keep(self, reply: Any) -> None:
        length = reply.headers.get("Content-Length", "")
        promised = int(length) if length.isdigit() and "Transfer-Encoding" not in reply.headers else None
        packing = reply.headers.get("Content-Encoding", "identity").strip().lower()
        if packing not in {*_PACKED, "identity", ""}:
            raise ValueError(f"it comes packed as {packing[:40]!r}, which was not asked for")
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if packing in _PACKED else None
        if promised is not None:
            self._check_size(promised)
        received = kept = 0
        while piece := reply.read(_PIECE):
            received += len(piece)
            while piece:
                data, piece = (piece, b"") if unpack is None else _unpacked(unpack, piece)
                kept += len(data)
                self._check_size(kept)
                self.file.write(data)
        if promised is not None and received < promised:
            raise ValueError(f"the connection ended after {received:,} of {promised:,} bytes")
        if unpack is not None and not unpack.eof:
            raise ValueError("its packing ends too early")

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            raise PictureError(
                f"{shown(self._url)} is larger than {self._most_bytes // 2**20:,} MiB, the most that is fetched"
            )


class _Handler(urllib.request.HTTPSHandler, urllib.request.HTTPHandler):
    """Opens http and https over connections that a transfer watches."""

    def __init__(self, transfer: _Transfer) -> None:
        super().__init__()
        self._transfer = transfer

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_watched(http.client.HTTPConnection, self._transfer), req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        connection = _watched(http.client.HTTPSConnection, self._transfer)
        return self.do_open(connection, req, context=ssl.create_default_context())


def _watched(kind: type[http.client.HTTPConnection], transfer: _Transfer) -> Any:
    def connection(host: str, **options: Any) -> http.client.HTTPConnection:
        made = kind(host, **options)
        connect = made.connect

        def watched_connect() -> None:
            connect()
            transfer.watch(made.sock)

        # A handshake of TLS that stalls is not watched yet: the socket's own timeout counts for it as a whole.
        made.connect = watched_connect  # type: ignore[method-assign]
        return made

    return connection


def _unpacked(unpack: Any, piece: bytes) -> tuple[bytes, bytes]:
    """Unpack a part: a bomb is found before it has unfolded. What follows the packed data is dropped."""
    if unpack.eof:
        return b"", b""
    data = unpack.decompress(piece, 2**20)
    return data, unpack.unconsumed_tail


def _encoded(url: str) -> str:
    """Encode what a person may leave as it is, such as a space."""
    parts = urllib.parse.urlsplit(url)
    if not parts.hostname:
        raise ValueError("it names no host (an address is a text, no Path)")
    host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
    keep = string.punctuation.replace('"', "").replace("<", "").replace(">", "")
    path, query = (urllib.parse.quote(part, safe=keep) for part in (parts.path, parts.query))
    return urllib.parse.urlunsplit((parts.scheme.lower(), host, path or "/", query, ""))


def _said(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"HTTP {error.code} {' '.join(str(error.msg).split())[:120]}".rstrip()
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return reason(error.reason)
    if isinstance(error, http.client.HTTPException) and not isinstance(error, http.client.InvalidURL):
        return f"the server does not answer as HTTP says ({type(error).__name__}: {reason(error)})"
    return reason(error)
