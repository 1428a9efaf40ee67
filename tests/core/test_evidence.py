"""Evidence of decisions: literally the story's own words, at the place that is named, the same each time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalyst.clients.files import load_sentiment
from catalyst.core import rules as rules_module
from catalyst.core.classify import Decision, Story, classify, evidence_of
from catalyst.core.classify_filing import classify_filing
from catalyst.core.companies import Companies
from catalyst.core.evidence import Words, field_text, locate, unpacked
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.messages import Amount, FilingRead, Offering

MODEL = load_sentiment()
RULES = Rules.from_toml((Path(rules_module.__file__).parent / "rules.toml").read_text(encoding="utf-8"))
LIST = Companies.from_json(json.dumps({
    "0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Therapeutics, Inc."},
    "1": {"cik_str": 2, "ticker": "BCME", "title": "Bcme Corp"},
    "2": {"cik_str": 3, "ticker": "BRK-B", "title": "Berkshire Hathaway Inc"}}))
GATES = Gates(0.2, 0.05, ("offering", "fda", "bankruptcy"))

# What real stories are made of, so that most generated ones have tickers, kinds and tones; odd letters between them.
PIECES = st.sampled_from((
    "Acme Therapeutics, Inc.", "(Nasdaq: ACME)", "(NYSE American: BCME)", "(“NASDAQ”: “ACME”)", "$ACME", "(TSX: ABC)",
    "NYSE: BRK.B", "Nasdaq\u00a0:\u2009ACME", "Announces", "Pricing of\u2003Public  Offering", "Public–Offering",
    "Receives FDA Approval", "İstanbul", "ﬁnancial", "Files for Chapter 11", "did not meet its primary endpoint",
    "Wins Contract Award", "record revenue", "plunges", "may", "no", "class action",
    "to Present at Healthcare Conference", "ticker symbol ACME", "Bcme Corp",
    "Regains Compliance", "😀", "\u202e", "\u0301", "ß", "at-the-market", "—",
    ". ", "\n",
    "NEW YORK, Jan. 3 (GLOBE NEWSWIRE) -- ", "$12.5 million", "Reverse  Stock\tSplit"))
TEXTS = st.lists(st.one_of(PIECES, PIECES, PIECES, st.text(max_size=12)), max_size=10).map(" ".join)
TAGS = st.lists(st.one_of(st.sampled_from(("Nasdaq:ACME", "ACME", "NYSE: BCME", "TSX:ABC", " OTC : XYZ ",
                                           "nyse:brk/b")), st.text(max_size=20)), max_size=4).map(tuple)
STORIES = st.builds(Story, st.just("x"), TEXTS, TEXTS, st.text(max_size=5), TAGS, st.floats(0, 1))
AMOUNTS = st.none() | st.builds(Amount, st.floats(0, 1e9), TEXTS)
FILINGS = st.builds(
    FilingRead, item_id=st.just("0001-25-1"), source=st.text(max_size=5), trust=st.floats(0, 1),
    form=st.sampled_from(("8-K", "8-K/A", "424B5", "S-3", "SC 13D", "6-K", "10-Q", "4", "FWP", "NT 10-K")),
    amendment=st.booleans(), cik=st.sampled_from(("", "0000000001", "0000000009")),
    ticker=st.sampled_from(("", "ACME")), company=st.sampled_from(("", "ACME\nINC", "Bank 🏦")), title=TEXTS,
    link=st.just(""), headline=TEXTS, text=TEXTS, summary=TEXTS, sentiment=st.floats(-1, 1),
    items=st.lists(st.sampled_from(("1.01", "1.03", "2.02", "3.01", "8.01", "9.01")), max_size=3).map(tuple),
    offering=st.none() | st.builds(Offering, st.sampled_from(("announcement", "pricing", "closing")),
                                   st.sampled_from(("public", "atm", "notes")), AMOUNTS, AMOUNTS, AMOUNTS),
    unread=st.sampled_from(("", "not_fetched")), published_ms=st.none(), seen_ms=st.just(0))


def judge(item: Story | FilingRead) -> Decision:
    """The decision, by gates that stop some of what the score lets through."""
    watched = frozenset({"ACME"})
    if isinstance(item, Story):
        decision = classify(item, RULES, LIST, model=MODEL, gates=GATES, watched=watched, now_ms=7)
    else:
        decision = classify_filing(item, RULES, LIST, gates=GATES, watched=watched, now_ms=7)
    return decision


def all_words(decision: Decision) -> Iterator[Words]:
    """All words of a decision; each kind, ticker and part must have some, but a part of what the item does not have."""
    for kind, words in zip(decision.kinds, decision.kind_words, strict=True):
        assert words, kind
        yield from words
    for one, words in zip(decision.tickers, decision.ticker_words, strict=True):
        assert words or one.how == "cik", one  # a filing without a filer's name and number
        yield from words
    for part in decision.parts:
        assert words_wanted(part.name) <= len(part.words), part
        yield from part.words


def words_wanted(part: str) -> int:
    """How many words a part has at least: the source may be without a name, and an amount without its sentence."""
    return 0 if part in ("trust", "stated", "tone") else 1


def holds(item: Story | FilingRead) -> None:
    """The same of any item by the gates of this file."""
    holds_by(item, lambda: judge(item))


def holds_by(item: Story | FilingRead, judged: Callable[[], Decision]) -> None:
    """No raise, the same bytes each time, every piece of evidence literal and in its place."""
    decision = judged()
    stored = json.dumps(evidence_of(decision), ensure_ascii=False)
    again = judged()
    assert msgspec.json.encode(decision) == msgspec.json.encode(again)
    assert json.dumps(evidence_of(again), ensure_ascii=False) == stored
    shown = unpacked(json.loads(stored))
    for rows, meant in (([row[2] for row in shown["kinds"]], decision.kind_words),
                        ([row[3] for row in shown["parts"]], [part.words for part in decision.parts]),
                        ([row["words"] for row in shown["tickers"]], decision.ticker_words)):
        assert [tuple(Words(**one) for one in row) for row in rows] == list(meant)
    for words in all_words(decision):
        text = field_text(item, words.field)
        assert text[words.start:words.end] == words.text, words
        assert words.text
        assert 0 <= words.start < words.end <= len(text)
    for kind, words_of in zip(decision.kinds, decision.kind_words, strict=True):
        if isinstance(item, Story):
            assert kind.phrase == words_of[0].text[:2_000]
            assert kind.phrase in item.title or kind.phrase in item.summary


QUICK = settings(max_examples=300, suppress_health_check=list(HealthCheck))
LONG = settings(max_examples=10_000, suppress_health_check=list(HealthCheck))


@QUICK
@given(STORIES)
def test_any_story(story: Story) -> None:
    """Any text with any publisher's tags is judged, twice alike to the byte, with evidence that is literally there."""
    holds(story)


