"""Connections of the one way out: how one is made, and those that are kept for the next request to the same host.

urllib3 speaks HTTP on them; its pools, which look at each address three times, are not used. What is asked and what an
answer may cost is catalyst.clients.http's business.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from catalyst.clients.dial import Call, Resolver, dial

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection
    from urllib3.response import HTTPResponse

PER_HOST, MOST_HOSTS = 16, 64
KEEP_IDLE_S = 15.0  # a kept connection idle for longer is likely to be closed by the server while we write
PORTS = {"http": 80, "https": 443}


class Peer(NamedTuple):
    """Whom a connection is to; `guarded`: it must be a public address, unless its name is allowed."""

    scheme: str
    host: str
    port: int
    guarded: bool


class Kept:
    """The connections of one Http. Guarded and unguarded requests share none."""

    def __init__(self, call: Call, plain_socket: type[socket.socket], tls: Callable[[], ssl.SSLContext],
                 allowed: frozenset[str], resolve: Resolver):
        self._call, self._socket, self._tls, self._allowed, self._resolve = call, plain_socket, tls, allowed, resolve
        self._lock = threading.Lock()
        self._idle: dict[Peer, list[HTTPConnection]] = {}  # the host that was used last stands last

    def take(self, peer: Peer) -> HTTPConnection:
        """A connection for one request: one that is kept and still good, else one that is not open yet."""
        with self._lock:
            idle = self._idle.get(peer)
            connection = idle.pop() if idle else None
        if connection is None:
            return self._make(peer)
        if not connection.is_connected:
            connection.close()
        return connection

    def give_back(self, peer: Peer, connection: HTTPConnection) -> None:
        """Keep a connection whose answer was read to its end."""
        with self._lock:
            idle = self._idle[peer] = self._idle.pop(peer, [])
            idle.append(connection)
            gone = idle[:-PER_HOST]
            del idle[:-PER_HOST]
            if len(self._idle) > MOST_HOSTS:
                gone += self._idle.pop(next(iter(self._idle)))
        for one in gone:
            one.close()

    def drop(self, peer: Peer) -> None:
        """Keep none of those to a peer any longer."""
        with self._lock:
            gone = self._idle.pop(peer, [])
        for one in gone:
            one.close()

    def close(self) -> None:
        """Drop all that are kept."""
        for peer in list(self._idle):
            self.drop(peer)

    def _make(self, peer: Peer) -> HTTPConnection:
        plain, secure = connection_classes()
        made: Any = secure(peer.host, peer.port, timeout=None, ssl_context=self._tls()) \
            if peer.scheme == "https" else plain(peer.host, peer.port, timeout=None)
        is_allowed = bool({peer.host.lower(), f"{peer.host.lower()}:{peer.port}"} & self._allowed)
        made.call = self._call
        made.dial = lambda: dial(self._socket, self._call, peer.host, peer.port,
                                 guarded=peer.guarded and not is_allowed, resolve=self._resolve)
        return made  # type: ignore[no-any-return]


def exchange(connection: HTTPConnection, method: str, target: str, body: bytes | None,
             headers: dict[str, str]) -> HTTPResponse:
    """Send a request and read the head of its answer. Raises what urllib3, http.client and the socket raise."""
    if connection.is_closed:
        connection.connect()
    with suppress(BrokenPipeError, ConnectionResetError):  # the server may have answered before it closed
        connection.request(method, target, body=body, headers=headers, preload_content=False, decode_content=False)
    return connection.getresponse()


@lru_cache(maxsize=1_024)  # a source is asked again and again
def read_url(url: str) -> tuple[str, str, int, str]:
    """(scheme, host, port, target of the request) of an address. Raises ValueError (of urllib3) for what is none."""
    from urllib3.exceptions import LocationParseError
    from urllib3.util import parse_url

    parts = parse_url(url)
    scheme = parts.scheme or "http"
    if scheme not in PORTS or not parts.host:
        raise LocationParseError(f"no web address: {scheme[:10]}")
    host = parts.host[1:-1] if parts.host.startswith("[") else parts.host
    return scheme, host, parts.port or PORTS[scheme], parts.request_uri


@cache
def connection_classes() -> tuple[type[HTTPConnection], type[HTTPConnection]]:
    """urllib3's connections, dialled by us: (for http, for https)."""
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Mixin:
        call: Call
        dial: Callable[[], socket.socket]
        used_s = 0.0

        def _new_conn(self) -> socket.socket:
            self.call.dialled = True
            return self.dial()

        def send(self: Any, data: Any) -> None:
            self.call.sent = True
            self.used_s = self.call.clock.monotonic_s()
            super().send(data)  # type: ignore[misc]

        @property
        def is_connected(self: Any) -> bool:
            idle_s = self.call.clock.monotonic_s() - self.used_s
            return idle_s <= KEEP_IDLE_S and bool(super().is_connected)  # type: ignore[misc]

    class Plain(Mixin, HTTPConnection):
        pass

    class Secure(Mixin, HTTPSConnection):
        pass

    return Plain, Secure
