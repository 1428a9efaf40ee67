"""The decision about one filing of the SEC, by the same means as the one about a story.

The ticker comes from the filer's CIK, never from words. A kind comes from what was read of a sale, from the headline of
the press release, from the form and its items, or from the head of the release, in this order within a family of
kinds. Words count only where news stands: the headline and the first `HEAD` characters of the release, without one
those of a foreign company's report, else what the summary quotes of the filing; behind that stand risk factors and
other legal text. What the summary says in words of our own is never searched. Where item 1.02 says that an agreement
is ended, and no item 1.01 that another is made, no deal is good news. Pure, as `classify` is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from msgspec import structs

from catalyst.core.classify import (
    NO_VALUES,
    Case,
    Decision,
    Finding,
    Part,
    decide,
    finding_of,
    in_order,
    sized,
    sized_by,
    value_of,
)
from catalyst.core.companies import Companies, canonical
from catalyst.core.contract_size import LEAST_USD, Stated, has_size
from catalyst.core.evidence import Words, locate, whole
from catalyst.core.filing_rules import FilingHit, base_form
from catalyst.core.filing_words import LIMITS, money, own_words
from catalyst.core.market_values import MarketValue
from catalyst.core.rules import Hit, Rules
from catalyst.core.sieve import Gates
from catalyst.core.tickers import MOST, TickerFound, instrument
from catalyst.messages import Amount, FilingRead

HEAD = 1_500    # characters of a press release that are read
AMENDED = 0.35  # share of the score that an amendment keeps: most of them repeat what is known
REPORTS = ("8-K", "6-K", "10-K", "10-Q", "20-F", "40-F")  # whose summary may tell news; of the others the form tells
NOTE_LIMIT = 60
FOREIGN = "6-K"  # tells its news on any page, for it has no items
OFFERING, DEAL = "offering", "deal"
PLAIN_SALE = 0.6  # weight of a sale for which the rule table has no row
LIGHT = 0.2       # a row of less weight, unless of a sale, stays only where nothing heavier was found
AMOUNTS = ("gross_proceeds", "price", "shares", "warrants", "dilution_pct")  # the most telling first
CLASSES = frozenset("ABK")  # last letters of the tickers of further classes of shares; others name notes, preferreds

# Titles of items, Form 8-K: a summary that lists them says nothing that the items' numbers do not say.
_TITLES = re.compile(
    r"(?i)entry into a material definitive agreement|termination of a material definitive agreement"
    r"|bankruptcy or receivership|completion of acquisition or disposition of assets"
    r"|results of operations and financial condition|creation of a direct financial obligation"
    r"|triggering events that accelerate or increase a direct financial obligation|material impairments?"
    r"|costs? associated with exit or disposal activities|unregistered sales? of equity securities"
    r"|notice of delisting or failure to satisfy a continued listing rule(?: or standard)?|transfer of listing"
    r"|material modifications? to rights of security holders|changes in registrant.s certifying accountant"
    r"|non.reliance on previously issued financial statements[^.;\n]{0,80}|changes in control of registrant"
    r"|departure of directors or (?:certain|principal) officers|election of directors"
    r"|appointment of (?:certain|principal) officers|compensatory arrangements of certain officers"
    r"|amendments? to articles of incorporation or bylaws|change in fiscal year|change in shell company status"
    r"|submission of matters to a vote of security holders|material cybersecurity incidents?")
_TICKER = re.compile(r"[A-Z0-9.\-]{1,10}")


class News(NamedTuple):
    """The words, beside the headline, in which news may stand: of which field, and what a reader calls the place."""

    field: str
    place: str
    words: str


def classify_filing(filing: FilingRead, rules: Rules, companies: Companies | None, *, gates: Gates,
                    watched: frozenset[str] = frozenset(), values: Mapping[str, MarketValue] = NO_VALUES, now_ms: int
                    ) -> Decision:
    """The decision about `filing`; one with a catalyst passes when none of the `gates` stops it. `values` by ticker."""
    news = _news(filing)
    found = rules.find(filing.headline, news.words)
    hits = [hit for hit in found.kinds if not (_ends_agreement(filing) and hit.rule.family == DEAL
                                               and hit.rule.direction == "up")]
    table, noise_row = rules.filings.find(filing, f"{filing.headline}\n{news.words or _quoted(filing)}")
    tickers = filer_tickers(filing, companies)
    value_usd = value_of(tickers, values, now_ms)
    findings = in_order([_sized(filing, one, news, value_usd) for one in _merged(filing, hits, table, news.place)])
    noise = (noise_row.rule.name, noise_row.cause) if noise_row is not None else None
    if noise is None and found.noise is not None and found.noise.in_title:
        stands = any(one.strength >= gates.min_score for one in findings if one.place != "headline" and not one.in_body)
        noise = None if stands else (found.noise.rule.name, found.noise.phrase)
    filer = whole("company", filing.company) or whole("cik", filing.cik) or whole("ticker", filing.ticker)
    case = Case(
        filing.item_id, findings, noise, tickers,
        0.0 if filing.unread else filing.sentiment, filing.trust, facts=_facts(filing),
        no_ticker=f"{_filer(filing)} is not in the company list", no_catalyst=_routine(filing), note=_note(filing),
        kept=AMENDED if filing.amendment else 1.0, kept_why="amendment of an earlier filing",
        ticker_words=tuple(filer for _ in tickers), tone_words=_read_from(filing),
        trust_words=whole("source", filing.source), kept_words=whole("form", filing.form))
    return decide(case, gates, watched=watched, now_ms=now_ms)


def _read_from(filing: FilingRead) -> tuple[Words, ...]:
    """What of the filing its opinion is best seen from."""
    return whole("headline", filing.headline) or whole("summary", filing.summary) or whole("title", filing.title)


def _in_texts(filing: FilingRead, words: str, *, in_headline: bool) -> tuple[Words, ...]:
    """Where words of the filing stand."""
    body = [("text", filing.text), ("summary", filing.summary), ("headline", filing.headline)]
    return locate(words, body[::-1] if in_headline else body)


def filer_tickers(filing: FilingRead, companies: Companies | None) -> tuple[TickerFound, ...]:
    """The tickers of the company that the filing is about, shares first; what is no class of shares is marked so.

    The SEC lists a company's notes, preferred stocks and lines abroad under its CIK too; an alert for each would
    repeat the same news.
    """
    rows = companies.cik(int(filing.cik)) if companies is not None and filing.cik else ()
    tickers = [row.ticker for row in rows if _TICKER.fullmatch(row.ticker)]
    told = canonical(filing.ticker)
    if not tickers:
        tickers = [told] if _TICKER.fullmatch(told) else []
    kinds = {one: instrument(one, set(tickers), companies) for one in tickers}
    shares = [one for one in tickers if not kinds[one]]
    first = told if told in shares else next(iter(shares), "")
    evidence = _filer(filing)
    found = [
        TickerFound(one, "secondary", evidence, "cik", "", "us",
                    kinds[one] or ("" if one == first or _same_class_family(first, one) else "further line"),
                    points=100 if one == first else 50)
        for one in tickers]
    found.sort(key=lambda one: (not one.alertable, -one.points))
    return tuple(structs.replace(one, role="secondary" if number else "primary")
                 for number, one in enumerate(found[:MOST]))


def _same_class_family(first: str, other: str) -> bool:
    """Whether both name classes of one company's shares: BRK-A and BRK-B, FCNCA and FCNCB, GTN and GTN-A."""
    stem, _, letter = other.partition("-")
    if letter or "-" in first:
        return first.partition("-")[0] == stem and len(letter) <= 1
    longer, shorter = (first, other) if len(first) > len(other) else (other, first)
    if len(shorter) == 4:
        return len(longer) == 5 and longer[:4] == shorter and longer[4] in CLASSES
    return len(shorter) == 5 and first[:4] == other[:4] and {first[4:], other[4:]} <= CLASSES


