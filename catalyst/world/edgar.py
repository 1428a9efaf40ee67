"""EDGAR on loopback: the list of latest filings, index pages and documents of a day, each from its moment on.

The list is the document that `[[feed]] kind = "edgar"` names; the filings are folders as `archive.py` describes them.
Like the real one the list matches the form by its beginning, shows up to 100 entries a page and one entry for every
party of a filing. What is not published yet, or has no folder, is a 404 page. Refusals are HTML.
"""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from pathlib import Path
from typing import Any

from catalyst.world.archive import ACCESSION, Filing, load_filing
from catalyst.world.day import Day, Shift
from catalyst.world.edgar_pages import (
    LIST_TAIL,
    daily_index,
    eastern,
    index_page,
    is_rendered,
    list_head,
    refusal,
    rendered_page,
    stamp,
    submission_text,
)
from catalyst.world.feeds import moments, read_document

PAGE_ENTRIES = 100
DEFAULT_ENTRIES = 40
OWNER_FORMS = frozenset({"3", "3/A", "4", "4/A", "5", "5/A"})
HTML = "text/html"
_TERM = re.compile(r'term="([^"]*)"')
_NUMBER = re.compile(r"accession-number=(\d{10}-\d{2}-\d{6})")
_CIK = re.compile(r"/edgar/data/(\d+)/")
_UPDATED = re.compile(r"(<updated>)[^<]*(</updated>)")
_COMPANY = re.compile(r"<title>.+? - (.*?) \(\d{10}\)")
_INDEX = re.compile(r"master\.(\d{8})\.idx")
NO_KEY = b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>AccessDenied</Code></Error>"
_FILED = re.compile(r"(Filed:&lt;/b&gt; )\d{4}-\d{2}-\d{2}")
_TYPES = {".htm": HTML, ".html": HTML, ".xml": "text/xml", ".xsd": "text/xml", ".txt": "text/plain",
          ".jpg": "image/jpeg", ".gif": "image/gif", ".pdf": "application/pdf"}


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; with an `etag` it may be shortened to a 304."""

    status: int
    body: bytes
    content_type: str
    etag: str | None = None


@dataclass(frozen=True, slots=True)
class _Entry:
    appear_ms: int
    form: str
    accession: str
    body: bytes


@dataclass(slots=True)
class _Known:
    """A filing that the list names: when it appears, under which parties' addresses, and of which form it is."""

    appear_ms: int
    form: str
    company: str = ""
    ciks: set[int] = field(default_factory=set)


