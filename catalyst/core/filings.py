"""An SEC filing, a complete submission or documents fetched one by one, -> one frozen record of what it says.

Form and company come from the header; where there is none, from the XML, the inline XBRL facts of the cover (dei), or
the words of the cover page. No input raises anything but FilingError.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass

from catalyst.core.filing_items import items_declared, items_in, sections, title_of
from catalyst.core.filing_owners import FORMS as TRADES
from catalyst.core.filing_owners import holding_summary, trades_summary, value_of
from catalyst.core.filing_parts import Header, Part, moment_ms, split_submission
from catalyst.core.filing_text import decode, plain_text
from catalyst.core.filing_words import HOLDINGS, headline_of, sentiment_of, summary_of
from catalyst.core.offerings import SALE_ITEMS, Told, read_prospectus, read_report
from catalyst.core.sentiment import Sentiment
from catalyst.errors import FilingError
from catalyst.messages import Offering

__all__ = ["LIMIT_BYTES", "Filing", "Part", "read_filing", "read_parts"]

LIMIT_BYTES = 50_000_000
LIMIT_RELEASES, RELEASE_CHARS = 3, 300_000
REPORT_CHARS = 12_000  # of a report without items: further back stand notes to accounts that tell of past sales
PROSPECTUSES = ("424B", "S-1", "S-3", "S-11", "F-1", "F-3", "FWP")
_OTHER_KINDS = (b"%PDF", b"PK\x03\x04", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b")
_F = re.IGNORECASE
_COVER_FORM = re.compile(
    r"filed (?:pursuant to|under) rule 424\(b\)\((\d)\)|\bFORM[ \t\n]{0,3}((?:8-K|6-K|S-1|S-3|S-8|F-1|F-3|10-K|10-Q|"
    r"20-F)(?:/A)?)"
    r"\b|(?<!\w)(SC(?:HEDULE|) (?:13[DG]|TO)(?:-[TI])?(?:/A)?)\b|(free writing prospectus|filed pursuant to rule 433)",
    _F)
_RELEASE_MARK = re.compile(r"exhibit 99|for immediate release|globe ?newswire|business ?wire|pr ?newswire|accesswire|"
                           r"press release|news release|\bannounce[sd]?\b|\btoday (?:announced|reported)|"
                           r"forward-looking statements", _F)
_AMENDED = re.compile(r"amendment no|\bas amended by\b|\(amended\)|\bform \d\d?-[kq]/a\b", _F)
_RESULTS = re.compile(r"\b(?:reports?|announces?)\b.{0,60}\b(?:results|earnings|revenue|income|update)\b", _F)
_OFFER = re.compile(r"offering|private placement|registered direct|\bpipe\b|notes|financing", _F)


@dataclass(frozen=True, slots=True)
class Filing:
    """What a filing says of itself; unknown times are None, unknown words empty. `cik` has ten digits.

    `cik` and `company` are those of the issuer or the subject where the header names several. `symbol` is the trading
    symbol of the cover's facts. `text` is the primary document, `release` the press release, `headline` its title line.
    """

    form: str
    accession: str
    cik: str
    company: str
    filed_ms: int | None
    accepted_ms: int | None
    items: tuple[tuple[str, str], ...]
    amendment: bool
    text: str
    headline: str
    release: str
    offering: Offering | None
    sentiment: float
    summary: str
    provider: str = "embedded"
    symbol: str = ""


def read_filing(body: bytes, model: Sentiment | None = None) -> Filing:
    """Read a complete submission or a single document; `model` hears what its headline sounds like.

    Raises FilingError: `too_big` (over 50 MB), `empty`, `binary`, `no_form` when nothing says which form it is.
    """
    _check(body)
    header, parts = split_submission(body)
    return _read(header, parts, model)


def read_parts(form: str, accession: str, cik: str, company: str, items: Sequence[str],
               parts: Sequence[Part], model: Sentiment | None = None) -> Filing:
    """Read documents that were fetched one by one, with what EDGAR's list says of the filing. Raises as read_filing.

    `parts` has the primary document first, or under the type of the form; `items` are numbers or titles.
    """
    if not parts:
        raise FilingError("empty", "no document")
    for part in parts:
        if len(part.body) > LIMIT_BYTES:
            raise FilingError("too_big", f"over {LIMIT_BYTES // 1_000_000} MB")
    main = next((part for part in parts if part.type == form), parts[0])
    _check(main.body)
    number = cik.zfill(10) if re.fullmatch(r"[0-9]{1,10}", cik) else ""
    header = Header(form=form, accession=accession, cik=number, company=company, items=tuple(items))
    return _read(header, [main, *(part for part in parts if part is not main)], model)


def _check(body: bytes) -> None:
    if len(body) > LIMIT_BYTES:
        raise FilingError("too_big", f"over {LIMIT_BYTES // 1_000_000} MB")
    if not body.strip():
        raise FilingError("empty")
    if b"\0" in body[:4000] or body.startswith(_OTHER_KINDS):
        raise FilingError("binary", "not an SEC text document")


def _read(header: Header, parts: Sequence[Part], model: Sentiment | None) -> Filing:
    main, release = parts[0], _release(parts)
    source = decode(main.body)
    text = plain_text(source)
    form = header.form or main.type or _form(source, text)
    if not form:
        raise FilingError("no_form", "nothing in it says which form it is")
    if form.startswith("EX-99") and not release:
        release = text
    headline = headline_of(release)
    cik, company = (header.cik, header.company) if header.cik else _company(source)
    items: list[str] = []
    told: dict[str, str] = {}
    if form.startswith("8-K"):
        items = items_declared(header.items, header.filed) or items_in(text)
        told = sections(text)
    offering = _offering(form, items, told, text, headline, release)
    if form.removesuffix("/A") in TRADES:
        summary, mood = trades_summary(source)
    elif form.startswith(HOLDINGS):
        summary, mood = holding_summary(form, source, text, company)
    else:
        summary = summary_of(form, items, told or {"": text}, offering, headline)
        mood = sentiment_of(form, items, offering, headline, model)
    unnamed = not header.form and bool(_AMENDED.search(text[:1_500]))
    return Filing(form, header.accession, cik, company or header.company, moment_ms(header.filed),
                  moment_ms(header.accepted), tuple((item, title_of(item)) for item in items),
                  form.endswith("/A") or form.startswith("POS") or unnamed, text, headline, release, offering,
                  mood, summary, symbol=_symbol(source))


def _release(parts: Sequence[Part]) -> str:
    """The words of the press release: the first EX-99 that looks like one; empty where none does."""
    for part in [part for part in parts[1:] if part.type.startswith("EX-99")][:LIMIT_RELEASES]:
        text = plain_text(decode(part.body, RELEASE_CHARS))
        if _RELEASE_MARK.search(text[:3_000].replace("Exhibit 99", "")):
            return text
    return ""


def _offering(form: str, items: Sequence[str], told: dict[str, str], text: str, headline: str,
              release: str) -> Offering | None:
    if form.startswith(PROSPECTUSES):
        return read_prospectus(form.removesuffix("/A"), text)
    if form.startswith("EX-99"):
        return read_report(Told({}, headline, release)) if not _is_results(headline) else None
    if not form.startswith(("8-K", "6-K")) or (items and not set(SALE_ITEMS) & set(items)):
        return None
    parts = {item: words for item, words in told.items() if item in SALE_ITEMS}
    if not told:
        parts = {"": text[:REPORT_CHARS]}
    results = _is_results(headline) or ("2.02" in items and not _OFFER.search(headline))
    if results and not {"1.01", "3.02"} & set(items):
        return None
    return read_report(Told(parts, "" if results else headline, "" if results else release))


def _is_results(headline: str) -> bool:
    return bool(_RESULTS.search(headline)) and not _OFFER.search(headline)


def _company(source: str) -> tuple[str, str]:
    """CIK and name of the XML or of the inline XBRL facts."""
    cik = value_of(source, "issuerCik") or value_of(source, "issuerCIK") or _fact(source, "EntityCentralIndexKey")
    name = value_of(source, "issuerName") or _fact(source, "EntityRegistrantName")
    return cik.zfill(10) if re.fullmatch(r"[0-9]{1,10}", cik) else "", name[:200]


def _symbol(source: str) -> str:
    found = (value_of(source, "issuerTradingSymbol") or _fact(source, "TradingSymbol")).upper()
    return found if re.fullmatch(r"[A-Z][A-Z.\-]{0,9}", found) and found not in ("NONE", "N.A", "NA") else ""


def _fact(source: str, name: str) -> str:
    """The text of an inline XBRL fact of the cover page."""
    place = source.find(f'name="dei:{name}"')
    if place < 0:
        return ""
    inside = source[place:place + 3_000]
    start, end = inside.find(">"), inside.find("</ix:")
    if not 0 <= start < end:
        return ""
    return " ".join(html.unescape(re.sub(r"<[^<>]{0,2000}>", "", inside[start + 1:end])).split())


def _form(source: str, text: str) -> str:
    named = value_of(source, "submissionType") or value_of(source, "documentType") or _fact(source, "DocumentType")
    if named:
        return named[:40]
    match = _COVER_FORM.search(text[:6_000])
    if match is None:
        return "EX-99.1" if _RELEASE_MARK.search(text[:3_000]) else ""
    if match[1]:
        return f"424B{match[1]}"
    return re.sub(r"\s+", " ", match[2] or match[3] or "FWP").upper()
