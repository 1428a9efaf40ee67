"""tracker on its real database."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from actors.tracker import MOST_ASKS, MOST_ITEMS, Tracker
from catalyst.core.passed import alert_id
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import AlertPosted, ItemDropped, OutcomeKnown, PriceSeen, WatchTicker
from catalyst.testing import START_MS, Bench, same

POSTED = AlertPosted(item_id="i1", alert_id="a1", ticker="ACME", kinds=("fda_approval",), direction="up", score=0.8,
                     price_usd=4.2, simulated=False, posted_ms=START_MS)
DROPPED = ItemDropped(item_id="i1", stage="market", reason="price_ceiling", ticker="RICH", kinds=("fda_approval",),
                      score=0.8, dropped_ms=START_MS)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(Tracker, tmp_path) as tracker:
        yield tracker


def test_an_alert(bench: Bench) -> None:
    """What was alerted, with ticker, kinds and score."""
    bench.send(POSTED)
    assert bench.verb("fates", ids=["i1", "unknown"]) == {"fates": {"i1": {
        "fate": "alerted", "reason": None, "ticker": "ACME", "kinds": ["fda_approval"], "score": 0.8,
        "alert_id": "a1"}}, "next": None}


def test_what_went_out_is_told_by_item(bench: Bench) -> None:
    """The alerts of an item with their time; nothing of one that was dropped or is unknown."""
    bench.send(POSTED)
    bench.send(same(POSTED, alert_id="a2", ticker="WXYZ", posted_ms=START_MS + 5))
    bench.send(same(DROPPED, item_id="i2"))
    assert bench.verb("posted", item_ids=["i1", "i2", "i3"]) == {"posted": {"a1": START_MS, "a2": START_MS + 5}}
    with pytest.raises(UsageError):
        bench.verb("posted")


def test_a_repeat_that_was_folded_is_out_under_its_own_id(bench: Bench) -> None:
    """The alerter asks for the alert that it would post, not for the one whose message told of it."""
    bench.send(same(POSTED, item_id="i2", folded=True))
    assert bench.verb("posted", item_ids=["i2"]) == {"posted": {alert_id("i2", "ACME"): START_MS}}


def test_a_drop_without_a_ticker(bench: Bench) -> None:
    """An item that ended early has a reason and nothing else."""
    bench.send(ItemDropped(item_id="i2", stage="fetcher", reason="duplicate:i1", dropped_ms=START_MS))
    assert bench.verb("fates", ids=["i2"])["fates"]["i2"] == {
        "fate": "dropped", "reason": "duplicate:i1", "ticker": None, "kinds": [], "score": None, "alert_id": None}


def test_the_best_fact_wins_in_any_order(tmp_path: Path) -> None:
    """Alerted for one ticker, dropped for another, dead for a third, folded: the item is alerted by itself."""
    facts = [POSTED, DROPPED, same(DROPPED, ticker="DEAD", fate="dead", reason="undelivered", stage="alerter"),
             same(POSTED, alert_id="a0", folded=True), same(DROPPED, ticker="ACME", reason="price_floor")]
    for number, order in enumerate(permutations(facts)):
        if number % 10:
            continue  # twelve of 120 orders are enough
        with Bench(Tracker, tmp_path / str(number)) as bench:
            for message in order:
                bench.send(message)
            fate = bench.verb("fates", ids=["i1"])["fates"]["i1"]
            assert (fate["fate"], fate["reason"], fate["ticker"], fate["alert_id"]) == ("alerted", None, "ACME", "a1")


def test_a_duplicate_that_was_folded_is_alerted(bench: Bench) -> None:
    """The fetcher drops it as a duplicate, the alerter folds it into the alert."""
    bench.send(ItemDropped(item_id="j1", stage="fetcher", reason="duplicate:i1", dropped_ms=START_MS))
    bench.send(same(POSTED, item_id="j1", folded=True))
    fate = bench.verb("fates", ids=["j1"])["fates"]["j1"]
    assert (fate["fate"], fate["reason"]) == ("alerted", "folded")


def test_pages_since_a_time(bench: Bench) -> None:
    """All items of a time come, a page at a time, each once."""
    for number in range(MOST_ITEMS + 5):
        bench.send(ItemDropped(item_id=f"n{number:05}", stage="classifier", reason="no_ticker",
                               dropped_ms=START_MS + number))
    first = bench.verb("fates", since_ms=START_MS + 2)
    second = bench.verb("fates", since_ms=START_MS + 2, after=first["next"])
    assert len(first["fates"]) == MOST_ITEMS
    assert second["next"] is None
    assert sorted([*first["fates"], *second["fates"]]) == [f"n{number:05}" for number in range(2, MOST_ITEMS + 5)]


@pytest.mark.parametrize("arguments", [{"ids": "i1"}, {"ids": [1]}, {"ids": ["x"] * (MOST_ITEMS + 1)},
                                       {"since_ms": "yesterday"}, {"after": 5}])
def test_wrong_arguments(bench: Bench, arguments: dict[str, object]) -> None:
    """A wrong question is the asker's fault."""
    with pytest.raises(UsageError):
        bench.verb("fates", **arguments)


