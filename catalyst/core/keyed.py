"""Services that ask for a key: how it travels with a request, and how it is kept out of everything else. Pure.

The key is put in at the moment of the request. What is stored, logged and shown is the address without it, and an
answer that repeats the key is cleared of it before anyone reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit, urlunsplit

MASK = "[key]"
LOCAL = ("127.0.0.1", "localhost", "::1")
SHORTEST_MASKED = 6  # a shorter text is no key, and clearing it would tear the answer apart


@dataclass(frozen=True, slots=True)
class Service:
    """Where a kind's key comes from (`setting`) and where it goes: a header or a query parameter."""

    setting: str
    header: str = ""
    parameter: str = ""

    @property
    def attribute(self) -> str:
        """The setting as an attribute of `Settings`."""
        return self.setting.lower()


# finnhub.io/docs/api/authentication; docs.benzinga.com, "Authentication"; Finviz Elite's own export links carry `auth`.
SERVICES = {"finnhub": Service("FINNHUB_API_KEY", header="X-Finnhub-Token"),
            "finviz": Service("FINVIZ_AUTH_TOKEN", parameter="auth"),
            "benzinga": Service("BENZINGA_API_KEY", parameter="token")}
ACCEPTED = {"finnhub": "application/json", "finviz": "text/csv, */*;q=0.5", "benzinga": "application/json"}


def with_key(kind: str, url: str, key: str) -> tuple[str, dict[str, str]]:
    """The address and the headers of a request with its key."""
    service = SERVICES[kind]
    headers = {"Accept": ACCEPTED[kind]}
    if service.header:
        return url, {**headers, service.header: key}
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, f"{service.parameter}={quote(key, safe='')}") if part)
    return urlunsplit(parts._replace(query=query, fragment="")), headers


def fault_of(kind: str, url: str) -> str:
    """Why an address is not fit for a kind with a key: it holds one, or would show it on the way; empty: it is fit."""
    service, parts = SERVICES[kind], urlsplit(url)
    if any(name.lower() in (service.parameter, "token", "auth", "apikey", "api_key")
           for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return f"leave the key out, it comes from {service.setting}"
    if parts.scheme != "https" and (parts.hostname or "") not in LOCAL:
        return "must begin with https://, a key goes with it"
    return ""


def masked(text: str, key: str) -> str:
    """The text without the key, however it is written in an address."""
    for form in _forms(key):
        text = text.replace(form, MASK)
    return text


def masked_bytes(body: bytes, key: str) -> bytes:
    """A document without the key."""
    for form in _forms(key):
        body = body.replace(form.encode(), MASK.encode())
    return body


def _forms(key: str) -> tuple[str, ...]:
    if len(key) < SHORTEST_MASKED:
        return ()
    return tuple(dict.fromkeys((key, quote(key, safe=""), quote_plus(key), quote(key))))
