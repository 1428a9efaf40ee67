"""What the tests of the page look at: a healthy house, and answers as hostile as the outside world."""

from __future__ import annotations

from catalyst.core.silence import Muted, Silence
from catalyst.web import views
from catalyst.web.views import Look

NOW_MS = 1_767_364_200_000  # 2026-01-02 14:30 UTC
HOSTILE = ("<script>alert(1)</script>", "\"'><img src=x onerror=alert(1)>", "javascript:alert(1)", "\u202egnp.exe",
           "]]><svg/onload=alert(1)>", "&lt;b&gt;", "a\x00b\x1b[2J\r\nSet-Cookie: x=1", "{{7*7}}", "\ud800", "🚀" * 300)
HOSTILE_TEXT = " ".join(HOSTILE)


SILENCE = Silence((Muted("ticker", "WXYZ", NOW_MS + 3_600_000, 8), Muted("kind", "offering", NOW_MS + 90_000_000)),
                  {"muted": 8, "cooldown": 2}, NOW_MS + 1_800_000)


def raw_alert(number: int = 0, **changes: object) -> dict[str, object]:
    """An alert as the alerter lists it."""
    return {"id": f"{number:020x}", "item_id": f"{number + 1:020x}", "ticker": "ABCD", "company": "Abcedo Pharma, Inc.",
            "title": "Abcedo Pharma Announces FDA Approval of Zorin for Migraine", "link": "https://wire.example/a?b=1&c=2",
            "kinds": ["fda_approval"], "direction": "up", "score": 0.87,
            "why": "fda_approval (up): “Announces FDA Approval” in the title, score 0.87", "price": 3.42,
            "price_age_s": 2.4, "simulated": False, "published": "2026-01-02T14:29:00.000Z",
            "seen": "2026-01-02T14:29:58.120Z", "sent": "2026-01-02T14:29:58.160Z", "state": "posted",
            "sources": ["globenewswire", "newsfile"], "sinks": {"discord": "delivered"}, **changes}


def raw_detail(**changes: object) -> dict[str, object]:
    """The alerter's answer to `alert`."""
    alert = raw_alert(7) | {
        "kinds_found": [{"kind": "fda_approval", "phrase": "Announces FDA Approval", "direction": "up", "weight": 1.0}],
        "summary": "The agency approved the tablet.", "form": "8-K", "price_ms": NOW_MS - 4_000, "provider": "yahoo",
        "previous_close_usd": 2.9, "ready_ms": NOW_MS - 1_900}
    return {"alert": alert,
            "deliveries": [{"sink": "discord", "n": 0, "what": "alert", "state": "delivered", "status": 200,
                            "sent": "2026-01-02T14:29:58.160Z", "reason": None, "possible_repeat": True, "tries": 2,
                            "message_id": "1"},
                           {"sink": "webhook", "n": 1, "what": "chart", "state": "refused", "status": 400,
                            "sent": None, "reason": "status_400", "possible_repeat": False, "tries": 1}],
            "sources": [{"name": "globenewswire", "link": "https://wire.example/a", "item_id": "1"},
                        {"name": "newsfile", "link": "ftp://nowhere.example/", "item_id": "2"}], **changes}


def detail(**changes: object) -> views.Detail:
    """Everything about one alert."""
    from dataclasses import replace

    hop = {"sender": "fetcher", "actor": "classifier", "message": "StoryFound", "queued": NOW_MS - 2_000,
           "sent": NOW_MS - 1_999, "received": NOW_MS - 1_998, "committed": NOW_MS - 1_997, "acked": NOW_MS - 1_990}
    late = hop | {"sender": "classifier", "actor": "market", "message": "CatalystScored", "received": None,
                  "committed": None, "queued": NOW_MS - 1_990, "acked": None}
    outcomes = tuple(map(views.outcome, (
        {"horizon": "15m", "state": "settled", "base_usd": 3.42, "price_usd": 3.9, "return_pct": 14.04,
         "due_ms": NOW_MS + 900_000, "price_ms": NOW_MS + 899_000},
        {"horizon": "30m", "state": "settled", "price_usd": 3.2, "return_pct": -6.4, "due_ms": NOW_MS + 1_800_000,
         "simulated": True},
        {"horizon": "1h", "state": "unknown", "reason": "no price", "due_ms": NOW_MS + 3_600_000},
        {"horizon": "4h", "state": "open", "due_ms": NOW_MS + 4 * 3_600_000})))
    return replace(views.detail(raw_detail(**changes)), outcomes=outcomes, hops=views.hops([hop, late]), has_chart=True)


def actor(name: str, **changes: object) -> views.Actor:
    """An actor that runs."""
    facts: dict[str, object] = {
        "state": "running", "pid": 4242, "age_s": 3_700.0, "restarts": 1, "cpu_s": 12.5, "cpu_pct": 1.5,
        "rss_bytes": 29_300_000, "beat_age_s": 0.4, "current": "", "current_age_s": 0.0, "inbox": 0, "outbox": 2,
        "oldest_unsent_s": 0.1, "handled": 12_345, "failed": 0, "dead": 0, "pulse": (True,) * 40 + (False,) * 3 +
        (True,) * 17, "statistics": {"alerted": 30, "dropped": 170}}
    return views.Actor(name=name, **{**facts, **changes})  # type: ignore[arg-type]


NAMES = ("alerter", "tracker", "market", "classifier", "web", "fetcher", "supervisor")


def source(name: str = "newsfile", **changes: object) -> views.Source:
    """A feed that answers."""
    return views.source({
        "name": name, "url": "https://feeds.example/rss", "kind": "rss", "every_s": 10, "enabled": True, "trust": 0.9,
        "last_ok_ms": NOW_MS - 4_000, "last_poll_ms": NOW_MS - 4_000, "outcome": "not_modified", "failures": 0,
        "polls": 812, "not_modified": 790, "items": 44, "next_due_ms": NOW_MS + 6_000, "outage": False, **changes})


def look(**changes: object) -> Look:
    """A house in which all is well."""
    facts: dict[str, object] = {
        "at_ms": NOW_MS, "actors": tuple(map(actor, NAMES)), "answered": frozenset(NAMES), "alerts_ms": NOW_MS - 100,
        "alerts": tuple(views.alert(raw_alert(number)) for number in range(3)), "sources": (source(),),
        "sinks": ("discord",), "silence": SILENCE, "version": "9.9.9"}
    return Look(**{**facts, **changes})  # type: ignore[arg-type]
