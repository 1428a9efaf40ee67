"""One delivery of an alert, an update or a notice: what a sink is handed, what came of it, what happens next.

The rules are those of a sink that can or cannot be asked. A plain Discord webhook has no key against repeats: a post
that may have arrived is made once more, marked as a possible repeat, and not before the sink answers a question again.
An edit, a signed webhook with its Idempotency-Key, and a bot's post, whose channel can be asked for it, can be repeated
without harm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from catalyst.core.headers import retry_after_s
from catalyst.core.jitter import spread_ms
from catalyst.core.limiter import is_old_edit
from catalyst.core.refusals import STRAY, why_gone
from catalyst.messages import AlertReady, History, OpsNotice, StoryJoined

What = Literal["alert", "correction", "source", "chart", "outcome"]
DISCORD, WEBHOOK, OPS = "discord", "webhook", "ops"
NOTIFY = "notify-"  # how the sinks begin that are addresses of CATALYST_NOTIFY
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0  # back-off of a sink that answers with errors
LONGEST_NETWORK_WAIT_S = 5.0  # of one that is not reached: it must be used within 5 s of its return
OLD_EDIT_WAIT_MS = 60_000  # before another edit of a message that Discord allows no more of now
STEP_BACK_MS = 250  # after a failure another delivery is tried first: it may be the message, not the sink
MOST_STRAYS = 60  # tries of a message, some 50 min, that alone meets refusals which are not Discord's own
LONGEST_WISH_S = 3_600.0  # that a sink is left alone for, however long it asks
HARMLESS_TO_REPEAT = STRAY | {429, 502, 503}  # statuses after which a post has certainly not taken effect
UNFIT = frozenset({400, 413})  # statuses that are about a message, not about its sink
PENDING = frozenset({"queued", "gathered"})  # states of a delivery that is on its way
ARRIVED = frozenset({"delivered", "digest"})  # states of one that the sink has
RANKS: dict[What, float] = {  # an alert has 0 to 2
    "alert": 0, "correction": -3, "chart": -6, "source": -9, "outcome": -12}
ALL_SINKS_MS = 60_000  # after an alert went out at one sink it is out at the others too
Outcome = Literal["delivered", "retry", "refused", "ambiguous"]
Cause = Literal["waiting", "quiet"]  # of a digest
Past = Literal["none", "unknown", "out"]  # whether an alert was posted by a database that is lost


class Source(msgspec.Struct, frozen=True):
    """A wire that carries the story."""

    name: str
    link: str


class Correction(msgspec.Struct, frozen=True):
    """What the publisher says of a story later: its title has his mark."""

    name: str  # of the wire
    title: str
    link: str


class Chart(msgspec.Struct, frozen=True):
    """The picture of an alert, and the same in words."""

    png: bytes
    alt: str


class After(msgspec.Struct, frozen=True):
    """What an alert's price did by one horizon."""

    horizon: str
    return_pct: float
    price_usd: float
    price_ms: int
    simulated: bool
    known_ms: int


class Followed(msgspec.Struct, frozen=True):
    """What followed: of this alert so far, the shortest horizon first, and of the earlier ones of its first kind, as it
    was known when this one came."""

    after: tuple[After, ...] = ()
    history: History | None = None


class Repeat(msgspec.Struct, frozen=True):
    """A later alert that was folded into this one: its `number` among them, the alert itself being 1."""

    number: int
    title: str
    source: str
    link: str


class Digest(msgspec.Struct, frozen=True):
    """Several alerts in one message, the best first: those that `waiting` too many left over, or that `quiet` hours
    held. `more` are counted only; what followed an alert stands by its id, in order of arrival."""

    cause: Cause
    alerts: tuple[AlertReady, ...]
    more: int = 0
    sources: dict[str, tuple[Source, ...]] = {}
    corrections: dict[str, tuple[Correction, ...]] = {}


