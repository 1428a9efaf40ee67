"""The server on real sockets: methods, names, headers, limits, slow and many clients, and routes that lead nowhere."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalyst.clock import SystemClock
from catalyst.testing import wait_until
from catalyst.web import server as server_module
from catalyst.web.request import Request, Response
from catalyst.web.server import CONNECTIONS, WORKERS, Server
from tests.web.examples import NAMES, actor, look
from tests.web.still import get, received, routes, serving, talk

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)
HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY",
           "cross-origin-opener-policy": "same-origin", "cross-origin-resource-policy": "same-origin",
           "connection": "close"}
ONE = "00000000000000000007"
PATHS = ["/", "/?ticker=abcd&q=%3Cscript%3E&page=2", "/items", "/items?fate=dropped", "/sources", "/actors",
         f"/alert/{ONE}", f"/chart/{ONE}.png", "/livez", "/readyz", "/healthz", "/metrics", "/feed.json", "/style.css",
         "/page.js", "/icon.svg"]


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """A page over facts that stand still."""
    with serving(routes(png=PNG)) as opened:
        yield opened


@pytest.mark.parametrize("path", PATHS)
def test_every_page_answers_with_strict_headers(port: int, path: str) -> None:
    """200, the exact length, headers that forbid everything but our own; HEAD is the same without a body."""
    status, headers, body = get(port, path)
    assert (status, headers["content-length"]) == (200, str(len(body)))
    assert headers | HEADERS == headers
    assert headers["content-security-policy"].startswith("default-src 'none'; img-src 'self'; style-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == {"chart": "private, max-age=300", "style.css": "private, max-age=3600",
                                        "page.js": "private, max-age=3600",
                                        "icon.svg": "private, max-age=3600"}.get(path.split("/")[1], "no-store")
    status, only, nothing = get(port, path, "HEAD")
    assert (status, nothing) == (200, b"")
    assert only.keys() == headers.keys()
    assert len(body) < 150_000


@pytest.mark.parametrize("path", [
    "/nothing", "/../../etc/passwd", "/%2e%2e/etc/passwd", "/alert/../../x", "/alert/", "/alert/abc",
    "/alert/" + "a" * 65, "/alert/aaaa%00", "/alert/ffffffff", "/chart/ffff",
    "/chart/..%2f..%2fx.png", "/chart/ffff.png.png", "//style.css",
    "/style.css/", "/web/style.css", "/alert/ffff.png", "/ALERT/ffffffff", "/static/../page.js"])
def test_what_is_not_there_is_not_found(port: int, path: str) -> None:
    """Only the known paths exist; none is a file's."""
    status, headers, body = get(port, path)
    assert status == 404
    assert headers | HEADERS == headers
    assert b"root:" not in body


def test_an_alert_without_a_chart() -> None:
    """A picture that is not drawn yet is not found, in few bytes."""
    with serving(routes()) as opened:
        assert get(opened, f"/chart/{ONE}.png")[::2] == (404, b"404 Not Found\n")


HOST = b"Host: localhost\r\n"
REFUSED: list[tuple[bytes, int]] = [
    (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", 405),
    (b"PUT / HTTP/1.1\r\n" + HOST + b"\r\n", 405), (b"DELETE /alert/x HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"OPTIONS / HTTP/1.1\r\n" + HOST + b"\r\n", 405), (b"TRACE / HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403), (b"GET / HTTP/1.1\r\nHost: 127.0.0.1.evil\r\n\r\n", 403),
    (b"GET / HTTP/1.1\r\nHost: 10.0.0.1\r\n\r\n", 403), (b"GET / HTTP/1.1\r\nHost: localhost:1:2\r\n\r\n", 403),
    (b"GET / HTTP/1.1\r\nHost: \r\n\r\n", 403), (b"GET / HTTP/1.1\r\nHost: localhost@evil\r\n\r\n", 403),
    (b"GET http://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n", 400), (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 400),
    (b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n", 400), (b"get / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n", 400), (b"\x16\x03\x01\x02\r\n\r\n", 400), (b"\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Odd line\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b" folded: x\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Content-Length: 9\r\n\r\n", 413),
    (b"GET / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n", 413),
    (b"GET /" + b"a" * 5_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 20_000 + b"\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"b" * 400_000, 431),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 200 + b"\r\n", 431),
    (b"GET /?" + b"&".join(b"a=b" for _ in range(30)) + b" HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b" " * 15_000 + b"\x01\r\n\r\n", 400),
]


@pytest.mark.parametrize(("sent", "status"), REFUSED)
def test_refusals(port: int, sent: bytes, status: int) -> None:
    """What is no plain request of a loopback client gets a status and its phrase, at once, with all headers."""
    began_s = time.monotonic()
    answer = talk(port, sent)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), head[:60]
    assert b"Content-Security-Policy: default-src 'none'" in head
    assert (b"Allow: GET, HEAD" in head) == (status == 405)
    assert body.startswith(str(status).encode())
    assert len(body) < 60
    assert time.monotonic() - began_s < 2


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8787", "127.0.0.1:1", "[::1]", "[::1]:8787"])
def test_loopback_names_are_taken(port: int, host: str) -> None:
    """Whatever the port: a tunnel may have another one."""
    assert get(port, "/livez", host=host)[0] == 200


def test_a_request_may_come_in_pieces(port: int) -> None:
    """A head that is cut anywhere is put together."""
    with socket.create_connection(("127.0.0.1", port), 5) as client:
        for byte in b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n":
            client.sendall(bytes([byte]))
        assert received(client).endswith(b"\r\n\r\nok\n")


def test_slow_clients_hold_no_worker(port: int) -> None:
    """Many times more clients than workers send half a request; others are answered at once, these are sent away."""
    began_s = time.monotonic()
    slow = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(WORKERS * 8)]
    try:
        for number, client in enumerate(slow):
            client.sendall(b"GET / HTTP/1.1\r\nHost: local" if number % 2 else b"")
        assert get(port, "/livez")[0] == 200
        assert time.monotonic() - began_s < 2
        answers = [received(client) for client in slow]
        assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in answers[1::2])
        assert set(answers[::2]) == {b""}
        assert time.monotonic() - began_s < server_module.READ_S + 3
    finally:
        for client in slow:
            client.close()


