"""A server on loopback that answers as badly as it is told to, byte by byte, and one that only counts who comes.

A script is a function of a connection whose request has been read; it writes what it likes. `CASES` of
tests/clients/test_hostile.py names what each of them must end in.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress

Script = Callable[[socket.socket, "Hostile"], None]
OK = b"HTTP/1.1 200 OK\r\n"
MB = 1_000_000
FEED = (b"<rss version='2.0'><channel><item><title>Acme wins</title><link>https://e.example/1</link></item>"
        b"</channel></rss>")


class Hostile:
    """Answers `GET /NAME` by the script of that name; `over` ends those that would go on for ever."""

    def __init__(self, scripts: dict[str, Script], context: ssl.SSLContext | None = None):
        self.scripts = scripts
        self.over = threading.Event()
        self.inside = "http://127.0.0.1:1/x"
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        if context is not None:
            self.listener = context.wrap_socket(self.listener, server_side=True, do_handshake_on_connect=False)
        self.port = int(self.listener.getsockname()[1])
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with sock, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                piece = sock.recv(65_536)
                if not piece:
                    return
                request += piece
            self.requests.append(request)
            name = request.split(b" ")[1].decode().split("/")[1]
            self.scripts.get(name, answer(b"", status="404 Not Found"))(sock, self)

    def close(self) -> None:
        """Stop listening and let every script end."""
        self.over.set()
        self.listener.close()


class Counter:
    """Takes connections on a loopback address and counts them; nobody is meant to come."""

    def __init__(self) -> None:
        self.connections = 0
        self.sockets = [socket.create_server(("127.0.0.1", 0), backlog=64)]
        self.port = int(self.sockets[0].getsockname()[1])
        with suppress(OSError):  # a machine without IPv6
            self.sockets.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for listener in self.sockets:
            threading.Thread(target=self._serve, args=(listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            self.connections += 1
            with sock, suppress(OSError):
                sock.sendall(OK + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(FEED) + FEED)

    def close(self) -> None:
        """Stop listening."""
        for listener in self.sockets:
            listener.close()


# -- scripts


def raw(*pieces: bytes, linger: bool = False) -> Script:
    """Send the pieces and close; with `linger` keep the connection open and silent instead."""
    def run(sock: socket.socket, server: Hostile) -> None:
        for piece in pieces:
            sock.sendall(piece)
        if linger:
            server.over.wait(30)

    return run


def answer(body: bytes, *heads: str, status: str = "200 OK") -> Script:
    """A proper answer with these heads; `{inside}` in the body is an address that nobody is meant to ask."""
    def run(sock: socket.socket, server: Hostile) -> None:
        content = body.replace(b"{inside}", server.inside.encode())
        lines = [f"HTTP/1.1 {status}", *heads]
        if not any(head.lower().startswith(("content-length", "transfer-encoding")) for head in heads):
            lines.append(f"Content-Length: {len(content)}")
        sock.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content)

    return run


def packed(body: bytes, *heads: str) -> Script:
    """A proper answer that says its body is gzip."""
    return answer(body, "Content-Encoding: gzip", *heads)


def redirect(target: str, status: str = "302 Found") -> Script:
    """A redirect; `{base}` in the target is the server's own address."""
    def run(sock: socket.socket, server: Hostile) -> None:
        location = target.replace("{base}", server.base)
        sock.sendall(f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

    return run


def drip(start: bytes, piece: bytes = b"1") -> Script:
    """`start`, then `piece` over and over, slowly, for ever."""
    def run(sock: socket.socket, server: Hostile) -> None:
        sock.sendall(start)
        while not server.over.wait(0.02):
            sock.sendall(piece)

    return run


def flood(start: bytes, piece: bytes, count: int = 10**9) -> Script:
    """`start`, then `piece` over and over as fast as it goes."""
    def run(sock: socket.socket, server: Hostile) -> None:
        sock.sendall(start)
        for _ in range(count):
            if server.over.is_set():
                return
            sock.sendall(piece)

    return run


def reset(start: bytes) -> Script:
    """`start`, then a reset (RST) in place of an end."""
    def run(sock: socket.socket, _: Hostile) -> None:
        sock.sendall(start)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return run


def half_close(start: bytes) -> Script:
    """`start`, then no more is sent but the connection stays open on the other side."""
    def run(sock: socket.socket, server: Hostile) -> None:
        sock.sendall(start)
        sock.shutdown(socket.SHUT_WR)
        server.over.wait(30)

    return run


def chunks(*pieces: bytes) -> bytes:
    """A chunked body."""
    return b"".join(b"%x\r\n" % len(piece) + piece + b"\r\n" for piece in pieces) + b"0\r\n\r\n"


# -- bodies


def bomb(size: int) -> bytes:
    """A gzip of `size` zero bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(MB)) for _ in range(size // MB)) + packer.flush()


def members(count: int) -> bytes:
    """`count` empty gzip members after one another."""
    return gzip.compress(b"", mtime=0) * count


def laughs() -> bytes:
    """A billion laughs."""
    steps = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 11))
    return (f"<?xml version='1.0'?><!DOCTYPE rss [<!ENTITY a0 'lol'>{steps}]><rss><channel><item><title>&a10;</title>"
            "</item></channel></rss>").encode()


def quadratic(declared: int) -> bytes:
    """An entity of `declared` characters, used 20,000 times."""
    return (f"<!DOCTYPE rss [<!ENTITY a '{'x' * declared}'>]><rss><channel><item><title>{'&a;' * 20_000}</title></item>"
            "</channel></rss>").encode()


def filled(start: bytes, piece: bytes, size: int = 2_900_000) -> bytes:
    """`start`, then `piece` over and over until `size`."""
    return start + piece * ((size - len(start)) // len(piece))


def numbered(start: bytes, piece: bytes, count: int) -> Iterator[bytes]:
    """`start` and `count` pieces with their number in them."""
    yield start
    yield from (piece % number for number in range(count))
