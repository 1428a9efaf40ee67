"""Failures that the system before this one had in production, of those that classification can bring about: each has a
test under its number in the list of them, or under its name. Those about tickers stand with the tickers.
"""

from __future__ import annotations

import json
import math

import msgspec
import pytest

from catalyst.core.classify import Decision, Story, classify
from catalyst.core.classify_filing import classify_filing
from catalyst.core.companies import Companies
from catalyst.core.feeds import Entry
from catalyst.core.gate import price_gate
from catalyst.core.intake import announcement, items_of
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.core.sources import Source
from catalyst.errors import MessageError
from catalyst.messages import AlertReady, FilingRead, StoryFound
from catalyst.packing import pack, unpack
from catalyst.testing import same
from tests.alerting import ALERT
from tests.core.test_evidence import LIST, MODEL, RULES


def decide(title: str, summary: str = "", *, min_score: float = 0.2, trust: float = 1.0) -> Decision:
    return classify(Story("x", title, summary, "wire", trust=trust), RULES, LIST, model=MODEL,
                    gates=Gates(min_score), now_ms=0)


def filing(form: str, *items: str, cik: str = "0000000001", **fields: object) -> FilingRead:
    return FilingRead(**{
        "item_id": "0001-25-1", "source": "sec_8k", "trust": 1.0, "form": form, "amendment": False, "cik": cik,
        "company": "ACME THERAPEUTICS, INC.", "title": f"{form} - ACME THERAPEUTICS, INC. ({cik}) (Filer)", "link": "",
        "items": items, "published_ms": None, "seen_ms": 0, **fields})  # type: ignore[arg-type]


def test_failure_4_filings_are_resolved_before_anything_is_dropped() -> None:
    """142 filings whose titles carry no ticker have one by their CIK; only a filer that is not listed has none."""
    rows = {str(cik): {"cik_str": cik, "ticker": f"T{chr(65 + cik // 26)}{chr(65 + cik % 26)}X", "title": f"Firm {cik}"}
            for cik in range(1, 142)}
    listed = Companies.from_json(json.dumps(rows))
    decisions = [classify_filing(filing("8-K", "8.01", cik=f"{cik:010}"), RULES, listed, gates=Gates(0.2), now_ms=0)
                 for cik in range(1, 143)]
    assert [one.reason == "no_ticker" for one in decisions] == [False] * 141 + [True]
    assert all(one.tickers[0].ticker == rows[str(cik)]["ticker"] for cik, one in enumerate(decisions[:-1], 1))


def test_failure_13_a_price_that_is_no_number_is_no_price() -> None:
    """NaN passes no message as a price; without a price an alert says so, and is not one of NaN dollars."""
    assert price_gate(None, ceiling_usd=10, floor_usd=0.1, watched=False) is None
    body = pack(same(ALERT, price_usd=math.nan))
    with pytest.raises(MessageError):
        unpack("AlertReady", AlertReady.VERSION, body, {"AlertReady": AlertReady})
    for price_usd in (math.inf, -1.0):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**msgspec.structs.asdict(ALERT), "price_usd": price_usd}, AlertReady)


@pytest.mark.parametrize(("title", "kind", "direction"), [
    ("Acme (Nasdaq: ACME) Announces Closing of $25 Million Registered Direct Offering", "offering_closing", "neutral"),
    ("Acme (Nasdaq: ACME) Completes $40 Million Private Placement", "offering_closing", "neutral"),
    ("Acme (Nasdaq: ACME) Announces Pricing of $300 Million Senior Unsecured Notes", "offering_debt", "neutral"),
    ("Acme (Nasdaq: ACME) Prices Offering of 5.5% Institutional Unsecured Notes due 2030", "offering_debt", "neutral"),
    ("Acme (Nasdaq: ACME) Announces Pricing of Public Offering of Common Stock", "offering_pricing", "down"),
    ("Acme (Nasdaq: ACME) Upsizes Public Offering of Common Stock", "offering_upsize", "down"),
    ("Acme (Nasdaq: ACME) Announces Proposed Public Offering of Common Stock", "offering_announcement", "down")])
def test_failure_19_offerings_point_the_right_way(title: str, kind: str, direction: str) -> None:
    """A closing and a bank's notes are not dilution; pricing, upsizing and announcing shares is."""
    one = decide(title)
    assert (one.kinds[0].kind, one.direction) == (kind, direction)


@pytest.mark.parametrize(("title", "summary"), [
    ("Acme (Nasdaq: ACME) Files Voluntary Petition Under Chapter 11", ""),
    ("Acme (Nasdaq: ACME) Provides Update", "There is substantial doubt that it can continue as a going concern."),
    ("Acme (Nasdaq: ACME) Phase 3 Trial Did Not Meet Primary Endpoint", ""),
    ("Acme (Nasdaq: ACME) Receives Complete Response Letter from FDA", ""),
    ("Acme (Nasdaq: ACME) Announces Pricing of Public Offering", "")])
def test_failure_20_strong_bad_news_is_sent(title: str, summary: str) -> None:
    """Bad news of the heaviest kinds goes out whatever the score gate is, and the score says why."""
    one = decide(title, summary, min_score=1.0)
    assert (one.decision, one.direction, one.score) == ("alert", "down", 1.0)
    assert one.parts[-1].name == "bypass" or sum(part.value for part in one.parts) >= 1