def test_readers_that_do_not_read_hold_no_worker() -> None:
    """An answer of 300 KB that nobody takes leaves the workers free."""
    with serving(lambda request: Response(200, bytes(300_000))) as opened:
        lazy = [socket.socket() for _ in range(WORKERS * 2)]
        for client in lazy:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", opened))
            client.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        began_s = time.monotonic()
        assert len(get(opened, "/")[2]) == 300_000
        assert time.monotonic() - began_s < 2
        for client in lazy:
            client.close()


def test_a_crowd_pushes_out_who_waits() -> None:
    """Over the limit of connections the oldest idle one is closed; a reader still gets in."""
    with serving(routes()) as opened:
        idle = [socket.create_connection(("127.0.0.1", opened), 10) for _ in range(CONNECTIONS + 20)]
        assert get(opened, "/livez")[0] == 200
        assert received(idle[0]) == b""
        for client in idle:
            client.close()


def test_a_hundred_readers(port: int) -> None:
    """A hundred at once all get the whole page."""
    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(lambda _: get(port, "/"), range(300)))
    assert {status for status, _, _ in found} == {200}
    assert len({body for _, _, body in found}) == 1


def test_a_defect_of_a_page_is_not_told() -> None:
    """A page that raises is a plain 500 without a word of why; the next one works."""
    def answer(request: Request) -> Response:
        if request.path == "/bad":
            raise RuntimeError("the secret is 42")
        return Response(200, b"fine")

    with serving(answer) as opened:
        status, headers, body = get(opened, "/bad")
        assert (status, body) == (500, b"500 Internal Server Error\n")
        assert headers | HEADERS == headers
        assert get(opened, "/good")[0] == 200


def test_closing_frees_the_port() -> None:
    """After `close` nobody listens and no thread is left; opening again works; a taken port is an OSError."""
    before = threading.active_count()
    server = Server(routes(), SystemClock())
    port = server.open(0)
    with pytest.raises(OSError, match="in use"):
        Server(routes(), SystemClock()).open(port)
    assert get(port, "/livez")[0] == 200
    server.close()
    with pytest.raises(ConnectionRefusedError):
        get(port, "/livez")
    wait_until(lambda: threading.active_count() <= before, 5, "threads ended")
    with serving(routes()) as again:
        assert get(again, "/livez")[0] == 200


def test_the_server_counts() -> None:
    """Answers by class of status travel in the heartbeat."""
    server = Server(routes(), SystemClock())
    port = server.open(0)
    for path in ("/livez", "/", "/nothing"):
        get(port, path)
    talk(port, b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert {"answers_2xx": 2, "answers_4xx": 2}.items() <= server.statistics().items()
    server.close()


def test_health_says_503_in_words() -> None:
    """livez only tells of this process; readyz and healthz are 503 with reason words."""
    down = look(actors=tuple(actor(name, state="stopped" if name == "fetcher" else "running") for name in NAMES))
    with serving(routes(down)) as opened:
        assert get(opened, "/livez")[::2] == (200, b"ok\n")
        status, headers, body = get(opened, "/readyz")
        assert (status, json.loads(body)["reasons"]) == (503, ["actor_stopped:fetcher"])
        assert headers["content-type"] == "application/json"
        status, _, body = get(opened, "/healthz")
        assert (status, json.loads(body)["reasons"]) == (503, ["actor_stopped:fetcher"])
        assert get(opened, "/")[0] == 200


def test_the_feed_is_a_json_feed(port: int) -> None:
    """JSON Feed 1.1: version, title, items with id, title, date and address."""
    _, headers, body = get(port, "/feed.json")
    feed = json.loads(body)
    assert headers["content-type"] == "application/feed+json"
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["items"][0] | {"id": "0" * 20, "external_url": "https://wire.example/a?b=1&c=2", "tags": [
        "ABCD", "fda_approval"], "date_published": "2026-01-02T14:29:58.120Z"} == feed["items"][0]


def test_the_page_follows_by_itself(port: int) -> None:
    """With scripts our own file loads it anew, without them the browser does."""
    _, _, body = get(port, "/")
    assert b'<noscript><meta http-equiv="refresh" content="10"></noscript>' in body
    assert b'<script src="/page.js" defer></script>' in body
    assert b"<style" not in body
    assert b'style="' not in body