class Deliver(msgspec.Struct, frozen=True, kw_only=True):
    """All that a sink needs for one request. `n` is 0 for the alert itself and rises with its updates."""

    id: str  # the alert's id, or the notice's or the digest's
    sink: str
    event: Literal["alert", "update", "ops", "digest"]
    n: int = 0
    what: What = "alert"  # what it is the first to show; "chart" also where a source comes with it
    alert: AlertReady | None = None
    joined: StoryJoined | None = None
    outcome: After | None = None  # what an update tells, where it is no item
    notice: OpsNotice | None = None
    sources: tuple[Source, ...] = ()  # further wires, in order of arrival
    corrections: tuple[Correction, ...] = ()  # in order of arrival
    repeats: tuple[Repeat, ...] = ()  # in order of arrival
    followed: Followed = Followed()
    digest: Digest | None = None
    chart: Chart | None = None  # sent again with each edit, so that an edit can be repeated
    message_id: str | None = None  # the message to edit
    sent_ms: int | None = None  # when the alert itself went out, for its later forms
    possible_repeat: bool = False
    unsure: int = 0  # requests that may have arrived and were never answered
    askable: bool = False  # the sink can be asked whether it has the message

    @property
    def key(self) -> str:
        """What tells this request from every other, also when it is repeated."""
        return self.id if self.n == 0 else f"{self.id}:{self.n}"

    @property
    def urgency(self) -> float:
        """Texts go first, then corrections, charts, sources, outcomes; among them a watched ticker, then the best
        score."""
        told = self.digest.alerts if self.digest is not None else (self.alert,) if self.alert is not None else ()
        return RANKS[self.what] + max((alert.score + alert.watched for alert in told), default=0)

    @property
    def repeats_show(self) -> bool:
        """Whether a second request would make a second message."""
        return self.sink != WEBHOOK and self.message_id is None and not self.askable

    @property
    def must_ask(self) -> bool:
        """Whether an earlier request may have made the message, so that the sink is asked before another."""
        return self.askable and self.message_id is None and (self.unsure > 0 or self.possible_repeat)

    @property
    def must_greet(self) -> bool:
        """Whether the one repeat is left: it is made where the sink answers again, for it would be lost elsewhere."""
        return self.repeats_show and self.unsure > 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one request. `reason` is a short word for counting, `begun_ms` and `done_ms` its two ends."""

    outcome: Outcome
    begun_ms: int
    done_ms: int
    status: int | None = None
    reason: str = ""
    message_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What happens next: `state` is final (`delivered`, `refused`, `ambiguous`) or None, then again at `again_ms`.

    `payload` is what the next try sends, `hold_ms` keeps the whole sink waiting, `closes` says that it is gone.
    """

    state: Literal["delivered", "refused", "ambiguous"] | None
    payload: Deliver
    again_ms: int = 0
    hold_ms: int = 0
    closes: bool = False


def in_one_clock(payload: Deliver, present_ms: Callable[[int], int]) -> Deliver:
    """The payload with our own times as the clock of the sending would have told them (`present_ms` tells a stamp in
    the clock of now), so that no jump of the clock shows as a latency. What others stamped stays: published, the
    price's time.
    """
    changes: dict[str, Any] = {}
    if (alert := payload.alert) is not None:
        changes["alert"] = msgspec.structs.replace(
            alert, seen_ms=_now_or_then(payload, alert.seen_ms, present_ms),
            ready_ms=_now_or_then(payload, alert.ready_ms, present_ms))
    if (digest := payload.digest) is not None:
        alerts = tuple(msgspec.structs.replace(one, ready_ms=_now_or_then(payload, one.ready_ms, present_ms))
                       for one in digest.alerts)
        changes["digest"] = msgspec.structs.replace(digest, alerts=alerts)
    if (joined := payload.joined) is not None:
        changes["joined"] = msgspec.structs.replace(joined, seen_ms=present_ms(joined.seen_ms))
    if (outcome := payload.outcome) is not None:
        changes["outcome"] = msgspec.structs.replace(outcome, known_ms=present_ms(outcome.known_ms))
    if (notice := payload.notice) is not None:
        changes["notice"] = msgspec.structs.replace(notice, made_ms=present_ms(notice.made_ms))
    return msgspec.structs.replace(payload, **changes)


def _now_or_then(payload: Deliver, stamp_ms: int, present_ms: Callable[[int], int]) -> int:
    """The stamp in the clock of now, or in that of the first request where the payload is a later form."""
    return present_ms(stamp_ms) if payload.sent_ms is None else by_clock_of(payload.sent_ms, stamp_ms, present_ms)


