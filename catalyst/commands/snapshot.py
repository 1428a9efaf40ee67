"""Reading a snapshot of a home for `catalyst top`: every actor is asked at once and none is waited for long."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from catalyst.clock import Clock, from_iso
from catalyst.commands.home import Home
from catalyst.commands.pause import FETCHER, paused_until_ms
from catalyst.core.reach import waiting
from catalyst.core.silence import silence_of
from catalyst.errors import UnavailableError
from catalyst.runtime.ownership import Owner
from catalyst.runtime.roster import ALL, SUPERVISOR
from catalyst.top import Alert, Event, Row, Snapshot, short

ANSWER_S = 0.3  # the heartbeat thread answers in milliseconds; a stopped process never does
ALERTER = "alerter"
MOST_ALERTS, MOST_EVENTS = 50, 40
RESTARTS = "SELECT actor, pid, lived_s, delay_s, expected, at_ms FROM restarts ORDER BY n DESC LIMIT ?"
INCIDENTS = "SELECT kind, subject, detail, at_ms FROM incidents ORDER BY n DESC LIMIT ?"


def read(home: Home, clock: Clock, before: Snapshot | None = None) -> Snapshot:
    """Ask everyone once. Rates come from the differences to `before`; so does what a silent actor said last.

    It takes at most six times ANSWER_S, and milliseconds where everyone answers.
    """
    said = _ask(home, (SUPERVISOR,), "children").get(SUPERVISOR)
    children = {child["name"]: child for child in said["children"]} if said else None
    wanted = (SUPERVISOR, *(home.meant() if children is None else children))
    names = [name for name in ALL if name in wanted or name in home.remote or home.owner(name) is not None]
    answers = _ask(home, names, "status")
    now_s, now_ms = clock.monotonic_s(), clock.now_ms()
    known = {row.name: row for row in before.actors} if before else {}
    rows = []
    for name in names:
        row = _row(name, (children or {}).get(name, {}), answers.get(name), home.owner(name), now_s)
        rows.append(_compared(row, known.get(name), now_s - before.at_s if before else 0.0))
    alerts, alerts_ms = (before.alerts, before.alerts_ms) if before else ((), None)
    found = _ask(home, [ALERTER] if ALERTER in answers else [], "alerts", limit=MOST_ALERTS).get(ALERTER)
    if found:
        alerts, alerts_ms = tuple(_alert(alert) for alert in found["alerts"]), now_ms
    muted = _ask(home, [ALERTER] if found else [], "mutes").get(ALERTER)
    return Snapshot(str(home.settings.home), now_ms, now_s, tuple(rows), alerts, alerts_ms,
                    _events(home, list(answers), before), paused_until_ms(answers.get(FETCHER)),
                    silence_of(muted) or (before.silence if before else None))


def _ask(home: Home, actors: Iterable[str], verb: str, **arguments: Any) -> dict[str, dict[str, Any]]:
    """The answers that are no refusals."""
    try:
        answers = home.ask_all(actors, verb, ANSWER_S, **arguments)
    except UnavailableError:
        return {}
    return {actor: answer for actor, answer in answers.items() if answer.get("ok")}


def _row(name: str, child: dict[str, Any], answer: dict[str, Any] | None, owner: Owner | None, now_s: float) -> Row:
    row = Row(name, state(child, answer, held=owner is not None), restarts=child.get("restarts"),
              pid=answer["pid"] if answer else owner.pid if owner else None,
              age_s=_age_s(owner) if owner else None, beat_age_s=child.get("beat_age_s") if owner else None)
    if answer is None:
        return replace(row, storage=str((child.get("beat") or {}).get("storage", "")) if owner else "")
    in_hand, age_s = answer["current"], answer["current_age_s"]
    if not in_hand and answer.get("job"):
        in_hand, age_s = f"job {answer['job']}", answer["job_age_s"]
    return replace(
        row, cpu_s=answer["cpu_s"], rss_bytes=answer["rss_bytes"], heard_s=now_s, current=in_hand, current_age_s=age_s,
        beat_age_s=0.0 if row.beat_age_s is None else row.beat_age_s,
        handled=answer["handled"], failed=answer["failed"], inbox=answer.get("inbox"), outbox=answer.get("outbox"),
        oldest_unsent_s=answer.get("oldest_unsent_s"), dead=answer.get("dead"),
        storage=str(answer.get("storage", "")))


def state(child: dict[str, Any], answer: dict[str, Any] | None, *, held: bool) -> str:
    """One of the words of `catalyst status`; `hung` also while a message is over its limit, or nobody answers."""
    said = str(child.get("state", ""))
    if answer is None:
        if held:
            return said if said in ("starting", "draining") else "hung"
        return "stopped" if said in ("", "running", "draining") else said
    if answer["state"] == "draining":
        return "draining"
    if 0 < answer.get("current_limit_s", 0) < answer["current_age_s"]:
        return "hung"
    return said or str(answer["state"])


def _age_s(owner: Owner) -> float | None:
    import psutil  # what a person types often starts fast without it

    try:
        return max(0.0, time.time() - psutil.Process(owner.pid).create_time())
    except psutil.Error:
        return None


def _compared(row: Row, before: Row | None, passed_s: float) -> Row:
    """The row with what only two looks at the same process can tell."""
    if before is None or before.pid != row.pid or passed_s <= 0:
        return row
    if row.handled is None or row.cpu_s is None:
        heard_s = before.heard_s
        age_s = row.beat_age_s
        if row.pid is not None and age_s is None and before.beat_age_s is not None:
            age_s = before.beat_age_s + passed_s
        return replace(row, heard_s=heard_s, beat_age_s=age_s)
    if before.handled is None or before.cpu_s is None:
        return row
    return replace(row, cpu_pct=max(0.0, row.cpu_s - before.cpu_s) / passed_s * 100,
                   handled_per_s=max(0, row.handled - before.handled) / passed_s)


def _alert(alert: dict[str, Any]) -> Alert:
    return Alert(from_iso(alert["seen"]), alert["ticker"], alert["direction"], tuple(alert["kinds"]),
                 alert["score"] or 0.0, alert["price"], bool(alert["simulated"]),
                 max(alert.get("took_ms", {}).values(), default=None), alert["state"], alert["title"],
                 len(waiting(alert["sinks"])))


def _events(home: Home, actors: Sequence[str], before: Snapshot | None) -> tuple[Event, ...]:
    """The newest restarts and incidents; those of an actor that does not answer are the ones it named last."""
    incidents = _ask(home, actors, "query", sql=INCIDENTS, parameters=[MOST_EVENTS])
    restarts = _ask(home, [name for name in actors if name == SUPERVISOR and name in incidents], "query",
                    sql=RESTARTS, parameters=[MOST_EVENTS])
    events = [event for event in (before.events if before else ()) if event.source not in incidents]
    for source, answer in incidents.items():
        events += [Event(at_ms, source, source, f"{kind} with {subject}: {detail}")
                   for kind, subject, detail, at_ms in answer["rows"]]
    for source, answer in restarts.items():
        events += [Event(at_ms, source, actor, _death(pid, lived_s, delay_s, bool(expected)))
                   for actor, pid, lived_s, delay_s, expected, at_ms in answer["rows"]]
    return tuple(sorted(events, key=lambda event: event.at_ms, reverse=True)[:MOST_EVENTS])


def _death(pid: int, lived_s: float, delay_s: float, expected: bool) -> str:
    if expected:
        return f"pid {pid} ended as asked for after {short(lived_s)}"
    return f"pid {pid} DIED after {short(lived_s)}, " + (
        f"started again after {short(delay_s)}" if delay_s else "started again at once")
