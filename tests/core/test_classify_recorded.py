"""The classifier on recorded news."""

from __future__ import annotations

import csv
import json
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from catalyst.clients.files import load_sentiment
from catalyst.core import rules as rules_module
from catalyst.core.classify import Decision, Story, classify
from catalyst.core.companies import Companies
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
RELEASES = DATA / "news/globenewswire_biotech_releases_2020-2024.csv"
EVENTS = DATA / "news/catalyst_bot_events_2025-08.jsonl"
LIST = DATA / "reference/company_tickers.json"
pytestmark = pytest.mark.skipif(not RELEASES.is_file(), reason="the recorded data is not here")
RENAMED = {"TALS": "TRML"}  # the label is the ticker before the merger, the releases write the one after it


@cache
def tools() -> tuple[Rules, Companies]:
    bundled = Path(rules_module.__file__).parent / "rules.toml"
    return Rules.from_toml(bundled.read_text(encoding="utf-8")), Companies.from_json(LIST.read_bytes())


def decide(story: Story) -> Decision:
    rules, companies = tools()
    return classify(story, rules, companies, model=load_sentiment(), gates=Gates(0.2), now_ms=0)


@cache
def releases() -> tuple[tuple[dict[str, str], Decision], ...]:
    with RELEASES.open(encoding="utf-8", newline="") as file:
        return tuple(
            (row, decide(Story(row["news_id"], row["title"], row["publisher_summary"]))) for row in csv.DictReader(file)
        )


def label(row: dict[str, str]) -> str:
    ticker = row["ticker"].partition(".")[0]
    return RENAMED.get(ticker, ticker)


def test_the_written_ticker_is_found() -> None:
    """Of the releases that write a ticker with its exchange, 97 % have the labelled one among those found."""
    written = [
        (row, decision) for row, decision in releases() if any(one.how == "exchange" for one in decision.tickers)
    ]
    misses = [
        (row["title"], label(row), [one.ticker for one in decision.tickers])
        for row, decision in written
        if label(row) not in [one.ticker for one in decision.tickers]
    ]
    print(len(written), "written", len(misses), "missed", *misses, sep="\n")
    assert len(written) > 500
    assert len(misses) <= 0.03 * len(written)


def test_the_primary_ticker_is_right() -> None:
    """Of the releases about US-listed companies, 97 % of the primary tickers are the labelled one."""
    _, companies = tools()
    named = [
        (row, decision.traded[0].ticker) for row, decision in releases() if decision.traded and label(row) in companies
    ]
    wrong = [(row["title"], label(row), ticker) for row, ticker in named if ticker != label(row)]
    print(len(named), "with a primary ticker", len(wrong), "wrong", *wrong, sep="\n")
    assert len(named) > 600
    assert len(wrong) <= 0.03 * len(named)


def test_alert_rates_by_class() -> None:
    """Sales of shares and mergers pass, conference notices, awards and meetings do not."""
    rates: dict[str, Counter[str]] = {}
    for row, _ in releases():
        decision = decide(Story(row["news_id"], row["title"], row["publisher_summary"], "", (f"Nasdaq:{label(row)}",)))
        rates.setdefault(row["event"], Counter())[decision.decision] += 1
    share = {event: counts["alert"] / counts.total() for event, counts in rates.items()}
    print(*sorted(share.items()), sep="\n")
    assert all(
        share[event] > 0.8 for event in ("shares_issue", "mergers_acquisitions", "licensing_agreements", "patents")
    )
    assert all(
        share[event] < 0.05
        for event in (
            "conference_call_webinar",
            "trade_show",
            "contests_awards",
            "annual_general_meeting",
            "voting_rights",
        )
    )


def test_sales_of_securities_have_an_offering_kind() -> None:
    """Each release labelled as an issue of shares, but for grants to staff, has a kind that begins with offering."""
    for row, decision in releases():
        if row["event"] == "shares_issue" and not decision.reason.startswith("noise"):
            assert any(kind.kind.startswith("offering") for kind in decision.kinds), row["title"]


def test_no_law_firm_gets_through() -> None:
    """No solicitation of a law firm among the recorded events becomes an alert; each is named as what it is."""
    firms = 0
    for line in EVENTS.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        title = event.get("title") or ""
        if any(word in title for word in ("Law Firm", "LLP", "Class Action", "Lead Plaintiff")):
            firms += 1
            ticker = title.rsplit("- ", 1)[-1]
            decision = decide(Story(event["id"], title, "", "", (f"NYSE:{ticker}",)))
            assert decision.reason == "noise:law_firm", title
    assert firms > 15
