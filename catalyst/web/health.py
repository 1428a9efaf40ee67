"""Judges the house: is it healthy, is it ready, and in which words not. Pure: a look in, a verdict out.

`failing` means that alerts may be missing or late: a required actor, every feed or a sink does not do its work.
`degraded` is what a person should know of while alerts go out. The page's banners are these same reasons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from catalyst.clock import iso
from catalyst.core.reach import waiting
from catalyst.web.views import Actor, Alert, Look, Source

Severity = Literal["failing", "degraded"]
OPTIONAL = frozenset({"charter", "web", "fanout"})  # alerts go out without them
PASSING = frozenset({"starting", "draining"})  # states that end by themselves
LATE_MS = 60_000  # an alert that no sink has by then is not being delivered
RECENT_MS = 30 * 60_000  # an undelivered alert is news for so long
STALE_MS = 10_000  # without an answer of the alerter
SETTLED = frozenset({"delivered", "refused", "ambiguous", "digest"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the house is not well: a `word` for machines, what it is about, a sentence for people."""

    word: str
    subject: str
    text: str
    severity: Severity

    @property
    def code(self) -> str:
        """`actor_stopped:fetcher`."""
        return f"{self.word}:{self.subject}" if self.subject else self.word


def reasons(look: Look) -> tuple[Reason, ...]:
    """All that is wrong, the worst first."""
    found = [*_storage(look), *_actors(look), *_alerts(look), *_feeds(look), *_pause(look)]
    return tuple(sorted(found, key=lambda reason: reason.severity != "failing"))


def status(found: Sequence[Reason]) -> str:
    """`ok`, `degraded` or `failing`."""
    return "ok" if not found else "failing" if any(reason.severity == "failing" for reason in found) else "degraded"


def _actors(look: Look) -> Iterator[Reason]:
    for actor in look.actors:
        if actor.state != "running":
            mild = actor.name in OPTIONAL or (actor.state in PASSING and actor.wanted)
            who = "" if actor.wanted else ", as a person asked"
            yield Reason(f"actor_{actor.state}", actor.name, f"{actor.name} is {_said(actor.state)}{who}",
                         "degraded" if mild else "failing")
        if actor.dead:
            yield Reason("dead_letters", actor.name,
                         f"{actor.name} has {actor.dead} dead letter{'s' if actor.dead > 1 else ''}", "degraded")
    if not look.actors:
        yield Reason("no_actors", "", "no actor is known", "failing")


def _storage(look: Look) -> Iterator[Reason]:
    """One reason for each trouble, however many actors have it: mostly all share a disk."""
    for kind, text in (("full", "the disk is full, all goes on by itself when there is room"),
                       ("failing", "the disk fails")):
        if names := [actor.name for actor in look.actors if actor.storage == kind]:
            yield Reason(f"storage_{kind}", "", f"{text}; nothing is stored by {', '.join(names)}", "failing")


def _said(state: str) -> str:
    return {"hung": "hung: it lives and does not answer", "backoff": "down and waits for its next start",
            "parked": "parked after too many deaths"}.get(state, state)


def _alerts(look: Look) -> Iterator[Reason]:
    for sink in look.sinks:
        if sink_state(look, sink) == "refused":
            yield Reason("sink_refuses", sink, f"{sink} refused the newest alert", "failing")
        if waits := held_up(look, sink):
            yield Reason("sink_waits", sink, f"{sink}: {_count(waits)} waiting for it for more than a minute",
                         "failing")
    lost = [alert for alert in look.alerts if alert.state == "dead" and _age_ms(look, alert) < RECENT_MS]
    late = [alert for alert in look.alerts if alert.state == "new" and _age_ms(look, alert) > LATE_MS]
    if lost:
        yield Reason("alerts_lost", "", f"{_count(lost)} not delivered in the last half hour: no sink took "
                     f"{'it' if len(lost) == 1 else 'them'}", "failing")
    if late:
        yield Reason("alerts_late", "", f"{_count(late)} out at no sink for more than a minute", "failing")
    if look.alerts_ms is not None and look.at_ms - look.alerts_ms > STALE_MS:
        yield Reason("alerts_stale", "", "the alerter does not answer: the alerts shown are old", "failing")
    if not look.sinks:
        yield Reason("no_sink", "", "no sink is set: alerts are shown here and go nowhere else", "degraded")


