"""The classifier on its real database."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from actors.classifier import Classifier
from catalyst.clock import iso
from catalyst.core.evidence import unpacked
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import CatalystScored, FilingRead, ItemDropped, StoryFound
from catalyst.testing import Bench, FakeClock

LIST = {
    "0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Therapeutics, Inc."},
    "1": {"cik_str": 2, "ticker": "BCME", "title": "Bcme Corp"},
}
OWN_RULES = '[[kind]]\nname = "office"\ndirection = "up"\nweight = 0.5\nphrases = ["opens an office"]\n'


def bench(tmp_path: Path, **settings: Any) -> Bench:
    tmp_path.mkdir(exist_ok=True)
    (tmp_path / "companies.json").write_text(json.dumps(LIST))
    return Bench(Classifier, tmp_path, **settings)


def story(title: str, item_id: str = "item", **fields: Any) -> StoryFound:
    return StoryFound(
        **{
            "item_id": item_id,
            "source": "wire",
            "trust": 1.0,
            "title": title,
            "link": "https://example.com/1",
            "summary": "",
            "published_ms": 5,
            "seen_ms": 9,
            **fields,
        }
    )


def filing(form: str, *items: str, item_id: str = "0001-25-1", **fields: Any) -> FilingRead:
    return FilingRead(
        **{
            "item_id": item_id,
            "source": "sec_8k",
            "trust": 1.0,
            "form": form,
            "amendment": False,
            "cik": "0000000001",
            "ticker": "ACME",
            "company": "ACME THERAPEUTICS, INC.",
            "title": f"{form}: Acme",
            "link": "https://www.sec.gov/1",
            "items": items,
            "summary": "What it says.",
            "published_ms": 5,
            "seen_ms": 9,
            **fields,
        }
    )


def replace(path: Path, text: str) -> None:
    """Put `text` in place of a file as its one writer does."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    os.replace(fresh, path)


def test_a_catalyst_goes_to_the_market(tmp_path: Path) -> None:
    """One message a US share, with all that the story and the decision say, and one stored row each."""
    with bench(tmp_path) as one:
        first, second = one.send(
            story("Acme (Nasdaq: ACME) and Bcme (NYSE: BCME) Announce Merger Agreement", summary="More.")
        )
        assert isinstance(first, CatalystScored)
        assert isinstance(second, CatalystScored)
        assert (first.ticker, first.role, first.company) == ("ACME", "primary", "Acme Therapeutics, Inc.")
        assert (second.ticker, second.role, second.company) == ("BCME", "secondary", "Bcme Corp")
        assert (first.item_id, first.title[:4], first.summary, first.published_ms, first.seen_ms) == (
            "item",
            "Acme",
            "More.",
            5,
            9,
        )
        assert [kind.kind for kind in first.kinds] == ["merger"]
        assert first.direction == "up"
        assert first.score >= 0.65
        assert "merger" in first.why
        assert not first.watched
        rows = one.rows(
            "SELECT ticker, role, decision, reason, kinds, score, at_ms, rules, evidence FROM decisions ORDER BY ticker"
        )
        assert [row[:5] for row in rows] == [
            ("ACME", "primary", "alert", None, '["merger"]'),
            ("BCME", "secondary", "alert", None, '["merger"]'),
        ]
        assert rows[0][6] == one.clock.now_ms()
        assert len(rows[0][7]) == 8
        evidence = json.loads(rows[0][8])
        assert evidence["tickers"][0]["evidence"] == "Nasdaq: ACME"
        assert evidence["kinds"] == [["merger", "Merger Agreement", [["title", 51, 67]]]]
        assert (evidence["parts"][0][0], evidence["parts"][0][3]) == ("lead", [0])
        assert evidence["tickers"][1]["words"] == [["title", 30, 40]]


