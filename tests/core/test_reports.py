"""What is told to the operator when, and in which words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from catalyst.core.reports import (
    Day,
    Feeds,
    boot_notice,
    close_notice,
    day_of,
    dead_notice,
    due,
    feeds_of,
    is_whole_start,
    open_notice,
)
from catalyst.core.session import NEW_YORK
from catalyst.testing import START_MS


def at(text: str) -> int:
    """The moment of a time in New York."""
    return int(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK).timestamp() * 1000)


@pytest.mark.parametrize(("moment", "what"), [
    ("2026-01-02 09:29:59", None), ("2026-01-02 09:30:00", "open"), ("2026-01-02 09:44:59", "open"),
    ("2026-01-02 09:45:00", "sample"), ("2026-01-02 15:59:59", "sample"), ("2026-01-02 16:00:00", "close"),
    ("2026-01-02 16:59:59", "close"), ("2026-01-02 17:00:00", None), ("2026-01-03 10:00:00", None),
    ("2026-01-01 09:31:00", None), ("2026-11-27 13:05:00", "close"), ("2026-11-27 16:05:00", None),
    ("2026-03-09 09:31:00", "open"), ("2026-07-06 16:01:00", "close")])
def test_due(moment: str, what: str | None) -> None:
    """By New York's clock in summer and winter; none on holidays and weekends; a half day closes at one."""
    assert due(at(moment)) == what


def test_day() -> None:
    """Late in the evening in UTC it is still the day of New York."""
    assert day_of(at("2026-01-02 20:30:00")) == ("2026-01-02", at("2026-01-02 00:00:00"))


def row(name: str, **changes: Any) -> dict[str, Any]:
    return {"name": name, "enabled": True, "no_key": False, "outage": False, "every_s": 10, "last_ok_ms": START_MS,
            **changes}


def test_feeds() -> None:
    """Fresh is who answered of late; who is off, or has no key, is not asked; a slow one has three of its polls."""
    rows = [row("a"), row("never", last_ok_ms=None), row("old", last_ok_ms=START_MS - 301_000),
            row("out", outage=True), row("off", enabled=False), row("keyless", no_key=True),
            row("slow", every_s=3_600, last_ok_ms=START_MS - 3 * 3_600_000)]
    assert feeds_of(rows, START_MS) == Feeds(5, ("never", "old", "out"))


def test_words() -> None:
    """What a person reads on a good and on a bad day."""
    opened = open_notice("2026-01-02", Feeds(12), 0, START_MS)
    assert (opened.title, opened.text, opened.severity) == ("Open: 12 of 12 feeds fresh", "0 alerts so far", "info")
    opened = open_notice("2026-01-02", Feeds(12, ("a", "b")), 1, START_MS)
    assert (opened.title, opened.severity) == ("Open: 10 of 12 feeds fresh", "warning")
    assert opened.text == "1 alert so far; without an answer: a, b"
    assert open_notice("2026-01-02", None, 0, START_MS).severity == "warning"
    closed = close_notice("2026-01-02", Day(1_240, {"fda_approval": 3, "offering": 5}, {"no_ticker": 900, "noise": 200},
                                            1, [5, 20, 400]), ["wire"], START_MS)
    assert closed.title == "Close: 8 alerts, 1,240 items"
    assert closed.text == (
        "1,240 items seen since midnight in New York. alerts: offering 5, fda_approval 3. dropped: no_ticker 900,"
        " noise 200. dead letters: 1; see catalyst dead list. feeds that were out: wire. seen to sent: p50 20 ms,"
        " p95 400 ms (n=3)")
    quiet = close_notice("2026-01-02", Day(), [], START_MS)
    assert (quiet.title, quiet.severity) == ("Close: 0 alerts, 0 items", "info")
    assert (opened.item_id, opened.episode, quiet.episode) == ("session:2026-01-02", "open", "close")


def test_boot_words() -> None:
    """Version, sinks, sources; a set-up that loses something is a warning."""
    good = boot_notice("1.2", ("discord", "webhook"), Feeds(12, ("a",)), "", START_MS)
    assert (good.severity, good.text) == ("info", "Catalyst 1.2: 12 sources; alerts to discord, webhook")
    assert boot_notice("1.2", (), None, "", START_MS).severity == "warning"
    assert "apprise" in boot_notice("1.2", ("discord",), None, "apprise is missing", START_MS).text


def test_a_whole_start() -> None:
    """All young together; one that follows older ones, or is alone, is none."""
    assert is_whole_start(1_000.0, [995.0, 1_002.0])
    assert not is_whole_start(1_000.0, [500.0, 1_002.0])
    assert not is_whole_start(1_000.0, [])


def test_one_dead_letter_notice_a_cause() -> None:
    """The same cause within six hours is the same episode, however many items it takes."""
    first, second = dead_notice("market", "failed:X", "i1", START_MS), dead_notice("market", "failed:X", "i2", START_MS)
    assert first.message_id() == second.message_id()
    assert dead_notice("market", "failed:Y", "i1", START_MS).message_id() != first.message_id()
    assert dead_notice("market", "failed:X", "i1", START_MS + 6 * 3_600_000).message_id() != first.message_id()


@pytest.mark.parametrize("count", [0, 1, 50])
def test_long_lists_are_cut(count: int) -> None:
    """However many kinds, reasons and sources: a text that fits, with the rest as a number."""
    names = {f"reason{number}" * 8: number + 1 for number in range(count)}
    notice = close_notice("2026-01-02", Day(9, names, names, 0), list(names), START_MS)
    assert len(notice.text) <= 2_000
    assert ("others" in notice.text) == (count > 8)