def _count(alerts: Sequence[Alert]) -> str:
    return "an alert is" if len(alerts) == 1 else f"{len(alerts)} alerts are"


def _age_ms(look: Look, alert: Alert) -> int:
    return look.at_ms - (alert.seen_ms if alert.seen_ms is not None else look.at_ms)


def sink_state(look: Look, sink: str) -> str:
    """How the newest alert that this sink is done with ended, `waiting` before the first, `unused` without any."""
    states = [state for alert in look.alerts for name, state in alert.sinks
              if name == sink and state != "filtered"]
    return next((state for state in states if state in SETTLED), "waiting" if states else "unused")


def held_up(look: Look, sink: str) -> list[Alert]:
    """The alerts that wait for this sink for more than a minute, whoever else has them."""
    return [alert for alert in look.alerts if sink in waiting(dict(alert.sinks)) and _age_ms(look, alert) > LATE_MS]


def _feeds(look: Look) -> Iterator[Reason]:
    enabled = [source for source in look.sources or () if source.enabled]
    bad = [source for source in enabled if source.outage]
    severity: Severity = "failing" if len(bad) == len(enabled) else "degraded"
    for source in bad[:5]:
        yield Reason("feed_outage", source.name, f"the source {source.name} fails: {source.outcome or 'no answer'}",
                     severity)
    if len(bad) > 5:
        yield Reason("feed_outages", "", f"{len(bad) - 5} more sources fail", severity)


def _pause(look: Look) -> Iterator[Reason]:
    if look.paused_by or (look.paused_until_ms or 0) > look.at_ms:
        who = {"person": "a person asked for it", "backlog": "too much work waits",
               "storage": "the disk takes nothing"}.get(
            look.paused_by, look.paused_by or "for a while")
        yield Reason("fetcher_paused", look.paused_by, f"the fetcher is paused: {who}", "degraded")


def not_ready(look: Look) -> tuple[str, ...]:
    """Why the house is not ready: a wanted actor was never heard, does not run or cannot store. Empty when it is."""
    found = []
    for actor in look.actors:
        if actor.name not in look.answered:
            found.append(f"actor_not_heard:{actor.name}")
        elif actor.state != "running":
            found.append(f"actor_{actor.state}:{actor.name}")
        elif actor.storage:
            found.append(f"storage_{actor.storage}:{actor.name}")
    return tuple(found) if look.actors else ("no_actors",)


def report(look: Look) -> dict[str, Any]:
    """What /healthz says; no setting, address or text from outside is in it, but the names of sources."""
    found = reasons(look)
    return {"status": status(found), "reasons": [reason.code for reason in found],
            "words": [reason.text for reason in found], "at": iso(look.at_ms), "version": look.version,
            "actors": {actor.name: _actor(actor) for actor in look.actors},
            "feeds": None if look.sources is None else {source.name: _feed(source) for source in look.sources},
            "sinks": {sink: {"state": (state := sink_state(look, sink)), "required": True,
                             "ok": state != "refused" and not held_up(look, sink)} for sink in look.sinks}}


def _actor(actor: Actor) -> dict[str, Any]:
    return {"ok": actor.state == "running" and not actor.storage, "state": actor.state,
            "required": actor.name not in OPTIONAL, "wanted": actor.wanted, "pid": actor.pid,
            "restarts": actor.restarts, "dead": actor.dead, "storage": actor.storage,
            "beat_age_s": None if actor.beat_age_s is None else round(actor.beat_age_s, 3), "inbox": actor.inbox,
            "outbox": actor.outbox}


def _feed(source: Source) -> dict[str, Any]:
    return {"ok": not source.outage or not source.enabled, "enabled": source.enabled, "outcome": source.outcome or None,
            "last_ok": iso(source.last_ok_ms), "failures": source.failures}