def _news(filing: FilingRead) -> News:
    is_report = base_form(filing.form).startswith(REPORTS)
    if filing.headline or (filing.is_release and is_report):
        return News("text", "release", filing.text[:HEAD])
    if filing.text and base_form(filing.form).startswith(FOREIGN):
        return News("text", "report", filing.text[:HEAD])
    return News("summary", "summary", _quoted(filing) if is_report else "")


def _quoted(filing: FilingRead) -> str:
    """What the summary has of the filing, character for character; titles of items in it are ends of sentences."""
    said = own_words(filing.form, filing.summary, filing.offering)
    return _TITLES.sub(lambda title: "; ".ljust(len(title[0])), said)


def _ends_agreement(filing: FilingRead) -> bool:
    return "1.02" in filing.items and "1.01" not in filing.items


def _merged(filing: FilingRead, hits: Sequence[Hit], table: Sequence[FilingHit], body_place: str
            ) -> tuple[Finding, ...]:
    """One finding a family, in no order; of several the one whose place tells most."""
    sale = _sale(filing, table)
    headline = [(hit.rule.family or hit.rule.name,
                 finding_of(hit, "headline", _in_texts(filing, hit.phrase, in_headline=True)))
                for hit in hits if hit.in_title]
    names_sale = any(slot == OFFERING for slot, _ in headline)
    if sale is not None:
        leads = names_sale or not headline or not base_form(filing.form).startswith(REPORTS)
        sale = structs.replace(sale, leader=leads)
    rows = [(hit.rule.family or hit.rule.name, _finding(filing, hit)) for hit in table if not hit.rule.of_offering]
    body = [(hit.rule.family or hit.rule.name,
             finding_of(hit, body_place, _in_texts(filing, hit.phrase, in_headline=False)))
            for hit in hits if not hit.in_title]
    kept: dict[str, Finding] = {}
    names: set[str] = set()
    for slot, finding in chain([(OFFERING, sale)] if sale is not None else [], headline, rows, body):
        if slot not in kept and finding.name not in names:
            kept[slot] = finding
            names.add(finding.name)
    light = {finding.name for slot, finding in rows if finding.weight < LIGHT and slot != OFFERING}
    heavy = [finding for finding in kept.values() if finding.name not in light]
    return tuple(heavy or kept.values())