def test_failure_20_bad_words_pass_and_good_news_does_not() -> None:
    """So does a weak kind in very bad words; one that points up has to reach the gate, and so has an amendment."""
    one = decide("Acme (Nasdaq: ACME) CFO Resigns Amid Fraud Probe, Default Fears and Heavy Losses",
                 min_score=0.95)
    assert one.sentiment < -0.3
    assert (one.decision, one.parts[-1].name) == ("alert", "bypass")
    assert decide("Acme (Nasdaq: ACME) Receives FDA Fast Track Designation", min_score=1.0).reason == "low_score"
    amended = filing("8-K/A", "1.03", amendment=True)
    assert classify_filing(amended, RULES, LIST, gates=Gates(0.9), now_ms=0).reason == "low_score"


def test_failure_22_the_score_favours_no_direction_and_no_late_alert() -> None:
    """Kinds of one weight score the same up and down; nothing of what the price did before is part of a score."""
    table = "".join(f'[[kind]]\nname = "{way}_kind"\ndirection = "{way}"\nweight = 0.5\nphrases = ["{word}"]\n'
                    for way, word in (("up", "zorps"), ("down", "zarps")))
    rules = Rules.from_toml(table)
    scores = [classify(Story("x", f"Acme (Nasdaq: ACME) {word}"), rules, LIST, model=MODEL,
                       gates=Gates(0.2), now_ms=0).score
              for word in ("Zorps", "Zarps")]
    assert scores[0] == scores[1] > 0
    parts = {part.name for title in ("Acme (Nasdaq: ACME) Wins Contract Award and Announces Partnership",
                                     "Acme (Nasdaq: ACME) Files for Chapter 11") for part in decide(title).parts}
    assert parts <= {"lead", "further", "tone", "kept", "trust", "bypass"}
    assert not {"price", "volume", "rvol", "momentum"}.intersection(Story.__struct_fields__)


@pytest.mark.parametrize(("title", "reason"), [
    ("SHAREHOLDER ALERT: Pomerantz Law Firm Investigates Claims On Behalf of Investors of Acme (ACME)", "law_firm"),
    ("Rosen Law Firm Encourages Acme (Nasdaq: ACME) Investors to Secure Counsel Before Deadline", "law_firm"),
    ("Why Acme (Nasdaq: ACME) Stock Is Up Today", "retrospective"),
    ("Here's Why Acme (ACME) Shares Fell 12%", "retrospective"),
    ("Acme (Nasdaq: ACME) to Present at the Jefferies Healthcare Conference", "conference"),
    ("Acme (Nasdaq: ACME) to Participate in Upcoming Investor Conferences", "conference"),
    ("Acme (Nasdaq: ACME) to Report Second Quarter Results on August 5", "earnings_date"),
    ("What to Expect From Acme (ACME) Earnings", "earnings_preview")])
def test_failure_23_noise_is_dropped_with_its_name(title: str, reason: str) -> None:
    """Law firms, looks back, conference posts and earnings calendars are noise, each by its own reason."""
    assert decide(title).reason == f"noise:{reason}"


def test_failure_score_gate_overwritten() -> None:
    """A story of many tickers, whatever it is weighed by, leaves the gate of the next one as it was."""
    gates = Gates(0.3, 0.0, ())
    alone = decide("Acme (Nasdaq: ACME) Wins Contract Award", min_score=0.3)
    crowd = Story("y", "Acme (Nasdaq: ACME), Bcme (NYSE: BCME) and Berkshire (NYSE: BRK.B) Announce Merger Agreement")
    assert len(classify(crowd, RULES, LIST, model=MODEL, gates=gates, now_ms=0).tickers) == 3
    assert decide("Acme (Nasdaq: ACME) Wins Contract Award", min_score=0.3) == alone
    assert gates == Gates(0.3, 0.0, ())
    with pytest.raises(AttributeError):
        gates.min_score = 40  # type: ignore[misc]


def test_failure_newswire_weights_never_applied() -> None:
    """The trust of the source in the list of sources reaches the score: by the source itself, not by a host's name."""
    source = Source("wire", "https://wire.example/feed", "rss", None, 0.4, True)
    entry = Entry("1", "Acme (Nasdaq: ACME) Wins Contract Award", "https://other.example/1", "", None)
    (item,) = items_of([entry], source.name)
    story = announcement(item, source, 0)
    assert isinstance(story, StoryFound)
    assert story.trust == 0.4
    less = decide(story.title, trust=story.trust)
    (part,) = [part for part in less.parts if part.name == "trust"]
    assert part.value < 0
    assert less.score < decide(story.title).score


def test_failure_body_not_read_for_sentiment() -> None:
    """A bare title with a strongly worded body sounds like its body."""
    good = decide("Form 10-Q Filing", "Record revenue and strong profit growth beat expectations; margins improved"
                  " significantly, and the company raises its outlook.")
    bad = decide("Form 10-Q Filing", "Revenue plunged, losses widened, and it warns of default and bankruptcy.")
    assert bad.sentiment < -0.15
    assert good.sentiment > 0.15
    assert abs(decide("Form 10-Q Filing").sentiment) < 0.15
