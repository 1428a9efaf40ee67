"""The measurement of tickers on recorded press releases, and the figures that they must reach."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.core.companies import Companies
from catalyst.errors import UnavailableError
from catalyst.evaluate import releases
from catalyst.evaluate.command import LEAST_RIGHT, MOST_WRONG, main

LIST = Companies.from_json(json.dumps({
    "0": {"cik_str": 1, "ticker": "ABCD", "title": "Abcd Therapeutics, Inc."},
    "1": {"cik_str": 2, "ticker": "NEWT", "title": "Newton Mining Corp"},
    "2": {"cik_str": 3, "ticker": "OTHR", "title": "Quite Another Corp"}}))
recorded = pytest.mark.skipif(not (releases.DATA / releases.RELEASES).is_file(),
                              reason="the recorded releases are not on this machine")


def row(label: str, company: str, title: str, summary: str = "") -> dict[str, str]:
    return {"ticker": label, "company": company, "title": title, "publisher_summary": summary}


@recorded
def test_recorded_releases() -> None:
    """Of the releases whose ticker can be known 97 % have it as their primary one, and 1 % at most somebody else's."""
    figures = releases.measure()
    assert figures.releases == 1_000
    assert figures.counted > 850
    assert figures.right >= LEAST_RIGHT, releases.text_of(figures)
    assert figures.wrong <= MOST_WRONG, releases.text_of(figures)
    assert figures.same + figures.other_line + sum(miss.is_counted for miss in figures.misses) == figures.counted


@pytest.mark.parametrize(("label", "company", "title", "cause"), [
    ("OLDN", "Newton Mining", "Newton Mining Says (NYSE: NEWT), once (NYSE: OLDN)", "the ticker has changed since"),
    ("OTHR", "Philo", "Philo Announces", "the list gives the ticker to another company"),
    ("ABCD", "Abcd Therapeutics", "First Patient Dosed", "neither title nor summary names the company"),
    ("ABCD", "Abcd Therapeutics", "What the Board of Abcd Says", "the name differs"),
    ("ZZZ", "Zed", "Zed Announces", "the company is not in the list"),
])
def test_causes(label: str, company: str, title: str, cause: str) -> None:
    """Each miss says why the ticker could not be found."""
    (miss,) = releases.judge([row(label, company, title)], LIST).misses
    assert miss.cause.startswith(cause)


def test_what_counts() -> None:
    """A code of a drug is no ticker in the text; another line written beside the label is right, one elsewhere not."""
    figures = releases.judge([
        row("MBX", "Mbx", "Mbx Announces MBX 1416 and (MBX-5)"),
        row("MYCO", "Myco", "Myco (NEO: MYCO) (OTC: MYCOF) Announces"),
        row("MYCO", "Myco", "Efgh (OTC: EFGHF) Buys from Its Partner Myco (NEO: MYCO)")], LIST)
    assert (figures.counted, figures.other_line, figures.same) == (2, 1, 0)
    assert figures.right == figures.wrong == 0.5


def test_without_the_recording(tmp_path: Path) -> None:
    """Where the recorded releases are absent, it says so and the exit code is 69."""
    with pytest.raises(UnavailableError, match="no recorded releases") as caught:
        releases.measure(tmp_path)
    assert caught.value.exit_code == 69


@recorded
def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """It prints the figures and each miss with its cause; --json gives the same as one object."""
    assert main(["releases"]) == 0
    text = capsys.readouterr().out
    assert main(["releases", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert f"right in {found['right']:.4f}" in text
    assert all(miss["cause"] in text and miss["title"] in text for miss in found["misses"])
