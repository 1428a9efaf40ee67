"""Health as a table: what is wrong, how bad it is, and whether the house is ready."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from catalyst.web import health, views
from catalyst.web.views import Look
from tests.web.examples import NAMES, NOW_MS, actor, look, raw_alert, source


def with_actor(name: str, **changes: Any) -> Look:
    """The house with one actor changed."""
    return look(actors=tuple(actor(each, **(changes if each == name else {})) for each in NAMES))


def with_alert(*alerts: dict[str, Any]) -> Look:
    """The house with these alerts, the newest first."""
    return look(alerts=tuple(views.alert(raw_alert(n, **changes)) for n, changes in enumerate(alerts)))


NEW = {"state": "new", "sent": None, "sinks": {"discord": "queued"}}
TABLE: list[tuple[Look, str, list[str]]] = [
    (look(), "ok", []),
    (with_actor("fetcher", state="stopped"), "failing", ["actor_stopped:fetcher"]),
    (with_actor("fetcher", state="stopped", wanted=False), "failing", ["actor_stopped:fetcher"]),
    (with_actor("market", state="hung"), "failing", ["actor_hung:market"]),
    (with_actor("market", state="backoff"), "failing", ["actor_backoff:market"]),
    (with_actor("market", state="starting"), "degraded", ["actor_starting:market"]),
    (with_actor("market", state="draining"), "degraded", ["actor_draining:market"]),
    (with_actor("market", state="draining", wanted=False), "failing", ["actor_draining:market"]),
    (with_actor("web", state="hung"), "degraded", ["actor_hung:web"]),
    (with_actor("supervisor", state="stopped"), "failing", ["actor_stopped:supervisor"]),
    (with_actor("market", dead=2), "degraded", ["dead_letters:market"]),
    (with_actor("market", storage="full"), "failing", ["storage_full"]),
    (with_actor("market", storage="failing"), "failing", ["storage_failing"]),
    (look(actors=tuple(actor(name, storage="full") for name in NAMES)), "failing", ["storage_full"]),
    (look(paused_by="storage"), "degraded", ["fetcher_paused:storage"]),
    (look(actors=()), "failing", ["no_actors"]),
    (look(sinks=()), "degraded", ["no_sink"]),
    (look(sources=None), "ok", []),
    (look(sources=(source("a", outage=True, outcome="timeout"), source("b"))), "degraded", ["feed_outage:a"]),
    (look(sources=(source("a", outage=True), source("b", enabled=False))), "failing", ["feed_outage:a"]),
    (look(sources=(source("a", outage=True, enabled=False),)), "ok", []),
    (look(paused_by="backlog"), "degraded", ["fetcher_paused:backlog"]),
    (look(paused_until_ms=NOW_MS + 1, paused_by="person"), "degraded", ["fetcher_paused:person"]),
    (look(paused_until_ms=NOW_MS - 1), "ok", []),
    (with_alert({"sinks": {"discord": "refused"}, "state": "dead", "sent": None}), "failing",
     ["sink_refuses:discord", "alerts_lost"]),
    (with_alert({"state": "dead", "sent": None, "seen": "2026-01-02T13:00:00Z"}), "ok", []),
    (with_alert(NEW, {}), "ok", []),
    (with_alert({**NEW, "seen": "2026-01-02T14:28:00Z"}), "failing", ["sink_waits:discord", "alerts_late"]),
    (with_alert({"sinks": {"discord": "queued", "webhook": "delivered"}}), "ok", []),
    (with_alert({"seen": "2026-01-02T14:28:00Z", "sinks": {"discord": "queued", "webhook": "delivered"}}), "failing",
     ["sink_waits:discord"]),
    (with_alert({"seen": "2026-01-02T14:28:00Z", "sinks": {"gone": "queued", "discord": "filtered"}}), "ok", []),
    (with_alert({"sinks": {"discord": "queued"}}, {"sinks": {"discord": "refused"}}), "failing",
     ["sink_refuses:discord"]),
    (look(alerts_ms=NOW_MS - 10_001), "failing", ["alerts_stale"]),
    (look(alerts_ms=None, alerts=()), "ok", []),
]


@pytest.mark.parametrize(("shown", "status", "codes"), TABLE)
def test_what_is_wrong(shown: Look, status: str, codes: list[str]) -> None:
    """Each fault has its word and its weight, and the report says them; 503 is for `failing` alone."""
    found = health.reasons(shown)
    assert [reason.code for reason in found] == codes
    report = msgspec.json.decode(msgspec.json.encode(health.report(shown)))
    assert (report["status"], report["reasons"]) == (status, codes)
    assert all(reason.text and not reason.text.startswith(" ") for reason in found)


def test_the_worst_comes_first() -> None:
    """Of several faults the failing ones lead."""
    shown = with_actor("fetcher", state="stopped", dead=1)
    assert [reason.severity for reason in health.reasons(shown)] == ["failing", "degraded"]


def test_a_broken_house_names_a_few_feeds() -> None:
    """A hundred failing feeds make six reasons."""
    shown = look(sources=tuple(source(f"s{n}", outage=True) for n in range(100)))
    assert [reason.word for reason in health.reasons(shown)] == ["feed_outage"] * 5 + ["feed_outages"]


@pytest.mark.parametrize(("shown", "found"), [
    (look(), ()), (look(actors=()), ("no_actors",)),
    (look(answered=frozenset(NAMES[1:])), ("actor_not_heard:alerter",)),
    (with_actor("market", state="starting"), ("actor_starting:market",)),
    (with_actor("market", storage="full"), ("storage_full:market",)),
    (with_actor("web", state="stopped"), ("actor_stopped:web",))])
def test_ready(shown: Look, found: tuple[str, ...]) -> None:
    """Ready is: every wanted actor was heard once and all of them run and can store."""
    assert health.not_ready(shown) == found


def test_the_report_by_actor_feed_and_sink() -> None:
    """Each is there by name, with what a machine asks first."""
    report = health.report(with_actor("market", state="hung", beat_age_s=7.12345))
    assert report["actors"]["market"] | {"ok": False, "state": "hung", "required": True, "beat_age_s": 7.123} == (
        report["actors"]["market"])
    assert report["feeds"]["newsfile"]["last_ok"] == "2026-01-02T14:29:56.000Z"
    assert report["sinks"] == {"discord": {"state": "delivered", "ok": True, "required": True}}
