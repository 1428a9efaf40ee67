"""`catalyst classify` as a filter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from catalyst.commands.classify import run
from catalyst.errors import ConfigError
from catalyst.settings import defaults

LIST = '{"0":{"cik_str":1,"ticker":"ABCD","title":"Abcd Therapeutics, Inc."}}'


def answers(tmp_path: Path, *lines: str, **settings: Any) -> list[dict[str, Any]]:
    (tmp_path / "list.json").write_text(LIST)
    return list(run(lines, defaults(home=tmp_path, companies=tmp_path / "list.json", **settings)))


def line(**fields: Any) -> str:
    return json.dumps(
        {"id": "1", "source": "wire", "title": "", "summary": "", "link": "", "published": None, **fields}
    )


def test_shape_of_an_alert(tmp_path: Path) -> None:
    """An alert has every field of the contract, and can be printed as JSON."""
    (one,) = answers(tmp_path, line(title="Abcd Therapeutics Announces Pricing of Public Offering"))
    assert json.loads(json.dumps(one)) == one
    assert list(one) == ["id", "tickers", "kinds", "sentiment", "score", "decision", "reason", "why"]
    assert one["id"] == "1"
    assert one["decision"] == "alert"
    assert one["reason"] is None
    assert one["tickers"] == [{"ticker": "ABCD", "role": "primary", "evidence": "Abcd Therapeutics"}]
    assert one["kinds"] == [
        {"kind": "offering_pricing", "phrase": "Pricing of Public Offering", "direction": "down", "weight": 0.75}
    ]
    assert -1 <= one["sentiment"] <= 1
    assert 0.75 <= one["score"] <= 1
    assert "offering_pricing" in one["why"]


def test_drops_and_tags(tmp_path: Path) -> None:
    """A drop has its reason; tags of the publisher count; foreign listings are no tickers of the answer."""
    found = answers(
        tmp_path,
        line(title="Abcd to Present at Investor Conference"),
        line(title="X Wins Contract Award", tickers=["NYSE:XY"]),
        line(title="X (TSX: XY) Wins Contract Award"),
    )
    assert [one["reason"] for one in found] == ["noise:conference", None, "foreign_listing"]
    assert [[ticker["ticker"] for ticker in one["tickers"]] for one in found] == [[], ["XY"], []]


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "null",
        '"text"',
        '{"id":"1"}',
        '{"title":"x"}',
        '{"id":"1","title":3}',
        '{"id":"1","title":"x","tickers":"A"}',
        "\ud800",
        "[" * 5_000,
    ],
)
def test_malformed_lines(tmp_path: Path, bad: str) -> None:
    """A line that is no item gives one error that says which line it was, and the next is answered."""
    found = answers(tmp_path, "", bad, line(title="Abcd Therapeutics Files for Chapter 11"))
    assert found[0]["id"] is None
    assert found[0]["error"].startswith("line 2: ")
    assert len(found) == 2
    assert found[1]["decision"] == "alert"


def test_fields_may_be_missing_or_null(tmp_path: Path) -> None:
    """Only id and title must be there."""
    found = answers(
        tmp_path, '{"id": 7, "title": "x"}', line(title="x", summary=None, source=None, tickers=None, extra={"a": 1})
    )
    assert [one["id"] for one in found] == ["7", "1"]
    assert all(one["reason"] == "no_ticker" for one in found)


def test_settings_apply(tmp_path: Path) -> None:
    """Score gate and rule table of the user are obeyed; a wrong table is refused before the first answer."""
    own = tmp_path / "rules.toml"
    own.write_text('[[kind]]\nname = "office"\ndirection = "up"\nweight = 0.3\nphrases = ["opens an office"]\n')
    item = line(title="Abcd Therapeutics Opens an Office", summary="Abcd Therapeutics, Inc.", tickers=["ABCD"])
    assert answers(tmp_path, item, rules=own)[0]["decision"] == "alert"
    assert answers(tmp_path, item, rules=own, min_score=0.9)[0]["reason"] == "low_score"
    own.write_text('[[kind]]\nname = "office"\n')
    with pytest.raises(ConfigError, match="office"):
        answers(tmp_path, item, rules=own)
