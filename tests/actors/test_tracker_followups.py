"""What the tracker tells the alerter of a settled outcome, and the history of a kind in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.tracker import Tracker
from catalyst.core.history import NEWEST
from catalyst.messages import AlertPosted, History, Message, OutcomeKnown, PriceSeen
from catalyst.testing import START_MS, Bench, same

DAY_S = 86_400
POSTED = AlertPosted(item_id="i1", alert_id="a1", ticker="ACME", kinds=("fda_approval", "contract"), direction="up",
                     score=0.8, price_usd=4.0, simulated=False, posted_ms=START_MS)
SEEN = PriceSeen(item_id="i1", ticker="ACME", horizon="1h", due_ms=START_MS + 3_600_000, price_usd=5.0,
                 price_ms=START_MS + 3_500_000, simulated=False, provider="yahoo")


class OldTracker(Tracker):
    """The tracker of before outcomes had kinds."""

    tables = Tracker.tables[:-1]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(Tracker, tmp_path, horizons=("15m", "1h")) as tracker:
        yield tracker


def told(bench: Bench, number: int, change_pct: float, **changes: object) -> list[Message]:
    """What an alert of its own says when its price has changed so much after an hour."""
    simulated = bool(changes.get("simulated"))
    item = f"n{number}"
    bench.send(same(POSTED, item_id=item, alert_id=f"x{number}", **changes))
    return bench.send(same(SEEN, item_id=item, price_usd=4.0 * (1 + change_pct / 100), simulated=simulated))


def test_a_settled_outcome_is_told_once(bench: Bench) -> None:
    """Return, both prices and the first kind's history; a second price, a kill and a forgotten inbox tell nothing."""
    bench.send(POSTED)
    bench.clock.advance(3_601)
    assert bench.send(SEEN) == [OutcomeKnown(
        item_id="i1", alert_id="a1", ticker="ACME", horizon="1h", return_pct=25.0, price_usd=5.0,
        price_ms=SEEN.price_ms, base_usd=4.0, simulated=False, known_ms=bench.clock.now_ms(),
        history=History("fda_approval", "1h", 1, 25.0, None, None, 0.0))]
    bench.restart()
    bench.rows("DELETE FROM inbox")
    assert bench.send(SEEN) == bench.send(same(SEEN, price_usd=9.0)) == []


@pytest.mark.parametrize("price", [same(SEEN, price_usd=None, reason="no_price"), same(SEEN, price_ms=START_MS - 1),
                                   same(SEEN, simulated=True)])
def test_what_is_unknown_is_not_told(bench: Bench, price: PriceSeen) -> None:
    """No price, nothing traded since, two kinds of prices."""
    bench.send(POSTED)
    assert bench.send(price) == []


def test_an_alert_without_a_kind_or_a_base_price(bench: Bench) -> None:
    """The first is told without a history, of the second nothing is known."""
    (known,) = told(bench, 1, 25.0, kinds=())
    assert isinstance(known, OutcomeKnown)
    assert known.history is None
    assert told(bench, 2, 25.0, price_usd=None) == []


def test_a_history_is_of_its_kind_and_horizon_and_of_real_prices(bench: Bench) -> None:
    """Another first kind, another horizon and simulated prices are not in it; a simulated outcome brings none."""
    for number in range(20):
        known = told(bench, number, float(number - 5))[0]
    assert isinstance(known, OutcomeKnown)
    assert known.history is not None
    assert (known.history.n, known.history.down_share) == (20, 0.25)
    figures = (known.history.low_pct, known.history.median_pct, known.history.high_pct)
    assert figures == pytest.approx((0.0, 4.5, 9.0))
    told(bench, 20, 900.0, kinds=("contract", "fda_approval"))
    (simulated,) = told(bench, 21, 900.0, simulated=True)
    assert isinstance(simulated, OutcomeKnown)
    assert (simulated.history, simulated.simulated, simulated.return_pct) == (None, True, pytest.approx(900.0))
    (other,) = bench.send(same(SEEN, item_id="n1", horizon="15m", price_usd=36.0))
    assert isinstance(other, OutcomeKnown)
    assert other.history == History("fda_approval", "15m", 1, pytest.approx(800.0), None, None, 0.0)
    (last,) = told(bench, 22, 1.0)
    assert isinstance(last, OutcomeKnown)
    assert last.history is not None
    assert last.history.n == 21


def test_only_the_newest_count(bench: Bench) -> None:
    """A thousand alerts of a kind at most, and none from before four hundred days; the index alone answers."""
    rows = [(f"o{n}", START_MS - n * 60_000, -50.0 if n >= NEWEST - 1 else 10.0) for n in range(NEWEST + 500)]
    with bench.store.transaction() as db:
        db.executemany("INSERT INTO outcomes(item_id, alert_id, ticker, horizon, base_ms, due_ms, return_pct, state,"
                       " simulated, asked_ms, kind) VALUES(?1, ?1, 'T', '1h', ?2, 0, ?3, 'settled', 0, 0,"
                       " 'fda_approval')", rows)
    (known,) = told(bench, 1, 10.0)
    assert isinstance(known, OutcomeKnown)
    assert known.history is not None
    assert (known.history.n, known.history.down_share) == (NEWEST, 0.0)
    plan = bench.rows("EXPLAIN QUERY PLAN SELECT return_pct FROM outcomes WHERE kind = 'x' AND horizon = '1h' AND"
                      " simulated = 0 AND base_ms >= 0 AND return_pct IS NOT NULL ORDER BY base_ms DESC LIMIT 9")
    assert "COVERING INDEX outcomes_that_count" in plan[0][-1]
    assert len(plan) == 1
    bench.clock.advance(401 * DAY_S)
    now_ms = bench.clock.now_ms()
    bench.send(same(POSTED, posted_ms=now_ms))
    (late,) = bench.send(same(SEEN, due_ms=now_ms + 3_600_000, price_ms=now_ms + 60_000))
    assert isinstance(late, OutcomeKnown)
    assert late.history is not None
    assert late.history.n == 1


def test_a_database_from_before_kinds(tmp_path: Path) -> None:
    """Old outcomes get the first kind of their alert, as its fate has it; with a new one they make a history."""
    with Bench(OldTracker, tmp_path) as old, old.store.transaction() as db:
        db.executemany("INSERT INTO fates(item_id, ticker, fate, stage, kinds, at_ms) VALUES(?, 'ACME', 'alerted', '',"
                       " ?, 0)", [("o1", '["fda_approval", "merger"]'), ("o2", "[]")])
        db.executemany("INSERT INTO outcomes(item_id, alert_id, ticker, horizon, base_ms, due_ms, return_pct, state,"
                       " simulated, asked_ms) VALUES(?1, ?1, 'ACME', '1h', ?2, 0, 7.0, 'settled', 0, 0)",
                       [("o1", START_MS - 1), ("o2", START_MS - 1), ("o3", START_MS - 1)])
    with Bench(Tracker, tmp_path, horizons=("1h",)) as bench:
        assert bench.rows("SELECT item_id, kind FROM outcomes ORDER BY item_id") == [
            ("o1", "fda_approval"), ("o2", ""), ("o3", "")]
        (known,) = told(bench, 1, 9.0)
        assert isinstance(known, OutcomeKnown)
        assert known.history is not None
        assert (known.history.n, known.history.median_pct) == (2, pytest.approx(8.0))
