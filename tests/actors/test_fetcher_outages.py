"""The fetcher while sources are down: one, some and all of them; what it tells, asks and remembers over a restart."""

from __future__ import annotations

from pathlib import Path

from catalyst.messages import Message, OpsNotice
from catalyst.testing import Bench, FakeClock
from tests.actors.test_fetcher import Wires, bench_of, clock, item, poll, settled, wires

__all__ = ["clock", "wires"]  # fixtures
NAMES = [f"s{number}" for number in range(10)]


def told(sent: list[Message]) -> list[tuple[str, str]]:
    """(affair, title) of the notices."""
    return [(message.item_id, message.title) for message in sent if isinstance(message, OpsNotice)]


def started(folder: Path, wires: Wires, clock: FakeClock, *names: str) -> Bench:
    """A fetcher that tells after three failures, over sources that have answered."""
    bench = bench_of(folder, wires, clock, *names, alert_consecutive_empty_cycles=3)
    settled(bench, wires, *names)
    return bench


def down(wires: Wires, *names: str) -> None:
    """Let exactly these sources fail."""
    wires.status = {f"/{name}": 500 for name in names}


def polls(bench: Bench, count: int) -> list[tuple[str, str]]:
    """What is told over so many polls, each after the longest wait."""
    return [notice for _ in range(count) for notice in told(poll(bench, 400))]


