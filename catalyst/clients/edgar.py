"""Asks EDGAR: every request of an actor goes through one `Edgar`, which keeps to fair access and says who asks.

The rule (sec.gov/about/webmaster-faq, read August 2026): at most 10 requests a second over all machines of a user, a
User-Agent with a contact; who goes on while refused is refused for longer. Each actor has a fixed share of the rate.
Starts are spread evenly, because EDGAR counts over a short time. It stores nothing and reads no filing.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from catalyst.clients.http import Http, Response
from catalyst.clock import Clock
from catalyst.core import edgar
from catalyst.core.edgar import Index
from catalyst.errors import FetchError, FilingError
from catalyst.settings import Settings

if TYPE_CHECKING:
    from catalyst.core.filings import Part

SHARES = {"fetcher": 0.4, "sec": 0.6}
# Of a share that is used: what starts evenly arrives less so, and a restarted actor does not know of its last request.
# Measured against a server that counts ten in any second: two actors at the full rate were refused within seconds.
HEADROOM = 0.7
REST_S = 600.0  # how long EDGAR wants to be left alone after a refusal; its page names ten minutes
REQUEST_S = 8.0
FILING_S = 20.0  # all requests of one filing, their waiting included
REFUSALS = frozenset({"edgar_rate", "edgar_agent", "edgar_rest"})
NO_AGENT = "no_sec_user_agent"


class Pace:
    """Gives out moments to start at, `per_s` a second and evenly apart; 0 is no limit. Used by several threads."""

    def __init__(self, per_s: float, clock: Clock, sleep: Callable[[float], object] = time.sleep):
        self._gap_s = 1 / per_s if per_s > 0 else 0.0
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_s = 0.0

    def wait(self, limit_s: float) -> bool:
        """Sleep until it is this request's turn; False, at once and without a turn, where that is over `limit_s`."""
        with self._lock:
            now_s = self._clock.monotonic_s()
            start_s = max(now_s, self._next_s)
            if start_s - now_s > limit_s:
                return False
            self._next_s = start_s + self._gap_s
        if start_s > now_s:
            self._sleep(start_s - now_s)
        return True


@dataclass(frozen=True, slots=True)
class Fetched:
    """A filing's index page and the documents that were fetched; `missing` says of the others why not."""

    index: Index
    parts: tuple[Part, ...]
    missing: tuple[str, ...] = ()


