"""The fetcher on a disk that takes nothing: no poll, no cursor moved, nothing handed on; with room all of it, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.errors import StoreError
from catalyst.messages import StoryFound
from catalyst.testing import FakeClock
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires, bench_of, item
from tests.filelimit import files_end_at

wires, clock = base.wires, base.clock


def test_nothing_is_polled_while_storage_refuses(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The page and the commands say why; with the first look after it the polls go on."""
    path = base.listing(tmp_path, wires, "good")
    with bench_of(tmp_path, wires, clock, sources=path) as bench:
        for trouble in ("full", "failing"):
            bench.actor.storage = trouble  # type: ignore[assignment]
            bench.tick("poll_due")
            assert bench.jobs() == []
            assert bench.verb("sources")["paused_by"] == "storage"
        bench.actor.storage = ""
        bench.tick("poll_due")
        assert [job.key for job in bench.jobs()] == ["good"]


def test_a_result_that_cannot_be_stored_moves_no_cursor(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Neither ETag nor seen entry nor message is there until the result is stored; then each is, once."""
    path = base.listing(tmp_path, wires, "good")
    wires.feed("/good", *(item(f"Acme wins order {number}", ms=clock.now_ms()) for number in range(40)))
    with bench_of(tmp_path, wires, clock, sources=path) as bench:
        bench.tick("poll_due")
        (job,) = bench.interrupt_jobs()
        finished = bench.engine.jobs.run_one(job)
        pages = bench.rows("PRAGMA page_count")[0][0]
        bench.store.db.execute(f"PRAGMA max_page_count = {pages}")
        before = bench.rows("SELECT * FROM feeds")
        for _ in range(3):
            with pytest.raises(StoreError, match="full"):
                bench._turn(lambda db: bench.engine.finish(db, finished))
            assert bench.rows("SELECT * FROM feeds") == before
            assert bench.rows("SELECT count(*) FROM stories") == bench.rows("SELECT count(*) FROM outbox") == [(0,)]
            assert bench.rows("SELECT state FROM jobs") == [("running",)]
        bench.store.db.execute("PRAGMA max_page_count = 1000000")
        sent = bench._turn(lambda db: bench.engine.finish(db, finished))
        assert len([message for message in sent if isinstance(message, StoryFound)]) == 40
        assert bench.rows("SELECT count(*) FROM stories") == [(40,)]
        assert bench.rows("SELECT count(*) FROM jobs") == [(0,)]


def test_a_company_list_without_room_leaves_the_old_one(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Nothing half written stays, and it is asked for again after five minutes."""
    path = tmp_path / "companies.json"
    path.write_bytes(base.COMPANIES)
    wires.documents[base.LIST] = base.COMPANIES + b" " * 3_000_000
    with base.company_bench(tmp_path, wires, clock) as bench:
        with files_end_at(2_000_000):
            base.refresh(bench, 2 * base.DAY_S)
        assert path.read_bytes() == base.COMPANIES
        assert [entry.name for entry in tmp_path.glob(".companies*")] == []
        base.refresh(bench, 301)
        assert len(path.read_bytes()) > 3_000_000


def test_sources_that_could_not_be_stored_are_stored_later(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The list of sources is written again after a refused turn, else nothing would ever be polled."""
    path = base.listing(tmp_path, wires, *(f"wire{number}" for number in range(60)))
    with bench_of(tmp_path, wires, clock, sources=path) as bench:
        pages = bench.rows("PRAGMA page_count")[0][0]
        bench.store.db.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="full"):
            bench.tick("poll_due")
        bench.store.db.execute("PRAGMA max_page_count = 1000000")
        bench.tick("poll_due")
        assert len(bench.jobs()) == 60
