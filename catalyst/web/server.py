"""A small, bounded HTTP server on loopback: GET and HEAD, one request a connection.

One thread accepts and reads, many connections at a time and none for long; only complete requests reach the workers.
So a client that sends slowly, or nothing, holds a socket for five seconds and never a worker, which is why this is not
http.server (there a worker reads). It knows no pages: a function answers requests.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from queue import Empty, Full, Queue

from catalyst import log
from catalyst.clock import Clock
from catalyst.web.request import HEAD_LIMIT_BYTES, Refusal, Request, Response, parse_request, refusal, wire

WORKERS = 8
CONNECTIONS = 256
WAITING = 128  # complete requests that wait for a worker
READ_S = 5.0  # for a whole request, from the first byte to the last
SEND_S = 5.0
LINGER_S = 1.0  # for the client to close first, so that it reads the whole answer
SEND_BUFFER_BYTES = 512 * 1024  # an answer leaves a worker at once, however slowly it is read
BACKLOG = 256

Answer = Callable[[Request], Response]


@dataclass(slots=True)
class _Connection:
    """A client: what it has sent so far, and when its time is over."""

    socket: socket.socket
    end_s: float
    head: bytearray = field(default_factory=bytearray)
    answered: bool = False


class Server:
    """Serves from `open` to `close`. `answer` is called in several threads."""

    def __init__(self, answer: Answer, clock: Clock):
        self._answer = answer
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, int] = {}
        self._requests: Queue[tuple[_Connection, Request | Refusal] | None] = Queue(WAITING)
        self._done: Queue[_Connection] = Queue()
        self._connections: dict[int, _Connection] = {}  # of the listening thread alone
        self._listener: socket.socket | None = None
        self._closing = False
        self._threads: list[threading.Thread] = []

    def open(self, port: int) -> int:
        """Listen on 127.0.0.1; the port. Raises OSError where it cannot be had."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        self._listener, self._closing = listener, False
        self._wake_fd, self._wake_write = os.pipe()
        os.set_blocking(self._wake_fd, False)
        os.set_blocking(self._wake_write, False)
        self._threads = [threading.Thread(target=self._listen, name="web-listener", daemon=True),
                         *(threading.Thread(target=self._work, name=f"web-{n}", daemon=True) for n in range(WORKERS))]
        for thread in self._threads:
            thread.start()
        return int(listener.getsockname()[1])

    def close(self) -> None:
        """Stop listening at once; answers under way may end, nobody waits for them longer than a second."""
        self._closing = True
        self._wake()
        self._threads[0].join(1.0)
        for _ in range(WORKERS):
            with suppress(Full):
                self._requests.put_nowait(None)

    def statistics(self) -> dict[str, int]:
        """Answers by class of status, what was refused before it was a request, connections now."""
        with self._lock:
            return {**self._counts, "connections": len(self._connections)}

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1

    def _wake(self) -> None:
        with suppress(BlockingIOError, OSError):
            os.write(self._wake_write, b"x")

    # -- the listening thread

    def _listen(self) -> None:
        listener = self._listener
        assert listener is not None
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ, None)
            selector.register(self._wake_fd, selectors.EVENT_READ, None)
            while not self._closing:
                for key, _ in selector.select(self._wait_s()):
                    if key.fileobj is listener:
                        self._accept(listener, selector)
                    elif key.fd == self._wake_fd:
                        with suppress(BlockingIOError):
                            os.read(self._wake_fd, 4096)
                    else:
                        self._read(key.data, selector)
                self._take_back(selector)
                self._expire(selector)
            listener.close()
            for connection in list(self._connections.values()):
                self._drop(connection, selector)
        os.close(self._wake_fd)

    def _wait_s(self) -> float:
        now_s = self._clock.monotonic_s()
        return min((max(0.0, one.end_s - now_s) for one in self._connections.values()), default=1.0)

    def _accept(self, listener: socket.socket, selector: selectors.BaseSelector) -> None:
        for _ in range(BACKLOG):
            try:
                client, _ = listener.accept()
            except BlockingIOError:
                return
            except OSError:  # no descriptor left, or the client is gone already
                self._count("not_accepted")
                if self._connections:
                    self._drop(min(self._connections.values(), key=lambda one: one.end_s), selector)
                return
            if len(self._connections) >= CONNECTIONS:  # the one that has waited longest gives way
                self._count("crowded")
                self._drop(min(self._connections.values(), key=lambda one: one.end_s), selector)
            client.setblocking(False)
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
            connection = _Connection(client, self._clock.monotonic_s() + READ_S)
            self._connections[client.fileno()] = connection
            selector.register(client, selectors.EVENT_READ, connection)

    def _read(self, connection: _Connection, selector: selectors.BaseSelector) -> None:
        try:
            data = connection.socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection, selector)
            return
        if connection.answered:
            return  # what comes after the request is read and thrown away until the client closes
        connection.head += data
        end = connection.head.find(b"\r\n\r\n")
        if end < 0 and len(connection.head) <= HEAD_LIMIT_BYTES:
            return
        self._hand_over(connection, selector, parse_request(bytes(connection.head), end))

    def _hand_over(self, connection: _Connection, selector: selectors.BaseSelector, found: Request | Refusal) -> None:
        """Give the connection to a worker: until it comes back the listening thread does not touch it."""
        selector.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        connection.answered = True
        try:
            self._requests.put_nowait((connection, found))
        except Full:
            self._count("crowded")
            connection.socket.close()

    def _take_back(self, selector: selectors.BaseSelector) -> None:
        """Connections whose answer is out: they stay a moment, so that the client gets all of it."""
        with suppress(Empty):
            while True:
                connection = self._done.get_nowait()
                connection.end_s = self._clock.monotonic_s() + LINGER_S
                connection.socket.setblocking(False)
                self._connections[connection.socket.fileno()] = connection
                selector.register(connection.socket, selectors.EVENT_READ, connection)

    def _expire(self, selector: selectors.BaseSelector) -> None:
        now_s = self._clock.monotonic_s()
        for connection in [one for one in self._connections.values() if one.end_s <= now_s]:
            if connection.answered or not connection.head:
                self._drop(connection, selector)
            else:
                self._count("timed_out")
                self._hand_over(connection, selector, Refusal(HTTPStatus.REQUEST_TIMEOUT))

    def _drop(self, connection: _Connection, selector: selectors.BaseSelector) -> None:
        selector.unregister(connection.socket)
        del self._connections[connection.socket.fileno()]
        connection.socket.close()

    # -- the workers

    def _work(self) -> None:
        while (task := self._requests.get()) is not None:
            connection, found = task
            try:
                connection.socket.settimeout(SEND_S)
                connection.socket.sendall(self._respond(found))
                connection.socket.shutdown(socket.SHUT_WR)
            except OSError:  # the client went away, or does not read
                self._count("not_read")
                connection.socket.close()
                continue
            self._done.put(connection)
            self._wake()

    def _respond(self, found: Request | Refusal) -> bytes:
        if isinstance(found, Refusal):
            response, head_only = refusal(found.status), False
        else:
            response, head_only = self._answered(found), found.method == "HEAD"
        self._count(f"answers_{response.status // 100}xx")
        return wire(response, head_only=head_only)

    def _answered(self, request: Request) -> Response:
        try:
            return self._answer(request)
        except Exception as error:  # boundary: a defect of one page is that page's alone, and stays out of the answer
            log.error("page_failed", exc_info=error, path=request.path)
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR)