def by_clock_of(later_ms: int, stamp_ms: int, present_ms: Callable[[int], int]) -> int:
    """A stamp in the clock that made `later_ms`, which it is not later than."""
    return later_ms - max(0, present_ms(later_ms) - present_ms(stamp_ms))


def settle(payload: Deliver, sent: Sent, tries: int, failures: int) -> Verdict:
    """The verdict over a request; `tries` starts of this delivery, `failures` of its sink in a row, this one included.

    A sink that fails is left alone for a growing time, and so is a delivery that fails while others pass: neither one
    bad message nor a dead sink is asked in a loop. What else refuses a message for ever, as a proxy may, ends it.
    """
    is_its_own = tries > failures  # others passed between: it is the message
    if sent.outcome == "delivered":
        return Verdict("delivered", payload)
    if sent.outcome == "refused":
        return Verdict("refused", payload, closes=closes_sink(payload, sent))
    if sent.outcome == "ambiguous":
        if payload.repeats_show and payload.unsure >= 1:
            return Verdict("ambiguous", payload)
        payload = msgspec.structs.replace(payload, unsure=payload.unsure + 1)
    if sent.outcome == "ambiguous" or sent.status not in HARMLESS_TO_REPEAT | {None}:
        payload = doubted(payload)
    if sent.status in STRAY and is_its_own and tries >= MOST_STRAYS:
        return Verdict("refused", payload)
    if is_old_edit(sent.status or 0, sent.body):
        return Verdict(None, payload, again_ms=sent.done_ms + OLD_EDIT_WAIT_MS)
    if sent.status == 429:
        return Verdict(None, payload, again_ms=sent.done_ms)  # the limiter says how long the sink must wait
    longest_s = LONGEST_WAIT_S if sent.status is not None else LONGEST_NETWORK_WAIT_S
    sink_ms = wait_ms(failures, longest_s, payload.key)
    hold_ms = sent.done_ms + max(sink_ms, wish_ms(sent))
    own_ms = wait_ms(tries, longest_s, payload.key) if is_its_own else 0
    again_ms = max(hold_ms + STEP_BACK_MS, sent.done_ms + own_ms)
    return Verdict(None, payload, again_ms, hold_ms)


def doubted(payload: Deliver) -> Deliver:
    """The payload after a request that may have taken effect: the next says so, or asks first."""
    if payload.repeats_show:
        return msgspec.structs.replace(payload, possible_repeat=True)
    return msgspec.structs.replace(payload, unsure=max(payload.unsure, 1)) if payload.askable else payload


def is_unfit(payload: Deliver, sent: Sent) -> bool:
    """Whether a refusal, or a defect of our own, may be the picture's fault: then the alert goes on without it."""
    return payload.chart is not None and _is_about_content(sent)


def falls_apart(payload: Deliver, sent: Sent) -> bool:
    """Whether a digest that is over was refused for what it says, which may be one alert's fault, or had no answer of
    Discord's own in the end: then each goes on by itself, marked where the digest may be out. What quiet hours held
    stays held.
    """
    is_its_fault = sent.outcome in ("ambiguous", "retry") or _is_about_content(sent)
    return is_gathered(payload) and payload.n == 0 and is_its_fault


def is_gathered(payload: Deliver) -> bool:
    """Whether it is a digest of alerts that waited for Discord."""
    return payload.digest is not None and payload.digest.cause == "waiting"


def _is_about_content(sent: Sent) -> bool:
    """A refusal of this one message, or a defect of our own in making it, which says nothing of the sink."""
    return sent.outcome == "refused" and (sent.status in UNFIT or sent.reason.startswith("defect_"))


def wait_ms(times: int, longest_s: float, name: str) -> int:
    """The wait after `times` failures in a row: doubles from FIRST_WAIT_S to `longest_s`, less up to a quarter that
    depends on name and count only."""
    longest_ms = round(min(longest_s, FIRST_WAIT_S * 2.0 ** min(max(times, 1) - 1, 20)) * 1000)
    return longest_ms - spread_ms(longest_ms, name, times)


