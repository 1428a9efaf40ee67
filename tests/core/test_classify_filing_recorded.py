"""Filings as EDGAR's recorded lists show them, before a document is read."""

from __future__ import annotations

import html
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import pytest

from catalyst.core import rules as rules_module
from catalyst.core.classify import Decision
from catalyst.core.classify_filing import classify_filing
from catalyst.core.companies import Companies
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.messages import FilingRead

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
LISTS = DATA / "feeds/edgar_by_form_2025-12-12"
pytestmark = pytest.mark.skipif(not LISTS.is_dir(), reason="the recorded data is not here")
TITLE = re.compile(r"(?P<form>.+?) - (?P<company>.+) \((?P<cik>\d{10})\) \((?P<role>.+)\)")
ROUTINE = {"2.02", "2.03", "3.03", "5.02", "5.03", "5.07", "7.01", "8.01", "9.01"}


@cache
def decisions() -> tuple[tuple[FilingRead, Decision], ...]:
    """One decision a filing, about the party that is no holder."""
    rules = Rules.from_toml((Path(rules_module.__file__).parent / "rules.toml").read_text(encoding="utf-8"))
    companies = Companies.from_json((DATA / "reference/company_tickers.json").read_bytes())
    filings: dict[str, FilingRead] = {}
    for path in sorted(LISTS.glob("*.atom")):
        for entry in re.findall(r"<entry>.*?</entry>", path.read_text("iso-8859-1"), re.DOTALL):
            text = html.unescape(entry)
            title = TITLE.search(re.search(r"<title>(.*?)</title>", text)[1])
            accession = re.search(r"\d{10}-\d\d-\d{6}", text)[0]
            if title["role"] in ("Reporting", "Filed by") or accession in filings:
                continue
            filings[accession] = FilingRead(
                item_id=accession, source="sec", trust=1.0, form=title["form"], cik=title["cik"],
                amendment=title["form"].endswith("/A"), company=title["company"], title=title[0], link="l",
                items=tuple(dict.fromkeys(re.findall(r"Item (\d\.\d\d)", text))), unread="not_fetched",
                published_ms=None, seen_ms=1)
    return tuple((one, classify_filing(one, rules, companies, gates=Gates(0.2), now_ms=1)) for one in filings.values())


def test_routine_reports_are_quiet() -> None:
    """No 8-K with routine items only is alerted, and of all 8-Ks less than one in ten is."""
    reports = [(one, decision) for one, decision in decisions() if one.form.startswith("8-K")]
    assert len(reports) > 250
    routine = [decision for one, decision in reports if set(one.items) <= ROUTINE]
    assert len(routine) > 150
    assert {decision.decision for decision in routine} == {"drop"}
    assert 5 < sum(decision.decision == "alert" for _, decision in reports) < len(reports) / 10


def test_shares_of_forms() -> None:
    """Sales are alerted, terms of banks' notes and holders' routine forms are not."""
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for one, decision in decisions():
        reasons[one.form][decision.reason or "alert"] += 1
    assert reasons["424B5"]["alert"] >= 18
    assert reasons["FWP"]["noise:structured_note"] > 0.8 * reasons["FWP"].total()
    quiet = ("4", "FWP", "SCHEDULE 13G", "SCHEDULE 13D/A", "S-3", "10-Q", "6-K")
    assert [form for form in quiet if reasons[form]["alert"]] == []


def test_the_list_knows_most_filers() -> None:
    """By CIK nine of ten filers are found; what is said of the others names company and CIK."""
    unknown = [(one, decision) for one, decision in decisions() if decision.reason == "no_ticker"]
    assert len(unknown) < 0.15 * len(decisions())
    assert all(one.cik in decision.why and one.company[:20] in decision.why for one, decision in unknown)
