"""Http against real sockets on loopback: limits, redirects, forbidden addresses, reasons and ambiguity of failures."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalyst.clients.http import Http, place
from catalyst.clock import SystemClock
from catalyst.errors import FetchError

Handler = Callable[[socket.socket, bytes], None]


class Server:
    """A TCP server that reads request after request of a connection and lets `handler` answer with raw bytes."""

    def __init__(self, handler: Handler, context: ssl.SSLContext | None = None):
        self.handler = handler
        self.requests: list[bytes] = []
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        if context is not None:
            self.listener = context.wrap_socket(self.listener, server_side=True, do_handshake_on_connect=False)
        self.port = self.listener.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._talk, args=(sock,), daemon=True).start()

    def _talk(self, sock: socket.socket) -> None:
        with sock:
            try:
                while request := self._read(sock):
                    self.requests.append(request)
                    self.handler(sock, request)
            except OSError:
                return

    def _read(self, sock: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            piece = sock.recv(65536)
            if not piece:
                return b""
            data += piece
        head, _, body = data.partition(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n")
                       if line.startswith(b"content-length")), 0)
        while len(body) < length:
            body += sock.recv(65536)
        return head + b"\r\n\r\n" + body

    def close(self) -> None:
        self.listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[[Handler], Server]]:
    """Starts servers that are closed after the test."""
    started: list[Server] = []

    def start(handler: Handler) -> Server:
        started.append(Server(handler))
        return started[-1]

    yield start
    for server in started:
        server.close()


def answer(body: bytes = b"", status: str = "200 OK", *headers: str) -> bytes:
    """Bytes of a plain HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def fixed(*answers: bytes) -> Handler:
    """A handler that gives the answers in turn, the last one for ever."""
    waiting = list(answers)

    def handle(sock: socket.socket, _: bytes) -> None:
        sock.sendall(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return handle


def client(*allow: str) -> Http:
    """An Http that may reach the loopback."""
    return Http(SystemClock(), allow_hosts=allow or ("127.0.0.1",))


def failure(call: Callable[[], object]) -> FetchError:
    """The FetchError that the call raises."""
    with pytest.raises(FetchError) as caught:
        call()
    return caught.value


def test_get_returns_status_headers_body_and_time(serve: Callable[[Handler], Server]) -> None:
    """A plain answer comes back whole, with header names in lower case."""
    server = serve(fixed(answer(b"hello", "404 Not Found", 'ETag: "a"')))
    before = SystemClock().now_ms()
    got = client().get(f"{server.base}/x", headers={"If-None-Match": '"b"'})
    assert (got.status, got.body, got.headers["etag"], got.url) == (404, b"hello", '"a"', f"{server.base}/x")
    assert before <= got.done_ms <= SystemClock().now_ms()
    request = server.requests[0].lower()
    assert b'if-none-match: "b"' in request
    assert b"accept-encoding: gzip, identity" in request
    assert b"user-agent: catalyst/" in request


def test_connection_is_kept(serve: Callable[[Handler], Server]) -> None:
    """Two requests to a host use one connection."""
    server = serve(fixed(answer(b"x")))
    http = client()
    http.get(server.base)
    http.get(server.base)
    assert server.connections == 1


def test_not_modified_has_no_body(serve: Callable[[Handler], Server]) -> None:
    """304 is an answer, even when it states the length of the body it did not send."""
    server = serve(fixed(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99999999\r\n\r\n"))
    assert client().get(server.base).status == 304


@pytest.mark.parametrize("status", ["304 Not Modified", "204 No Content"])
def test_a_body_that_cannot_be_is_not_waited_for(serve: Callable[[Handler], Server], status: str) -> None:
    """304 and 204 have no body, also where the head says that one comes in chunks; the connection is kept."""
    server = serve(fixed(f"HTTP/1.1 {status}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()))
    http = client()
    for _ in range(2):
        assert http.get(server.base, deadline_s=2).body == b""
    assert server.connections == 1


@pytest.mark.parametrize("pieces", [1, 7, 1000])
def test_gzip_is_unpacked(serve: Callable[[Handler], Server], pieces: int) -> None:
    """gzip bodies are unpacked, also as several members and in a chunked answer."""
    text = b"news " * 50_000
    packed = gzip.compress(text[:100_000]) + gzip.compress(text[100_000:]) + b"\0\0"
    size = max(1, len(packed) // pieces)
    parts = [packed[at:at + size] for at in range(0, len(packed), size)]
    body = b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"
    server = serve(fixed(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + body))
    assert client().get(server.base).body == text


@pytest.mark.parametrize(("coding", "body"), [
    ("br", b"x"), ("gzip, gzip", gzip.compress(gzip.compress(b"x", mtime=0), mtime=0)),
    ("deflate", zlib.compress(b"x")),
    ("gzip", b"no gzip at all"), ("gzip", gzip.compress(b"x" * 9999, mtime=0)[:-9])])
def test_other_or_damaged_encoding_is_an_error(serve: Callable[[Handler], Server], coding: str, body: bytes) -> None:
    """Only gzip was offered; anything else, nested or damaged is an `encoding` error."""
    server = serve(fixed(answer(body, "200 OK", f"Content-Encoding: {coding}")))
    assert failure(lambda: client().get(server.base)).reason == "encoding"


def test_gzip_bomb_is_cut_early(serve: Callable[[Handler], Server]) -> None:
    """A small body that unpacks to 200 MB ends at the limit, in little time and memory."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1_000_000)) for _ in range(200)) + packer.flush()
    server = serve(fixed(answer(bomb, "200 OK", "Content-Encoding: gzip")))
    tracemalloc.start()
    began = time.monotonic()
    error = failure(lambda: client().get(server.base, limit_bytes=10_000_000))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert error.reason == "too_big"
    assert time.monotonic() - began < 5
    assert peak < 40_000_000


@pytest.mark.parametrize("head", [b"Content-Length: 2000\r\n", b""])
def test_body_over_the_limit_is_refused(serve: Callable[[Handler], Server], head: bytes) -> None:
    """A body over the limit is refused, whether or not its length was announced."""
    def all_and_close(sock: socket.socket, _: bytes) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + head + b"\r\n" + b"x" * 2000)
        sock.shutdown(socket.SHUT_WR)

    server = serve(all_and_close)
    assert failure(lambda: client().get(server.base, limit_bytes=1000)).reason == "too_big"


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n",
                                   b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_deadline_holds_against_a_drip(serve: Callable[[Handler], Server], start: bytes) -> None:
    """One byte at a time, in status line, headers or body, does not outlast the deadline."""
    over = threading.Event()

    def drip(sock: socket.socket, _: bytes) -> None:
        sock.sendall(start)
        while not over.wait(0.02):
            sock.sendall(b"1")

    server = serve(drip)
    began = time.monotonic()
    error = failure(lambda: client().get(server.base, deadline_s=0.5))
    over.set()
    assert error.reason == "timeout"
    assert 0.4 < time.monotonic() - began < 1.5


def test_redirects_are_followed_without_private_headers(serve: Callable[[Handler], Server]) -> None:
    """A redirect to another host loses the headers that were meant for the first one."""
    second = serve(fixed(answer(b"there")))
    first = serve(fixed(answer(b"", "302 Found", f"Location: {second.base}/y?z")))
    got = client().get(first.base, headers={"Authorization": "secret", "Accept": "text/xml"})
    assert (got.body, got.url) == (b"there", f"{second.base}/y?z")
    assert b"secret" not in second.requests[0]
    assert b"text/xml" in second.requests[0]


@pytest.mark.parametrize(("target", "reason"), [
    ("/again", "redirect"), ("file:///etc/passwd", "redirect"), ("gopher://x/", "redirect"),
    ("data:text/plain,x", "redirect"), ("http://[bad/", "redirect"),
    ("/" + "x" * 9_000, "redirect"), ("http://127.0.0.2:9/", "forbidden_address"),
    ("http://10.0.0.1/", "forbidden_address"), ("http://[::1]:9/", "forbidden_address"),
    ("http://2130706433:9/", "forbidden_address"), ("http://localhost:9/", "forbidden_address")])
def test_bad_redirects_are_refused(serve: Callable[[Handler], Server], target: str, reason: str) -> None:
    """Loops, other schemes and private targets end with a reason."""
    server = serve(fixed(answer(b"", "301 Moved Permanently", f"Location: {target}")))
    assert failure(lambda: client().get(server.base, deadline_s=3)).reason == reason
    assert len(server.requests) <= 6


def test_loopback_needs_permission_by_name(serve: Callable[[Handler], Server]) -> None:
    """A private address is reached only as the host or host:port that was allowed, and nothing is sent before."""
    server = serve(fixed(answer(b"x")))
    for allow in ("example.com", "127.0.0.1:1", "localhost"):
        assert failure(lambda allow=allow: client(allow).get(server.base)).reason == "forbidden_address"
    assert server.requests == []
    assert client(f"127.0.0.1:{server.port}").get(server.base).status == 200
    assert client("LOCALHOST").get(f"http://localhost:{server.port}").status == 200


def test_allowed_connection_of_send_is_not_lent_to_get(serve: Callable[[Handler], Server]) -> None:
    """`send` may reach a private address; a later `get` of the same host still may not."""
    server = serve(fixed(answer(b"x")))
    http = Http(SystemClock())
    assert http.send("POST", server.base, body=b"{}").status == 200
    assert failure(lambda: http.get(server.base)).reason == "forbidden_address"


@pytest.mark.parametrize("url", ["ftp://example.com/", "file:///etc/passwd", "no address", "http://", "http://[x",
                                 "http://exa mple.com:x/"])
def test_unusable_addresses(url: str) -> None:
    """An address that is no http address fails before anything is sent."""
    error = failure(lambda: client().send("POST", url, body=b"x", deadline_s=2))
    assert error.reason in ("bad_url", "dns")
    assert not error.ambiguous


def test_refused_and_unknown_hosts_are_not_ambiguous() -> None:
    """A request that never left cannot have taken effect."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    for url, reason in ((f"http://127.0.0.1:{port}/", "refused"), ("http://name.invalid/", "dns")):
        error = failure(lambda url=url: client().send("POST", url, body=b"x", deadline_s=5))
        assert (error.reason, error.ambiguous) == (reason, False)


def test_tls_failure_is_not_ambiguous(serve: Callable[[Handler], Server]) -> None:
    """A peer that speaks no TLS fails as `tls`, before the request is sent."""
    listener = socket.create_server(("127.0.0.1", 0))

    def talk() -> None:
        sock, _ = listener.accept()
        sock.recv(100)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        sock.close()

    threading.Thread(target=talk, daemon=True).start()
    error = failure(lambda: client().send("POST", f"https://127.0.0.1:{listener.getsockname()[1]}", body=b"x"))
    listener.close()
    assert (error.reason, error.ambiguous) == ("tls", False)


@pytest.fixture
def secure(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS context for `localhost` and the file of the authority that vouches for it."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program, which makes the certificate, is not on this machine")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate


def test_tls(secure: tuple[ssl.SSLContext, Path]) -> None:
    """Over TLS connections are kept, certificates and names checked, and the deadline holds against a drip."""
    context, authority = secure
    over = threading.Event()

    def drip(sock: socket.socket, request: bytes) -> None:
        sock.sendall(answer(b"x" * 100_000) if b"/drip" not in request else b"HTTP/1.1 200 OK\r\n")
        while b"/drip" in request and not over.wait(0.02):
            sock.sendall(b"1")

    server = Server(drip, context)
    url = f"https://localhost:{server.port}"
    http = Http(SystemClock(), allow_hosts=("localhost", "127.0.0.1"), ca_file=str(authority))
    assert [len(http.get(url).body), len(http.get(url).body), server.connections] == [100_000, 100_000, 1]
    assert failure(lambda: http.get(f"{url}/drip", deadline_s=0.4)).reason == "timeout"
    over.set()
    for stranger, address in ((client("localhost"), url), (http, url.replace("localhost", "127.0.0.1"))):
        error = failure(lambda stranger=stranger, address=address: stranger.get(address))
        assert error.reason == "tls"
        assert "certificate" in str(error).lower()
    server.close()


def test_silent_tls_peer_is_a_timeout_and_not_ambiguous() -> None:
    """A peer that never answers the TLS greeting costs no more than the deadline."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        error = failure(lambda: client().send("POST", url, body=b"x", deadline_s=0.4))
    assert (error.reason, error.ambiguous) == ("timeout", False)


@pytest.mark.parametrize(("sent", "then_close", "reason"), [
    (b"", True, "reset"), (b"", False, "timeout"), (b"nonsense\r\n\r\n", True, "malformed"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nxx", True, "reset")])
def test_no_whole_answer_is_ambiguous(serve: Callable[[Handler], Server], sent: bytes, then_close: bool,
                                      reason: str) -> None:
    """Once the request has left, no whole answer means that it may have taken effect; it is not sent twice."""
    def handle(sock: socket.socket, _: bytes) -> None:
        sock.sendall(sent)
        if then_close:
            sock.shutdown(socket.SHUT_RDWR)

    server = serve(handle)
    error = failure(lambda: client().send("POST", server.base, body=b"x", deadline_s=0.5))
    assert (error.reason, error.ambiguous) == (reason, True)
    assert len(server.requests) == 1


def test_get_survives_a_kept_connection_that_was_closed(serve: Callable[[Handler], Server]) -> None:
    """When the server closed the kept connection in the meantime, a GET goes out again on a new one."""
    count = 0

    def once(sock: socket.socket, _: bytes) -> None:
        nonlocal count
        count += 1
        if count == 2:
            sock.shutdown(socket.SHUT_RDWR)
        else:
            sock.sendall(answer(b"x"))

    server = serve(once)
    http = client()
    assert http.get(server.base).body == b"x"
    assert http.get(server.base).body == b"x"
    assert (server.connections, len(server.requests)) == (2, 3)


def test_get_survives_several_kept_connections_that_were_closed(serve: Callable[[Handler], Server]) -> None:
    """When the server closed all kept connections in the meantime, a GET goes out again on a new one."""
    together = threading.Barrier(2)

    def once(sock: socket.socket, request: bytes) -> None:
        if b"/first" in request:
            together.wait(5)
        elif server.connections == 2:
            sock.shutdown(socket.SHUT_RDWR)
            return
        sock.sendall(answer(b"x"))

    server, http = serve(once), client()
    first = [threading.Thread(target=http.get, args=(f"{server.base}/first",)) for _ in range(2)]
    for thread in first:
        thread.start()
    for thread in first:
        thread.join()
    assert http.get(server.base).body == b"x"
    assert server.connections == 3


def test_send_follows_no_redirect(serve: Callable[[Handler], Server]) -> None:
    """`send` hands a redirect back to its caller."""
    server = serve(fixed(answer(b"", "307 Temporary Redirect", "Location: /other")))
    got = client().send("patch", server.base, body=b"x", headers={"Content-Type": "application/json"})
    assert got.status == 307
    assert server.requests[0].startswith(b"PATCH / HTTP/1.1")
    assert server.requests[0].endswith(b"\r\n\r\nx")


@pytest.mark.parametrize("ending", ["", "\n", "é"])
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "127.0.0.1:99999", "[::1", "a..b", "name.invalid", "a b"])
def test_errors_hold_no_secret(host: str, ending: str) -> None:
    """No error, with its whole traceback, names more of the address than scheme and host."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    secret = f"http://user:hidden1@{host.format(port=port)}/api/webhooks/1/hidden2?token=hidden3{ending}"
    error = failure(lambda: client().send("POST", secret, body=b"x", deadline_s=3))
    assert "hidden" not in "".join(traceback.format_exception(error))


def test_place() -> None:
    """The place of an address is its scheme, host and port."""
    assert place("http://user:word@e.example:81/api/1?token=2") == "http://e.example:81"
    assert place("https://[bad") == "an unreadable address"


def test_environment_proxy_is_not_used(serve: Callable[[Handler], Server], monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy named in the environment gets nothing."""
    proxy, server = serve(fixed(answer(b"proxy"))), serve(fixed(answer(b"direct")))
    monkeypatch.setenv("http_proxy", proxy.base)
    assert client().get(server.base).body == b"direct"
    assert proxy.requests == []


def test_threads_have_deadlines_of_their_own(serve: Callable[[Handler], Server]) -> None:
    """Sixteen threads share one Http; a slow answer to one of them delays no other."""
    over = threading.Event()

    def slow(sock: socket.socket, request: bytes) -> None:
        if b"/slow" in request:
            over.wait(5)
        sock.sendall(answer(request.split()[1]))

    server, http = serve(slow), client()
    results: dict[int, object] = {}

    def fetch(number: int) -> None:
        path = "/slow" if number == 0 else f"/{number}"
        try:
            results[number] = http.get(server.base + path, deadline_s=0.2 if number == 0 else 10).body
        except FetchError as error:
            results[number] = error.reason

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    over.set()
    assert results == {0: "timeout", **{number: f"/{number}".encode() for number in range(1, 16)}}
