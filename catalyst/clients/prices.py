"""Asks quote providers for prices, one after the other, within one time limit. It stores nothing and judges no price.

A provider that fails again and again (catalyst.core.breaker) or has had too many requests is passed over at once.

Providers: `yahoo`, the chart service; `simulated`, the same form from the same setting's address, for the stand-in
world: its quotes are marked, and it is asked only where QUOTE_PROVIDERS names it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace
from urllib.parse import quote, urlsplit

from catalyst.clients.http import Http
from catalyst.clock import Clock
from catalyst.core import breaker
from catalyst.core.breaker import Breaker
from catalyst.core.headers import retry_after_s
from catalyst.core.quotes import Charted, Quote, price_at, read_yahoo, windows, yahoo_symbol
from catalyst.errors import ConfigError, FetchError, QuoteError
from catalyst.settings import Settings

PROVIDERS = ("yahoo", "simulated")
CHART = "/v8/finance/chart/{symbol}?range={range}&interval={interval}&includePrePost=true&events=split"
TODAY = ("1d", "1m")
FRAMES = {"5D": ("5d", "5m"), "1M": ("1mo", "1d"), "3M": ("3mo", "1d"), "1Y": ("1y", "1d")}  # of catalyst.core.bars
LIMIT_BYTES = 2_000_000  # a day of minutes is about 100 KB
TOTAL_S = 3.0  # an alert waits no longer for its price
FIRST_SHARE = 0.6  # of the time left, so that one more try fits in
PAUSE_S = 30.0  # after a 429 that does not say how long
BETWEEN_S = 0.1
PASSING = frozenset({"timeout", "refused", "reset", "dns", "status_500", "status_502", "status_503", "status_504"})
NO_ANSWER = PASSING | {"tls", "malformed", "encoding", "too_big", "redirect"}  # and any status from 500 on
ANSWERS = frozenset({"unknown_ticker", "wrong_ticker", "currency", "empty"})  # the provider works; it has no price


@dataclass(frozen=True, slots=True)
class Priced:
    """What the chain found, or None; `reasons` says for each provider that failed why, `yahoo:timeout`."""

    charted: Charted | None
    reasons: tuple[str, ...] = ()

    @property
    def quote(self) -> Quote | None:
        """The quote of what was found."""
        return self.charted.quote if self.charted is not None else None


class PriceChain:
    """The providers of QUOTE_PROVIDERS in their order. Used by several threads at once."""

    def __init__(self, http: Http, settings: Settings, clock: Clock):
        """Raises ConfigError for a provider that does not exist."""
        if unknown := [name for name in settings.quote_providers if name not in PROVIDERS]:
            raise ConfigError(f"QUOTE_PROVIDERS: {unknown[0]!r} is none of {', '.join(PROVIDERS)}")
        self._http = http
        self._clock = clock
        self._providers: tuple[str, ...] = settings.quote_providers
        self._base_url = str(settings.yahoo_base_url).rstrip("/")
        self._lock = threading.Lock()
        self._paused_until_s: dict[str, float] = {}
        self._breakers = dict.fromkeys(self._providers, Breaker())

    def breakers(self) -> dict[str, Breaker]:
        """How each provider does."""
        with self._lock:
            return dict(self._breakers)

    def paused_s(self) -> dict[str, float]:
        """The providers that are left alone, each with the seconds until one request may go out as a probe."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            left_s = {name: max(0.0, one.until_s - now_s if one.is_open else 0.0,
                                self._paused_until_s.get(name, 0.0) - now_s) for name, one in self._breakers.items()}
            return {name: left_s[name] for name, one in self._breakers.items() if one.is_open or left_s[name]}

    def quote(self, ticker: str, total_s: float = TOTAL_S) -> Priced:
        """The first quote that any provider gives within `total_s`, with the day's bars by minutes."""
        return self._first(ticker, TODAY, self._clock.monotonic_s() + total_s)

    def bars(self, ticker: str, since_ms: int, total_s: float = 2 * TOTAL_S) -> Priced:
        """Bars that reach back to a price made at or before `since_ms`, in the finest step that the provider has.

        Where nothing was traded in the finer window the next wider one is asked for; what the widest shows is the
        answer, also when it does not reach so far back.
        """
        end_s = self._clock.monotonic_s() + total_s
        for window in windows(since_ms, self._clock.now_ms()):
            priced = self._first(ticker, window, end_s)
            if priced.charted is None or price_at(priced.charted, since_ms) is not None:
                break
        return priced

    def history(self, ticker: str, frame: str, total_s: float = 2 * TOTAL_S) -> Priced:
        """The bars of one of FRAMES, today's among them."""
        return self._first(ticker, FRAMES[frame], self._clock.monotonic_s() + total_s)

    def _first(self, ticker: str, window: tuple[str, str], end_s: float) -> Priced:
        """What the first provider gives before `end_s` (monotonic); a fault that may pass is tried once more."""
        reasons: list[str] = []
        for provider in self._providers:
            for attempt in (1, 2):
                left_s = end_s - self._clock.monotonic_s()
                if left_s <= 0:
                    return Priced(None, (*reasons, f"{provider}:late"))
                try:
                    found = self._ask(provider, ticker, window, left_s * FIRST_SHARE if attempt == 1 else left_s)
                    return Priced(found, tuple(reasons))
                except (FetchError, QuoteError) as error:
                    if error.reason == "paused" and attempt == 2:
                        break  # its own fault, or another's meanwhile, was one too many; the first is said
                    reasons.append(f"{provider}:{error.reason}")
                    if error.reason not in PASSING or attempt == 2:
                        break
                time.sleep(min(BETWEEN_S, max(0.0, end_s - self._clock.monotonic_s())))
        return Priced(None, tuple(reasons))

    def _ask(self, provider: str, ticker: str, window: tuple[str, str], deadline_s: float) -> Charted:
        """One request, unless the provider is left alone. Raises FetchError, QuoteError."""
        is_probe = self._admit(provider)
        try:
            found = self._request(provider, ticker, window, deadline_s)
        except (FetchError, QuoteError) as error:
            self._note(provider, error.reason, is_probe=is_probe)
            raise
        self._note(provider, "", is_probe=is_probe)
        return found

    def _admit(self, provider: str) -> bool:
        """Whether the request that goes out now is a probe. Raises QuoteError `paused` where none must."""
        with self._lock:
            now_s, before = self._clock.monotonic_s(), self._breakers[provider]
            after = breaker.asked(before, now_s)
            if after is None or now_s < self._paused_until_s.get(provider, 0.0):
                raise QuoteError("paused", provider)
            self._breakers[provider] = after
            return before.is_open

    def _note(self, provider: str, reason: str, *, is_probe: bool) -> None:
        """How a request ended; `reason` is empty for a price. A refusal as 401 or 429 says neither that it works nor
        that waiting for it is in vain."""
        with self._lock:
            now_s, before = self._clock.monotonic_s(), self._breakers[provider]
            if not reason or reason in ANSWERS:
                self._breakers[provider] = breaker.answered(before, now_s)
            elif reason in NO_ANSWER or reason.startswith("status_5"):
                self._breakers[provider] = breaker.failed(before, reason, now_s, is_probe=is_probe)

    def _request(self, provider: str, ticker: str, window: tuple[str, str], deadline_s: float) -> Charted:
        """Ask and read. Raises FetchError, QuoteError."""
        url = self._base_url + CHART.format(symbol=quote(yahoo_symbol(ticker), safe=""), range=window[0],
                                            interval=window[1])
        response = self._http.get(url, headers={"Accept": "application/json"}, deadline_s=deadline_s,
                                  limit_bytes=LIMIT_BYTES)
        if response.status == 429:
            self._pause(provider, retry_after_s(response.headers, response.done_ms))
        if response.status not in (200, 404):
            raise FetchError(f"status_{response.status}", provider, status=response.status)
        charted = read_yahoo(response.body, ticker)
        return replace(charted, quote=charted.quote.marked(provider, simulated=provider == "simulated"))

    def _pause(self, provider: str, wish_s: float | None) -> None:
        """Leave a provider alone that has had too many requests."""
        wait_s = min(wish_s, 3_600.0) if wish_s is not None else PAUSE_S
        with self._lock:
            self._paused_until_s[provider] = self._clock.monotonic_s() + wait_s


def provider_hosts(settings: Settings) -> tuple[str, ...]:
    """`host:port` that market may reach on a private address: what the user allowed and the provider's own address."""
    address = urlsplit(settings.yahoo_base_url)
    port = address.port or (443 if address.scheme == "https" else 80)
    return (*settings.allow_hosts, f"{address.hostname}:{port}")