def test_facts_survive_a_kill_and_go_after_thirty_days(bench: Bench) -> None:
    """A restart loses nothing; pruning takes what is old, an alerted item only with its outcomes."""
    bench.send(POSTED)
    bench.send(ItemDropped(item_id="i2", stage="classifier", reason="no_ticker", dropped_ms=START_MS))
    bench.restart()
    assert len(bench.verb("fates", ids=["i1", "i2"])["fates"]) == 2
    bench.clock.advance(31 * 86_400)
    bench.tick("prune")
    assert list(bench.verb("fates", ids=["i1", "i2"])["fates"]) == ["i1"]
    bench.clock.advance(370 * 86_400)
    bench.tick("prune")
    assert bench.verb("fates", ids=["i1"])["fates"] == {}


# -- outcomes

DAY_S = 86_400
AFTER_S = {"15m": 900, "30m": 1_800, "1h": 3_600, "4h": 14_400, "1d": DAY_S, "7d": 7 * DAY_S}


def seen(horizon: str = "15m", price_usd: float | None = 5.25, **changes: object) -> PriceSeen:
    """What market says of ACME at a horizon."""
    due_ms = START_MS + AFTER_S[horizon] * 1000
    found = PriceSeen(item_id="i1", ticker="ACME", horizon=horizon, due_ms=due_ms, price_usd=price_usd,
                      price_ms=None if price_usd is None else due_ms - 60_000, simulated=False, provider="yahoo")
    return same(found, **changes)  # type: ignore[return-value]


def test_an_alert_is_followed_to_each_horizon(bench: Bench) -> None:
    """One row and one wish a horizon of the setting, due that long after the alert went out."""
    sent = bench.send(POSTED)
    assert sent == [WatchTicker(item_id="i1", ticker="ACME", horizon=horizon, due_ms=START_MS + after_s * 1000)
                    for horizon, after_s in AFTER_S.items()]
    found = bench.verb("outcomes", item_id="i1")["outcomes"]
    assert found[0] == {"item_id": "i1", "alert_id": "a1", "ticker": "ACME", "horizon": "15m", "base_usd": 4.2,
                        "base_ms": START_MS, "due_ms": START_MS + 900_000, "price_usd": None, "price_ms": None,
                        "return_pct": None, "state": "open", "reason": None, "simulated": False}
    assert [row["horizon"] for row in found] == list(AFTER_S)
    assert bench.actor.waiting() == 0


def test_no_outcome_without_an_alert_of_its_own(bench: Bench) -> None:
    """Folded and dropped items are not followed."""
    assert bench.send(same(POSTED, folded=True)) == []
    assert bench.send(DROPPED) == []
    assert bench.rows("SELECT count(*) FROM outcomes") == [(0,)]


