"""Which sinks have an alert, in words."""

from __future__ import annotations

import pytest

from catalyst.core.reach import reach, waiting

TABLE: list[tuple[dict[str, str], dict[str, int], str, int]] = [
    ({}, {}, "", 0),
    ({"discord": "queued"}, {}, "", 1),
    ({"discord": "delivered", "webhook": "filtered"}, {"discord": 40}, "", 0),
    ({"discord": "gathered", "webhook": "delivered"}, {"webhook": 72}, "webhook 72 ms, discord waiting", 1),
    ({"discord": "digest", "webhook": "delivered"}, {"webhook": 72, "discord": 9_000}, "webhook 72 ms, discord 9000 ms",
     0),
    ({"discord": "refused", "webhook": "delivered"}, {"webhook": 72}, "discord refused, webhook 72 ms", 0),
]


@pytest.mark.parametrize(("states", "took_ms", "words", "number"), TABLE)
def test_each_sink_is_told_where_several_want_it(states: dict[str, str], took_ms: dict[str, int], words: str,
                                                 number: int) -> None:
    """One that waits is named, one that does not want the alert is not; a single sink needs no name."""
    assert reach(states, took_ms, lambda span_ms: f"{span_ms} ms") == words
    assert len(waiting(states)) == number