def test_all_down_is_one_outage(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """When no source answers there is one notice, one when they do, and none of a single source in between."""
    with started(tmp_path, wires, clock, *NAMES) as bench:
        down(wires, *NAMES)
        assert polls(bench, 6) == [("sources", "No source answers")]
        assert all(row["outage"] for row in bench.verb("sources")["sources"])
        down(wires)
        assert polls(bench, 6) == [("sources", "Sources answer again")]
        assert bench.rows("SELECT * FROM blackouts") == []
        down(wires, *NAMES)
        assert polls(bench, 4) == [("sources", "No source answers")]


def test_who_stays_down_is_told_of_afterwards(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """After the common outage a source that still fails gets its own notice, after its own count; and its own end."""
    with started(tmp_path, wires, clock, *NAMES) as bench:
        down(wires, *NAMES)
        polls(bench, 4)
        down(wires, "s3")
        assert polls(bench, 1) == [("sources", "Sources answer again")]
        assert polls(bench, 2) in ([], [("source:s3", "s3 gives nothing")])
        down(wires, "s3", "s4")
        assert [title for _, title in polls(bench, 4)][-1] == "s4 gives nothing"
        down(wires)
        assert sorted(polls(bench, 3)) == [("source:s3", "s3 is back"), ("source:s4", "s4 is back")]


def test_one_in_ten_may_answer(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Nine of ten down is the common outage; eight are eight outages."""
    with started(tmp_path, wires, clock, *NAMES) as bench:
        down(wires, *NAMES[:9])
        assert polls(bench, 5) == [("sources", "Hardly any source answers")]
        down(wires)
        assert polls(bench, 3) == [("sources", "Sources answer again")]
        down(wires, *NAMES[:8])
        assert sorted(polls(bench, 5)) == [(f"source:{name}", f"{name} gives nothing") for name in NAMES[:8]]


def test_who_was_down_before_ends_on_its_own(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A source that was told of before the common outage is not told of again, and its end is told."""
    with started(tmp_path, wires, clock, *NAMES) as bench:
        down(wires, "s0")
        assert polls(bench, 4) == [("source:s0", "s0 gives nothing")]
        down(wires, *NAMES)
        assert polls(bench, 4) == [("sources", "No source answers")]
        down(wires, "s0")
        assert polls(bench, 4) == [("sources", "Sources answer again")]
        down(wires)
        assert polls(bench, 2) == [("source:s0", "s0 is back")]


def test_a_single_source_is_told_of_by_name(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Where there is one source only, its outage is its own."""
    with started(tmp_path, wires, clock, "s0") as bench:
        down(wires, "s0")
        assert polls(bench, 4) == [("source:s0", "s0 gives nothing")]


def test_a_restart_repeats_no_notice(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Killed before, during and after a common outage, the fetcher tells each thing once."""
    bench = started(tmp_path, wires, clock, *NAMES)
    down(wires, *NAMES)
    heard = []
    for _ in range(6):
        bench.restart()
        heard += polls(bench, 1)
    down(wires)
    for _ in range(3):
        bench.restart()
        heard += polls(bench, 1)
    assert heard == [("sources", "No source answers"), ("sources", "Sources answer again")]
    bench.close()


def test_the_breaker_survives_a_restart(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The count of failures and the time of the next poll are rows: a killed fetcher does not ask sooner."""
    bench = started(tmp_path, wires, clock, "s0")
    down(wires, "s0")
    polls(bench, 6)
    before = bench.rows("SELECT failures, next_due_ms FROM feeds")
    asked = wires.count("/s0")
    for _ in range(20):
        bench.restart()
        poll(bench, 10)
    assert wires.count("/s0") == asked
    assert bench.rows("SELECT failures, next_due_ms FROM feeds") == before
    assert before[0][0] == 6
    bench.close()


def test_a_quiet_night_is_no_outage(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Hours of 304s, or of one unchanged document, are told of to nobody."""
    with started(tmp_path, wires, clock, "s0", "s1") as bench:
        wires.headers["/s1"] = {"ETag": ""}
        for _ in range(30):
            assert poll(bench, 400) == []
        assert {row[0] for row in bench.rows("SELECT outcome FROM feeds")} <= {"ok", "not_modified"}
        assert bench.rows("SELECT max(streak) FROM feeds") == [(0,)]


def test_a_wire_that_has_published_nothing_yet(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A feed that is empty from the first poll on is told of to nobody, over a restart too; one that fails is, and so
    is one that is empty after it had items."""
    bench = bench_of(tmp_path, wires, clock, "new", "old", "bad", alert_consecutive_empty_cycles=3)
    wires.feed("/new")
    wires.feed("/bad", item("Of the bad one", ms=clock.now_ms()))
    wires.feed("/old", item("First", ms=clock.now_ms()))
    wires.status = {"/bad": 500}
    assert polls(bench, 4) == [("source:bad", "bad gives nothing")]
    bench.restart()
    wires.feed("/old")
    assert polls(bench, 4) == [("source:old", "old gives nothing")]
    assert bench.rows("SELECT name, streak, told FROM feeds WHERE name = 'new'") == [("new", 0, 0)]
    wires.status = {}
    wires.feed("/old", item("Second", ms=clock.now_ms()))
    wires.feed("/new", item("At last", ms=clock.now_ms()))
    assert sorted(polls(bench, 1)) == [("source:bad", "bad is back"), ("source:old", "old is back")]
    wires.feed("/new")
    bench.restart()
    assert polls(bench, 4) == [("source:new", "new gives nothing")]
    bench.close()


def test_a_host_is_asked_four_at_a_time(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Of ten sources on one host four are under way at once, the others wait for a place; another host has its own."""
    with bench_of(tmp_path, wires, clock, *NAMES) as bench:
        path = tmp_path / "sources.toml"
        path.write_text(path.read_text() + "".join(
            f'[[source]]\nname = "o{n}"\nurl = "http://other.example/{n}"\nkind = "rss"\n' for n in range(60)))
        bench.actor.on_reload()
        bench.tick("poll_due")
        picked: list[str] = []
        with bench.store.transaction() as db:
            jobs = bench.engine.jobs.pick(db, clock.now_ms())
        picked = [job.payload.name for job in jobs]
        assert [name for name in picked if name.startswith("s")] == NAMES[:4]
        assert len(picked) == 8


def test_a_hundred_hosts_share_the_threads(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """However many hosts there are, no more than 32 polls are under way."""
    path = tmp_path / "sources.toml"
    path.write_text("".join(f'[[source]]\nname = "o{n}"\nurl = "http://host{n}.example/"\nkind = "rss"\n'
                            for n in range(100)))
    with bench_of(tmp_path, wires, clock, sources=path) as bench:
        bench.tick("poll_due")
        with bench.store.transaction() as db:
            assert len(bench.engine.jobs.pick(db, clock.now_ms())) == 32


def test_an_unchanged_item_after_the_outage_is_no_news(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """What was seen before an outage is known after it, and what came meanwhile is news."""
    with started(tmp_path, wires, clock, "s0", "s1") as bench:
        before = item("Before", ms=clock.now_ms())
        wires.feed("/s0", before)
        poll(bench)
        down(wires, "s0", "s1")
        polls(bench, 5)
        wires.feed("/s0", item("Meanwhile", ms=clock.now_ms()), before)
        down(wires)
        titles = [getattr(message, "title", "") for message in poll(bench, 400)]
        assert titles == ["Meanwhile"] or sorted(titles) == ["Meanwhile", "Sources answer again"]
