"""Which tickers a story is about, with the words that say so.

A ticker counts when it is written as one: after an exchange's name, in the publisher's tags, after a dollar sign, after
"ticker symbol", or in brackets behind its company's own name. Only when none is written, the issuer's name is looked up
in the company list. Nothing is ever upper-cased, so that words do not become tickers. It does not judge the news.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from catalyst.core.companies import Companies, canonical, normalise
from catalyst.core.venues import STEMS, VENUES, Listing, venue_at
from catalyst.core.wordscan import Phrases, fold, plain

SUMMARY_LIMIT = 5_000  # characters of the summary that are read; issuers name their listing in the first sentence
MOST = 12              # tickers that one story can have; a list of more is no news about any of them
NEAR = 600             # a company named later than this in the summary is a mention, not a subject
How = Literal["exchange", "tag", "dollar", "symbol", "company (ticker)", "company name", "cik"]

_TICKER = r"[A-Z]{1,6}(?:[.\-/][A-Z]{1,3})?(?![A-Za-z0-9])"
_US = re.compile(rf"""[$"']?({_TICKER})""")
_ABROAD = re.compile(r"""[$"']?([A-Z0-9]{1,7}(?:\.[A-Z]{1,3})?)(?![A-Za-z0-9])""")
_SEPARATOR = re.compile(
    r"""["']?\s*(?:(?::|--?)\s*|\)\s*:\s*|,?\s*(?:under\s+(?:the\s+)?|with\s+(?:the\s+)?)?(?:(?i:trading|ticker|stock)\s+)?"""
    r"""(?i:symbols?|tickers?)\s*:?\s*)(?=[$"'A-Z0-9])""")
_JOINED = re.compile(r"""["']?\s*(?:,|/|&|\||;|\band\b|\bor\b)\s*(?:the\s+)?""")
_NEXT = re.compile(rf"""["']?\s*(?:,\s*and|,|;|/|&|\||\band\b|\bor\b)\s*["']?({_TICKER})(?!\s*:)["']?""")
_SYMBOL = re.compile(
    rf"""(?i:(?:ticker|trading|stock)\s+symbols?|(?:under|with)\s+(?:the\s+)?(?:symbol|ticker))\s*:?\s*["'(]*({_TICKER})""")
_DOLLAR = re.compile(r"(?<![A-Za-z0-9$])\$([A-Z]{1,5}(?:[.\-][A-Z]{1,2})?)(?![A-Za-z0-9])")
_BRACKETED = re.compile(r"\(([A-Z]{1,5}(?:[.\-][A-Z])?)\)")
_DATELINE = re.compile(r"(?i:globe\s?newswire|business\s?wire|pr\s?newswire|access\s?(?:wire|\s?newswire)"
                       r"|newsfile(?: corp\.?)?|eqs(?: news)?|media wire|newmediawire|\bwire\b)[^A-Za-z0-9]{1,12}")
_PREAMBLE = re.compile(r"(?i:(?:/?c ?o ?r ?r ?e ?c ?t ?i ?o ?n\b[^:\-/]{0,20}|repeat|update[d]?|breaking|"
                       r"inside information|press release|media advisory|just in|exclusive)\s*[:\-/]+\s*)+")
_BLANK = re.compile(r"\s+")
_SAFE = re.compile(r"[A-Z0-9.\-]{1,10}")

_NOT_TICKERS = (
    "FDA CEO CFO COO CTO CSO CMO SEC IPO USA US UK EU EMA ASCO ESMO ASH AACR AHA DOJ FTC EPA WHO CDC NIH NYSE AMEX "
    "OTC TSX ETF ETFS AI ESG LLC INC PLC LTD CORP NEWS THE AND FOR NEW Q IR PR TV EST PST EDT ET PT GMT A I NASDAQ "
    "SPAC REIT ADS ADR GAAP EPS BLA NDA IND PDUFA USPTO NATO BARDA DOD VA CMS")
