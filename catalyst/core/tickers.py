"""Which tickers a story is about, with the words that say so.

A ticker counts when it is written as one: after an exchange's name, in the publisher's tags, after a dollar sign, after
"ticker symbol", or in brackets behind its company's own name (`mentions`). Only when none is written, the issuer's name
is looked up in the company list (`issuers`). It does not judge the news.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import msgspec

from catalyst.core import issuers
from catalyst.core.companies import Companies
from catalyst.core.instruments import instrument, parent_of
from catalyst.core.mentions import How, Seen, Tag, Text, at_head, tags, written
from catalyst.core.parties import Moved, moved
from catalyst.core.ticker_words import ACRONYMS
from catalyst.core.venues import Listing

__all__ = ["ACRONYMS", "MOST", "TickerFound", "find_tickers", "instrument"]

SUMMARY_LIMIT = 5_000  # characters of the summary that are read; issuers name their listing in the first sentence
MOST = 12              # tickers that one story can have; a list of more is no news about any of them
NEAR = 600             # a company named later than this in the summary is a mention, not a subject
LEADS = 1_000          # more than all mentions of a ticker count together
FURTHER = 8            # what each further place in a field costs, up to four of them
_WAYS: dict[How, str] = {
    "exchange": "written with its exchange in the {}", "dollar": "written with a dollar sign in the {}",
    "symbol": "called a ticker symbol in the {}", "company (ticker)": "in brackets behind its company in the {}",
    "headline": "the {} begins with it"}
STRONG = ("exchange", "tag", "symbol", "headline")


class TickerFound(msgspec.Struct, frozen=True):
    """A ticker and why: `evidence` is what the story or the tag says, literally; `how` in which form it says it.

    `instrument` names what it is when it is not a share (warrant, unit, right, preferred, fund). `points` is how much
    speaks for its being the subject; the primary ticker has the most. `why` says in words what gave them.
    """

    ticker: str
    role: Literal["primary", "secondary"]
    evidence: str
    how: How
    exchange: str
    listing: Listing
    instrument: str = ""
    points: int = 0
    why: str = ""

    @property
    def relevance(self) -> int:
        """How much of the story is about it, 0 to 100."""
        return max(0, min(100, self.points))

    @property
    def obstacle(self) -> str:
        """Why no alert can go out for it: `instrument`, `foreign_listing`, or empty for a share traded in the US."""
        return "instrument" if self.instrument else "foreign_listing" if self.listing == "foreign" else ""

    @property
    def alertable(self) -> bool:
        """A share that is traded in the US."""
        return not self.obstacle


class _Mention(NamedTuple):
    """One place that names a ticker, what it counts, and its reason in words."""

    ticker: str
    evidence: str
    how: How
    exchange: str
    listing: Listing
    points: int
    why: str


def find_tickers(title: str, summary: str, symbols: Sequence[str],
                 companies: Companies | None) -> tuple[TickerFound, ...]:
    """All tickers of a story, the primary one first, foreign listings and instruments included and marked.

    `symbols` are the publisher's tags ("Nasdaq:ORIC", "ORIC"); `companies` None when no list is at hand: then only
    forms that need no list are read.
    """
    head, body = Text.of(title), Text.of(summary[:SUMMARY_LIMIT])
    seen_in_title = written(head, companies)
    if not seen_in_title and companies is not None:
        seen_in_title = at_head(head, companies)
    found = [_mention(head, seen, 70, order, "title") for order, seen in enumerate(seen_in_title)]
    issuer = issuers.head_word(head.flat)
    seen_in_body = written(body, companies)
    for order, seen in enumerate(seen_in_body):
        if seen.start < NEAR or not order:
            issued = _issued(issuer, body.lower, seen.start)
            found.append(_mention(body, seen, 70 if issued else 45, order, "summary"))
    told = tags(symbols)
    if companies is not None and any(":" not in tag.tag for tag in told):
        told = _borne_out(told, head, body, companies, found)
    for order, tag in enumerate(told):
        found.append(_Mention(tag.ticker, tag.tag, "tag", tag.exchange, tag.listing, 40 - FURTHER * min(order, 4),
                              "publisher's tag"))
    if companies is not None:
        found += [one for one in _named(head, body, summary, companies, found)
                  if not (_is_former(one, head, seen_in_title, found, companies)
                          or _is_former(one, body, seen_in_body, found, companies))]
    ranked = _ranked(found, companies, None)
    shares = [one.ticker for one in ranked if one.alertable]
    if companies is not None and len(shares) > 1 and (first := moved(head, body, shares, companies)):
        return _ranked(found, companies, first)
    return ranked


def _borne_out(told: list[Tag], head: Text, body: Text, companies: Companies,
               found: Sequence[_Mention]) -> list[Tag]:
    """The tags without those that only a vendor gave, when the story names others and not them.

    A tag with its exchange is the issuer's own. A bare one is a vendor's guess, and often one of a list.
    """
    named = {one.ticker for one in found}
    ciks = {company.cik for one in found if (company := companies.ticker(one.ticker)) is not None}
    if any(":" not in tag.tag and tag.ticker not in named for tag in told):
        ciks.update(issuers.named_anywhere(head, companies), issuers.named_anywhere(body, companies))
    borne_out = [tag for tag in told if ":" in tag.tag or tag.ticker in named or issuers.is_word(tag.ticker, head, body)
                 or ((company := companies.ticker(tag.ticker)) is not None and company.cik in ciks)]
    return borne_out or ([] if ciks else told)


def _mention(text: Text, seen: Seen, points: int, order: int, place: str) -> _Mention:
    """A written ticker; further down in its field, or only after a dollar sign, it counts less."""
    points -= FURTHER * min(order, 4) + (25 if seen.how == "dollar" else 0)
    return _Mention(seen.ticker, text.source[seen.start:seen.end].strip(), seen.how, seen.exchange, seen.listing,
                    points, _WAYS[seen.how].format(place))


def _issued(issuer: str, lower: str, position: int) -> bool:
    """Whether the name before a written ticker is the one that the title begins with."""
    window = " " + lower[max(0, position - 70):position]
    at = window.find(issuer) if issuer else -1
    while at >= 0:
        if not window[at - 1].isalnum():
            return True
        at = window.find(issuer, at + 1)
    return False


def _named(head: Text, body: Text, summary: str, companies: Companies,
           found: Sequence[_Mention]) -> list[_Mention]:
    """Companies by their names: the issuer when no ticker is written, else others that the title names."""
    is_written = any(one.how in STRONG for one in found)
    beside = {one.ticker for one in found}
    if is_written and not any(one.listing != "foreign" and not instrument(one.ticker, beside, companies)
                              for one in found):
        return [one._replace(ticker=parent.ticker, points=0, why=f"written too, the share of the {what}")
                for one in found if (what := instrument(one.ticker, beside, companies)) and what != "fund"
                and (parent := parent_of(one.ticker, companies)) and issuers.is_word(parent.ticker, head, body)]
    known = beside if is_written else set()
    issuer, others = issuers.in_title(head, companies, bool(known))
    named = []
    if issuer is not None:
        is_other = bool(known) and issuer.company.ticker not in known
        is_to_come = is_other and all(one.how == "symbol" for one in found)  # a spin-off's future listing
        points = 60 if not known or is_to_come else 20 if is_other else 30
        named.append(_by_name(issuer, points, "its name heads the title"))
    named += [_by_name(other, 15, "its name is in the title") for other in others]
    if not is_written:
        issuer, is_dateline = issuers.in_dateline(body, companies)
        if issuer is not None and (is_dateline or not named):
            named.append(_by_name(issuer, 30, "its name is in the dateline" if is_dateline
                                  else "its name begins the summary"))
        if not named and (issuer := issuers.acted_on(head, companies)):
            named.append(_by_name(issuer, 30, "the title names it as the one concerned"))
        if not named and not found and (issuer := issuers.in_lead(head, body, companies)):
            named.append(_by_name(issuer, 30, "the title says its first word, the first sentences its name"))
        if not named and not found and (issuer := issuers.in_about(summary, head, companies)):
            named.append(_by_name(issuer, 40, "a closing paragraph is about it, and the title begins with its name"))
    return named


def _is_former(one: _Mention, text: Text, seen: Sequence[Seen], found: Sequence[_Mention],
               companies: Companies) -> bool:
    """Whether a field writes another ticker right behind the name of the company that `one` names, a share's that is
    in no list: then that is the company's ticker now, and the listed one its former."""
    company, beside = companies.ticker(one.ticker), {each.ticker for each in found}
    return company is not None and one.ticker not in beside and any(
        each.listing != "foreign" and each.ticker not in companies and not instrument(each.ticker, beside, companies)
        and issuers.stands_before(issuers.Named(company, one.evidence), text.flat, each.start) for each in seen)


