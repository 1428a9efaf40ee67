"""EDGAR's own pages: an entry of the list of latest filings, the index page of a filing, a refusal; and which forms
are read at all. It fetches nothing and does not read the filings themselves.

The list ("getcurrent", described at sec.gov/search-filings/edgar-search-assistance/accessing-edgar-data) gives a filing
one entry for each of its parties; all of them together are one filing, known by its accession number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from catalyst.core.feeds import Entry
from catalyst.core.jitter import spread_ms
from catalyst.core.stories import accession_of
from catalyst.errors import FilingError

SEC = "https://www.sec.gov"
NEW_YORK = ZoneInfo("America/New_York")  # times on index pages are Eastern without saying so
TITLE = re.compile(r"(?P<form>.+?) +- +(?P<name>.*?)(?: \((?P<cik>\d{10})\))?(?: \((?P<role>[A-Za-z ]{3,20})\))?")
ITEM = re.compile(r"\bItem (\d{1,2}(?:\.\d\d)?):")
ROLES = {"subject": 0, "issuer": 0, "filer": 1, "filed for": 1, "filed by": 3, "reporting": 3}
OTHER_ROLE = 2  # one that is not known: behind the company's, before those who only report
INDEX_BYTES = 2_000_000  # index pages have 7 to 200 KB
DEEPEST = 1_000  # open tags at one place; index pages have 12, and the reader's time grows with the square
DOCUMENT_BYTES = 8_000_000  # a long 10-K with its markup
MOST_EXHIBITS = 3
PAGE_ENTRIES = 40  # of a list that is asked for without `count`; 100 are the most (sec.gov, "Latest Filings")
MOST_DOCUMENTS = 2_000
READABLE = (".htm", ".html", ".txt", ".xml")
TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
VOID = frozenset((b"br", b"img", b"meta", b"link", b"input", b"hr", b"p", b"li"))
ARCHIVES = re.compile(r"/Archives/edgar/data/[\w./+~%-]{1,300}")
COMPANY = re.compile(r"(?P<name>.*?)\s*\((?P<role>[A-Za-z ]{3,20})\)\s*CIK\s*:?\s*(?P<cik>\d{10})\b")
FORM_NAME = re.compile(r"Form (?P<form>.+?)(?: - .*|:)?")
TITLE_CHARS = 300
PASSING = frozenset({"404", "403", "408", "timeout", "refused", "reset", "dns", "tls", "malformed"})
WAITS_S = (3, 7, 15, 25)  # a page is there some seconds after the list names it, a bad minute is over in a minute
LAST_TRY_S = 30  # seconds of failing after which the next try is the last


class Reading(NamedTuple):
    """That a form is read: which is read first where several wait (0 to 1, most urgent 1), and why it is read."""

    priority: float
    why: str


# What moves a low-priced share within the day. Form types as EDGAR names them (sec.gov/submit-filings/forms-index);
# an amendment ("/A") is read like its base. Not here, so dropped without a request: 424B2 (527 of 3,315 filings on
# 2025-12-12, nearly all structured notes of banks), 144 and 3 (a notice and a first holding, no event), D (private
# placements, after the fact), S-8 (shares for employees), the forms of funds (485*, 497*, N-*, 40-*), CORRESP, UPLOAD.
FORMS: dict[str, Reading] = {
    "8-K": Reading(1.0, "an event of a US company"),
    "424B5": Reading(0.95, "prospectus supplement: a sale off the shelf, with its terms"),
    "424B4": Reading(0.95, "final prospectus of a priced offering"),
    "424B3": Reading(0.8, "prospectus or supplement, often a resale by holders"),
    "424B1": Reading(0.8, "prospectus with the price left out before"),
    "424B7": Reading(0.8, "prospectus supplement for selling holders"),
    "424B8": Reading(0.8, "prospectus filed late, as one of the others"),
    "FWP": Reading(0.7, "free writing prospectus: the term sheet of an offering"),
    "6-K": Reading(0.9, "an event of a foreign company"),
    "8-K12B": Reading(0.9, "an event that makes a successor company"),
    "SC TO-T": Reading(0.9, "a tender offer by somebody else"),
    "SC 14D9": Reading(0.85, "the company's answer to a tender offer"),
    "SC TO-I": Reading(0.8, "a tender offer for the company's own shares"),
    "425": Reading(0.8, "what is said about a merger"),
    "SCHEDULE 13D": Reading(0.75, "a holder of 5 % who may want influence; so called since December 2024"),
    "SC 13D": Reading(0.75, "the same under its older name"),
    "S-1": Reading(0.7, "registration of a sale"),
    "F-1": Reading(0.7, "registration of a sale by a foreign company"),
    "S-3": Reading(0.65, "registration of a shelf: sales may follow"),
    "S-3ASR": Reading(0.6, "a shelf that is effective at once"),
    "F-3": Reading(0.65, "a shelf of a foreign company"),
    "F-3ASR": Reading(0.6, "a foreign company's shelf that is effective at once"),
    "POS AM": Reading(0.5, "amendment of a registration in force"),
    "RW": Reading(0.6, "withdrawal of a registration: the sale is off"),
    "NT 10-K": Reading(0.6, "the annual report will be late"),
    "NT 10-Q": Reading(0.6, "the quarterly report will be late"),
    "DEFA14A": Reading(0.5, "more words to the holders before a vote"),
    "10-Q": Reading(0.4, "quarterly report"),
    "10-K": Reading(0.4, "annual report"),
    "4": Reading(0.4, "an insider bought or sold"),
    "SCHEDULE 13G": Reading(0.3, "a passive holder of 5 %"),
    "SC 13G": Reading(0.3, "the same under its older name"),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """A filing as one entry of the list tells it. `cik` has ten digits and is, like `company`, empty where the entry
    names a party that is not the company; `items` are an 8-K's, "1.01".
    """

    accession: str
    form: str
    company: str
    cik: str
    role: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One row of an index page; `path` begins with /Archives, `size` is None where the page does not say."""

    seq: int | None
    type: str
    name: str
    description: str
    path: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Index:
    """What an index page says. Times are UTC milliseconds, None where they are not there."""

    accession: str
    form: str
    company: str
    cik: str
    items: tuple[str, ...]
    filed_ms: int | None
    accepted_ms: int | None
    documents: tuple[Document, ...]