_INDICES = "NBI IXIC NDX SPX RUT DJI DJIA COMP XBI IBB"  # named in releases with their exchange: "(Nasdaq: NBI)"
_COINS = "BTC ETH SOL XRP DOGE ADA BNB USDT USDC SHIB AVAX LTC TRX DOT LINK SUI TON HYPE"
_MONEY = "US USD CAD AUD NZD SGD HKD CA AU C A M B K MM BN T"
ACRONYMS = frozenset(_NOT_TICKERS.split())
INDICES = frozenset(_INDICES.split())
NOT_AFTER_DOLLAR = frozenset(f"{_COINS} {_MONEY}".split())
_STEMS = Phrases(STEMS)
_SYMBOL_STEMS = ("symbol", "ticker")

_HEADLINE_VERBS = (
    "announces announce announced reports report reported receives receive received provides completes completed "
    "closes closed prices priced enters entered signs signed appoints names named launches launched wins awarded "
    "secures acquires acquired agrees files filed submits presents initiates begins starts expands extends grants "
    "granted achieves achieved posts delivers raises raised cuts lowers reaffirms confirms updates declares regains "
    "gains gets obtains unveils introduces partners collaborates joins sells buys plans intends proposes commences "
    "upsizes increases doubles reaches surpasses doses enrolls highlights publishes shares stock jumps surges soars "
    "falls drops plunges plummets tumbles slides sinks rises rallies climbs to will has is and & with hosts issues "
    "adopts advances amends approves discovers drills intersects divests exercises explores successfully today first "
    "second third fourth full q1 q2 q3 q4 preliminary enter combine merge says sees reiterates terminates halts "
    "pauses discontinues voluntarily effects implements sets schedules responds comments discloses faces misses beats "
    "tops subsidiary phase fda's ceo board shareholders stockholders regarding strengthens accelerates selected "
    "chosen establishes outlines deploys opens resumes suspends withdraws rejects urges sued lands inks bags nears "
    "hits")
HEADLINE_VERBS = frozenset(_HEADLINE_VERBS.split())
_DEAL_WORDS = (
    "acquire acquires acquiring acquisition merger merge merges merging combine takeover buy buys buying acquired "
    "purchase")
DEAL_WORDS = frozenset(_DEAL_WORDS.split())
_FOLLOWERS = "for in at by from as on into or of through under"
FOLLOWERS = HEADLINE_VERBS | frozenset(_FOLLOWERS.split())
LINKS = frozenset(("and", "with", "by", "of", "for", "from", "into", "&"))


@dataclass(frozen=True, slots=True)
class TickerFound:
    """A ticker and why: `evidence` is what the story or the tag says, literally; `how` in which form it says it.

    `instrument` names what it is when it is not a share (warrant, unit, right, preferred). `points` is how much speaks
    for its being the subject; the primary ticker has the most.
    """

    ticker: str
    role: Literal["primary", "secondary"]
    evidence: str
    how: How
    exchange: str
    listing: Listing
    instrument: str = ""
    points: int = 0

    @property
    def obstacle(self) -> str:
        """Why no alert can go out for it: `instrument`, `foreign_listing`, or empty for a share traded in the US."""
        return "instrument" if self.instrument else "foreign_listing" if self.listing == "foreign" else ""

    @property
    def alertable(self) -> bool:
        """A share that is traded in the US."""
        return not self.obstacle


@dataclass(frozen=True, slots=True)
class _Seen:
    """A ticker as written at `start` of one field."""

    ticker: str
    start: int
    end: int
    how: How
    exchange: str
    listing: Listing


def find_tickers(title: str, summary: str, symbols: Sequence[str],
                 companies: Companies | None) -> tuple[TickerFound, ...]:
    """All tickers of a story, the primary one first, foreign listings and instruments included and marked.

    `symbols` are the publisher's tags ("Nasdaq:ORIC", "ORIC"); `companies` None when no list is at hand: then only
    forms that need no list are read.
    """
    body = summary[:SUMMARY_LIMIT]
    found: list[TickerFound] = []
    for text, in_title in ((title, True), (body, False)):
        flat = plain(text)
        for order, seen in enumerate(sorted({*_at_exchanges(flat, companies), *_marked(flat, companies)},
                                            key=lambda seen: (seen.start, seen.ticker))):
            if in_title or seen.start < NEAR or not order:
                points = 70 if in_title else 70 if _issued(title, flat, seen.start) else 45
                found.append(_found(seen, text, points - 8 * min(order, 4)))
    found += [replace(tag, points=40 - 8 * min(order, 4)) for order, tag in enumerate(_tags(symbols))]
    if not any(one.how in ("exchange", "tag", "symbol") for one in found):
        found += _by_name(title, body, companies)
    elif companies is not None and any(one.alertable for one in found):
        found += _named_in_title(title, companies, {one.ticker for one in found})
    return _ranked(found, companies)