@QUICK
@given(FILINGS)
def test_any_filing(filing: FilingRead) -> None:
    """The same of any filing: the words stand in its headline, texts, items, form, or in what was read of the sale."""
    holds(filing)


@pytest.mark.long
@LONG
@given(st.one_of(STORIES, FILINGS, st.builds(Story, st.just("x"), st.text(), st.text(), st.text(),
                                             st.lists(st.text()).map(tuple))))
def test_any_item_long(item: Story | FilingRead) -> None:
    """The same with many more items, and texts of any letters."""
    holds(item)


def test_places_are_counted_in_characters() -> None:
    """A smiley, an accent or a wide blank is one character; the words are those of the story, blanks and all."""
    story = Story("x", "😀 Acmé (Nasdaq: ACME) Prices  Public\u2003Offering", "", "wire")
    decision = judge(story)
    assert decision.ticker_words == ((Words("Nasdaq: ACME", "title", 8, 20),),)
    assert decision.kind_words[0] == (Words("Prices  Public\u2003Offering", "title", 22, 45),)
    assert decision.kinds[0].phrase == "Prices  Public\u2003Offering"


def test_the_hit_that_counted_is_shown() -> None:
    """Of two places of the same words the one that counted is named, not the negated one before it."""
    rules = Rules.from_toml('[[kind]]\nname = "prize"\ndirection = "up"\nweight = 0.5\nphrases = ["wins prize"]\n')
    title = "Nobody   no wins prize here, but Acme (Nasdaq: ACME) wins prize"
    for story in (Story("x", title), Story("x", "Acme (Nasdaq: ACME) \u2009 Update", title)):
        decision = classify(story, rules, LIST, model=MODEL, gates=Gates(0.2), now_ms=0)
        assert decision.kind_words[0][0].start == title.rindex("wins prize")


def test_parts_of_a_score_name_their_words() -> None:
    """The lead has its phrase, further kinds theirs, the tone what sounds so, trust the source."""
    story = Story("x", "Acme (Nasdaq: ACME) Wins Contract Award and Forms Partnership with Bcme", "", "wire", trust=0.5)
    parts = {part.name: [(one.field, one.text) for one in part.words] for part in judge(story).parts}
    assert parts["lead"] == [("title", "Wins Contract")]
    assert [field for field, _ in parts["further"]] == ["title"]
    assert parts["tone"]
    assert all(field in ("title", "summary") and text for field, text in parts["tone"])
    assert parts["trust"] == [("source", "wire")]


def test_publishers_tag_is_evidence() -> None:
    """A ticker of the publisher's tags is found there."""
    decision = judge(Story("x", "Somebody Announces Reverse Stock Split", "", "wire", ("x", "NYSE: WXYZ")))
    assert decision.ticker_words == ((Words("NYSE: WXYZ", "symbols.1", 0, 10),),)


@pytest.mark.parametrize(("words", "fields", "near", "found"), [
    ("ACM", [("title", "ACMED and ACM")], 0, ("title", 10)),
    ("ACM", [("title", "ACMED")], 0, ("title", 0)),
    ("ACM", [("title", "none"), ("summary", "an ACM")], 0, ("summary", 3)),
    ("x", [("title", "x x x")], 2, ("title", 2)),
    ("x", [("title", "x")], 5, ("title", 0)),
    ("$A", [("title", "$AB $A")], 0, ("title", 4)),
    ("no", [("title", "yes")], 0, None), ("", [("title", "yes")], 0, None)])
def test_locate(words: str, fields: list[tuple[str, str]], near: int, found: tuple[str, int] | None) -> None:
    """Words are found whole first, in the first field that has them, behind the hint if they stand there."""
    assert [(one.field, one.start) for one in locate(words, fields, near)] == ([] if found is None else [found])