def test_an_alert_is_followed_once(bench: Bench) -> None:
    """The same alert again, after the runtime forgot it or under other horizons, changes nothing."""
    bench.send(POSTED)
    bench.rows("DELETE FROM inbox")
    bench.actor.settings = bench.settings.but(horizons=("5m",))
    bench.actor.on_reload()
    assert bench.send(same(POSTED, posted_ms=START_MS + 5)) == []
    assert bench.rows("SELECT count(*), min(base_ms), max(base_ms) FROM outcomes") == [(6, START_MS, START_MS)]
    assert [wish.horizon for wish in bench.send(same(POSTED, item_id="i2", alert_id="a2"))] == ["5m"]  # type: ignore[attr-defined]


def test_a_price_settles_its_horizon(bench: Bench) -> None:
    """The return in %, and nothing else changes."""
    bench.send(POSTED)
    assert [type(message) for message in bench.send(seen())] == [OutcomeKnown]
    found = bench.verb("outcomes", alert_ids=["a1"])["outcomes"]
    assert [row["state"] for row in found] == ["settled"] + ["open"] * 5
    assert (found[0]["price_usd"], found[0]["price_ms"]) == (5.25, START_MS + 840_000)
    assert found[0]["return_pct"] == pytest.approx(25.0)


@pytest.mark.parametrize(("posted", "price", "reason"), [
    (POSTED, seen(price_usd=None, reason="yahoo:timeout"), "yahoo:timeout"),
    (POSTED, seen(price_ms=START_MS - 1), "no_trade"),
    (POSTED, seen(simulated=True), "mixed"),
    (same(POSTED, simulated=True), seen(), "mixed"),
    (same(POSTED, price_usd=None), seen(), "no_base"),
])
def test_what_is_unknown_has_no_return(bench: Bench, posted: AlertPosted, price: PriceSeen, reason: str) -> None:
    """Nothing known, nothing traded, two kinds of prices: null with the reason."""
    bench.send(posted)
    bench.send(price)
    row = bench.verb("outcomes", item_id="i1")["outcomes"][0]
    assert (row["state"], row["reason"], row["return_pct"]) == ("unknown", reason, None)


def test_settling_is_the_same_in_any_order_and_however_often(tmp_path: Path) -> None:
    """Prices and the alert shuffled, repeated, with kills between and the inbox forgotten: the first price counts."""
    prices = [seen(horizon, 4.2 + number / 2) for number, horizon in enumerate(AFTER_S)]
    for seed in range(12):
        chance = random.Random(seed)
        with Bench(Tracker, tmp_path / str(seed)) as bench:
            sent = bench.send(POSTED)
            later = [*prices * 2, *[same(price, price_usd=6.9) for price in prices], POSTED]
            chance.shuffle(later)
            first: dict[str, float] = {}
            for message in later:
                bench.rows("DELETE FROM inbox")
                if isinstance(message, PriceSeen):
                    first.setdefault(message.horizon, message.price_usd or 0)
                sent += bench.send(message)
                if chance.random() < 0.2:
                    sent += bench.restart()
            rows = bench.verb("outcomes", item_id="i1")["outcomes"]
            assert {row["horizon"]: row["price_usd"] for row in rows} == first
            assert {row["state"] for row in rows} == {"settled"}
            assert Counter(map(type, sent)) == {WatchTicker: 6, OutcomeKnown: 6}
            assert {known.horizon: known.price_usd for known in sent if isinstance(known, OutcomeKnown)} == first


def test_a_price_that_nobody_waits_for(bench: Bench) -> None:
    """It is counted and leaves no row: a price cannot come before its alert was followed."""
    assert bench.send(seen()) == []
    assert bench.rows("SELECT count(*) FROM outcomes") == [(0,)]
    assert bench.actor.statistics()["prices_not_wanted"] == 1