def _issued(title: str, flat: str, position: int) -> bool:
    """Whether the name before a written ticker is the one that the title begins with."""
    flat_title = plain(title)
    preamble = _PREAMBLE.match(flat_title)
    head = re.match(r"\W*(\w{3,})", flat_title[preamble.end() if preamble else 0:])
    if head is None:
        return False
    return any(word.startswith(head[1].lower()) for word in normalise(flat[max(0, position - 70):position]).split())


def _found(seen: _Seen, text: str, points: int) -> TickerFound:
    return TickerFound(seen.ticker, "secondary", text[seen.start:seen.end].strip(), seen.how, seen.exchange,
                       seen.listing, points=points if seen.how != "dollar" else points - 25)


def _at_exchanges(flat: str, companies: Companies | None) -> list[_Seen]:
    """Tickers written after an exchange's name, inside or outside brackets, several after one name too."""
    found: list[_Seen] = []
    done = 0
    for _, position, _ in sorted(_STEMS.find(fold_same(flat)), key=lambda hit: (hit[1], -hit[2])):
        if position < done:
            continue
        venue = venue_at(flat, position)
        if venue is None:
            continue
        venues, end = [venue[0]], venue[1]
        while (joint := _JOINED.match(flat, end)) and (further := venue_at(flat, joint.end())):
            venues.append(further[0])
            end = further[1]
        listing: Listing = min((one.listing for one in venues), key=("us", "otc", "foreign").index)
        name = next(one.name for one in venues if one.listing == listing)
        before = flat[max(0, position - 120):position]
        bracketed = max(before.rfind("("), before.rfind("[")) > max(before.rfind(")"), before.rfind("]"))
        written = _after(flat, end, listing, bracketed, companies)
        for ticker, _, last in written:
            found.append(_Seen(ticker, position, last, "exchange", name, listing))
            done = last
    return found


def fold_same(flat: str) -> str:
    """A plain text in small letters and with dashes as blanks, character for character."""
    return flat.lower().replace("-", " ") if len(flat.lower()) == len(flat) else fold(flat).text.ljust(len(flat))


def _after(flat: str, end: int, listing: Listing, bracketed: bool,
           companies: Companies | None) -> list[tuple[str, int, int]]:
    """(ticker, start, end) of what is written at `end`, after an exchange's name."""
    pattern = _ABROAD if listing == "foreign" else _US
    separator = _SEPARATOR.match(flat, end)
    if separator is None:
        blank = _BLANK.match(flat, end)
        first = pattern.match(flat, blank.end()) if blank and bracketed else None
        if first is None or flat[first.end():].lstrip("\"' ")[:1] not in (")", ",", ";", "|", "/"):
            return []
    else:
        first = pattern.match(flat, separator.end())
        if first is None or not _believed(flat, separator[0], first, bracketed, companies):
            return []
    if first[1] in INDICES:
        return []
    found = [(canonical(first[1]), first.start(1), first.end())]
    end = first.end()
    while listing != "foreign" and (more := _NEXT.match(flat, end)):
        ticker = canonical(more[1])
        related = ticker.startswith(first[1]) and len(ticker) > len(first[1])
        if not related and not (companies is not None and ticker in companies and bracketed) and not (
                companies is None and bracketed and flat[more.start(1) - 1] not in "\"'"):
            break
        found.append((ticker, more.start(1), more.end(1)))
        end = more.end()
    return found


def _believed(flat: str, separator: str, first: re.Match[str], bracketed: bool, companies: Companies | None) -> bool:
    """Outside brackets capitals after an exchange's name may be a word: a list or a clear form must speak for them."""
    if bracketed:
        return True
    listed = companies is not None and companies.ticker(first[1]) is not None
    closed = flat[first.end():first.end() + 1] in ("", ")", ",", ";", ".", '"', "'", "]") or first[0][0] in "$\"'"
    if "-" in separator:
        return listed or (companies is None and len(first[1]) > 2 and first[1] not in ACRONYMS and closed)
    if len(first[1]) == 1:
        return closed or (listed and first[1] not in ACRONYMS)
    return listed or first[1] not in ACRONYMS