def base_form(form: str) -> str:
    """The form without the mark of an amendment: `8-K/A` -> `8-K`."""
    return form.removesuffix("/A")


def reading_of(form: str) -> Reading | None:
    """Whether and how urgently a form is read; None: it is dropped."""
    return FORMS.get(base_form(form))


def role_rank(role: str) -> int:
    """0 for the party that a filing is about; the party with the lowest rank is its company."""
    return ROLES.get(role.strip().lower(), OTHER_ROLE)


def party_rank(title: str) -> int:
    """`role_rank` of an entry's title; a title without a role names the company."""
    role = title.rpartition(" (")[2]
    return role_rank(role[:-1]) if role.endswith(")") and role[:-1].replace(" ", "").isalpha() else 0


def read_entry(entry: Entry) -> Listed | None:
    """The filing that an entry lists; None for an entry without accession number or form."""
    accession = accession_of(entry.id, entry.link)
    match = TITLE.fullmatch(entry.title)
    form = (entry.categories[0] if entry.categories else match["form"] if match else "").strip().upper()
    if accession is None or not form:
        return None
    role = (match["role"] or "") if match else ""
    is_company = role_rank(role) < ROLES["filed by"]
    name = match["name"] if match and (match["cik"] or role) else ""  # a company's own list has "8-K - Current report"
    return Listed(accession, form, name[:200] if is_company else "", (match["cik"] or "") if match and is_company
                  else "", role, tuple(dict.fromkeys(ITEM.findall(entry.summary))))


def asked_form(url: str) -> str:
    """The form that the address of a list asks for with `type=`, empty where it asks for all."""
    try:
        return parse_qs(urlsplit(url).query).get("type", [""])[0].strip().upper()
    except ValueError:
        return ""


