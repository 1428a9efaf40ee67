"""The filings of a generated day: who files what and when, the truth about it, and the files that tell the world of it.

Drawn from a random source of their own, so that the wires of a seed stay what they are. One filing is one item however
many parties it has; a press release in an 8-K and the wire's story of the same event are two items.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from catalyst.clock import iso
from catalyst.world.archive import Filing, write_filing
from catalyst.world.companies import Company
from catalyst.world.day import FeedFile
from catalyst.world.edgar import is_listed
from catalyst.world.edgar_pages import eastern, list_document
from catalyst.world.facts import Facts
from catalyst.world.filing_owners import Owners
from catalyst.world.filing_reports import Draft, Reports, draw_event
from catalyst.world.filing_sales import Sales

FOLDER = "filings"
LIST_FILE = "feeds/edgar.atom"
LISTS = {"sec_8k": "8-K", "sec_6k": "6-K", "sec_424b5": "424B5", "sec_424b2": "424B2", "sec_s1": "S-1",
         "sec_fwp": "FWP", "sec_13d": "SCHEDULE 13D", "sec_13g": "SCHEDULE 13G", "sec_form4": "4"}
TRUST = 0.9
AGENTS = 6  # filer agents: their number leads an accession
FIRST_AGENT = 9_990_001
DISTINCT_TRIES = 60
FEW_DEAR = 3  # how often a company over the ceiling is drawn again, so that most sales are under it


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing and the draft that knows the truth about it."""

    filing: Filing
    draft: Draft


class Registrar:
    """Draws the filings of one day and gives them their numbers."""

    def __init__(self, seed: int, companies: Sequence[Company], starts_ms: int, duration_s: float,
                 burst_s: float | None):
        self._random = Random(f"{seed} filings")  # noqa: S311 - a reproducible day, not a secret
        facts = Facts(self._random)
        day = eastern(starts_ms).date()
        self._reports = Reports(self._random, facts, day)
        self._sales = Sales(self._random, day)
        self._owners = Owners(self._random, facts, day)
        self._companies = companies
        self._starts_ms = starts_ms
        self._last_s = max(0, int(duration_s) - 1)
        self._burst_s = burst_s
        self._day = day
        self._told: set[tuple[str, str]] = set()

    def draw(self, count: int) -> list[Filed]:
        """`count` filings in the order in which EDGAR accepts them."""
        drafts = [self._distinct() for _ in range(count)]
        moments = sorted(self._moment_ms() for _ in range(count))
        numbers = [self._random.randint(100, 60_000) for _ in range(AGENTS)]
        filed = []
        for moment_ms, draft in zip(moments, drafts, strict=True):
            agent = self._random.randrange(AGENTS)
            numbers[agent] += self._random.randint(1, 4)
            accession = f"{FIRST_AGENT + 7 * agent:010}-{self._day:%y}-{numbers[agent]:06}"
            period = str(self._day) if draft.form in ("8-K", "6-K", "4") else ""
            filed.append(Filed(Filing(accession, draft.form, moment_ms, draft.parties, draft.papers, draft.item_titles,
                                      period, draft.ixbrl), draft))
        return filed

    def _moment_ms(self) -> int:
        offset_s = int(self._burst_s) if self._burst_s is not None else self._random.randint(0, self._last_s)
        return self._starts_ms + offset_s * 1000

    def _distinct(self) -> Draft:
        """A draft whose company has not told this kind of news yet; where all have, any."""
        for _ in range(DISTINCT_TRIES):
            draft = self._draft()
            company, kind = draft.company, draft.kind
            key = (company.ticker if company else "", (kind or "").split("_")[0])
            if company is None or kind is None or key not in self._told:
                self._told.add(key)
                break
        if draft.company is not None and draft.company.is_dear and draft.fate == "alerted":
            draft = replace(draft, fate="dropped", reason="price_ceiling")
        return draft

    def _draft(self) -> Draft:
        company = self._company()
        makers: tuple[tuple[int, Callable[[], Draft]], ...] = (
            (18, lambda: self._reports.event(self._cheap(), draw_event(self._random))),
            (17, lambda: self._reports.release(company)),
            (5, lambda: self._reports.release(company, "6-K")),
            (13, lambda: self._sales.supplement(self._cheap())),
            (3, lambda: self._sales.registration(self._cheap(), amended=False)),
            (2, lambda: self._sales.registration(self._cheap(), amended=True)),
            (5, lambda: self._sales.structured_note("FWP")),
            (4, lambda: self._sales.structured_note("424B2")),
            (2, lambda: self._sales.term_sheet(company)),
            (4, lambda: self._owners.stake(company, active=True)),
            (3, lambda: self._owners.stake(company, active=False)),
            (16, lambda: self._owners.insider(company)),
            (8, self._owners.unread),
        )
        make = self._random.choices([make for _, make in makers], [weight for weight, _ in makers])[0]
        return make()

    def _company(self) -> Company:
        return self._random.choice(self._companies)

    def _cheap(self) -> Company:
        """Mostly a company under the ceiling; now and then a dear one, whose news stay below the line."""
        company = self._company()
        for _ in range(FEW_DEAR):
            if not company.is_dear:
                break
            company = self._company()
        return company


def list_feeds(folder: Path, every_s: float) -> tuple[FeedFile, ...]:
    """The day's lists of latest filings: one document, a feed a form."""
    return tuple(FeedFile(name, folder / LIST_FILE, "edgar", TRUST, every_s, form=form)
                 for name, form in LISTS.items())


def write_filings(folder: Path, filed: Sequence[Filed]) -> None:
    """Write the list and the documents of all filings below the day's folder."""
    (folder / LIST_FILE).write_bytes(list_document([entry.filing for entry in filed]))
    for entry in filed:
        write_filing(folder / FOLDER, entry.filing)


def truth_lines(filed: Sequence[Filed]) -> str:
    """A line a filing: a story's fields and `id`, `form`, `items`, `offering`, `listed` (a list is asked for it)."""
    return "".join(json.dumps(_truth(entry), ensure_ascii=False) + "\n" for entry in filed)


def _truth(entry: Filed) -> dict[str, Any]:
    filing, draft = entry.filing, entry.draft
    name = next((name for name, form in LISTS.items() if is_listed(filing.form, [form])), None)
    return {"id": filing.accession, "link": filing.link(), "source": name,
            "title": f"{filing.form} - {filing.main.name}", "what": "filing", "form": filing.form,
            "items": list(draft.items), "kind": draft.kind, "ticker": draft.company.ticker if draft.company else None,
            "direction": draft.direction, "offering": draft.offering, "headline": draft.headline or None,
            "duplicate_of": None, "fate": draft.fate, "reason": draft.reason, "odd": None, "listed": name is not None,
            "published": iso(filing.moment_ms)}


def reactions(filed: Sequence[Filed]) -> list[tuple[str, int, str]]:
    """Ticker, moment and direction of what moves a price."""
    return [(entry.draft.company.ticker, entry.filing.moment_ms, entry.draft.direction) for entry in filed
            if entry.draft.company is not None and entry.draft.kind is not None]