def _by_name(named: issuers.Named, points: int, why: str) -> _Mention:
    return _Mention(named.company.ticker, named.evidence, "company name", "", "us", points, why)


def _ranked(found: Sequence[_Mention], companies: Companies | None, first: Moved | None) -> tuple[TickerFound, ...]:
    """One entry a ticker with the points of all its mentions; `first` leads, then most points, then the order of
    mention."""
    merged: dict[str, list[_Mention]] = {}
    for one in found:
        merged.setdefault(one.ticker, []).append(one)
    ranked = []
    for ticker, mentions in merged.items():
        best = mentions[0]
        for one in mentions[1:]:
            if (best.listing == "foreign" and one.listing != "foreign") or (
                    best.how in ("tag", "company name") and one.how == "exchange"):
                best = one
        points = sum([one.points for one in mentions])
        if first is not None and ticker == first.ticker:
            points += LEADS
            mentions = [*mentions, best._replace(why=first.why)]
        what = instrument(ticker, merged.keys(), companies)
        ranked.append((bool(what) or best.listing == "foreign", -points, what, best, mentions))
    ranked.sort(key=_order)
    return tuple([TickerFound(best.ticker, "secondary" if number else "primary", best.evidence, best.how,
                              best.exchange, best.listing, what, -points,
                              "; ".join(dict.fromkeys([one.why for one in mentions])))
                  for number, (_, points, what, best, mentions) in enumerate(ranked[:MOST])])


def _order(row: tuple[bool, int, str, _Mention, list[_Mention]]) -> tuple[bool, int]:
    return row[0], row[1]