def _marked(flat: str, companies: Companies | None) -> list[_Seen]:
    """Dollar tickers, "ticker symbol ABCD" and "Company (ABCD)"."""
    found: list[_Seen] = []
    for match in _DOLLAR.finditer(flat):
        listed = companies is not None and companies.ticker(match[1]) is not None
        if match[1] not in NOT_AFTER_DOLLAR and (listed or (companies is None and len(match[1]) > 1)):
            found.append(_Seen(canonical(match[1]), match.start(), match.end(), "dollar", "", "us"))
    for match in _SYMBOL.finditer(flat) if any(stem in flat.lower() for stem in _SYMBOL_STEMS) else ():
        if companies.ticker(match[1]) is not None if companies is not None else match[1] not in ACRONYMS:
            found.append(_Seen(canonical(match[1]), match.start(), match.end(1), "symbol", "", "us"))
    for match in _BRACKETED.finditer(flat) if companies is not None else ():
        company = companies.ticker(match[1]) if companies is not None else None
        if company is not None and _named_before(flat, match.start(), company.title):
            found.append(_Seen(company.ticker, match.start(), match.end(), "company (ticker)", "", "us"))
    return found


def _named_before(flat: str, position: int, name: str) -> bool:
    """Whether the company's name, or its first word when that is long, stands right before the bracket."""
    words = normalise(name).split()
    before = normalise(flat[max(0, position - 70):position]).split()
    if not words or not before:
        return False
    if len(words[0]) < 3:
        return before[-len(words):] == words
    return words[0] in before[-max(4, len(words)):]


def _tags(symbols: Iterable[str]) -> list[TickerFound]:
    """Tickers of the publisher's tags: "Nasdaq:ORIC", "NYSE American: ABC", or the ticker alone."""
    found = []
    for symbol in symbols:
        flat = plain(symbol).strip()
        head, colon, ticker = flat.rpartition(":")
        ticker = ticker.strip().lstrip("$")
        venue = venue_at(head + ":", 0) if colon else None  # the colon is part of some names: "Pink:"
        if colon and venue is None:
            known = [one for one in VENUES if one.name.lower() == head.strip().lower()]
            listing, name = (known[0].listing, known[0].name) if known else ("foreign", head.strip())
        else:
            listing, name = (venue[0].listing, venue[0].name) if venue else ("us", "")
        pattern = r"[A-Z0-9]{1,7}(?:[.\-/][A-Z]{1,3})?"
        if re.fullmatch(pattern, ticker):
            found.append(TickerFound(canonical(ticker), "secondary", symbol, "tag", name, listing))
    return found


def _by_name(title: str, body: str, companies: Companies | None) -> list[TickerFound]:
    """The issuer's name at the head of the title, or after the wire's name in the dateline, looked up whole."""
    if companies is None:
        return []
    found = _named_in_title(title, companies, set())
    flat = plain(body[:NEAR])
    dateline = _DATELINE.search(flat)
    start = dateline.end() if dateline else 0
    issuer = _leading(flat, start, body, companies, HEADLINE_VERBS)
    if issuer is not None and (dateline or not found):
        found.append(replace(issuer, points=30))
    return found


def _leading(flat: str, start: int, text: str, companies: Companies, followers: frozenset[str]) -> TickerFound | None:
    """The company whose whole name stands at `start`, ended by a mark, a bracket or one of the words `followers`.

    A capital word that is none of them may continue the name of another company ("Target" in "Target Hospitality").
    """
    words = [(match[0], match.start(), match.end()) for match in re.finditer(r"\S+", flat[start:start + 120])][:9]
    if not words or not words[0][0][0].isalnum() or not any(letter.isupper() for letter in words[0][0]):
        return None
    bare = [re.sub(r"'s$|'$", "", word.strip(",;:\"'()")) for word, _, _ in words]
    stop = next((number for number, (word, _, _) in enumerate(words) if word[0] in "(-|"), len(words))
    found = companies.leading(bare[:stop])
    if found is None or not _SAFE.fullmatch(found[0].ticker) or venue_at(flat, start):
        return None
    company, count = found
    last, following = words[count - 1][0], words[count][0] if count < len(words) else ""
    if following and last[-1] not in ",;:" and not last.endswith(("'s", "'")) and following[0] not in "(-|:;," and (
            following.lower().strip(",.:;") not in followers):
        return None
    evidence = text[start + words[0][1]:start + words[count - 1][2]].rstrip(",;:")
    return TickerFound(company.ticker, "primary", evidence, "company name", "", "us")


