"""What a year leaves behind: the rows of days of 20,000 items in every table that grows, with the actors' own pruning.

Bytes a row are those of generated days in a running house, pages and indexes included (sqlite's dbstat).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from catalyst.books import deliveries, outcomes
from catalyst.runtime.retention import KEPT_MS, forget
from catalyst.runtime.roster import load_actor
from catalyst.testing import START_MS, Bench, FakeClock

DAY_MS = 86_400_000
LIMIT_BYTES = 4_400_000_000  # of all databases together; docs/operating.md says the same
AGES = {"alerter": deliveries.KEPT_MS // DAY_MS, "tracker": outcomes.KEPT_MS // DAY_MS}  # the longest, days; else 30
MORE_DAYS = 40
SLICE_S = 0.1


@dataclass(frozen=True)
class Grows:
    """A table: rows of a day of 20,000 items and 1,000 alerts, the wide column and its bytes, what else is set."""

    table: str
    rows: int
    wide: str = ""
    size: int = 0
    fixed: tuple[tuple[str, str], ...] = ()  # column -> SQL


# A day: 16,000 stories and 4,000 filings, 2,000 of them read; 3,000 pass the classifier, 1,000 become alerts.
GROWTH: dict[str, tuple[Grows, ...]] = {
    "fetcher": (Grows("stories", 20_000, "title", 330), Grows("seen", 22_000), Grows("words", 200_000, "word", 8)),
    "sec": (Grows("filings", 4_000, "found", 1_300, (("state", "'read'"),)), Grows("analyses", 2_000, "result", 9_000)),
    "classifier": (Grows("decisions", 21_000, "evidence", 490),),
    "market": (Grows("decisions", 3_000),),
    "charter": (Grows("charts", 1_000, "png", 35_000),),
    "alerter": (Grows("alerts", 1_000, "body", 2_500, (("state", "'posted'"),)),
                Grows("deliveries", 5_000, "message_id", 20, (("state", "'delivered'"),)),
                Grows("deliveries", 12_000, "message_id", 20, (("state", "'delivered'"), ("what", "'outcome'"))),
                Grows("outcomes", 6_000),
                Grows("wires", 1_000, "body", 500), Grows("charts", 1_000, "png", 35_000)),
    "tracker": (Grows("fates", 20_000, "kinds", 30, (("fate", "'dropped'"),)),
                Grows("fates", 1_000, "kinds", 30, (("fate", "'alerted'"),)),
                Grows("outcomes", 6_000, "kind", 14, (("state", "'settled'"), ("simulated", "0"),
                                                      ("return_pct", "1.5")))),
}
# Every actor: letters and incidents of the runtime.
COMMON = (Grows("dead", 20, "traceback", 3_000), Grows("incidents", 50, "detail", 80))


def insert(bench: Bench, grows: Grows, count: int, at_ms: int, day: int) -> None:
    """Rows of one day; keys are unique, times are the day's, the wide column is as wide as in life."""
    fixed = dict(grows.fixed)
    names, values = [], []
    for _, name, kind, notnull, default, key in bench.rows(f"PRAGMA table_info({grows.table})"):
        if name == "n" and key == 1 and kind == "INTEGER":
            continue
        if name in fixed:
            value = fixed[name]
        elif name == grows.wide:
            value = f"substr(hex(randomblob({grows.size // 2 + 1})), 1, {grows.size})" if kind == "TEXT" else (
                f"randomblob({grows.size})")
        elif name.endswith("_ms"):
            value = str(at_ms)
        elif key or name in ("item_id", "id", "alert_id"):
            value = "n.i" if kind == "INTEGER" else "randomblob(16)" if kind == "BLOB" else "hex(randomblob(16))"
        elif not notnull or default is not None:
            continue
        else:
            value = {"TEXT": f"'{name[:8]}'", "BLOB": "x'00'", "REAL": "1.5"}.get(kind, str(day))
        names.append(name)
        values.append(value)
    bench.store.db.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        f" INSERT INTO {grows.table}({', '.join(names)}) SELECT {', '.join(values)} FROM n", (count,))


