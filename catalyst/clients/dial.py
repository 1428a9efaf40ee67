"""Sockets of the one way out: they obey the deadline and the byte limit of the thread's request, and reach public
addresses only.

The address that is checked is the one that is connected to. Nothing here knows of HTTP.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any

from catalyst.clock import Clock
from catalyst.core.addresses import is_forbidden
from catalyst.errors import FetchError

CONNECT_S = 5.0
Resolver = Callable[..., list[Any]]  # called and answering as socket.getaddrinfo


class Call(threading.local):
    """What the running request of each thread has left of its time and bytes, and how far it has come."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.ends_s = 0.0
        self.left_bytes = 0
        self.sent = False
        self.dialled = False
        self.head: tuple[int | None, dict[str, str]] = (None, {})  # status and headers of its answer, once they came

    def begin(self, deadline_s: float) -> None:
        """Start the clock of a request."""
        self.ends_s = self.clock.monotonic_s() + deadline_s

    def allow_bytes(self, count: int) -> None:
        """Let the next answer have `count` bytes, its head and framing counted."""
        self.left_bytes = count

    def left_s(self) -> float:
        """Seconds to the deadline, negative after it."""
        return self.ends_s - self.clock.monotonic_s()

    def limit(self, sock: socket.socket, most_s: float = 1e6) -> None:
        """Let the next operation of `sock` take no longer than what is left. Raises TimeoutError when nothing is."""
        left = self.left_s()
        if left <= 0:
            raise TimeoutError("deadline")
        sock.settimeout(min(left, most_s))

    def took(self, count: int) -> int:
        """Note `count` received bytes and give them back. Raises FetchError `too_big` beyond what was allowed.

        Without it a line that never ends (a chunk's size, a trailer) would be kept whole until the deadline.
        """
        self.left_bytes -= count
        if self.left_bytes < 0:
            raise FetchError("too_big", "more bytes than an answer may have")
        return count


def socket_classes(call: Call) -> tuple[type[socket.socket], type[ssl.SSLSocket]]:
    """Sockets whose every read and write ends at the deadline of the thread's request, however slowly bytes drip."""

    class Bounded:
        def recv_into(self: Any, *given: Any, **named: Any) -> int:
            call.limit(self)
            return call.took(super().recv_into(*given, **named))  # type: ignore[misc]

        def sendall(self: Any, *given: Any, **named: Any) -> None:
            call.limit(self)
            super().sendall(*given, **named)  # type: ignore[misc]

    class Plain(Bounded, socket.socket):
        pass

    class Secure(Bounded, ssl.SSLSocket):
        pass

    return Plain, Secure


def dial(make: type[socket.socket], call: Call, host: str, port: int, *, guarded: bool,
         resolve: Resolver) -> socket.socket:
    """A socket connected to an address of `host`. Raises FetchError: dns, refused, timeout, forbidden_address.

    The address that is checked is the address that is connected to; the peer is checked once more afterwards.
    """
    where = f"{host[:100]}:{port}"
    failure = FetchError("refused", where)
    for family, kind, protocol, _, address in _addresses(call, host, port, resolve):
        if guarded and is_forbidden(str(address[0])):
            failure = FetchError("forbidden_address", where)
            continue
        sock = make(family, kind, protocol)
        try:
            call.limit(sock, CONNECT_S)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            if guarded and is_forbidden(str(sock.getpeername()[0])):
                raise FetchError("forbidden_address", where)
            call.limit(sock)
            return sock
        except TimeoutError:
            failure = FetchError("timeout", where)
        except FetchError as error:
            failure = error
        except OSError:
            failure = FetchError("refused", where)
        sock.close()
    raise failure


def _addresses(call: Call, host: str, port: int, resolve: Resolver) -> list[Any]:
    """What the name stands for, within the deadline. Raises FetchError `dns`.

    The system's resolver knows no deadline and may take a minute where no name server answers, longer than a job may
    last: it is asked in a thread that is left behind when the time is over.
    """
    where = f"{host[:100]}:{port}"
    found: SimpleQueue[list[Any] | Exception] = SimpleQueue()

    def look_up() -> None:
        try:
            found.put(resolve(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, name="resolve", daemon=True).start()
    try:
        answer = found.get(timeout=max(0.0, call.left_s()))
    except Empty:
        raise FetchError("dns", f"{where}: no answer in time") from None
    if isinstance(answer, Exception):
        raise FetchError("dns", where) from answer
    return answer
