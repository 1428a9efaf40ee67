"""The one way out to the web: `Http.get` for what others publish, `Http.send` for addresses that the user configured.

It bounds what a server can do to us: one deadline over name, connection, TLS, headers and body (RFC 9112 names none), a
size limit on the wire, whatever the bytes are, and again after decompression, at most `MAX_HOPS` redirects, never from
https back to http, and no private address unless it was allowed by name. The address is checked on the socket that
really connects, at every hop, so a name that changes its address between check and use gains nothing. Proxies and
`.netrc` of the environment are not read. It does not retry, except a GET on a kept connection that the server had
closed meanwhile.

Error texts hold scheme and host only: the path of a webhook and the query of a feed may be secrets.
"""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from catalyst import __version__
from catalyst.clients.dial import Call, Resolver, socket_classes
from catalyst.clients.kept import Kept, Peer, exchange, read_url
from catalyst.clock import Clock
from catalyst.errors import FetchError

if TYPE_CHECKING:
    import urllib3

MAX_HOPS = 5
LONGEST_HOP = 8_000  # characters; RFC 9110 4.1 asks for as many, and what is asked for is kept to be known again
CHUNK_BYTES = 65_536
HEADROOM_BYTES = 1_000_000  # on the wire beside the body: heads, chunk sizes, trailers
MOST_MEMBERS = 1_000  # of one gzip body; honest ones have one, or one for each flush
AGENT = f"Catalyst/{__version__}"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer: decoded `body`, header names in lower case, `url` after redirects, `done_ms` of the last byte."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    done_ms: int


class Http:
    """Requests with limits; one object serves all threads of its actor."""

    def __init__(self, clock: Clock, *, allow_hosts: tuple[str, ...] = (), user_agent: str = AGENT,
                 ca_file: str | None = None, resolve: Resolver = socket.getaddrinfo):
        self.clock = clock
        self._call = Call(clock)
        self._agent = user_agent
        plain_socket, tls_socket = socket_classes(self._call)
        tls = functools.cache(lambda: _tls_context(ca_file, tls_socket))
        allowed = frozenset(name.lower() for name in allow_hosts)
        self._kept = Kept(self._call, plain_socket, tls, allowed, resolve)

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, deadline_s: float = 12.0,
            limit_bytes: int = 10_000_000) -> Response:
        """The answer to GET, whatever its status, after redirects; all within `deadline_s` seconds.

        Raises FetchError: `timeout`, `refused`, `dns`, `tls`, `reset`, `malformed`, `too_big`, `encoding`, `redirect`,
        `forbidden_address`, `bad_url`.
        """
        self._call.begin(deadline_s)
        wanted = dict(headers or {})
        for _ in range(MAX_HOPS + 1):
            answer = self._exchange("GET", url, None, wanted, limit_bytes)
            target = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            following = _next_hop(url, target)
            if urlsplit(following).netloc.lower() != urlsplit(url).netloc.lower():
                wanted = {name: value for name, value in wanted.items() if name.lower() in ("accept", "user-agent")}
            url = following
        raise FetchError("redirect", f"more than {MAX_HOPS} from {place(url)}")

    def send(self, method: str, url: str, *, body: bytes, headers: Mapping[str, str] | None = None,
             deadline_s: float = 10.0, limit_bytes: int = 1_000_000) -> Response:
        """The answer to a request at an address of the user's own (private ones too); mostly it changes something.

        Follows no redirect. Raises FetchError as `get` does; `ambiguous` is true when bytes of the request had left
        and no whole answer came, so that it may have taken effect; `status` and `headers` are those of an answer whose
        head came whole and whose body did not, for whatever reason: what was done to the request is known then.
        """
        self._call.begin(deadline_s)
        return self._exchange(method.upper(), url, body, dict(headers or {}), limit_bytes)

    def close(self) -> None:
        """Drop kept connections."""
        self._kept.close()

    def _exchange(self, method: str, url: str, body: bytes | None, headers: dict[str, str], limit: int) -> Response:
        try:
            try:
                return self._once(method, url, body, headers, limit)
            except _Stale:
                return self._once(method, url, body, headers, limit)
        except _Stale as error:
            raise FetchError("reset", place(url)) from error
        except FetchError as error:
            error.status, error.headers = self._call.head
            raise

    def _once(self, method: str, url: str, body: bytes | None, headers: dict[str, str], limit: int) -> Response:
        import urllib3.exceptions as trouble

        call = self._call
        call.sent = call.dialled = False
        call.head = None, {}
        call.allow_bytes(limit + HEADROOM_BYTES)
        given = {"user-agent": self._agent, "accept-encoding": "gzip, identity", "accept": "*/*"}
        given.update({name.lower(): value for name, value in headers.items()})
        unsure = method != "GET"
        try:
            *host, target = read_url(url)
            peer = Peer(*host, guarded=body is None)
            connection = self._kept.take(peer)
            try:
                raw = exchange(connection, method, target, body, given)
                call.head = raw.status, {name.lower(): value for name, value in raw.headers.items()}
                answer = self._read(raw, call.head[1], url, limit)
            except BaseException:
                connection.close()
                raise
            self._kept.give_back(peer, connection)
            return answer
        except FetchError as error:
            error.ambiguous = unsure and call.sent
            raise
        except (trouble.TimeoutError, TimeoutError) as error:
            raise FetchError("timeout", place(url), ambiguous=unsure and call.sent) from error
        except (trouble.SSLError, ssl.SSLError) as error:
            if not call.sent:
                raise FetchError("tls", f"{place(url)}: {_plain_reason(error)}") from error
            raise FetchError("reset", place(url), ambiguous=unsure) from error
        except (trouble.LocationParseError, http.client.InvalidURL, ValueError) as error:
            reason = "malformed" if call.sent else "bad_url"
            failure = FetchError(reason, f"{place(url)}: {type(error).__name__}", ambiguous=unsure and call.sent)
            raise failure from None  # its own text holds the whole address
        except (trouble.HTTPError, http.client.HTTPException, OSError) as error:
            if method == "GET" and not call.dialled and call.left_s() > 0:
                self._kept.drop(peer)  # who closed one has closed the others too
                raise _Stale from error
            reason = "reset" if _is_reset(error) else "malformed"
            raise FetchError(reason, place(url), ambiguous=unsure and call.sent) from error

    def _read(self, raw: urllib3.BaseHTTPResponse, headers: dict[str, str], url: str, limit: int) -> Response:
        coding = headers.get("content-encoding", "").strip().lower()
        if coding not in ("", "identity", "gzip", "x-gzip"):
            raise FetchError("encoding", f"{coding[:40]} from {place(url)}")
        length = headers.get("content-length", "")
        if raw.status in (204, 304):  # without a body, whatever the head says of one (RFC 9112 6.3)
            raw.close()
            return Response(raw.status, headers, b"", url, self.clock.now_ms())
        if length.isdecimal() and int(length) > limit:
            raise FetchError("too_big", f"{length} bytes from {place(url)}")
        pieces = _within(raw.stream(CHUNK_BYTES, decode_content=False), limit, url)
        if coding in ("gzip", "x-gzip"):
            pieces = _within(_gunzip(pieces, url), limit, url)
        body = b"".join(pieces)
        return Response(raw.status, headers, body, url, self.clock.now_ms())