def _sized(filing: FilingRead, finding: Finding, news: News, value_usd: float | None) -> Finding:
    """The finding by its size: of the sale what was read of it, of others what headline and release state."""
    gross = filing.offering.gross_proceeds if filing.offering is not None else None
    if value_usd is None or gross is None or finding.place != place_of(filing.form):
        return sized_by(finding, (("headline", filing.headline), (news.field, news.words)), value_usd)
    if not has_size(finding.name) or gross.value < LEAST_USD or not gross.quote.strip():
        return finding
    said = f"{'up to ' if filing.offering is not None and filing.offering.type in LIMITS else ''}{money(gross.value)}"
    return sized(finding, Stated(gross.value, said, whole("offering.gross_proceeds.quote", gross.quote)), value_usd)


def _sale(filing: FilingRead, table: Sequence[FilingHit]) -> Finding | None:
    """The finding of the sale that was read, with the sentence that states its amount."""
    if filing.offering is None:
        return None
    quotes = [(name, amount.quote) for name, amount in _amounts(filing) if amount.quote.strip()]
    phrase = quotes[0][1] if quotes else f"{filing.offering.type}, {filing.offering.stage}"
    words = (whole(f"offering.{quotes[0][0]}.quote", phrase) if quotes
             else (*whole("offering.type", filing.offering.type), *whole("offering.stage", filing.offering.stage)))
    row = next((hit.rule for hit in table if hit.rule.family == OFFERING), None)
    if row is None:
        return Finding(OFFERING, "down", PLAIN_SALE, phrase, place_of(filing.form), words=words)
    return Finding(row.name, row.direction, row.weight, phrase, place_of(filing.form), words=words)


def place_of(form: str) -> str:
    """A form as a reader says it: "in the 8-K", but "in the form 4"."""
    return f"form {form}" if form[:1].isdigit() and "-" not in form and len(form) < 4 else form


def _finding(filing: FilingRead, hit: FilingHit) -> Finding:
    rule = hit.rule
    if hit.what == "item":
        return Finding(rule.name, rule.direction, rule.weight, f"Item {hit.cause}", place_of(filing.form),
                       words=whole(f"items.{filing.items.index(hit.cause)}", hit.cause))
    if hit.what == "phrase":
        return Finding(rule.name, rule.direction, rule.weight, hit.cause, place_of(filing.form),
                       words=_in_texts(filing, hit.cause, in_headline=True))
    return Finding(rule.name, rule.direction, rule.weight, hit.cause, "list of filings",
                   words=whole("form", filing.form))


def _amounts(filing: FilingRead) -> list[tuple[str, Amount]]:
    """The figures that the sale states, with their names."""
    named = ((name, getattr(filing.offering, name, None)) for name in AMOUNTS)
    return [(name, amount) for name, amount in named if isinstance(amount, Amount)]


def _facts(filing: FilingRead) -> tuple[Part, ...]:
    """What the filing states of a sale, with the literal sentences; adds nothing to the score."""
    return tuple(Part("stated", 0.0, f"{name} {amount.value:.12g}: {amount.quote}",
                      whole(f"offering.{name}.quote", amount.quote)) for name, amount in _amounts(filing))


def _filer(filing: FilingRead) -> str:
    """The company as EDGAR's list names it: `Acme Inc. (0001234567)`."""
    return f"{filing.company} ({filing.cik or 'no CIK'})"


def _routine(filing: FilingRead) -> str:
    items = f" with items {', '.join(filing.items)}" if filing.items else ""
    return f"{filing.form}{items} is no catalyst by itself, and " + (
        "its release names none" if filing.headline or filing.is_release else "its summary names none" if filing.summary
        else "nothing more is known of it")


def _note(filing: FilingRead) -> str:
    """What the explaining line ends with."""
    notes = [*(["amendment"] if filing.amendment else []),
             *([f"not read: {' '.join(filing.unread.split())}"[:NOTE_LIMIT]] if filing.unread else [])]
    return "".join(f"; {note}" for note in notes)
