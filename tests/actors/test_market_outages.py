"""market while a provider of quotes gives no answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.market import Market
from catalyst.messages import AlertReady, OpsNotice
from catalyst.testing import START_MS, Bench, same
from tests.actors.test_market import SCORED, of
from tests.quoting import Prices
from tests.receiver import Receiver


@pytest.fixture
def bench(tmp_path: Path, provider: Receiver) -> Iterator[Bench]:
    with Bench(Market, tmp_path, yahoo_base_url=provider.url) as bench:
        yield bench


def burst(bench: Bench, count: int, first: int = 0) -> list[Any]:
    """So many scored items of tickers of their own, and the alerts that came of them."""
    for n in range(first, first + count):
        bench.send(same(SCORED, item_id=f"b{n}", ticker=f"T{n}"))
    return of(AlertReady, bench.run_jobs())


def test_a_provider_in_trouble_is_asked_no_more_than_needed(bench: Bench, prices: Prices,
                                                           provider: Receiver) -> None:
    """After three faults a hundred alerts go out at once without a price; when it answers, the probe finds it."""
    prices.usd = {f"T{n}": None for n in range(110)}
    ready = burst(bench, 100)
    assert ([one.price_usd for one in ready], len(provider.got)) == ([None] * 100, 3)
    assert bench.actor.statistics()["paused_until_ms_yahoo"] == START_MS + 1_000
    prices.usd = {f"T{n}": 4.2 for n in range(110)}
    assert [one.price_usd for one in burst(bench, 2, 100)] == [None, None]
    bench.clock.advance(1)
    assert [one.price_usd for one in burst(bench, 3, 102)] == [4.2] * 3
    assert "paused_until_ms_yahoo" not in bench.actor.statistics()


def test_the_operator_hears_of_a_long_outage_once(bench: Bench, prices: Prices) -> None:
    """One notice when it has lasted half a minute and one when it is over for a minute, also across a kill and a flap;
    a short one is not told of."""
    told: list[Any] = []

    def run(turns: int, usd: float | None) -> None:
        for _ in range(turns):
            prices.usd["ACME"] = usd
            bench.send(same(SCORED, item_id=f"n{bench.clock.now_ms()}"))
            bench.run_jobs()
            bench.clock.advance(16)
            told.extend(of(OpsNotice, bench.tick("tell_outages")))

    run(2, None)
    run(5, 4.2)
    assert told == []
    run(8, None)
    run(1, 4.2)
    run(4, None)
    bench.restart()
    run(4, None)
    assert [(notice.item_id, notice.severity, notice.title) for notice in told] == [
        ("quotes:yahoo", "warning", "yahoo gives no prices")]
    run(7, 4.2)
    assert [notice.title for notice in told[1:]] == ["yahoo gives prices again"]
    assert told[1].episode == f"{told[0].episode}:over"
    assert bench.rows("SELECT count(*) FROM outages") == [(0,)]
