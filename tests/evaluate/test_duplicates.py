"""The measurement of duplicates, and the figures that the decision must reach on a set it was not made with."""

from __future__ import annotations

import json

import pytest

from catalyst.evaluate import duplicates
from catalyst.evaluate.command import LEAST_PRECISION, LEAST_RECALL, main
from catalyst.world.tellings import LOOKALIKES, WIRES, tellings

UNSEEN_SEED = 20_260_303


def test_edited_titles_on_three_wires() -> None:
    """Of 1,000 stories on three wires at least 99% of the merges are right and 95% of the copies are merged."""
    figures = duplicates.measure(UNSEEN_SEED, 1_000)
    assert figures.expected > 1_000
    assert figures.precision >= LEAST_PRECISION, figures.false
    assert figures.recall >= LEAST_RECALL, figures.missed


def test_the_set_is_hard() -> None:
    """It is the same for a seed, is on three wires, and holds every kind of look-alike and of edit."""
    told = tellings(5, 1_000)
    assert told == tellings(5, 1_000)
    assert {one.wire for one in told} == set(WIRES)
    assert {one.look for one in told} == {"", *LOOKALIKES}
    assert len({edit for one in told for edit in one.edits}) == 12
    assert sum(bool(one.look) for one in told) > 0.3 * len(told)
    assert len({one.link for one in told}) == len(told)


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints precision, recall and each wrong pair; --json gives the same as one object."""
    assert main(["duplicates", "--seed", "3", "--stories", "60", "--stored", "100", "--json"]) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    (one,) = found["sets"]
    assert one["merged"] == one["expected"] - len(one["missed"]) + len(one["false"])
    assert 0 <= one["recall"] <= 1
    assert found["cost_us"] > 0
    main(["duplicates", "--seed", "3", "--stories", "60", "--stored", "0"])
    assert "seed 3: 60 stories" in capsys.readouterr().out


@pytest.mark.skipif(not duplicates.RECORDED.is_dir(), reason="the recorded feeds are not on this machine")
def test_recorded_feeds() -> None:
    """In the recorded feeds only the publisher's own update and its repeated entry merge."""
    merged, counts = duplicates.recorded()
    assert sum(counts.values()) > 200
    assert [(how, title, other) for how, _, _, title, other in merged] == [
        ("correction", "Losses Spike for Allied Lines in NJ, NY in 2012",
         "Update: Allied Lines Losses Spike in NJ, NY in 2012"),
        ("again", "8 Insurers Release Q3 Financials", "8 Insurers Release Q3 Financials")]
