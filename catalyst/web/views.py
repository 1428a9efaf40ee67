"""What the page knows: records made from the actors' answers, whatever is missing or odd in them.

The one place where the page reads dicts of others. A field of the wrong kind is as unknown as one that is absent; what
is unknown is None, never 0. It asks nobody and renders nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from catalyst.clock import from_iso
from catalyst.core.silence import Silence

T = TypeVar("T")
Raw = Mapping[str, Any]
FIRST_MS, LAST_MS = -62_000_000_000_000, 253_000_000_000_000  # within the years that a calendar has, in any zone


def word(value: Any) -> str:
    """The text, empty where it is none."""
    return value if isinstance(value, str) else ""


def number(value: Any) -> float | None:
    """The number, None where it is none that a person could read."""
    fine = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300
    return value if fine and math.isfinite(value) else None


def whole(value: Any) -> int | None:
    """The whole number."""
    found = number(value)
    return None if found is None else int(found)


def moment(value: Any) -> int | None:
    """UTC milliseconds of a number or an ISO text."""
    if isinstance(value, str):
        try:
            return from_iso(value)
        except (ValueError, OverflowError):
            return None
    found = whole(value)
    return found if found is not None and FIRST_MS <= found <= LAST_MS else None


def words(value: Any) -> tuple[str, ...]:
    """The texts of a list."""
    return tuple(part for part in value if isinstance(part, str)) if isinstance(value, (list, tuple)) else ()


def rows(answer: Raw | None, name: str, make: Callable[[Raw], T]) -> tuple[T, ...]:
    """The records of the list `name` of an answer."""
    found = (answer or {}).get(name)
    return tuple(make(row) for row in found if isinstance(row, dict)) if isinstance(found, (list, tuple)) else ()


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as the alerter lists it. `price_age_s` is that at the sending."""

    id: str
    item_id: str = ""
    ticker: str = ""
    company: str = ""
    title: str = ""
    link: str = ""
    kinds: tuple[str, ...] = ()
    direction: str = "neutral"
    score: float | None = None
    why: str = ""
    price_usd: float | None = None
    price_age_s: float | None = None
    simulated: bool = False
    published_ms: int | None = None
    seen_ms: int | None = None
    sent_ms: int | None = None
    state: str = ""
    sources: tuple[str, ...] = ()
    sinks: tuple[tuple[str, str], ...] = ()
    took_ms: tuple[tuple[str, int], ...] = ()  # from seen to the request to a sink that has it

    @property
    def latency_ms(self) -> int | None:
        """From the complete answer of the feed to the request to the first sink."""
        return None if self.sent_ms is None or self.seen_ms is None else self.sent_ms - self.seen_ms


def alert(raw: Raw) -> Alert:
    """One row of the alerter's `alerts`."""
    sinks, took = raw.get("sinks"), raw.get("took_ms")
    direction = word(raw.get("direction"))
    return Alert(
        id=word(raw.get("id")), item_id=word(raw.get("item_id")), ticker=word(raw.get("ticker")),
        company=word(raw.get("company")), title=word(raw.get("title")), link=word(raw.get("link")),
        kinds=words(raw.get("kinds")), direction=direction if direction in ("up", "down") else "neutral",
        score=number(raw.get("score")), why=word(raw.get("why")), price_usd=number(raw.get("price")),
        price_age_s=number(raw.get("price_age_s")), simulated=raw.get("simulated") is True,
        published_ms=moment(raw.get("published")), seen_ms=moment(raw.get("seen")), sent_ms=moment(raw.get("sent")),
        state=word(raw.get("state")), sources=words(raw.get("sources")),
        sinks=tuple((str(name), word(state)) for name, state in sinks.items()) if isinstance(sinks, dict) else (),
        took_ms=tuple((str(name), span_ms) for name, value in took.items() if (span_ms := whole(value)) is not None)
        if isinstance(took, dict) else ())


@dataclass(frozen=True, slots=True)
class Found:
    """A kind that was found, and the words that caused it."""

    kind: str
    phrase: str
    direction: str
    weight: float | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request to a sink: the alert itself, or a later form of it."""

    sink: str
    n: int | None
    what: str
    state: str
    sent_ms: int | None
    status: int | None
    reason: str
    possible_repeat: bool
    tries: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the price did until `horizon` after the alert."""

    horizon: str
    state: str
    price_usd: float | None
    return_pct: float | None
    due_ms: int | None
    price_ms: int | None
    reason: str
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Hop:
    """A message on its way from actor to actor."""

    sender: str
    receiver: str
    message: str
    queued_ms: int | None
    sent_ms: int | None
    received_ms: int | None
    committed_ms: int | None
    acked_ms: int | None


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything about one alert; None for the parts that nobody told."""

    alert: Alert
    found: tuple[Found, ...] = ()
    summary: str = ""
    form: str = ""
    provider: str = ""
    price_ms: int | None = None
    previous_close_usd: float | None = None
    ready_ms: int | None = None
    deliveries: tuple[Delivery, ...] | None = None
    sources: tuple[tuple[str, str], ...] = ()  # name, link
    has_chart: bool = False
    chart_alt: str = ""
    outcomes: tuple[Outcome, ...] | None = None
    hops: tuple[Hop, ...] = ()


def detail(raw: Raw) -> Detail:
    """The alerter's answer to `alert`."""
    body = raw.get("alert")
    body = body if isinstance(body, dict) else {}
    return Detail(
        alert=alert(body), summary=word(body.get("summary")), form=word(body.get("form")),
        provider=word(body.get("provider")), price_ms=moment(body.get("price_ms")),
        previous_close_usd=number(body.get("previous_close_usd")), ready_ms=moment(body.get("ready_ms")),
        found=rows(body, "kinds_found", lambda row: Found(
            word(row.get("kind")), word(row.get("phrase")), word(row.get("direction")), number(row.get("weight")))),
        deliveries=rows(raw, "deliveries", _delivery),
        sources=rows(raw, "sources", lambda row: (word(row.get("name")), word(row.get("link")))))