class Edgar:
    """The filings of a day. Thread-safe. `limit_per_s` 0 is no limit; `strict` asks for a contact in the User-Agent."""

    def __init__(self, day: Day, shift: Shift, limit_per_s: int = 0, strict: bool = False):
        feeds = [feed for feed in day.feeds if feed.kind == "edgar"]
        self._folder: Path | None = day.filings
        self._limit_per_s = limit_per_s
        self._strict = strict
        self._known: dict[str, _Known] = {}
        entries: list[_Entry] = []
        for file in dict.fromkeys(feed.file for feed in feeds):
            entries += self._read(file, day, shift)
        self._entries = sorted(entries, key=lambda entry: entry.appear_ms)
        self._lists: dict[tuple[str, str], list[_Entry]] = {}
        self._pages: dict[tuple[str, ...], tuple[int, Answer]] = {}
        listed = [known.appear_ms for known in self._known.values() if is_listed(known.form, [f.form for f in feeds])]
        self._listed_ms = sorted(listed)
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "lists": 0, "not_modified": 0, "archive": 0, "missing": 0, "limited": 0,
                        "refused": 0, "most_per_s": 0}
        self._second = (0, 0)

    def __len__(self) -> int:
        """How many filings the lists of the day are asked for; a filing counts once."""
        return len(self._listed_ms)

    def visible(self, now_ms: int) -> int:
        """How many of them have appeared."""
        return bisect_right(self._listed_ms, now_ms)

    def counts(self) -> dict[str, Any]:
        """What was asked so far: requests by sort, and the most that came within one second."""
        with self._lock:
            return dict(self._counts)

    def note_not_modified(self) -> None:
        """A list went out as a 304."""
        self._count("not_modified")

    def admit(self, agent: str, now_ms: int) -> Answer | None:
        """The refusal for a request that comes too often or does not say who asks; None when it may pass."""
        with self._lock:
            second, count = self._second
            count = count + 1 if second == now_ms // 1000 else 1
            self._second = (now_ms // 1000, count)
            self._counts["requests"] += 1
            self._counts["most_per_s"] = max(self._counts["most_per_s"], count)
            if self._limit_per_s and count > self._limit_per_s:
                self._counts["limited"] += 1
                return Answer(429, refusal("Request Rate Threshold Exceeded", "Too many requests a second."), HTML)
            if self._strict and "@" not in agent:
                self._counts["refused"] += 1
                return Answer(403, refusal("Your Request Originates from an Undeclared Automated Tool",
                                           "Declare who asks, with a contact, in the User-Agent."), HTML)
        return None

    def latest(self, query: dict[str, str], now_ms: int) -> Answer:
        """A page of the list: `type`, `owner`, `start`, `count`; anything but Atom is a web page, as the real one's."""
        self._count("lists")
        if query.get("action") != "getcurrent" or query.get("output") != "atom":
            return Answer(200, refusal("Latest Filings", "Ask with action=getcurrent and output=atom."), HTML)
        form, owner = query.get("type", "").upper(), query.get("owner", "include")
        start, count = _number(query, "start", 0, 10**6), _number(query, "count", DEFAULT_ENTRIES, PAGE_ENTRIES)
        with self._lock:
            entries = self._lists.setdefault((form, owner), [entry for entry in self._entries
                                                             if _wanted(entry.form, form, owner)])
            seen = bisect_right(entries, now_ms, key=lambda entry: entry.appear_ms)
            key = (form, owner, str(start), str(count))
            known = self._pages.get(key)
            if known is None or known[0] != seen:
                shown = entries[max(0, seen - start - count):max(0, seen - start)][::-1]
                newest_ms = entries[seen - 1].appear_ms if seen else 0
                known = (seen, _list_page(shown, newest_ms))
                self._pages[key] = known
        return known[1]

    def archive(self, path: Sequence[str], now_ms: int) -> Answer:
        """What lies at `/Archives/edgar/data/` + `path`: CIK, then the filing's folder, then a document's name."""
        self._count("archive")
        found = self._at(path, now_ms)
        if found is None:
            self._count("missing")
            return Answer(404, refusal("Page Not Found", "The requested page does not exist."), HTML)
        return found

    def index(self, name: str, now_ms: int) -> Answer:
        """`/Archives/edgar/daily-index/YEAR/QTRn/` + `name`: every filing of a day that is over in New York."""
        self._count("archive")
        match = _INDEX.fullmatch(name)
        rows = [(cik, known.company, known.form, accession) for accession, known in self._known.items()
                if match and f"{eastern(known.appear_ms):%Y%m%d}" == match[1] for cik in sorted(known.ciks)]
        if not rows or f"{eastern(now_ms):%Y%m%d}" <= name[7:15]:
            self._count("missing")
            return Answer(403, NO_KEY, "application/xml")
        return Answer(200, daily_index(sorted(rows), datetime.strptime(name[7:15], "%Y%m%d").date()), "text/plain")

    def viewer(self) -> Answer:
        """`/ix?doc=...`: the viewer of inline XBRL, a page of script without the document's text."""
        self._count("archive")
        return Answer(200, refusal("Inline XBRL Viewer", "The viewer needs JavaScript."), HTML)

    def _at(self, path: Sequence[str], now_ms: int) -> Answer | None:
        if len(path) < 2 or not path[0].isdigit() or len(path[0]) > 10:
            return None
        cik = int(path[0])
        name = path[-1]
        accession = name[:20] if len(path) == 2 else _dashed(path[1])
        known = self._known.get(accession)
        if self._folder is None or known is None or known.appear_ms > now_ms or cik not in known.ciks:
            return None
        filing = load_filing(self._folder, accession)
        if filing is None:
            return None
        if name in (f"{accession}-index.htm", f"{accession}-index.html"):
            size = len(self._submission(filing, known.appear_ms))
            return Answer(200, index_page(filing, cik, known.appear_ms, size), HTML)
        if name == f"{accession}.txt":
            return Answer(200, self._submission(filing, known.appear_ms), "text/plain")
        paper = next((paper for paper in filing.papers if paper.file == name), None)
        if paper is None or len(path) not in (3, 4):
            return None
        if len(path) == 4:
            rendered = path[2].startswith("xsl") and is_rendered(filing.form, paper)
            return Answer(200, rendered_page(paper), HTML) if rendered else None
        return Answer(200, paper.body, _TYPES.get(Path(name).suffix.lower(), "application/octet-stream"))

    def _submission(self, filing: Filing, accepted_ms: int) -> bytes:
        assert self._folder is not None
        kept = self._folder / filing.accession / f"{filing.accession}.txt"
        return kept.read_bytes() if kept.is_file() else submission_text(filing, accepted_ms)

    def _read(self, file: Path, day: Day, shift: Shift) -> list[_Entry]:
        """The document's entries, oldest first, each with its times moved to the time of this machine."""
        document = read_document(file.read_bytes(), str(file))
        times = moments(document.items, day.starts_ms)
        entries = []
        for item, moment in reversed(list(zip(document.items, times, strict=True))):
            appear_ms = shift.real_ms(moment)
            term, number, cik = _TERM.search(item.text), _NUMBER.search(item.text), _CIK.search(item.text)
            if term is None or number is None:
                continue
            known = self._known.setdefault(number[1], _Known(appear_ms, term[1]))
            known.appear_ms = min(known.appear_ms, appear_ms)
            if cik is not None:
                known.ciks.add(int(cik[1]))
            if not known.company and (company := _COMPANY.search(item.text)) is not None:
                known.company = unescape(company[1])
            text = _UPDATED.sub(rf"\g<1>{stamp(appear_ms)}\g<2>", item.text)
            text = _FILED.sub(rf"\g<1>{eastern(appear_ms):%Y-%m-%d}", text)
            entries.append(_Entry(appear_ms, term[1], number[1], text.encode("iso-8859-1", "xmlcharrefreplace")))
        return entries

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1


def is_listed(form: str, types: Sequence[str]) -> bool:
    """Whether a list of one of these `types` is meant to show the form: it, or an amendment of it, was asked for.

    What the comparison by the beginning adds (424B2 to type=4) was not asked for and is nobody's item.
    """
    return any(not kind or form in (kind, f"{kind}/A") for kind in types)


def _wanted(form: str, kind: str, owner: str) -> bool:
    is_owner = form in OWNER_FORMS
    return form.upper().startswith(kind) and (owner == "include" or is_owner == (owner == "only"))


def _number(query: dict[str, str], name: str, default: int, most: int) -> int:
    text = query.get(name, "")
    return min(int(text), most) if text.isdigit() and len(text) < 9 else default


def _dashed(folder: str) -> str:
    """`000119312523048785` -> `0001193125-23-048785`; what is no accession number stays as it is."""
    dashed = f"{folder[:10]}-{folder[10:12]}-{folder[12:]}"
    return dashed if ACCESSION.fullmatch(dashed) else folder


def _list_page(entries: Sequence[_Entry], newest_ms: int) -> Answer:
    body = b"\n".join([list_head(newest_ms).rstrip("\n").encode(), *[entry.body for entry in entries],
                       LIST_TAIL.encode()])
    etag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    return Answer(200, body, "application/atom+xml", etag)