@pytest.mark.parametrize(
    ("title", "reason", "ticker"),
    [
        ("Acme (Nasdaq: ACME) to Present at Healthcare Conference", "noise:conference", "ACME"),
        ("Nobody Wins Contract Award", "no_ticker", ""),
        ("Foreign (TSX: ABC) Wins Contract Award", "foreign_listing", "ABC"),
        ("Acme (Nasdaq: ACMEW) Redeems", "instrument", "ACMEW"),
        ("Acme (Nasdaq: ACME) Opens an Office", "no_catalyst", "ACME"),
        ("Acme (Nasdaq: ACME) Names New CFO", "low_score", "ACME"),
    ],
)
def test_a_drop_goes_to_the_tracker(tmp_path: Path, title: str, reason: str, ticker: str) -> None:
    """A story that ends here is told once, with its reason, and stored under its ticker."""
    with bench(tmp_path) as one:
        (dropped,) = one.send(story(title))
        assert isinstance(dropped, ItemDropped)
        assert (dropped.stage, dropped.reason, dropped.ticker, dropped.fate) == (
            "classifier",
            reason,
            ticker,
            "dropped",
        )
        assert dropped.dropped_ms == one.clock.now_ms()
        assert one.rows("SELECT ticker, decision, reason FROM decisions") == [(ticker, "drop", reason)]
        assert dropped.kinds == (("management_change",) if reason == "low_score" else dropped.kinds)


def test_foreign_line_of_an_alert(tmp_path: Path) -> None:
    """An alert's foreign listing is stored with its own reason and sent nowhere."""
    with bench(tmp_path) as one:
        assert len(one.send(story("Acme (Nasdaq: ACME; TSX: ACM) Wins Contract Award"))) == 1
        assert one.rows("SELECT ticker, decision, reason FROM decisions ORDER BY ticker") == [
            ("ACM", "drop", "foreign_listing"),
            ("ACME", "alert", None),
        ]


def test_lists_are_taken_up_when_replaced(tmp_path: Path) -> None:
    """A new company list or watch list counts from the next look on; a broken one leaves the old in force."""
    with bench(tmp_path) as one:
        assert isinstance(one.send(story("Dcme Announces Reverse Stock Split", "a"))[0], ItemDropped)
        replace(
            tmp_path / "companies.json",
            json.dumps({**LIST, "2": {"cik_str": 3, "ticker": "DCME", "title": "Dcme Inc"}}),
        )
        replace(tmp_path / "watchlist.csv", "Ticker\nDCME\n")
        one.tick("refresh")
        (scored,) = one.send(story("Dcme Announces Reverse Stock Split", "b"))
        assert isinstance(scored, CatalystScored)
        assert scored.ticker == "DCME"
        assert scored.watched
        replace(tmp_path / "companies.json", "<html>")
        one.tick("refresh")
        assert isinstance(one.send(story("Dcme Announces Reverse Stock Split", "c"))[0], CatalystScored)


def test_reload_takes_new_rules_and_gate(tmp_path: Path) -> None:
    """A reload applies another gate and another table; a wrong table leaves the old one in force."""
    own = tmp_path / "rules.toml"
    own.write_text(OWN_RULES)
    title = "Acme (Nasdaq: ACME) Opens an Office"
    with bench(tmp_path) as one:
        assert isinstance(one.send(story(title, "a"))[0], ItemDropped)
        one.actor.settings = one.settings.but(rules=own)
        one.actor.on_reload()
        assert isinstance(one.send(story(title, "b"))[0], CatalystScored)
        right = own.read_text()
        own.write_text("[[kind]]\n")
        with pytest.raises(ConfigError):
            one.actor.on_reload()
        assert isinstance(one.send(story(title, "c"))[0], CatalystScored)
        own.write_text(right)
        one.actor.settings = one.settings.but(rules=own, min_score=0.9)
        one.actor.on_reload()
        (dropped,) = one.send(story(title, "d"))
        assert isinstance(dropped, ItemDropped)
        assert dropped.reason == "low_score"
        versions = one.rows("SELECT count(DISTINCT rules) FROM decisions")
        assert versions == [(2,)]