class Edgar:
    """EDGAR for one actor. After a refusal it makes no request for ten minutes, whoever asks."""

    def __init__(self, http: Http, settings: Settings, clock: Clock, pace: Pace):
        self._http = http
        self.clock = clock
        self._pace = pace
        self._settings = settings
        # A header holds no other letters; the contact is a mail address.
        self._agent = " ".join(str(settings.sec_user_agent).encode("ascii", "ignore").decode().split())
        self._base_url = str(settings.sec_base_url).rstrip("/")
        self._lock = threading.Lock()
        self._rest_until_s = 0.0

    def get(self, url: str, *, headers: Mapping[str, str] | None = None, deadline_s: float = 12.0,
            limit_bytes: int = 10_000_000) -> Response:
        """As `Http.get`, in this actor's share of the rate, the waiting within the deadline.

        Raises FetchError, also `no_sec_user_agent` (nothing was asked), `edgar_rest` (EDGAR refused a short while ago,
        nothing was asked), `edgar_rate` and `edgar_agent` (it refuses now); those three with the seconds to wait.
        """
        if not is_declared(url, self._settings):
            raise FetchError(NO_AGENT, "the SEC wants a User-Agent with a contact; set SEC_USER_AGENT")
        ends_s = self.clock.monotonic_s() + deadline_s
        if not self._pace.wait(deadline_s):
            raise FetchError("timeout", "no turn within the rate limit")
        if (rest_s := self.rest_s()) > 0:
            raise FetchError("edgar_rest", retry_after_s=rest_s)
        wanted = {**(headers or {}), **({"User-Agent": self._agent} if self._agent else {})}
        answer = self._http.get(url, headers=wanted, deadline_s=max(0.1, ends_s - self.clock.monotonic_s()),
                                limit_bytes=limit_bytes)
        if refusal := edgar.refusal_of(answer.status, answer.body):
            with self._lock:
                self._rest_until_s = self.clock.monotonic_s() + REST_S
            raise FetchError(refusal, str(answer.status), status=answer.status, retry_after_s=REST_S)
        return answer

    def rest_s(self) -> float:
        """Seconds for which nothing is asked, 0 or less where EDGAR may be asked."""
        with self._lock:
            return self._rest_until_s - self.clock.monotonic_s()

    def filing(self, accession: str, form: str, cik: str, link: str, *, is_last_try: bool = False) -> Fetched:
        """Fetch a filing's index page, its primary document and its press releases, within `FILING_S` in all.

        Raises FetchError whose reason begins with `index_` or `document_` (`index_404`, `document_timeout`), and
        FilingError. On the last try a document that does not come is left out, as long as another one is there.
        """
        from catalyst.core.filings import Part  # the fetcher asks EDGAR too and reads no filing

        ends_s = self.clock.monotonic_s() + FILING_S
        path = edgar.index_path(link, accession, cik, self._base_url)
        if path is None:
            raise FilingError("no_link")
        index = edgar.read_index(self._page("index", path, ends_s, edgar.INDEX_BYTES))
        wanted = edgar.to_fetch(index, form)
        parts: list[Part] = []
        missing: list[str] = []
        for document in wanted:
            try:
                body = self._page("document", document.path, ends_s, edgar.DOCUMENT_BYTES)
                parts.append(Part(document.type, document.name, body))
            except FetchError as error:
                if error.reason in REFUSALS or not (is_last_try or error.reason == "document_too_big"):
                    raise
                missing.append(f"{document.name}:{error.reason}")
        if not parts:
            reason = missing[0].rpartition(":")[2] if missing else "no_document"
            raise FilingError(reason, accession)
        return Fetched(index, tuple(parts), tuple(missing))

    def _page(self, what: str, path: str, ends_s: float, limit_bytes: int) -> bytes:
        left_s = ends_s - self.clock.monotonic_s()
        if left_s <= 0:
            raise FetchError(f"{what}_timeout", "the filing's time is over")
        try:
            answer = self.get(self._base_url + path, deadline_s=min(REQUEST_S, left_s), limit_bytes=limit_bytes)
        except FetchError as error:
            if error.reason in REFUSALS or error.reason == NO_AGENT:
                raise
            raise FetchError(f"{what}_{error.reason}", str(error), status=error.status,
                             retry_after_s=error.retry_after_s) from error
        if answer.status != 200:
            raise FetchError(f"{what}_{answer.status}", path, status=answer.status)
        return answer.body


def edgar_of(actor: str, http: Http, settings: Settings, clock: Clock) -> Edgar:
    """EDGAR for an actor, with the actor's share of CATALYST_EDGAR_PER_S, less some headroom."""
    return Edgar(http, settings, clock, Pace(settings.edgar_per_s * SHARES[actor] * HEADROOM, clock))


def sec_hosts(settings: Settings) -> tuple[str, ...]:
    """`host:port` that sec may reach on a private address: what the user allowed and SEC_BASE_URL itself."""
    address = urlsplit(settings.sec_base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    return (*settings.allow_hosts, f"{address.hostname}:{port}")


def is_declared(url: str, settings: Settings) -> bool:
    """Whether `url` may be asked: SEC_USER_AGENT is set, or it is a stand-in on loopback or on an allowed host."""
    if settings.sec_user_agent:
        return True
    address = urlsplit(url)
    host = (address.hostname or "").lower()
    try:
        if ipaddress.ip_address(host).is_loopback:
            return True
    except ValueError:
        if host == "localhost":
            return True
    allowed = {name.lower() for name in settings.allow_hosts}
    return host in allowed or f"{host}:{address.port}" in allowed
