"""A page over facts that stand still: the real server and routes, without any actor behind them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from catalyst.clock import SystemClock
from catalyst.settings import defaults
from catalyst.web import views
from catalyst.web.facts import Facts
from catalyst.web.request import Request, Response
from catalyst.web.routes import Routes
from catalyst.web.server import Server
from catalyst.web.views import Items, Look
from tests.web.examples import detail, look


class StillFacts:
    """Answers what it was given."""

    def __init__(self, shown: Look | None = None, png: bytes | None = None):
        self.settings = defaults()
        self._look, self._png = shown or look(), png

    def look(self) -> Look:
        """The house."""
        return self._look

    def alerts(self, *, all_of_them: bool = False) -> tuple[views.Alert, ...]:
        """The alerts of the house."""
        return self._look.alerts

    def detail(self, alert_id: str) -> views.Detail | None:
        """One alert is known."""
        return detail() if alert_id == "00000000000000000007" else None

    def chart(self, alert_id: str) -> bytes | None:
        """The picture, for every alert."""
        return self._png

    def items(self) -> Items:
        """No items."""
        return Items((), ())


def routes(shown: Look | None = None, png: bytes | None = None) -> Routes:
    """The routes over facts that stand still."""
    return Routes(cast("Facts", StillFacts(shown, png)), SystemClock())


@contextmanager
def serving(answer: Callable[[Request], Response]) -> Iterator[int]:
    """A server on a free port; the port."""
    server = Server(answer, SystemClock())
    port = server.open(0)
    try:
        yield port
    finally:
        server.close()


def talk(port: int, sent: bytes, timeout_s: float = 10.0) -> bytes:
    """Everything that the server answers to these bytes until it closes."""
    with socket.create_connection(("127.0.0.1", port), timeout_s) as client:
        client.sendall(sent)
        return received(client)


def received(client: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    while data := client.recv(65_536):
        found += data
    return found


def get(port: int, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, dict[str, str], bytes]:
    """Status, headers by name in small letters, body."""
    answer = talk(port, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers: dict[str, Any] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        assert name.lower() not in headers, f"{name} stands twice"
        headers[name.lower()] = value
    return int(first.split()[1]), headers, body