def test_outcomes_since_a_time(bench: Bench) -> None:
    """A page at a time, in the order of the alerts; simulated ones are a list of their own."""
    for number in range(400):
        bench.send(same(POSTED, item_id=f"i{number}", alert_id=f"a{number}", posted_ms=START_MS + number // 2,
                        simulated=number % 4 == 0))
    rows: list[dict[str, object]] = []
    answer = bench.verb("outcomes", since_ms=START_MS + 1)
    while True:
        rows += answer["outcomes"]
        if answer["next"] is None:
            break
        answer = bench.verb("outcomes", after=list(answer["next"]))
    assert [row["item_id"] for row in rows[::6]] == [f"i{number}" for number in range(2, 400) if number % 4]
    assert not any(row["simulated"] for row in rows)
    simulated = bench.verb("outcomes", since_ms=0, simulated=True)
    assert len(simulated["outcomes"]) == 600
    assert all(row["simulated"] for row in simulated["outcomes"])
    assert bench.verb("outcomes", item_id="i0")["outcomes"][0]["simulated"] is True


@pytest.mark.parametrize("arguments", [{}, {"alert_ids": "a1"}, {"alert_ids": [1]}, {"alert_ids": ["x"] * 1_001},
                                       {"since_ms": "today"}, {"after": [1]}, {"after": "x"}, {"item_id": 5},
                                       {"since_ms": True}])
def test_wrong_question_about_outcomes(bench: Bench, arguments: dict[str, object]) -> None:
    """A wrong question is the asker's fault."""
    with pytest.raises(UsageError):
        bench.verb("outcomes", **arguments)


def test_nothing_waits_for_ever(bench: Bench) -> None:
    """A price that is overdue by days is asked for once a day, then its outcome is unknown."""
    bench.actor.settings = bench.settings.but(horizons=("15m",))
    bench.actor.on_reload()
    (wish,) = bench.send(POSTED)
    asked = []
    for hour in range(24 * 12):
        bench.clock.advance(3_600)
        if sent := bench.tick("ask_again"):
            asked.append(hour + 1)
            assert sent == [wish]
        if hour == 80:
            bench.restart()
    assert len(asked) == MOST_ASKS - 1
    assert asked[0] == 49  # two days after it was due
    assert all(later - first >= 24 for first, later in pairwise(asked))
    row = bench.verb("outcomes", item_id="i1")["outcomes"][0]
    assert (row["state"], row["reason"]) == ("unknown", "no_answer")
    bench.send(seen())
    assert bench.verb("outcomes", item_id="i1")["outcomes"][0] == row


def test_an_answer_to_a_later_wish_counts(bench: Bench) -> None:
    """A market that lost its database answers the repeated wish."""
    bench.send(POSTED)
    bench.clock.advance(3 * DAY_S)
    assert [wish.horizon for wish in bench.tick("ask_again")] == ["15m", "30m", "1h", "4h"]  # type: ignore[attr-defined]
    bench.send(seen())
    assert bench.verb("outcomes", item_id="i1")["outcomes"][0]["state"] == "settled"


def test_a_wrong_horizon_stops_the_start_and_changes_nothing_later(tmp_path: Path, bench: Bench) -> None:
    """At the start and on reload the setting is refused by name."""
    with pytest.raises(ConfigError, match="'15x'"):
        Bench(Tracker, tmp_path / "other", horizons=("15x",))
    bench.actor.settings = bench.settings.but(horizons=("1h", "soon"))
    with pytest.raises(ConfigError, match="'soon'"):
        bench.actor.on_reload()
    assert len(bench.send(POSTED)) == 6


def test_outcomes_switched_off(tmp_path: Path) -> None:
    """No horizons, no rows."""
    with Bench(Tracker, tmp_path, horizons=()) as bench:
        assert bench.send(POSTED) == []


def test_outcomes_survive_a_kill_and_go_after_a_year(bench: Bench) -> None:
    """A restart loses nothing; pruning takes what is old."""
    bench.send(POSTED)
    bench.send(seen())
    bench.restart()
    assert bench.verb("outcomes", item_id="i1")["outcomes"][0]["state"] == "settled"
    bench.clock.advance(399 * DAY_S)
    bench.tick("prune")
    assert len(bench.verb("outcomes", item_id="i1")["outcomes"]) == 6
    bench.clock.advance(2 * DAY_S)
    bench.tick("prune")
    assert bench.verb("outcomes", item_id="i1")["outcomes"] == []