def live(name: str, folder: Path, scale: int, days: int, slowest_s: list[float]) -> Iterator[tuple[int, int]]:
    """(day, bytes in use) of one actor's database at the end of each day, 1/`scale` of the items in each."""
    clock = FakeClock(START_MS)
    with Bench(load_actor(name), folder, clock=clock, sqlite_synchronous="OFF") as bench:
        share = dict.fromkeys((*GROWTH[name], *COMMON), 0.0)
        for day in range(days):
            clock.advance(DAY_MS / 1000)
            bench.store.db.execute("BEGIN")
            for grows in share:
                share[grows] += grows.rows / scale
                count, share[grows] = int(share[grows]), share[grows] % 1
                if count:
                    insert(bench, grows, count, clock.now_ms(), day)
            bench.store.db.execute("COMMIT")
            for _ in range(1 + 25_000 // scale // 500):  # in life it is 2,880 times a day
                began_s = time.perf_counter()
                bench.tick("prune")
                slowest_s[0] = max(slowest_s[0], time.perf_counter() - began_s)
                with bench.store.transaction() as db:
                    forget(db, clock.now_ms() - KEPT_MS)
            pages, size = (bench.rows(f"PRAGMA {what}")[0][0] for what in ("page_count", "page_size"))
            yield day, pages * size


@pytest.mark.parametrize("scale", [400, pytest.param(20, marks=[pytest.mark.long, pytest.mark.timeout(1_800)])])
def test_a_year_stays_within_its_size(tmp_path: Path, scale: int) -> None:
    """The size is steady once the longest age has passed, and the whole set stays under its limit."""
    total, rows = 0.0, []
    for name in GROWTH:
        slowest_s = [0.0]
        days = AGES.get(name, 30) + MORE_DAYS
        sizes = dict(live(name, tmp_path / name, scale, days, slowest_s))
        steady, last = sizes[days - MORE_DAYS + 10], sizes[days - 1]
        assert last <= steady * 1.02 + 50 * 4096, f"{name} still grows: {steady} -> {last}"
        total += last * scale
        rows.append(f"{name:<11}{last * scale / 1e6:8.0f} MB at 20,000 items a day, slowest slice"
                    f" {slowest_s[0] * 1000:.1f} ms")
    print("", *rows, f"total {total / 1e6:.0f} MB of {LIMIT_BYTES / 1e6:.0f}, at 1/{scale}", sep="\n")
    assert total <= LIMIT_BYTES


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", GROWTH)
def test_no_slice_blocks_the_loop(tmp_path: Path, name: str) -> None:
    """After half a year without pruning every row is old: each slice of it still takes less than 100 ms."""
    clock = FakeClock(START_MS)
    with Bench(load_actor(name), tmp_path, clock=clock, sqlite_synchronous="OFF") as bench:
        for grows in (*GROWTH[name], *COMMON):
            bench.store.db.execute("BEGIN")
            count = min(grows.rows * 180, 600_000_000 // max(grows.size, 200), 2_000_000)
            insert(bench, grows, count, START_MS, 0)
            bench.store.db.execute("COMMIT")
        clock.advance(500 * DAY_MS / 1000)
        took_s = []
        for _ in range(200):
            began_s = time.perf_counter()
            bench.tick("prune")
            took_s.append(time.perf_counter() - began_s)
        pages, free = (bench.rows(f"PRAGMA {what}")[0][0] for what in ("page_count", "freelist_count"))
        print(f"\n{name}: {pages * 4096 / 1e6:.0f} MB, {free} pages free after 200 slices; median"
              f" {sorted(took_s)[100] * 1000:.1f} ms, slowest {max(took_s) * 1000:.1f}")
        assert free > 0
        assert sorted(took_s)[-3] <= SLICE_S  # two may have waited for a busy machine


def test_what_counts_is_kept_for_a_year(tmp_path: Path) -> None:
    """An alert's fate and outcomes outlive the fates of what was dropped."""
    clock = FakeClock(START_MS)
    with Bench(load_actor("tracker"), tmp_path, clock=clock) as bench:
        for grows in GROWTH["tracker"]:
            insert(bench, grows, 3, START_MS, 0)
        clock.advance(31 * DAY_MS / 1000)
        bench.tick("prune")
        assert bench.rows("SELECT fate, count(*) FROM fates GROUP BY fate") == [("alerted", 3)]
        clock.advance(360 * DAY_MS / 1000)
        bench.tick("prune")
        assert bench.rows("SELECT count(*) FROM fates") == bench.rows("SELECT count(*) FROM outcomes") == [(3,)]
        clock.advance(10 * DAY_MS / 1000)
        bench.tick("prune")
        assert bench.rows("SELECT count(*) FROM fates") == bench.rows("SELECT count(*) FROM outcomes") == [(0,)]