def _delivery(raw: Raw) -> Delivery:
    return Delivery(word(raw.get("sink")), whole(raw.get("n")), word(raw.get("what")), word(raw.get("state")),
                    moment(raw.get("sent")), whole(raw.get("status")), word(raw.get("reason")),
                    bool(raw.get("possible_repeat")), whole(raw.get("tries")))


def outcome(raw: Raw) -> Outcome:
    """One row of the tracker's `outcomes`."""
    return Outcome(word(raw.get("horizon")), word(raw.get("state")), number(raw.get("price_usd")),
                   number(raw.get("return_pct")), moment(raw.get("due_ms")), moment(raw.get("price_ms")),
                   word(raw.get("reason")), raw.get("simulated") in (True, 1))


def hops(found: Iterable[Raw]) -> tuple[Hop, ...]:
    """Hops as catalyst.core.hops joins them."""
    return tuple(Hop(word(hop.get("sender")), word(hop.get("actor")), word(hop.get("message")),
                     *(whole(hop.get(name)) for name in ("queued", "sent", "received", "committed", "acked")))
                 for hop in found)


@dataclass(frozen=True, slots=True)
class Source:
    """A feed as the fetcher tells of it."""

    name: str
    url: str = ""
    kind: str = ""
    every_s: float | None = None
    enabled: bool = True
    trust: float | None = None
    last_ok_ms: int | None = None
    last_poll_ms: int | None = None
    outcome: str = ""
    failures: int | None = None
    polls: int | None = None
    not_modified: int | None = None
    items: int | None = None
    next_due_ms: int | None = None
    outage: bool = False
    no_key: bool = False


def source(raw: Raw) -> Source:
    """One row of the fetcher's `sources`."""
    return Source(
        word(raw.get("name")), word(raw.get("url")), word(raw.get("kind")), number(raw.get("every_s")),
        bool(raw.get("enabled", True)), number(raw.get("trust")), moment(raw.get("last_ok_ms")),
        moment(raw.get("last_poll_ms")), word(raw.get("outcome")), whole(raw.get("failures")),
        whole(raw.get("polls")), whole(raw.get("not_modified")), whole(raw.get("items")),
        moment(raw.get("next_due_ms")), bool(raw.get("outage")), bool(raw.get("no_key")))


@dataclass(frozen=True, slots=True)
class Item:
    """An item that was taken in, and what became of it."""

    id: str
    source: str
    title: str
    link: str
    seen_ms: int | None
    fate: str
    reason: str
    ticker: str
    alert_id: str


@dataclass(frozen=True, slots=True)
class Items:
    """The newest items, and how many of the last day ended how: (fate, reason, number), the most first."""

    newest: tuple[Item, ...] | None = None  # None: nobody answered
    counts: tuple[tuple[str, str, int], ...] | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """An actor that is meant to run; what nobody knows is None. `pulse` says for each past second if a beat came."""

    name: str
    state: str
    wanted: bool = True
    pid: int | None = None
    age_s: float | None = None
    restarts: int | None = None
    cpu_s: float | None = None
    cpu_pct: float | None = None
    rss_bytes: int | None = None
    beat_age_s: float | None = None
    current: str = ""
    current_age_s: float | None = None
    inbox: int | None = None
    outbox: int | None = None
    oldest_unsent_s: float | None = None
    handled: int | None = None
    failed: int | None = None
    dead: int | None = None
    storage: str = ""  # full or failing, where its disk is
    pulse: tuple[bool, ...] = ()
    statistics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Look:
    """The house at one moment. `alerts_ms` is when the alerter last answered, None if it never did; `sources` is None
    where the fetcher does not answer; `answered` are the actors that were heard since this process began."""

    at_ms: int
    actors: tuple[Actor, ...] = ()
    answered: frozenset[str] = frozenset()
    alerts: tuple[Alert, ...] = ()
    alerts_ms: int | None = None
    sources: tuple[Source, ...] | None = None
    paused_until_ms: int | None = None
    paused_by: str = ""
    silence: Silence | None = None  # what is held back; None where the alerter does not answer
    sinks: tuple[str, ...] = ()  # those that the settings name
    charts: frozenset[str] = frozenset()  # the newest alerts of which there is a picture
    version: str = ""