def page_entries(url: str) -> int:
    """How many entries a page of the list at `url` has."""
    count = dict(parse_qsl(urlsplit(url).query)).get("count", "")
    return int(count) if count.isdigit() and int(count) else PAGE_ENTRIES


def page_at(url: str, start: int) -> str:
    """The address of the page of the list at `url` that begins behind `start` entries."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return urlunsplit(parts._replace(query=urlencode(query | {"start": str(start)})))


def reaches(entries: Sequence[Entry], count: int, goal_ms: int) -> bool:
    """Whether a page of a list, newest first, shows what was listed before `goal_ms`, or is the last: a whole one has
    `count` entries."""
    oldest_ms = min((entry.published_ms for entry in entries if entry.published_ms is not None), default=None)
    return oldest_ms is None or oldest_ms < goal_ms or len(entries) < count


def of_source(entries: Iterable[Entry], url: str) -> tuple[list[Entry], int, int]:
    """(the entries that the list at `url` was asked for, how many are of other forms, how many are no filings).

    EDGAR matches `type=` by prefix, so type=4 also gives 424B2 and 40-17G: those are some other source's.
    """
    asked = asked_form(url)
    kept: list[Entry] = []
    others = strange = 0
    for entry in entries:
        listed = read_entry(entry)
        if listed is None:
            strange += 1
        elif asked and listed.form not in (asked, f"{asked}/A"):
            others += 1
        else:
            kept.append(entry)
    return kept, others, strange


def refusal_of(status: int, body: bytes) -> str:
    """`edgar_rate` or `edgar_agent` where an answer is EDGAR's refusal of this client, else empty.

    Both are web pages (403 or 429, now and then 200) that ask for ten minutes' rest or for a User-Agent with a contact.
    A bare 403 of the file store, which is XML, is about one document.
    """
    head = body[:3_000].lower()
    if b"undeclared automated tool" in head:
        return "edgar_agent"
    if status == 429 or b"request rate threshold exceeded" in head:
        return "edgar_rate"
    return "edgar_rate" if status == 403 and not head.lstrip().startswith((b"<?xml", b"<error")) else ""


def index_path(link: str, accession: str, cik: str, base_url: str = SEC) -> str | None:
    """The path of a filing's index page: of its link, else made of accession number and CIK; None without either."""
    for start in (SEC, base_url.rstrip("/"), ""):
        path = link.removeprefix(start)
        if path.startswith("/") and ARCHIVES.fullmatch(path) and ".." not in path and accession in path:
            return path
    if not cik:
        return None
    return f"/Archives/edgar/data/{int(cik)}/{accession.replace('-', '')}/{accession}-index.htm"


def read_index(body: bytes) -> Index:
    """A filing's index page. Raises FilingError: `too_big`, `edgar_rate` or `edgar_agent` for a refusal, `no_index`."""
    if len(body) > INDEX_BYTES:
        raise FilingError("too_big", f"index page of {len(body)} bytes")
    if refusal := refusal_of(200, body):
        raise FilingError(refusal, "in place of an index page")
    if _depth(body) > DEEPEST:
        raise FilingError("no_index", "nested too deep")
    from selectolax.lexbor import LexborHTMLParser  # only who reads filings needs it

    tree = LexborHTMLParser(body.decode("utf-8", "replace"))
    documents = tuple(_documents(tree))
    accession = re.search(r"\d{10}-\d\d-\d{6}", _text(tree.css_first("#secNum")))
    form = FORM_NAME.fullmatch(_text(tree.css_first("#formName > strong") or tree.css_first("#formName")))
    if not documents or accession is None:
        raise FilingError("no_index", "a page without documents or accession number")
    facts = {_text(head): _value_of(head) for head in tree.css(".infoHead")}
    companies = [match for node in tree.css(".companyName") if (match := COMPANY.match(_text(node)))]
    company = min(companies, key=lambda match: role_rank(match["role"]), default=None)
    is_company = company is not None and role_rank(company["role"]) < ROLES["filed by"]
    return Index(accession[0], form["form"].strip().upper()[:50] if form else "",
                 company["name"][:200] if company and is_company else "",
                 company["cik"] if company and is_company else "",
                 tuple(dict.fromkeys(ITEM.findall(facts.get("Items", "")))),
                 _moment(facts.get("Filing Date", ""), "%Y-%m-%d"),
                 _moment(facts.get("Accepted", ""), "%Y-%m-%d %H:%M:%S"), documents)


