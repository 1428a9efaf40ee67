"""`catalyst watch` and `rules check` on a real home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from actors.classifier import Classifier
from actors.tracker import Tracker
from catalyst.settings import inherited
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running

LIST = {"0": {"cik_str": 7, "ticker": "ACME", "title": "Acme Therapeutics, Inc."},
        "1": {"cik_str": 8, "ticker": "BRK-B", "title": "Berkshire Hathaway Inc"}}


def test_add_list_remove(catalyst: Catalyst, home: Path) -> None:
    """Tickers are added once with time and note, listed with company, and removed; unknown ones are warned of."""
    (home / "companies.json").write_text(json.dumps(LIST))
    done = catalyst("watch", "add", "acme", "$BRK.B", "ACNE", "--note", "earnings\n\x1b[31mFriday")
    assert done.code == 0
    assert done.out.splitlines() == [
        "added: ACME, BRK-B, ACNE", "warning: ACNE is not in the company list; near it: ACME",
        "3 added; 3 on the list", "the classifier does not run; it reads the list when it starts"]
    head, first, *_ = (home / "watchlist.csv").read_text().splitlines()
    assert head == "ticker,added,note,market_value_usd,market_value_date"
    assert first.endswith("Z,earnings [31mFriday,,")
    rows = catalyst("watch", "list", "--json").lines
    assert [(row["ticker"], row["company"]) for row in rows] == [
        ("ACME", "Acme Therapeutics, Inc."), ("BRK-B", "Berkshire Hathaway Inc"), ("ACNE", None)]
    assert "Berkshire" in catalyst("watch", "list").out
    said = catalyst("watch", "remove", "BRK/B", "ZZZ", "--json").json
    assert (said["removed"], said["absent"], said["tickers"], said["taken_up"]) == (["BRK-B"], ["ZZZ"], 2, None)
    again = catalyst("watch", "add", "ACME", "--json").json
    assert (again["added"], again["known"], again["unknown"]) == ([], ["ACME"], [])


def test_import(catalyst: Catalyst, home: Path, tmp_path: Path) -> None:
    """An export and a plain list are imported; refused lines are told by number; the file is only ever replaced."""
    export = tmp_path / "export.csv"
    export.write_text('"No.","Ticker","Company"\n1,"ACME","Acme, Inc."\n2,"no ticker","x"\n3,"BRK-B","Berk"\n')
    done = catalyst("watch", "import", str(export))
    assert (done.code, done.out.splitlines()[1:3]) == (
        0, ["line 3 refused: 'no ticker' is no ticker", "2 added, 1 refused; 2 on the list"])
    (tmp_path / "plain.txt").write_text("# mine\nACME\nCCME\n")
    said = catalyst("watch", "import", str(tmp_path / "plain.txt"), "--json").json
    assert (said["added"], said["known"], said["refused"], said["tickers"]) == (["CCME"], ["ACME"], [], 3)
    assert [row["note"] for row in catalyst("watch", "list", "--json").lines] == ["Acme, Inc.", "Berk", ""]
    assert {path.name for path in home.iterdir() if "watch" in path.name} == {"watchlist.csv", ".watchlist.csv.lock"}


def test_market_values_of_an_export(catalyst: Catalyst, home: Path, tmp_path: Path) -> None:
    """An import keeps the market value with the day of the file, and a later one renews that of a listed ticker."""
    export = tmp_path / "export.csv"
    export.write_text('"No.","Ticker","Company","Market Cap"\n1,"ACME","Acme, Inc.",33.07\n2,"FUND","A Fund",\n')
    os.utime(export, (1_767_225_600,) * 2)
    done = catalyst("watch", "import", str(export))
    assert done.out.splitlines()[1] == "2 added, 1 with a new market value; 2 on the list"
    assert (home / "watchlist.csv").read_text().splitlines()[1].endswith(',"Acme, Inc.",33070000,2026-01-01')
    rows = catalyst("watch", "list", "--json").lines
    assert [(row["market_value_usd"], row["market_value_date"]) for row in rows] == [
        (33.07e6, "2026-01-01"), (None, None)]
    assert "$33.1 M" in catalyst("watch", "list").out
    export.write_text("Ticker,Market Cap\nACME,40\n")
    os.utime(export, (1_767_225_600 + 86_400,) * 2)
    said = catalyst("watch", "import", str(export), "--json").json
    assert (said["added"], said["known"], said["valued"]) == ([], ["ACME"], ["ACME"])
    assert catalyst("watch", "list", "--json").lines[0]["market_value_usd"] == 40e6


def test_a_list_in_another_form_is_kept(catalyst: Catalyst, home: Path) -> None:
    """A list that a person wrote is read, and kept beside ours when it is changed the first time."""
    own = "# my list\nACME\nwhat is this?\n"
    (home / "watchlist.csv").write_text(own)
    assert [row["ticker"] for row in catalyst("watch", "list", "--json").lines] == ["ACME"]
    assert catalyst("watch", "add", "ACME").code == 0
    assert (home / "watchlist.csv").read_text() == own
    assert catalyst("watch", "add", "BCME").code == 0
    assert (home / "watchlist.csv.old").read_text() == own
    assert [row["ticker"] for row in catalyst("watch", "list", "--json").lines] == ["ACME", "BCME"]


def test_an_open_quote_loses_nothing(catalyst: Catalyst, home: Path) -> None:
    """The line is named, the others are listed, and the file is kept when a command writes it anew."""
    own = 'ticker,added,note\nACME,,"mine\nBCME,,\nCCME,,\n'
    (home / "watchlist.csv").write_text(own)
    done = catalyst("watch", "list")
    assert [line.split()[0] for line in done.out.splitlines()[1:]] == ["BCME", "CCME"]
    assert done.err == "line 2 refused: a quote is not closed\n"
    assert catalyst("watch", "add", "DCME").code == 0
    assert (home / "watchlist.csv.old").read_text() == own
    assert [row["ticker"] for row in catalyst("watch", "list", "--json").lines] == ["BCME", "CCME", "DCME"]


def test_a_named_list(catalyst: Catalyst, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that CATALYST_WATCHLIST names is the one that is changed."""
    monkeypatch.setenv("CATALYST_WATCHLIST", str(tmp_path / "mine.csv"))
    assert catalyst("watch", "list").out == "nothing is watched; catalyst watch add TICKER\n"
    assert catalyst("watch", "add", "ACME").code == 0
    assert "ACME" in (tmp_path / "mine.csv").read_text()
    assert not (home / "watchlist.csv").exists()


