"""What a sink's faults on the wire come out as: raw servers that break off, drip and lie."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from catalyst.clients.http import Http
from catalyst.clients.sinks import DiscordSink, WebhookSink
from catalyst.clock import SystemClock
from catalyst.testing import wait_until

CLOCK = SystemClock()
CARD = {"content": "x" * 300}
WHOLE = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"id": "123"}'
DRIP_S = 0.1
Play = Callable[[socket.socket], None]


class Server:
    """Accepts connections and lets `play` have each; `closed` counts those that it has ended."""

    def __init__(self, play: Play):
        self.closed = 0
        self._play = play
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api/webhooks/1/t"
        self.ended = threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._play(connection)
        self.closed += 1

    def close(self) -> None:
        self.ended.set()
        self._socket.close()


def read(connection: socket.socket) -> None:
    """One request, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65_536)


def reset(connection: socket.socket) -> None:
    """Close with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def reset_before(connection: socket.socket) -> None:
    connection.recv(1)
    reset(connection)


def reset_after(connection: socket.socket) -> None:
    read(connection)
    reset(connection)


def torn_head(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(WHOLE[:10])


def torn_body(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(WHOLE[:-1])
    reset(connection)


def whole(status: int, body: bytes = b"{}") -> Play:
    """Answers so."""
    def play(connection: socket.socket) -> None:
        read(connection)
        connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    return play


def rubbish(connection: socket.socket) -> None:
    read(connection)
    connection.sendall(b"220 smtp.example ESMTP\r\n")


def silent(connection: socket.socket) -> None:
    read(connection)
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    read(connection)
    for place in range(len(WHOLE)):
        connection.sendall(WHOLE[place:place + 1])
        threading.Event().wait(DRIP_S)


def late(connection: socket.socket) -> None:
    read(connection)
    threading.Event().wait(DRIP_S)
    connection.sendall(WHOLE)


@pytest.mark.parametrize(("play", "expected"), [
    (reset_before, "ambiguous"), (reset_after, "ambiguous"), (torn_head, "ambiguous"), (rubbish, "ambiguous"),
    (silent, "ambiguous"), (drip, "ambiguous"), (late, "delivered")])
def test_what_breaks_after_the_request_began_is_ambiguous(play: Play, expected: str) -> None:
    """Whoever breaks off once bytes have left may have done it; all ends within the deadline, whatever drips."""
    server = Server(play)
    began_s = time.monotonic()
    sent = DiscordSink(Http(CLOCK), CLOCK, server.url, deadline_s=0.6).send(CARD)
    assert sent.outcome == expected, sent
    assert time.monotonic() - began_s < 1.6
    server.close()


def broken(status: str, how: str) -> Play:
    """Answers with a whole head and a body that is cut off, never ends or is no chunk."""
    framing = "Transfer-Encoding: chunked" if how == "chunk" else "Content-Length: 90"
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nRetry-After: 7\r\n{framing}\r\n\r\n"

    def play(connection: socket.socket) -> None:
        read(connection)
        connection.sendall(head.encode() + (b"zz\r\n" if how == "chunk" else b'{"id": "1'))
        if how == "stalled":
            connection.recv(1)

    return play


@pytest.mark.parametrize("how", ["cut", "stalled", "chunk"])
@pytest.mark.parametrize(("status", "outcome"), [
    ("200", "delivered"), ("429", "retry"), ("503", "retry"), ("404", "retry"), ("400", "refused")])
def test_an_answer_without_its_body_counts_by_its_head(status: str, outcome: str, how: str) -> None:
    """Status and headers say what was done and how long to wait; a 404 that nobody could read closes nothing."""
    server = Server(broken(status, how))
    sent = DiscordSink(Http(CLOCK), CLOCK, server.url, deadline_s=0.3).send(CARD)
    hooked = WebhookSink(Http(CLOCK), CLOCK, server.url, "") if status == "200" and how == "cut" else None
    server_said = (sent.outcome, sent.status, sent.headers["retry-after"], sent.message_id)
    assert server_said == (outcome, int(status), "7", None)
    assert hooked is None or hooked.send({"event": "alert"}, "a1").outcome == "delivered"
    server.close()


@pytest.mark.parametrize(("play", "outcome"), [
    (torn_body, "retry"), (silent, "retry"), (reset_after, "retry"), (broken("200", "chunk"), "retry"),
    (broken("503", "cut"), "retry"), (whole(200), "delivered"), (whole(405), "delivered"), (whole(429), "retry"),
    (whole(404, b'{"code": 10015}'), "refused")])
def test_whether_a_webhook_answers_again(play: Play, outcome: str) -> None:
    """A whole answer to a question says so, also that of a receiver which knows no such question; no answer is never
    ambiguous, for nothing was to be changed."""
    server = Server(play)
    assert DiscordSink(Http(CLOCK), CLOCK, server.url, deadline_s=0.3).greet().outcome == outcome
    server.close()


def test_a_connection_that_was_closed_meanwhile() -> None:
    """A kept connection that the server has closed brings no repeat and no doubt: each message is there once."""
    count = [0]

    def once(connection: socket.socket) -> None:
        read(connection)
        count[0] += 1
        connection.sendall(WHOLE)

    server, http = Server(once), Http(CLOCK)
    outcomes = []
    for number in range(4):
        outcomes.append(DiscordSink(http, CLOCK, server.url, deadline_s=2).send(CARD).outcome)
        wait_until(lambda so_far=number + 1: server.closed == so_far)
    assert (outcomes, count) == (["delivered"] * 4, [4])
    server.close()


def test_tls_that_is_none_is_a_retry() -> None:
    """No request leaves where the other side speaks no TLS."""
    server = Server(rubbish)
    sent = DiscordSink(Http(CLOCK), CLOCK, server.url.replace("http://", "https://"), deadline_s=0.6).send(CARD)
    assert sent.outcome == "retry", sent
    server.close()