def to_fetch(index: Index, form: str = "") -> tuple[Document, ...]:
    """What of a filing is read: the primary document, then at most three EX-99 exhibits, the press release first.

    Empty where nothing is readable text of a bearable size.
    """
    form = form or index.form
    usable = [document for document in index.documents if document.name.lower().endswith(READABLE)
              and document.path.lower().endswith(READABLE) and (document.size or 0) <= DOCUMENT_BYTES
              and document.name != f"{index.accession}.txt"]
    main = [document for document in usable if document.type in (form, base_form(form), f"{form}/A")]
    main = main or [document for document in usable if document.seq == 1]
    # Forms in XML are listed twice: as a page made of it (.../xslF345X05/...), and as filed.
    primary = sorted(main, key=lambda document: ("/xsl" in document.path.lower(), document.seq or 0))[:1]
    exhibits = sorted((document for document in usable
                       if document.type.startswith("EX-99") and document not in primary),
                      key=lambda document: ("release" not in document.description.lower(), document.seq or 0))
    return (*primary, *exhibits[:MOST_EXHIBITS])


def next_try(reason: str, failures: int, failing_ms: int, item_id: str) -> tuple[int, bool] | None:
    """(milliseconds to wait, whether the next try is the last) after a request for a filing failed for the
    `failures`-th time, `failing_ms` after the first failure; None where another try is no use.

    `reason` names page and fault, `index_404`. With these waits a filing is given up about a minute after it was due.
    """
    fault = reason.partition("_")[2]
    if failures > len(WAITS_S) or not (fault in PASSING or (fault.startswith("5") and len(fault) == 3)):
        return None
    wait_s = WAITS_S[failures - 1]
    wait_ms = wait_s * 1000 + spread_ms(wait_s * 1000, item_id, failures)
    return wait_ms, failures == len(WAITS_S) or failing_ms / 1000 + wait_s >= LAST_TRY_S


def line_of(form: str, company: str, about: Sequence[str]) -> str:
    """One line for a reader, at most 300 characters: `8-K: Acme Corp: Prices registered direct offering`.

    `about` are texts that say what it is about, the best first; the first that is not empty is taken.
    """
    what = next((text for text in about if text.strip()), "")
    line = ": ".join(part for part in (form, company, " ".join(what.split())) if part)
    return line if len(line) <= TITLE_CHARS else line[:TITLE_CHARS - 1].rstrip() + "…"


def _depth(body: bytes) -> int:
    """The most tags open at one place, those without an end apart; at once over the limit."""
    depth = deepest = 0
    for match in TAG.finditer(body):
        if match[2].lower() in VOID:
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest


def _documents(tree: Any) -> Iterable[Document]:
    for row in tree.css("table.tableFile tr")[:MOST_DOCUMENTS]:
        cells = row.css("td")
        link = row.css_first("a")
        if len(cells) < 5 or link is None:
            continue
        path = (link.attributes.get("href") or "").removeprefix(SEC).removeprefix("/ix?doc=")
        if not ARCHIVES.fullmatch(path) or ".." in path:
            continue
        seq, size = _text(cells[0]), _text(cells[4])
        yield Document(int(seq) if _is_number(seq) else None, _text(cells[3])[:50].upper(), _text(link)[:200],
                       _text(cells[1])[:200], path, int(size) if _is_number(size) else None)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 15


def _text(node: Any) -> str:
    return " ".join(node.text(deep=True, separator=" ").split()) if node is not None else ""


def _value_of(head: Any) -> str:
    node = head.next
    while node is not None and node.tag == "-text":
        node = node.next
    return _text(node)


def _moment(text: str, form: str) -> int | None:
    try:
        return int(datetime.strptime(text, form).replace(tzinfo=NEW_YORK).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
