"""What people ask of the fetcher: how the sources do, a pause, its end. On its real database and a real server."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from actors.fetcher import Fetcher
from catalyst.errors import UsageError
from catalyst.messages import Message, OpsNotice
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from catalyst.testing import Bench, FakeClock
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires, bench_of, found, item, poll, settled

wires, clock = base.wires, base.clock
NAMES = ["name", "url", "kind", "every_s", "pace_why", "enabled", "no_key", "trust", "last_ok_ms", "last_poll_ms",
         "outcome", "failures", "polls", "not_modified", "items", "lag_ms", "handing_ms", "next_due_ms", "outage"]


def notices(sent: list[Message]) -> list[OpsNotice]:
    """The notices to the operator among what was sent."""
    return [message for message in sent if isinstance(message, OpsNotice)]


def rows(bench: Bench) -> dict[str, dict[str, Any]]:
    """The fetcher's answer by source."""
    return {row["name"]: row for row in bench.verb("sources")["sources"]}


def test_sources(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Every source of the list, disabled ones too, with counts that a kill does not undo."""
    path = base.listing(tmp_path, wires, "good", "bad", "off")
    path.write_text(path.read_text() + "enabled = false\n")
    wires.status["/bad"] = 500
    wires.feed("/good", item("Fresh", ms=clock.now_ms()), item("Old", ms=0))
    with bench_of(tmp_path, wires, clock, sources=path, alert_consecutive_empty_cycles=2) as bench:
        assert [list(row) for row in bench.verb("sources")["sources"]] == [NAMES] * 3
        assert rows(bench)["good"]["polls"] == 0
        begin_ms = clock.now_ms()
        poll(bench, 0)
        poll(bench)
        wires.feed("/good", item("Fresh", ms=begin_ms), item("Fresher", ms=clock.now_ms()))
        poll(bench)
        bench.restart()
        good, bad, off = rows(bench).values()
        assert (good["polls"], good["not_modified"], good["items"], good["outcome"]) == (3, 1, 3, "ok")
        assert good["last_ok_ms"] == good["last_poll_ms"] == clock.now_ms()
        assert (good["every_s"], good["trust"], good["enabled"], good["outage"]) == (10, 0.8, True, False)
        assert good["next_due_ms"] > clock.now_ms()
        assert (bad["outcome"], bad["polls"], bad["failures"], bad["outage"]) == ("status_500", 2, 2, True)
        assert (bad["last_ok_ms"], bad["items"]) == (None, 0)
        assert (off["enabled"], off["polls"], off["outcome"], off["next_due_ms"]) == (False, 0, None, None)
        assert off["url"] == f"{wires.base}/off"
        assert wires.count("/off") == 0


class OldFetcher(Fetcher):
    """As it was before its polls were counted."""

    tables = Fetcher.tables[:1]


def test_a_database_from_before_the_counts(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Rows of an older schema get zero counts and go on; the source is not at its first poll again."""
    path = base.listing(tmp_path, wires, "wire")
    with Store(OldFetcher, defaults(home=tmp_path)) as store:
        store.db.execute("INSERT INTO feeds(name, url, next_due_ms, polled, last_ok_ms) VALUES('wire', ?, 0, 2, ?)",
                         (f"{wires.base}/wire", clock.now_ms()))
    wires.feed("/wire", item("Old", ms=clock.now_ms() - 3_600_000))
    with bench_of(tmp_path, wires, clock, sources=path) as bench:
        assert rows(bench)["wire"]["polls"] == 0
        assert found(poll(bench)) == ["Old"]
        assert (rows(bench)["wire"]["polls"], rows(bench)["wire"]["items"]) == (1, 1)


def test_who_paused(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A person's pause and the one for the backlog are two things; the person's is named first."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        assert (bench.verb("sources")["paused_by"], bench.verb("sources")["paused_until_ms"]) == (None, None)
        bench.actor.paused = True
        assert (bench.verb("sources")["paused_by"], bench.verb("sources")["paused_until_ms"]) == ("backlog", None)
        assert bench.actor.statistics()["paused_backlog"] == 1
        bench.verb("pause", for_s=60)
        assert bench.verb("sources")["paused_by"] == "person"
        assert bench.verb("resume") == {"was_paused": True, "paused_by": "backlog"}
        assert bench.verb("resume") == {"was_paused": False, "paused_by": "backlog"}


def test_a_pause_takes_nothing_in(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Nothing is asked during a pause; it ends by itself, and what was published meanwhile is news, however old."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        assert bench.verb("pause")["paused_until_ms"] == clock.now_ms() + 3_600_000
        wires.feed("/wire", item("Meanwhile", ms=clock.now_ms()))
        (begun,) = poll(bench, 60)
        assert isinstance(begun, OpsNotice)
        assert bench.actor.statistics()["paused_until_ms"] == bench.verb("sources")["paused_until_ms"]
        assert bench.actor.waiting() == 0
        assert poll(bench, 3_539) == []
        assert wires.count("/wire") == 1
        sent = poll(bench, 2)
        assert found(sent) == ["Meanwhile"]
        (over,) = notices(sent)
        assert (begun.item_id, over.item_id, over.episode) == ("pause", "pause", f"{begun.episode}:over")
        assert "paused_until_ms" not in bench.actor.statistics()
        assert bench.verb("sources")["paused_by"] is None


def test_a_pause_before_the_first_poll(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A source that was never asked does not keep the house from being idle while a person pauses."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        bench.verb("pause", for_s=60)
        bench.tick("poll_due")
        assert bench.actor.waiting() == 0
        bench.verb("resume")
        bench.tick("poll_due")
        assert bench.actor.waiting() == 1


def test_a_pause_survives_a_kill(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """It goes on in the next process and is told of once; so is its end."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.verb("pause", for_s=600)
        assert len(notices(poll(bench))) == 1
        bench.restart()
        assert poll(bench) == []
        assert wires.count("/wire") == 1
        bench.verb("resume")
        bench.restart()
        assert [notice.episode.endswith(":over") for notice in notices(poll(bench))] == [True]
        assert wires.count("/wire") == 2
        bench.restart()
        assert notices(poll(bench)) == []


def test_a_poll_that_was_under_way(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """An answer that comes during a pause is not used; the document is asked for again afterwards."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", item("New", ms=clock.now_ms()))
        clock.advance(10)
        bench.tick("poll_due")
        bench.verb("pause", for_s=60)
        assert found(bench.run_jobs()) == []
        assert wires.count("/wire") == 2
        bench.verb("resume")
        assert found(poll(bench, 0)) == ["New"]


def test_a_pause_is_moved(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A pause during a pause moves its end, to sooner or later, and is no second affair."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.verb("pause", for_s=60)
        assert len(notices(poll(bench))) == 1
        assert bench.verb("pause", for_s=600)["paused_until_ms"] == clock.now_ms() + 600_000
        assert poll(bench, 120) == []
        assert bench.verb("pause", for_s=5)["paused_until_ms"] == clock.now_ms() + 5_000
        assert len(notices(poll(bench, 6))) == 1
        assert len(bench.rows("SELECT * FROM pauses")) == 1


def test_a_pause_that_nobody_noticed(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A pause that is undone at once is not told of; the next one is, though the last one ran out unseen."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.verb("pause", for_s=60)
        bench.verb("resume")
        assert notices(poll(bench)) == []
        bench.verb("pause", for_s=60)
        clock.advance(3_600)
        bench.verb("pause", for_s=60)
        sent = poll(bench, 0)
        sent += poll(bench, 1)
        assert [notice.episode for notice in notices(sent)] == [str(clock.now_ms() - 1_000)]


def test_a_clock_set_back_ends_a_pause(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A pause that would begin in the future is none: it cannot become longer than was asked for."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.verb("pause", for_s=60)
        poll(bench, -86_400)
        assert bench.verb("sources")["paused_by"] is None
        assert wires.count("/wire") == 2


@pytest.mark.parametrize("for_s", [0, -1, 0.5, 3.6 * 86_400, math.nan, math.inf, "60", None, True])
def test_lengths_that_are_none(tmp_path: Path, wires: Wires, clock: FakeClock, for_s: Any) -> None:
    """A length that is no number, or so long that known items would be forgotten, is refused and changes nothing."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        with pytest.raises(UsageError, match=r"from 1 s to 84 h"):
            bench.verb("pause", for_s=for_s)
        assert bench.verb("sources")["paused_by"] is None


def test_old_pauses_are_forgotten(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Rows of pauses go 30 days after their end."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        bench.verb("pause", for_s=60)
        poll(bench, 10)
        poll(bench, 60)
        poll(bench, 10)
        assert len(bench.rows("SELECT * FROM pauses WHERE told = 2")) == 1
        bench.tick("prune")
        assert len(bench.rows("SELECT * FROM pauses")) == 1
        clock.advance(31 * 86_400)
        bench.tick("prune")
        assert bench.rows("SELECT * FROM pauses") == []