class _Stale(Exception):
    """A kept connection was found closed: nothing was answered, a GET may be asked again."""


def place(url: str) -> str:
    """Scheme and host of an address, for logs and errors; never its path, query or password."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme[:10]}://{(parts.hostname or '')[:100]}{port}"
    except ValueError:
        return "an unreadable address"


def _next_hop(url: str, target: str) -> str:
    if len(target) > LONGEST_HOP:
        raise FetchError("redirect", f"{place(url)} to an address of {len(target)} characters")
    try:
        following = urljoin(url, target)
        scheme = urlsplit(following).scheme.lower()
    except ValueError as error:
        raise FetchError("redirect", f"{place(url)} to an unreadable address") from error
    if scheme not in ("http", "https"):
        raise FetchError("redirect", f"{place(url)} to {scheme[:20]}:")
    if scheme == "http" and urlsplit(url).scheme.lower() == "https":
        raise FetchError("redirect", f"{place(url)} from https down to http")
    return following


def _within(pieces: Iterator[bytes], limit: int, url: str) -> Iterator[bytes]:
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > limit:
            raise FetchError("too_big", f"over {limit} bytes from {place(url)}")
        yield piece


def _gunzip(pieces: Iterator[bytes], url: str) -> Iterator[bytes]:
    """Unpacked pieces of at most CHUNK_BYTES, so that a small bomb is cut early. Several members follow each other."""
    unpack, started, members = zlib.decompressobj(wbits=47), False, 1
    try:
        for piece in pieces:
            while piece:
                started = True
                yield unpack.decompress(piece, CHUNK_BYTES)
                piece = unpack.unconsumed_tail
                if unpack.eof:
                    piece = unpack.unused_data.lstrip(b"\0")
                    if piece:
                        members += 1
                        if members > MOST_MEMBERS:
                            raise FetchError("encoding", f"over {MOST_MEMBERS} gzip members from {place(url)}")
                        unpack = zlib.decompressobj(wbits=47)
        yield unpack.flush()
    except zlib.error as error:
        raise FetchError("encoding", f"damaged gzip from {place(url)}") from error
    if started and not unpack.eof:
        raise FetchError("encoding", f"gzip cut short from {place(url)}")


def _is_reset(error: BaseException) -> bool:
    """Whether the connection ended, as against an answer that is no HTTP."""
    inner = [error, *(part for part in error.args if isinstance(part, BaseException))]
    if inner == [error] and not isinstance(error, (OSError, http.client.HTTPException)):
        return False  # urllib3's own complaint about the answer
    if any(type(part).__name__ == "InvalidChunkLength" for part in inner):
        return False  # a kind of IncompleteRead there
    if any(isinstance(part, (http.client.RemoteDisconnected, http.client.IncompleteRead)) for part in inner):
        return True
    return not any(isinstance(part, http.client.HTTPException) for part in inner)


def _plain_reason(error: BaseException) -> str:
    for part in (error, *error.args):
        if isinstance(part, ssl.SSLCertVerificationError):
            return part.verify_message[:120]
    return "handshake failed"


def _tls_context(ca_file: str | None, tls_socket: type[ssl.SSLSocket]) -> ssl.SSLContext:
    """What our TLS trusts, with sockets that obey the deadline. Making it takes 40 ms: only where https is used."""
    import certifi

    context = ssl.create_default_context(cafile=ca_file or certifi.where())
    context.sslsocket_class = tls_socket
    return context