def test_wrong_files_at_the_start(tmp_path: Path) -> None:
    """A wrong file that the user named stops the start; a broken copy in the home does not."""
    broken = tmp_path / "broken"
    broken.write_text("<html>")
    for name in ("companies", "rules"):
        with pytest.raises(ConfigError):
            Bench(Classifier, tmp_path / name, **{name: broken})
    (tmp_path / "companies.json").write_text("<html>")
    with Bench(Classifier, tmp_path) as one:
        assert isinstance(one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11"))[0], CatalystScored)


def test_explain_answers_newest_first(tmp_path: Path) -> None:
    """What was decided about a ticker since a moment, with reasons."""
    clock = FakeClock()
    with bench(tmp_path, clock=clock) as one:
        one.send(story("Acme (Nasdaq: ACME) Names New CFO", "a"))
        clock.advance(60)
        since_ms = clock.now_ms()
        one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11", "b"))
        all_rows = one.verb("explain", ticker="ACME")["decisions"]
        assert [(row["item_id"], row["decision"], row["reason"]) for row in all_rows] == [
            ("b", "alert", None),
            ("a", "drop", "low_score"),
        ]
        assert all_rows[0]["kinds"] == ["bankruptcy"]
        assert [row["item_id"] for row in one.verb("explain", ticker="ACME", since_ms=since_ms)["decisions"]] == ["b"]
        assert one.verb("explain", ticker="ZZZ") == {"decisions": []}


def test_old_decisions_are_forgotten(tmp_path: Path) -> None:
    """Rows older than 30 days go, younger ones stay, also over a kill."""
    clock = FakeClock()
    with bench(tmp_path, clock=clock) as one:
        one.send(story("Acme (Nasdaq: ACME) Names New CFO", "old"))
        clock.advance(2 * 86_400)
        one.send(story("Acme (Nasdaq: ACME) Names New CFO", "young"))
        clock.advance(29 * 86_400)
        one.restart()
        one.tick("prune")
        assert one.rows("SELECT item_id FROM decisions") == [("young",)]


def test_a_resend_changes_nothing(tmp_path: Path) -> None:
    """The same story a second time is neither judged nor sent again."""
    with bench(tmp_path) as one:
        assert len(one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11"))) == 1
        assert one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11")) == []
        assert one.rows("SELECT count(*) FROM decisions") == [(1,)]


def test_any_story_becomes_valid_messages(tmp_path: Path) -> None:
    """Odd titles, long texts and odd tags give messages that pass their own validation."""
    with bench(tmp_path) as one:
        odd = [
            "\u0000(Nasdaq: ACME) Wins Contract Award",
            "Acme (Nasdaq: ACME) Wins Contract Award " + "x" * 1_900,
            "İ" * 500,
            "",
        ]
        for number, title in enumerate(odd):
            assert (
                len(
                    one.send(
                        story(
                            title,
                            str(number),
                            summary="public offering " * 5_000,
                            symbols=("NYSE:" + "A" * 100, ":", ""),
                        )
                    )
                )
                == 1
            )


def test_a_filing_goes_the_same_way(tmp_path: Path) -> None:
    """A filing is scored by form and items, sent with its form, title and summary, and stored like a story."""
    with bench(tmp_path) as one:
        (scored,) = one.send(filing("8-K", "1.03"))
        assert isinstance(scored, CatalystScored)
        assert (scored.ticker, scored.form, scored.title, scored.summary) == (
            "ACME",
            "8-K",
            "8-K: Acme",
            "What it says.",
        )
        assert (scored.company, scored.direction, scored.link) == (
            "Acme Therapeutics, Inc.",
            "down",
            "https://www.sec.gov/1",
        )
        assert [kind.kind for kind in scored.kinds] == ["bankruptcy"]
        assert one.rows("SELECT item_id, ticker, decision FROM decisions") == [("0001-25-1", "ACME", "alert")]
        (story_scored,) = one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11"))
        assert isinstance(story_scored, CatalystScored)
        assert story_scored.form == ""


@pytest.mark.parametrize(
    ("form", "items", "cik", "reason", "ticker"),
    [
        ("8-K", ("5.02",), "0000000001", "no_catalyst", "ACME"),
        ("8-K", ("1.01",), "0000000001", "low_score", "ACME"),
        ("FWP", (), "", "no_ticker", ""),
    ],
)
def test_a_dropped_filing(
    tmp_path: Path, form: str, items: tuple[str, ...], cik: str, reason: str, ticker: str
) -> None:
    """A routine filing ends here with its reason."""
    with bench(tmp_path) as one:
        (dropped,) = one.send(filing(form, *items, cik=cik, ticker=""))
        assert isinstance(dropped, ItemDropped)
        assert (dropped.reason, dropped.ticker, dropped.stage) == (reason, ticker, "classifier")


def test_explain_by_item(tmp_path: Path) -> None:
    """Items are explained by their ids, with what caused the decision where it is asked for."""
    with bench(tmp_path) as one:
        one.send(filing("8-K", "1.03"))
        one.send(story("Nobody Wins Contract Award", "b"))
        first, second = one.verb("explain", ids=["0001-25-1", "b", "c"])["decisions"]
        assert {first["item_id"], second["item_id"]} == {"0001-25-1", "b"}
        assert first["evidence"] is None
        (row,) = one.verb("explain", ids=["0001-25-1"], ticker="ACME", evidence=True)["decisions"]
        assert row["evidence"]["kinds"] == [
            ["bankruptcy", "Item 1.03", [["items.0", 0, 4, "1.03"]]]]
        one.store.db.execute("UPDATE decisions SET evidence = ? WHERE item_id = 'b'", (json.dumps({
            "tickers": [{"ticker": "X", "evidence": "X"}], "kinds": [["k", "p"]], "parts": [["lead", 0.5, "c"]]}),))
        (old,) = one.verb("explain", ids=["b"], evidence=True)["decisions"]  # of a version that stored no places
        assert unpacked(old["evidence"]) == {"tickers": [{"ticker": "X", "evidence": "X", "words": []}],
                                             "kinds": [["k", "p", []]], "parts": [["lead", 0.5, "c", []]]}
        assert row["evidence"]["tickers"][0]["evidence"] == "ACME THERAPEUTICS, INC. (0000000001)"
        assert (row["role"], row["direction"], row["ticker"]) == ("primary", "down", "ACME")
        assert one.verb("explain", ids=["b"], ticker="ACME") == {"decisions": []}
        for wrong in ({}, {"ids": "b"}, {"ticker": "ACME", "since_ms": "x"}, {"ticker": 5}):
            with pytest.raises(UsageError):
                one.actor.verb_explain(wrong, one.store.db)  # type: ignore[attr-defined]


def test_company_of_a_ticker(tmp_path: Path) -> None:
    """The list in force is asked by ticker: the company, else tickers written alike; without a list nothing."""
    with bench(tmp_path) as one:
        assert one.verb("company", ticker="ACME") == {
            "listed": 2,
            "company": {"cik": 1, "ticker": "ACME", "title": "Acme Therapeutics, Inc."},
            "near": [],
        }
        assert one.verb("company", ticker="ACNE") == {"listed": 2, "company": None, "near": ["ACME", "BCME"]}
    with Bench(Classifier, tmp_path / "empty") as one:
        assert one.verb("company", ticker="ACME") == {"listed": 0, "company": None, "near": []}


def test_gates_by_reload(tmp_path: Path) -> None:
    """Each gate has its reason; a reload takes changed ones over, one for a kind that no rule makes changes nothing."""
    with bench(tmp_path) as one:
        title = "Acme (Nasdaq: ACME) Announces Partnership with a Big Firm"
        assert isinstance(one.send(story(title, "a"))[0], CatalystScored)
        for number, (changes, reason) in enumerate((
                ({"min_sent_abs": 1.0}, "sent_gate"), ({"categories_allow": ("offering", "fda")}, "category_gate"),
                ({"min_score": 0.99}, "low_score"))):
            one.actor.settings = one.settings.but(**changes)
            one.actor.on_reload()
            (dropped,) = one.send(story(title, str(number)))
            assert isinstance(dropped, ItemDropped)
            assert dropped.reason == reason
            assert one.rows("SELECT reason FROM decisions WHERE item_id = ?", str(number)) == [(reason,)]
        one.actor.settings = one.settings.but(categories_allow=("ofering",))
        with pytest.raises(ConfigError, match="'ofering', did you mean offering"):
            one.actor.on_reload()
        (dropped,) = one.send(story(title, "still"))
        assert isinstance(dropped, ItemDropped)
        assert dropped.reason == "low_score"
    with pytest.raises(ConfigError, match="CATEGORIES_ALLOW"):
        bench(tmp_path / "other", categories_allow=("nothing",))


def test_lists_are_taken_up_when_told(tmp_path: Path) -> None:
    """Who changed a list tells the classifier, which does not wait for its timer then; a watched ticker is marked."""
    with bench(tmp_path) as one:
        assert one.verb("lists") == {"watched": 0}
        (tmp_path / "watchlist.csv").write_text("ticker,added,note\nACME,,\n")
        assert one.verb("lists") == {"watched": 1}
        (scored,) = one.send(story("Acme (Nasdaq: ACME) Files for Chapter 11"))
        assert isinstance(scored, CatalystScored)
        assert scored.watched


def test_sizes_by_the_market_values_in_force(tmp_path: Path) -> None:
    """A contract is measured by the newest value known; changed files count from the next look on, old values never."""
    clock = FakeClock()
    title = "Acme (Nasdaq: ACME) Wins $12 Million Navy Contract"
    head = "ticker,added,note,market_value_usd,market_value_date"
    today = (iso(clock.now_ms()) or "")[:10]

    def scored(one: Bench, item_id: str) -> CatalystScored:
        (message,) = one.send(story(title, item_id))
        assert isinstance(message, CatalystScored)
        return message

    with bench(tmp_path, clock=clock) as one:
        plain = scored(one, "a")
        replace(tmp_path / "watchlist.csv", f"{head}\nACME,,,20000000,{today}\n")
        one.tick("refresh")
        large = scored(one, "b")
        assert "$12 Million, 60 % of its market value" in large.why
        assert (plain.kinds[0].weight, large.kinds[0].weight) == (0.6, 0.84)
        (row,) = one.verb("explain", ids=["b"], evidence=True)["decisions"]
        (part,) = [part for part in unpacked(row["evidence"])["parts"] if part[0] == "size"]
        assert part == ["size", 0.24, "$12 Million, 60 % of its market value",
                        [{"text": "$12 Million", "field": "title", "start": 25, "end": 36}]]
        export = tmp_path / "finviz.csv"
        export.write_text("No.,Ticker,Company,Market Cap\n1,ACME,Acme,2400\n2,BCME,Bcme,1\n")
        os.utime(export, (clock.now_ms() / 1000,) * 2)
        one.actor.settings = one.settings.but(market_values=export)
        one.actor.on_reload()
        small = scored(one, "c")
        assert "0.5 % of its market value" in small.why
        assert small.watched
        assert one.verb("lists") == {"watched": 1}
        clock.advance(92 * 86_400)
        old = scored(one, "d")
        assert (old.why, old.score, old.kinds) == (plain.why, plain.score, plain.kinds)
        one.actor.settings = one.settings.but(market_values=tmp_path / "absent.csv")
        one.actor.on_reload()
        assert scored(one, "e").score == plain.score
    with pytest.raises(ConfigError, match="market values"):
        bench(tmp_path / "other", market_values=tmp_path / "absent.csv")
