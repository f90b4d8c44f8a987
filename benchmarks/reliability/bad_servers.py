"""A server on this machine that answers badly, and one reply for each way of doing so."""

from __future__ import annotations

import contextlib
import gzip
import socketserver
import threading
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Reply = Callable[["Exchange"], None]

__all__ = ["BAD", "GOOD", "STALLING", "Exchange", "serving"]

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n"
_PAUSE_S = 0.05  # between the bytes of a server that never ends


class Exchange:
    """One request: its connection, the picture that a good server would send, and when to end."""

    def __init__(self, handler: socketserver.StreamRequestHandler, picture: bytes, ended: threading.Event) -> None:
        self.picture = picture
        self._file, self._ended = handler.wfile, ended

    def send(self, *parts: bytes) -> None:
        """Send bytes as they are."""
        self._file.write(b"".join(parts))
        self._file.flush()

    def drip(self, parts: Iterator[bytes]) -> None:
        """Send parts slowly, until the client is gone or the server ends."""
        for part in parts:
            self.send(part)
            if self._ended.wait(_PAUSE_S):
                return

    def hang(self) -> None:
        """Send nothing more."""
        self._ended.wait()


def _endlessly(part: bytes) -> Iterator[bytes]:
    while True:
        yield part


def _status(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {line}", *headers, "", ""]).encode()


def _redirect(to: str) -> Reply:
    return lambda exchange: exchange.send(_status("302 Found", f"Location: {to}", "Content-Length: 0"))


def _packed(exchange: Exchange, data: bytes, packing: str) -> None:
    exchange.send(_HEAD, f"Content-Encoding: {packing}\r\nContent-Length: {len(data)}\r\n\r\n".encode(), data)


def _bomb(exchange: Exchange) -> None:
    """Send a MiB of packed zeros again and again: some GiB unpacked."""
    pack = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    exchange.send(_HEAD, b"Content-Encoding: gzip\r\n\r\n")
    for _ in range(3000):
        exchange.send(pack.compress(bytes(2**20)))


def _chunked(exchange: Exchange, *chunks: bytes) -> None:
    exchange.send(_HEAD, b"Transfer-Encoding: chunked\r\n\r\n", *chunks)


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


GOOD: dict[str, Reply] = {
    "with a length": lambda e: e.send(_HEAD, f"Content-Length: {len(e.picture)}\r\n\r\n".encode(), e.picture),
    "without a length": lambda e: e.send(_HEAD, b"\r\n", e.picture),
    "in chunks": lambda e: _chunked(e, _chunk(e.picture[:9]), _chunk(e.picture[9:]), b"0\r\n\r\n"),
    "packed, unasked": lambda e: _packed(e, gzip.compress(e.picture), "gzip"),
    "after a redirect": _redirect("/with%20a%20length"),
}
"""Replies that hold the picture."""

STALLING: dict[str, Reply] = {
    "never answers": lambda e: e.hang(),
    "never ends its status line": lambda e: e.drip(_endlessly(b"H")),
    "sends header after header": lambda e: (e.send(_HEAD), e.drip(_endlessly(b"X"))),
    "says 'continue' for ever": lambda e: e.drip(_endlessly(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "stops in the middle": lambda e: (e.send(_HEAD, b"Content-Length: 9999\r\n\r\n", e.picture[:20]), e.hang()),
    "sends a byte now and then": lambda e: (e.send(_HEAD, b"\r\n"), e.drip(_endlessly(b"\x89"))),
    "sends a chunk of a byte now and then": lambda e: (_chunked(e), e.drip(_endlessly(_chunk(b"\x89")))),
}
"""Replies that never end."""

BAD: dict[str, tuple[Reply, str]] = {
    "closes at once": (lambda e: e.send(), "does not answer as HTTP says"),
    "bad status line": (lambda e: e.send(b"HELLO 200\r\n\r\n"), "does not answer as HTTP says"),
    "status line of a megabyte": (lambda e: e.send(b"HTTP/1.1 200 ", b"x" * 2**20), "does not answer as HTTP says"),
    "a thousand headers": (lambda e: e.send(_HEAD, b"A: b\r\n" * 1000, b"\r\n"), "does not answer as HTTP says"),
    "bad chunk": (lambda e: _chunked(e, b"zz\r\n", e.picture), "does not answer as HTTP says|IncompleteRead"),
    "chunks end early": (lambda e: _chunked(e, b"ffff\r\n", e.picture), "IncompleteRead"),
    "body ends early": (
        lambda e: e.send(_HEAD, b"Content-Length: 9999\r\n\r\n", e.picture),
        r"ended after .* of 9,999 bytes",
    ),
    "says it sends a terabyte": (lambda e: e.send(_HEAD, b"Content-Length: 1099511627776\r\n\r\n"), "larger than"),
    "gzip bomb": (_bomb, "larger than"),
    "broken gzip": (lambda e: _packed(e, b"\x1f\x8b" + e.picture, "gzip"), "Error -3"),
    "gzip ends early": (lambda e: _packed(e, gzip.compress(e.picture)[:-9], "gzip"), "packing ends too early"),
    "unknown packing": (lambda e: _packed(e, e.picture, "br"), "packed as 'br'"),
    "not found": (lambda e: e.send(_status("404 Gone " + "x" * 5000, "Content-Length: 0")), "HTTP 404"),
    "error of the server": (lambda e: e.send(_status("500 Oops", "Content-Length: 0")), "HTTP 500"),
    "redirect to a file": (_redirect("file:///etc/passwd"), "is not allowed"),
    "redirect to ftp": (_redirect("ftp://127.0.0.1/a.png"), "unknown url type: ftp"),
    "redirect to data": (_redirect("data:image/png;base64,aaaa"), "is not allowed"),
    "redirect in a circle": (_redirect("/redirect%20in%20a%20circle"), "redirect"),
    "redirect to nowhere": (lambda e: e.send(_status("302 Found", "Content-Length: 0")), "HTTP 302"),
    "a web page": (lambda e: e.send(_HEAD, b"\r\n<!DOCTYPE html><html></html>"), "web page"),
    "nothing": (lambda e: e.send(_HEAD, b"Content-Length: 0\r\n\r\n"), "it is empty"),
}
"""Replies that hold no picture, and what the error says (a regular expression)."""


@contextlib.contextmanager
def serving(picture: bytes) -> Iterator[str]:
    """Serve every reply under its name; yield the address, to which ``/`` and a name are added."""
    ended = threading.Event()
    replies = {**GOOD, **STALLING, **{name: reply for name, (reply, _) in BAD.items()}}

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            name = self.rfile.readline().split()[1].decode().removeprefix("/").replace("%20", " ").replace("%27", "'")
            while self.rfile.readline().strip():
                pass
            with contextlib.suppress(OSError):  # the client has gone
                replies[name](Exchange(self, picture, ended))

        def finish(self) -> None:
            with contextlib.suppress(OSError):
                super().finish()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 64

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            ended.set()
            server.shutdown()