def wish_ms(sent: Sent) -> int:
    """For how long the answer asks to be left alone, 0 where it does not, an hour at most."""
    return round(min(retry_after_s(sent.headers, sent.done_ms) or 0.0, LONGEST_WISH_S) * 1000)


def closes_sink(payload: Deliver, sent: Sent) -> bool:
    """Whether the answer says that the Discord webhook itself is gone or its token is wrong."""
    return payload.sink in (DISCORD, OPS) and bool(gone_by(payload, sent))


def gone_by(payload: Deliver, sent: Sent) -> str:
    """Why the webhook is gone, in a word; empty where the answer does not say that it is."""
    return why_gone(sent.status, sent.body, by_bot=payload.askable, is_edit=payload.message_id is not None)


@dataclass(frozen=True, slots=True)
class Row:
    """What is stored of one delivery. `state`: waiting, queued, delivered, refused, ambiguous, folded, and of an alert
    filtered (the sink does not want it), gathered (in a digest that waits), digest (told in one)."""

    n: int
    state: str
    message_id: str | None = None
    sent_ms: int | None = None
    possible_repeat: bool = False
    joined_id: str | None = None  # the item that an update is about, of an outcome its horizon
    what: What = "source"


@dataclass(frozen=True, slots=True)
class Plan:
    """The delivery to start now, and those that end without a request: `folded` into the one started, or `refused`.

    `what` is the most urgent of what the one started shows first.
    """

    start: int | None = None
    folded: tuple[int, ...] = ()
    refused: tuple[int, ...] = ()
    what: What = "alert"


def plan(rows: Sequence[Row], sink: str) -> Plan:
    """What to do for one alert at one sink; `rows` are all its deliveries there, by `n`, the alert itself first.

    One at a time and the alert first. An edit shows all that is known by then, so the newest stands for those before
    it; the signed webhook gets each update. Where the alert never arrived, or its row is forgotten, there is nothing to
    update; one that came in a digest has no message of its own to edit (catalyst.books.digests edits the digest).
    """
    waiting = [row.n for row in rows if row.state == "waiting"]
    if waiting and rows[0].n > 0:
        return Plan(refused=tuple(waiting))
    whats: dict[int, What] = {row.n: row.what for row in rows}
    if not waiting or any(row.state in PENDING for row in rows):
        return Plan()
    first = rows[0]
    if first.state == "waiting":
        return Plan(start=0)
    if first.state not in ARRIVED or (sink == DISCORD and first.message_id is None):
        return Plan(refused=tuple(waiting))
    if sink != DISCORD:
        return Plan(waiting[0], what=whats[waiting[0]])
    return Plan(waiting[-1], folded=tuple(waiting[:-1]), what=max((whats[n] for n in waiting), key=RANKS.__getitem__))


def is_for(sink: str, what: What) -> bool:
    """Whether a sink is told of such an update at all: what went to a phone cannot be edited, and it rings again for
    corrections only."""
    return what in ("alert", "correction") or not sink.startswith(NOTIFY)


def number_of(about: str, told_ms: int, last: int) -> int:
    """The number of an alert's update at the signed webhook: above the `last` one, and made from what it tells, an item
    or a horizon known since `told_ms`.

    So a database that begins anew gives the same news the same number, and no other news the number of one before:
    a receiver that drops the keys it knows drops no news.
    """
    digest = hashlib.blake2b(about.encode(), digest_size=4).digest()
    return max(last + 1, told_ms * 1_000 + int.from_bytes(digest) % 1_000)


def is_doubtful(alert: AlertReady, before_ms: int) -> bool:
    """Whether an alert may have been posted by a database whose rows of before the moment are lost: it is about
    something older, however often it was made since."""
    moments_ms = (alert.published_ms, alert.seen_ms, alert.ready_ms)
    return any(moment_ms is not None and moment_ms < before_ms for moment_ms in moments_ms)


def past_of(posted_ms: int | None, before_ms: int, *, is_only: bool) -> Past:
    """What the tracker's word on a doubtful alert means for Discord: `posted_ms`, when it heard that the alert was out.

    That names no sink: where Discord is not the only one, so short a time before the loss it may have been the other.
    """
    if posted_ms is None:
        return "unknown"
    return "out" if is_only or posted_ms < before_ms - ALL_SINKS_MS else "unknown"