def _named_in_title(title: str, companies: Companies, known: set[str]) -> list[TickerFound]:
    """The company at the head of the title, and others in it: parties to a deal, or partners of a known issuer."""
    flat = plain(title)
    preamble = _PREAMBLE.match(flat)
    head = preamble.end() if preamble else 0
    found: list[TickerFound] = []
    issuer = _leading(flat, head, title, companies, HEADLINE_VERBS)
    if issuer is not None:
        found.append(replace(issuer, points=30 if issuer.ticker in known else 20 if known else 60))
    before = ""
    for match in re.finditer(r"\S+", flat[head:]):
        word = match[0].lower().strip(",.:;")
        deal = bool(DEAL_WORDS.intersection((before, word)))
        before = word
        if word in LINKS or word in DEAL_WORDS:
            other = _leading(flat, head + match.end() + 1, title, companies, FOLLOWERS)
            if other is not None and (deal or ((found or known) and " " in normalise(other.evidence))):
                found.append(replace(other, points=15))
    return found


def _ranked(found: list[TickerFound], companies: Companies | None) -> tuple[TickerFound, ...]:
    """One entry a ticker with the points of all its mentions; most points first, then the order of mention."""
    merged: dict[str, TickerFound] = {}
    for one in found:
        known = merged.get(one.ticker)
        if known is None:
            merged[one.ticker] = one
        elif (known.listing == "foreign" and one.listing != "foreign") or (
                known.how in ("tag", "company name") and one.how == "exchange"):
            merged[one.ticker] = replace(one, points=known.points + one.points)
        else:
            merged[one.ticker] = replace(known, points=known.points + one.points)
    marked = [replace(one, instrument=instrument(one.ticker, set(merged), companies)) for one in merged.values()]
    marked.sort(key=lambda one: (not one.alertable, -one.points))
    return tuple(replace(one, role="secondary" if number else "primary") for number, one in enumerate(marked[:MOST]))


_CLASSES = {"W": "warrant", "WS": "warrant", "WT": "warrant", "WW": "warrant", "U": "unit", "UN": "unit", "R": "right",
            "RT": "right", "P": "preferred", "PR": "preferred"}


def instrument(ticker: str, beside: set[str], companies: Companies | None) -> str:
    """What a ticker is when it is not a share: warrant, unit, right or preferred; empty for a share or when unknown.

    Only with the parent known: the rest of the ticker is named `beside` it, or is in the list. A ticker that the list
    gives to another company than its would-be parent is that company's share. Suffixes: Nasdaq's fifth letters (W, R,
    U, P) and the NYSE's .WS, .U, .PR forms.
    """
    parent, dash, suffix = ticker.rpartition("-")
    if dash:
        kind = _CLASSES.get(suffix) or ("preferred" if re.fullmatch(r"P[A-Z]|PR[A-Z]", suffix) else "")
        return kind if _is_parent(parent, ticker, beside, companies) else ""
    if len(ticker) < 5:
        return ""
    for suffix in ("WS", "WT", "WW", "W", "U", "R", "P"):
        if ticker.endswith(suffix) and len(ticker) - len(suffix) >= 3 and _is_parent(
                ticker[:-len(suffix)], ticker, beside, companies):
            return _CLASSES[suffix]
    return ""


def _is_parent(parent: str, ticker: str, beside: set[str], companies: Companies | None) -> bool:
    if companies is None:
        return parent in beside
    own, other = companies.ticker(ticker), companies.ticker(parent)
    if own is not None and other is not None:
        return own.cik == other.cik
    return parent in beside or (other is not None and own is None)
