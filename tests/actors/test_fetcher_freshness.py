"""The fetcher: old items are no news, the pace follows the source, latencies are kept."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from actors.fetcher import Fetcher
from catalyst.messages import StoryJoined
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from catalyst.testing import START_MS, Bench, FakeClock
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires, bench_of, found, item, listing, poll, reasons, settled

wires, clock = base.wires, base.clock
HOUR_MS = 3_600_000
TEXT = ("<description>The company said that its trial of the new medicine in three hundred patients met the main goal "
        "and that it will ask for approval before the end of the year.</description>")


def row(bench: Bench, name: str = "wire") -> dict[str, Any]:
    """A source in the fetcher's answer."""
    return next(row for row in bench.verb("sources")["sources"] if row["name"] == name)


def adaptive(folder: Path, wires: Wires, *names: str) -> Path:
    """A list of sources without a pace of their own."""
    path = listing(folder, wires, *names)
    path.write_text(path.read_text().replace("every = 10\n", ""))
    return path


def test_old_items_are_stale(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """What was published over an hour before it is first seen is kept and dropped; the limit itself is news."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        now_ms = clock.now_ms() + 10_000
        wires.feed("/wire", item("Edge", ms=now_ms - HOUR_MS - 10_000), item("Over", ms=now_ms - HOUR_MS - 11_000),
                   item("Undated"), item("Future", ms=now_ms + HOUR_MS))
        sent = poll(bench)
        assert (sorted(found(sent)), reasons(sent)) == (["Edge", "Future", "Undated"], ["stale"])
        assert bench.rows("SELECT title, handed_ms FROM stories WHERE fate = 'stale'") == [("Over", None)]
        wires.feed("/wire", item("Over", ms=now_ms - HOUR_MS - 11_000), item("News", ms=now_ms))
        sent = poll(bench)
        assert (found(sent), reasons(sent)) == (["News"], [])


def test_what_an_outage_hid_is_news(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """After hours without an answer what was published meanwhile goes out; what was old before does not."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        last_ms = clock.now_ms()
        wires.status["/wire"] = 500
        poll(bench, 10)
        poll(bench, 3 * 3_600)
        del wires.status["/wire"]
        wires.feed("/wire", item("Meanwhile", ms=last_ms + 60_000), item("Just before", ms=last_ms - 60_000),
                   item("Long before", ms=last_ms - 2 * HOUR_MS))
        sent = poll(bench, 3_600)
        assert (found(sent), reasons(sent)) == (["Just before", "Meanwhile"], ["stale"])


def test_limits_are_settings(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """NEWS_MAX_AGE_MINUTES decides; 0 is no limit."""
    with bench_of(tmp_path, wires, clock, "wire", news_max_age_minutes=0) as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", item("Ancient", ms=clock.now_ms() - 2_000 * HOUR_MS))
        assert found(poll(bench)) == ["Ancient"]


def test_nothing_joins_what_nobody_was_told(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A story that was stale on one wire is news when another one publishes it."""
    title = "Acme Robotics Announces Positive Phase 3 Results in Trial of Its Medicine"
    with bench_of(tmp_path, wires, clock, "slow", "fast") as bench:
        settled(bench, wires, "slow", "fast")
        wires.feed("/slow", item(title, "https://slow.example/1", clock.now_ms() - 2 * HOUR_MS, more=TEXT))
        assert reasons(poll(bench)) == ["stale"]
        wires.feed("/fast", item(title, "https://fast.example/1", clock.now_ms(), more=TEXT))
        assert found(poll(bench)) == [title]
        assert len(bench.rows("SELECT * FROM prints")) == 1


def test_a_late_copy_still_joins(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A story that went out gets its further source, however late that shows it."""
    title = "Acme Robotics Announces Positive Phase 3 Results in Trial of Its Medicine"
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        first_ms = clock.now_ms()
        wires.feed("/one", item(title, "https://one.example/1", first_ms, more=TEXT))
        assert found(poll(bench)) == [title]
        for _ in range(2):
            poll(bench, 3_600)
        wires.feed("/two", item(title, "https://two.example/1", first_ms, more=TEXT))
        sent = poll(bench)
        assert sum(isinstance(message, StoryJoined) for message in sent) == 1
        assert [reason.partition(":")[0] for reason in reasons(sent)] == ["duplicate"]


def test_latency(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The median time from publication to first sight and to handing on; unknown without a dated item."""
    with bench_of(tmp_path, wires, clock, "wire", "none") as bench:
        settled(bench, wires, "wire", "none")
        assert (row(bench)["lag_ms"], row(bench)["handing_ms"]) == (None, None)
        seen_ms = clock.now_ms() + 10_000
        wires.feed("/wire", *(item(f"N {age}", ms=seen_ms - age * 1000) for age in (1, 4, 30)), item("Undated"))
        wires.feed("/none", item("Undated 2"))
        poll(bench)
        assert (row(bench)["lag_ms"], row(bench)["handing_ms"]) == (4_000, 0)
        assert (row(bench, "none")["lag_ms"], row(bench, "none")["handing_ms"]) == (None, 0)
        assert bench.rows("SELECT DISTINCT handed_ms FROM stories WHERE fate = 'sent'") == [(seen_ms,)]


def test_the_pace_follows_the_source(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A source with something new at each poll is asked as often as allowed, one without ever less, across a kill."""
    with bench_of(tmp_path, wires, clock, sources=adaptive(tmp_path, wires, "busy", "quiet")) as bench:
        settled(bench, wires, "busy", "quiet")
        assert row(bench, "busy")["every_s"] == 20.5
        for number in range(30):
            wires.feed("/busy", item(f"Number {number} of many", ms=clock.now_ms()))
            poll(bench, 60)
        bench.restart()
        busy, quiet = row(bench, "busy"), row(bench, "quiet")
        assert (busy["every_s"], quiet["every_s"] > 50) == (10, True)
        assert busy["pace_why"].startswith("regular session, new at ")
        asked = wires.count("/quiet")
        for _ in range(60):
            poll(bench, 10)
        assert wires.count("/quiet") - asked in (10, 11, 12)


def test_the_pace_follows_the_market(tmp_path: Path, wires: Wires) -> None:
    """At night a source is asked less often, and at full pace when the pre-market begins."""
    clock = FakeClock(START_MS - 5 * HOUR_MS - 900_000)  # 3:45 in New York
    with bench_of(tmp_path, wires, clock, sources=adaptive(tmp_path, wires, "wire")) as bench:
        settled(bench, wires, "wire")
        assert row(bench)["pace_why"] == "night, changes unknown"
        moments = []
        for _ in range(1_800 // 5):
            before = wires.count("/wire")
            poll(bench, 5)
            if wires.count("/wire") > before:
                moments.append((clock.now_ms() - START_MS) / 1000 + 5 * 3_600)
        gaps = [after - before for before, after in pairwise(moments)]
        night = [gap for moment, gap in zip(moments, gaps, strict=False) if moment < -300]
        day = [gap for moment, gap in zip(moments, gaps, strict=False) if moment + gap > 0]
        assert min(night) > 60
        assert max(day) <= 65


def test_a_list_that_names_a_pace_again(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """`every` counts from the reload on, and no wait that was planned before stands against it."""
    with bench_of(tmp_path, wires, clock, sources=adaptive(tmp_path, wires, "wire")) as bench:
        settled(bench, wires, "wire")
        listing(tmp_path, wires, "wire", every=2)
        bench.actor.on_reload()
        assert (row(bench)["every_s"], row(bench)["pace_why"]) == (2, "as listed")
        bench.tick("poll_due")
        poll(bench, 2)
        poll(bench, 2)
        assert wires.count("/wire") == 3


class OldFetcher(Fetcher):
    """As it was before latencies and paces were kept."""

    tables = Fetcher.tables[:-1]


@pytest.mark.parametrize("due_ms", [0, 5_000])
def test_a_database_from_before(tmp_path: Path, wires: Wires, clock: FakeClock, due_ms: int) -> None:
    """An older database is taken over: its sources are asked when they were due."""
    with Store(OldFetcher, defaults(home=tmp_path)) as store:
        store.db.execute("INSERT INTO feeds(name, url, next_due_ms, polled, last_ok_ms) VALUES('wire', ?, ?, 2, ?)",
                         (f"{wires.base}/wire", clock.now_ms() + due_ms, clock.now_ms()))
    wires.feed("/wire", item("News", ms=clock.now_ms()))
    with bench_of(tmp_path, wires, clock, sources=adaptive(tmp_path, wires, "wire")) as bench:
        assert found(poll(bench, 0)) == ([] if due_ms else ["News"])
        assert found(poll(bench, 5)) == (["News"] if due_ms else [])


def test_stories_of_a_database_from_before_prints_alone(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """What nobody reads is dropped from an older database; its stories stay known, with all else they hold."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        wires.feed("/wire", item("News", ms=clock.now_ms()))
        assert found(poll(bench, 0)) == ["News"]
        kept = bench.rows("SELECT * FROM stories")
        names = [row[1] for row in bench.rows("PRAGMA table_info(stories)")]
        for column in ("signature", "lead"):
            bench.rows(f"ALTER TABLE stories ADD COLUMN {column} TEXT NOT NULL DEFAULT 'acme'")
        for column in ("behind_ms", "top_ms", "rest_at"):
            bench.rows(f"ALTER TABLE feeds DROP COLUMN {column}")
        bench.rows(f"PRAGMA user_version = {bench.rows('PRAGMA user_version')[0][0] - 2}")
        bench.restart()
        assert bench.rows("SELECT * FROM stories") == kept
        assert [row[1] for row in bench.rows("PRAGMA table_info(stories)")] == names
        bench.rows("UPDATE feeds SET next_due_ms = 0")
        assert found(poll(bench, 600)) == []
