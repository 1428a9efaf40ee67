"""A request of HTTP/1.x and its answer as bytes (RFC 9112), with the limits and headers that every answer has. Pure.

Only what a read-only page needs: GET and HEAD, no body, an address that begins with a slash. The name by which the
client calls us must be a loopback one: a page elsewhere whose name points at 127.0.0.1 (DNS rebinding) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl

HEAD_LIMIT_BYTES = 16_384
LINE_LIMIT_BYTES = 4_096
MOST_HEADERS = 100
MOST_WORDS = 20  # of a query
LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
REQUEST_LINE = re.compile(rb"([A-Z]{1,20}) (/[!-~]*) HTTP/1\.[01]")
HEADER_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
HTML, TEXT, JSON, PNG = "text/html; charset=utf-8", "text/plain; charset=utf-8", "application/json", "image/png"

POLICY = ("default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Request:
    """`path` is as sent, undecoded; `query` has the last value of each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that no page sees."""

    status: HTTPStatus


@dataclass(frozen=True, slots=True)
class Response:
    """`cache` is the value of Cache-Control."""

    status: int
    body: bytes
    content_type: str = HTML
    cache: str = "no-store"
    headers: Mapping[str, str] = field(default_factory=dict)


def parse_request(data: bytes, end: int) -> Request | Refusal:
    """The request whose head ends at `end` in `data` (-1: it does not, and is over the limit)."""
    line, _, rest = data[:end if end >= 0 else len(data)].partition(b"\r\n")
    if len(line) > LINE_LIMIT_BYTES:
        return Refusal(HTTPStatus.REQUEST_URI_TOO_LONG)
    if end < 0 or end > HEAD_LIMIT_BYTES or rest.count(b"\r\n") >= MOST_HEADERS:
        return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
    match = REQUEST_LINE.fullmatch(line)
    headers = _headers(rest)
    if match is None or headers is None:
        return Refusal(HTTPStatus.BAD_REQUEST)
    hosts = headers.get("host", [])
    if len(hosts) != 1:
        return Refusal(HTTPStatus.BAD_REQUEST)
    if not LOOPBACK.fullmatch(hosts[0]):
        return Refusal(HTTPStatus.FORBIDDEN)
    method, target = match[1].decode(), match[2].decode()
    if method not in ("GET", "HEAD"):
        return Refusal(HTTPStatus.METHOD_NOT_ALLOWED)
    if "transfer-encoding" in headers or headers.get("content-length", ["0"]) != ["0"]:
        return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    path, _, query = target.partition("?")
    try:
        return Request(method, path, dict(parse_qsl(query, max_num_fields=MOST_WORDS)))
    except ValueError:
        return Refusal(HTTPStatus.BAD_REQUEST)


def _headers(data: bytes) -> dict[str, list[str]] | None:
    """Values by name in small letters; None where a line is no header."""
    found: dict[str, list[str]] = {}
    for line in data.split(b"\r\n") if data else ():
        name, colon, value = line.partition(b":")
        if not colon or not HEADER_NAME.fullmatch(name) or CONTROL.search(value):
            return None
        found.setdefault(name.decode().lower(), []).append(value.strip(b" \t").decode("latin-1"))
    return found


def refusal(status: HTTPStatus) -> Response:
    """A plain answer that says no more than its status."""
    headers = {"Allow": "GET, HEAD"} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
    return Response(status, f"{status.value} {status.phrase}\n".encode(), TEXT, headers=headers)


def wire(response: Response, *, head_only: bool) -> bytes:
    """The answer as it goes out."""
    headers = {**ALWAYS, "Content-Type": response.content_type, "Cache-Control": response.cache,
               "Content-Length": str(len(response.body)), **response.headers}
    lines = [f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
             *(f"{name}: {value}" for name, value in headers.items())]
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head if head_only else head + response.body
