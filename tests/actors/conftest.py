"""The alerter with its sinks on loopback, and market's provider of quotes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.alerter import Alerter
from catalyst.bench.house import SECRET
from catalyst.testing import Bench
from tests.alerting import Outside
from tests.quoting import Prices
from tests.receiver import Receiver


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
def receiver(outside: Outside) -> Iterator[Receiver]:
    with Receiver(outside) as server:
        yield server


@pytest.fixture
def make(tmp_path: Path, receiver: Receiver, outside: Outside) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def new(*sinks: str, folder: str = "home", **settings: Any) -> Bench:
        names = {"discord": "discord_webhook_url", "ops": "discord_admin_webhook", "hook": "webhook_url"}
        marks = {"discord": f"?key={SECRET}", "ops": f"?key={SECRET}", "hook": ""}
        addresses = {names[sink]: f"{receiver.url}/{sink}{marks[sink]}" for sink in sinks}
        settings = {"digest_from": 0, **settings}
        benches.append(Bench(Alerter, tmp_path / folder, clock=outside.clock, **{**addresses, **settings}))
        return benches[-1]

    yield new
    for bench in benches:
        bench.close()


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.fixture
def provider(prices: Prices) -> Iterator[Receiver]:
    with Receiver(prices) as receiver:
        yield receiver
