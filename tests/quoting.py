"""A provider of quotes on loopback, for tests of those who ask it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from catalyst.messages import Bar
from catalyst.testing import START_MS
from tests.receiver import Answer, Got


class Prices:
    """A provider: `usd` by ticker, None for a server error; `bars` by range, the same for every ticker."""

    def __init__(self) -> None:
        self.usd: dict[str, float | None] = {"ACME": 4.2, "RICH": 50.0, "TINY": 0.01}
        self.bars: dict[str, list[Bar]] = {}
        self.splits: dict[str, Any] = {}

    def __call__(self, got: Got) -> Answer:
        address = urlsplit(got.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        ticker = address.path.rsplit("/", 1)[1]
        price_usd = self.usd.get(ticker, -1.0)
        if price_usd is None:
            return Answer(500, b"")
        if price_usd < 0:
            return Answer(404, {"chart": {"result": None, "error": {"code": "Not Found", "description": "none"}}})
        if bars := self.bars.get(query["range"]):
            names = ("open", "high", "low", "close", "volume")
            columns = {name: [getattr(bar, name) for bar in bars] for name in names}
            return Answer(200, {"chart": {"result": [{
                "meta": {"currency": "USD", "symbol": ticker, "dataGranularity": query["interval"]},
                "timestamp": [bar.start_ms // 1000 for bar in bars], "indicators": {"quote": [columns]},
                "events": {"splits": self.splits}}]}})
        return Answer(200, {"chart": {"result": [{
            "meta": {"currency": "USD", "symbol": ticker, "previousClose": 4.0}, "timestamp": [START_MS // 1000 - 5],
            "indicators": {"quote": [{"close": [price_usd], "volume": [9]}]}}], "error": None}})
