"""The measurement of tickers, noise, kinds and directions, and the figures under which it must not fall."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.core.rules import Rules
from catalyst.evaluate import signals
from catalyst.evaluate.command import main

# What the rules reach, a little rounded down: a change that falls below has made something worse.
FLOORS = {
    "a": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.98),
        "noise name": (0.98, 0.98),
        "kinds": (0.97, 0.97),
        "alert": (0.98, 0.96),
    },
    "b": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.96),
        "noise name": (0.98, 0.95),
        "kinds": (0.94, 0.94),
        "alert": (0.98, 0.96),
    },
    "c": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.97),
        "noise name": (0.98, 0.95),
        "kinds": (0.96, 0.95),
        "alert": (0.97, 0.97),
    },
    "d": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.97),
        "noise name": (0.98, 0.95),
        "kinds": (0.97, 0.9),
        "alert": (0.98, 0.97),
    },
    "e": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.97),
        "noise name": (0.98, 0.95),
        "kinds": (0.96, 0.9),
        "alert": (0.96, 0.97),
    },
    "f": {
        "primary": (0.995, 0.99),
        "noise": (0.98, 0.96),
        "noise name": (0.98, 0.91),
        "kinds": (0.93, 0.87),
        "alert": (0.99, 0.97),
    },
}
DIRECTION_FLOORS = {  # of all; of those with a kind found
    "a": (0.98, 0.98), "b": (0.95, 0.97), "c": (0.97, 0.97), "d": (0.97, 0.98), "e": (0.97, 0.98),
    "f": (0.97, 0.98)}
TABLE = """
[[noise]]
name = "spam"
phrases = ["buy now"]
[[kind]]
name = "contract"
direction = "up"
weight = 0.6
phrases = ["wins contract"]
[[kind]]
name = "recall"
direction = "down"
weight = 0.6
phrases = ["recalls"]
"""


@pytest.mark.parametrize("name", signals.SETS)
def test_floors(name: str) -> None:
    """Precision, recall and direction on the labelled stories are not under what was reached."""
    figures = signals.measure(name)
    low = [
        (measure, figures.tallies[measure].plain())
        for measure, (precision, recall) in FLOORS[name].items()
        if figures.tallies[measure].precision < precision or figures.tallies[measure].recall < recall
    ]
    assert low == []
    assert figures.share("direction") >= DIRECTION_FLOORS[name][0]
    assert figures.share("direction where found") >= DIRECTION_FLOORS[name][1]


def story(number: int, title: str, **truth: object) -> str:
    answer = {"primary": "ACME", "tickers": ["ACME"], "noise": None, "kinds": [], "also": [], "direction": None} | truth
    return json.dumps(
        {"id": f"s{number}", "source": "x", "title": title, "summary": "", "symbols": [], "truth": answer}
    )


def test_what_is_counted(tmp_path: Path) -> None:
    """Each figure counts what it says: class shares alike, allowed kinds neither way, noise by mistake has no kind."""
    rows = [
        story(1, "Acme (Nasdaq: ACME) Wins Contract", kinds=["contract"], direction="up"),
        story(2, "Acme (Nasdaq: ACME) Wins Contract, Recalls It", kinds=["contract"], also=["recall"], direction="up"),
        story(3, "Acme (NYSE: AC-B) Recalls Pump", primary="AC.B", tickers=["AC.B"], kinds=["recall"], direction="up"),
        story(4, "Buy Now: Acme (Nasdaq: ACME)", noise="promotion"),
        story(5, "Acme (Nasdaq: ACME) Tells All to Buy Now, Loses Suit", kinds=["loss"], direction="down"),
        story(6, "Acme Opens", kinds=["opening"], direction="up"),
        story(7, "Nothing (Nasdaq: ACME)", primary=None, tickers=[]),
    ]
    (tmp_path / "wire_a.jsonl").write_text("\n".join(rows), encoding="utf-8")
    listed = (("ACME", "Acme"), ("AC-B", "Bcme"))
    companies = {str(cik): {"cik_str": cik, "ticker": one, "title": name} for cik, (one, name) in enumerate(listed, 1)}
    (tmp_path / "wire_companies.json").write_text(json.dumps(companies), encoding="utf-8")
    figures = signals.measure("a", Rules.from_toml(TABLE), tmp_path)
    tallies = {name: (one.right, one.wrong, one.missed) for name, one in figures.tallies.items()}
    assert tallies["noise"] == (1, 1, 0)
    assert tallies["noise name"] == (0, 0, 1)
    assert tallies["kinds"] == (3, 0, 2)
    assert tallies["primary"][1] == 1
    assert (figures.shares["direction"].right, figures.shares["direction"].missed) == (1, 4)
    assert figures.shares["direction where found"].right == 1
    assert {miss.measure for miss in figures.misses} >= {"noise", "noise name", "kinds", "direction", "alert"}


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the sets, lists the misses unless it is to give figures only, and gives the same as one object."""
    main(["signals", "--set", "all", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [one["set"] for one in found["sets"]] == [*signals.SETS]
    assert {miss["story"][0] for miss in found["misses"]} == {*signals.SETS}
    main(["signals", "--set", "a", "--figures"])
    text = capsys.readouterr().out
    assert "set a: 290 stories" in text
    assert "misses" not in text