def test_misuse(catalyst: Catalyst, home: Path, tmp_path: Path) -> None:
    """A word that is no ticker changes nothing; missing words, files and tickers are usage errors."""
    (tmp_path / "none.txt").write_text("# nothing\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for words in (("watch",), ("watch", "add"), ("watch", "list", "x"), ("watch", "drop", "ACME"), ("watch", "import"),
                  ("watch", "add", "ACME", "not one"), ("watch", "remove", "ACME", "--note", "x"),
                  ("watch", "import", "a", "b"), ("watch", "import", str(tmp_path / "missing")),
                  ("watch", "import", str(tmp_path / "none.txt")), ("watch", "import", str(tmp_path / "binary"))):
        done = catalyst(*words)
        assert (done.code, done.out) == (64, ""), words
        assert done.err.startswith("catalyst: ")
    assert not (home / "watchlist.csv").exists()
    (home / "watchlist.csv").write_bytes(b"\xff\xfe\x00")
    assert catalyst("watch", "add", "ACME").code == 78
    (home / "watchlist.csv").unlink()
    (home / "watchlist.csv").mkdir()
    assert catalyst("watch", "add", "ACME").code in (75, 78)


def test_many_writers_lose_nothing(home: Path) -> None:
    """Processes that add at the same time all find their tickers on the list."""
    environment = inherited() | {"CATALYST_HOME": str(home)}
    writers = [subprocess.Popen([sys.executable, "-m", "catalyst", "watch", "add", f"{letter}AAA", f"{letter}BBB"],
                                env=environment, cwd=home, stdout=subprocess.DEVNULL) for letter in "CDEF"]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    rows = (home / "watchlist.csv").read_text().splitlines()[1:]
    assert sorted(row.split(",")[0] for row in rows) == sorted(
        f"{letter}{rest}" for letter in "CDEF" for rest in ("AAA", "BBB"))


def test_the_classifier_is_told(catalyst: Catalyst, running: Running) -> None:
    """A classifier that runs has the new list when the command is done."""
    running.start(Tracker, Classifier)
    classifier = running.processes["classifier"].actor
    assert isinstance(classifier, Classifier)
    assert catalyst("watch", "add", "ACME", "--json").json["taken_up"] is True
    assert classifier._lists.watched == {"ACME"}
    assert catalyst("watch", "remove", "ACME").out == "removed: ACME\n1 removed; 0 on the list\n"
    assert classifier._lists.watched == frozenset()


def test_rules_check(catalyst: Catalyst, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundled table is right; a wrong one and a kind that no rule makes are configuration errors."""
    said = catalyst("rules", "check", "--json").json
    assert (said["gate"], said["kinds"] > 50, said["filings"] > 20) == (None, True, True)
    assert " is right: " in catalyst("rules", "check").out
    mine = tmp_path / "mine.toml"
    mine.write_text('[[kind]]\nname = "prize"\ndirection = "up"\nweight = 0.5\nphrases = ["wins prize",'
                    ' "wins-prize"]\n')
    done = catalyst("rules", "check", str(mine))
    assert (done.code, done.out.splitlines()[0]) == (0, "prize: “wins-prize” stands in it twice")
    monkeypatch.setenv("CATEGORIES_ALLOW", "offering,prise")
    done = catalyst("rules", "check", str(mine))
    assert (done.code, done.out.splitlines()[1]) == (
        78, "CATEGORIES_ALLOW: no rule makes the kind 'prise', did you mean prize?")
    mine.write_text('[[kind]]\nname = "prize"\nwight = 1\n')
    done = catalyst("rules", "check", str(mine))
    assert (done.code, "prize" in done.err, "wight" in done.err) == (78, True, True)
    assert catalyst("rules").code == 64
