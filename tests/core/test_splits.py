"""Splits: prices of before and after one, and changes that look like one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.core.outcomes import Verdict, Watch, answer, judge
from catalyst.core.quotes import Charted, Quote, read_yahoo
from catalyst.core.splits import adjusted, whole_ratio
from catalyst.messages import Bar, PriceSeen, Split
from catalyst.testing import START_MS, same

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/api/yahoo/chart_KLAC.json"
DAY_MS = 86_400_000
REVERSE = Split(START_MS + DAY_MS, 20.0)
SEEN = PriceSeen(item_id="i1", ticker="ACME", horizon="1d", due_ms=START_MS + DAY_MS, price_usd=9.6,
                 price_ms=START_MS + DAY_MS, simulated=False, provider="yahoo")


def day(number: int, first: float, last: float) -> Bar:
    """A bar of the day that lies so many after the alert's."""
    return Bar(START_MS + number * DAY_MS, first, max(first, last), min(first, last), last, 100)


@pytest.mark.parametrize(("before", "after", "ratio"), [
    (0.48, 9.6, "1:20"), (9.6, 0.48, "20:1"), (1.0, 2.03, "1:2"), (1.0, 2.05, ""), (1.0, 1.0, ""), (3.0, 2.0, ""),
    (1.0, 200.0, "1:200"), (1.0, 210.0, ""), (1e-300, 1e300, "")])
def test_whole_ratios(before: float, after: float, ratio: str) -> None:
    """Within 2 % of 2 to 200 times, either way; less and more is no split."""
    assert whole_ratio(before, after) == ratio


def test_a_split_counts_from_its_day_on() -> None:
    """A price of the split's own day is of the new shares already, also before the bell; later ones multiply."""
    assert adjusted(0.48, START_MS, [REVERSE]) == pytest.approx(9.6)
    assert adjusted(9.6, REVERSE.at_ms - 3_600_000, [REVERSE]) == 9.6
    assert adjusted(1.0, START_MS, [REVERSE, Split(REVERSE.at_ms + DAY_MS, 0.5)]) == pytest.approx(10.0)


@pytest.mark.parametrize(("base_usd", "seen", "state", "return_pct"), [
    (0.48, same(SEEN, splits=(REVERSE,)), "settled", 0.0),
    (0.40, same(SEEN, splits=(REVERSE,)), "settled", pytest.approx(20.0)),
    (0.48, SEEN, "unknown", None),
    (9.6, same(SEEN, price_usd=0.48), "unknown", None),
    (9.6, same(SEEN, splits=(REVERSE,)), "unknown", None),  # the base was of the new shares: twice is once too many
    (1.0, same(SEEN, price_usd=9.5), "settled", pytest.approx(850.0)),
    (1.0, same(SEEN, price_usd=9.5, days=(day(0, 10.2, 10.0), day(1, 9.0, 9.5))), "unknown", None),
    (1.0, same(SEEN, price_usd=1.3, days=(day(0, 0.3, 0.4), day(1, 1.1, 1.3))), "settled", pytest.approx(30.0)),
    (0.48, same(SEEN, price_ms=START_MS + 60_000), "settled", pytest.approx(1_900.0)),
    (4.0, same(SEEN, price_usd=12.0, days=(day(0, 4.0, 7.0), day(1, 9.5, 12.0))), "settled", pytest.approx(200.0)),
    (4.0, same(SEEN, price_usd=12.0, days=(day(0, 4.0, 4.1), day(1, 12.2, 12.0))), "unknown", None),
    (4.0, same(SEEN, price_usd=12.0, days=(day(0, 4.0, 4.0),)), "unknown", None),  # nor before the bell
    (4.0, same(SEEN, price_usd=12.0, days=(day(0, 12.3, 12.1), day(1, 12.0, 12.0))), "unknown", None),
    (4.0, same(SEEN, price_usd=12.0, days=(day(1, 11.0, 12.0),)), "unknown", None)])
def test_an_outcome_over_a_split(base_usd: float, seen: PriceSeen, state: str, return_pct: float | None) -> None:
    """A known split scales the alert's price; a change by a whole ratio counts only where the days' bars bear it out:
    from the alert's price on, without such a jump at night. A price far from its day's bars and the next one's is of
    other shares, whatever the change. Within the day a change is a change."""
    verdict = judge(base_usd, START_MS, False, seen)
    assert (verdict.state, verdict.return_pct) == (state, return_pct)
    assert verdict.reason == (None if state == "settled" else "split")


def test_the_alerts_price_is_kept_in_the_new_shares() -> None:
    """So that it agrees with the price beside it; without a split it stays as it was stored."""
    assert judge(0.4, START_MS, False, same(SEEN, splits=(REVERSE,))).base_usd == 8.0
    assert judge(9.0, START_MS, False, SEEN) == Verdict("settled", 9.6, SEEN.price_ms, pytest.approx(6.67, abs=0.01),
                                                        False)


def test_what_an_answer_says_of_the_days() -> None:
    """The splits of both charts, once; days only where the alert is not of today."""
    charted = Charted(Quote("ACME", 9.6, None, None, None, "yahoo"), (day(1, 9.0, 9.6),), splits=(REVERSE,))
    month = Charted(charted.quote, (day(0, 9.0, 9.5), day(1, 9.0, 9.6)), DAY_MS, splits=(REVERSE,))
    for horizon, days in (("1d", 2), ("15m", 0)):
        watch = Watch("i1", "ACME", horizon, START_MS + DAY_MS + 60_000)
        seen = answer(watch, charted, (), watch.due_ms, month)
        assert isinstance(seen, PriceSeen)
        assert (seen.splits, len(seen.days)) == ((REVERSE,), days)
    alone = answer(watch, charted, (), watch.due_ms)
    assert isinstance(alone, PriceSeen)
    assert (alone.splits, alone.days) == ((REVERSE,), ())


def test_splits_that_are_none() -> None:
    """A row without its day or with a share count that is none is passed over."""
    rows = {"1": {"date": 1_700_000_000, "numerator": 1, "denominator": 20}, "2": {"date": 1_700_000_000},
            "3": {"date": 1_700_000_000, "numerator": 0, "denominator": 1}, "4": None,
            "5": {"date": None, "numerator": 1, "denominator": 2}}
    for events, splits in (({"splits": rows}, (Split(1_700_000_000_000, 20.0),)), ({"splits": []}, ()), ([], ())):
        body = json.dumps({"chart": {"result": [{"meta": {
            "currency": "USD", "regularMarketPrice": 1.0}, "events": events}]}}).encode()
        assert read_yahoo(body, "ACME").splits == splits


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded data is not beside the project")
def test_a_recorded_split() -> None:
    """Ten new shares for one make a tenth of the price."""
    assert read_yahoo(RECORDED.read_bytes(), "KLAC").splits == (Split(1_781_271_000_000, 0.1),)
