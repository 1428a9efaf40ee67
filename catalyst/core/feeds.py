"""A feed document -> entries: RSS 0.9 to 2.0, RDF and Atom, in any encoding, broken or not.

fastfeedparser reads; feedparser is the second try where the first one raises or finds nothing in a body that has
entries. Dates are read here from the document's own text, because both libraries fill the gaps of a partial date (and
one of them a number in a guid) with today: unknown must stay None. It decides nothing about an entry and fetches
nothing; the libraries are given bytes only, since a text that looks like an address would make them fetch it.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from catalyst.core.dates import parse_date
from catalyst.core.feed_bytes import MOST_MARKS, as_utf8, has_marks, mended
from catalyst.core.pieces import cut, is_whole
from catalyst.errors import FeedError

TITLE_CHARS = 1_000
SUMMARY_CHARS = 20_000
LINK_CHARS = 4_000
TAGS = 40
TAG_CHARS = 200
SECOND_TRY_BYTES = 3_000_000  # feedparser takes about a second for each megabyte

MOST_ENTRIES = 4_000  # EDGAR's longest recorded list has 2,000
HEAD_BYTES = 16_384
HTML_START = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--[^>]{0,2000}>\s*)*<(?:!doctype\s+html|html|head|body|script)\b", re.IGNORECASE)
FEED_ROOT = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:rss|feed|RDF|channel)[\s/>]", re.IGNORECASE)
OF_ITEM = (rb"(?:(?=[IiEePpdcuml])|\w{1,40}+:)(?:([Ii]tem|ITEM|[Ee]ntry|ENTRY)(?=[\s>/])"
           rb"|([Pp]ub[Dd]ate|PUBDATE|published|issued|date|created|updated|modified|lastBuildDate)[^<>]{0,200}>")
MARK = re.compile(rb"<(?:!(?:\[CDATA\[|--)|" + OF_ITEM + rb"))")
PLAIN_MARK = re.compile(b"<" + OF_ITEM + rb"([^<]{0,400})</)")  # enough where no comment or section can hide a tag
DATE_RANK = {name: b"%d" % rank for rank, name in enumerate(  # a digit, to stand before the text and sort it
    (b"pubdate", b"published", b"issued", b"date", b"created", b"updated", b"modified", b"lastbuilddate"))}
ABSOLUTE = re.compile(r"https?://[^/?#\[\]@]+(?:[/?#]|\Z)")
TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
INVISIBLE = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f]")
C1 = re.compile("[\x80-\x9f]")
EXCHANGE_TAG = re.compile(
    r"(?:nasdaq|nyse|amex|otc|tsx|tsxv|cse|cnsx|neo|lse|aim|asx|cboe|euronext|frankfurt|fse|fwb|xetra|oslo|hkex|sgx)"
    r"[a-z .-]{0,20}:\s*[A-Z0-9][A-Z0-9.-]{0,9}", re.IGNORECASE)
LIBRARY_FAULTS = (ValueError, LookupError, TypeError, AttributeError, SyntaxError, ArithmeticError, RecursionError,
                  AssertionError, OSError)


Raw = tuple[Mapping[str, Any], list[str]]  # an entry as a library gives it, with its dates


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry. Texts are plain, on one line; `id` is the publisher's, else the link, else a hash of the content."""

    id: str
    title: str
    link: str
    summary: str
    published_ms: int | None
    symbols: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """The entries of a document in its order; none at all is a valid, empty feed."""

    entries: tuple[Entry, ...]


def parse_feed(body: bytes, content_type: str = "", base: str = "") -> Feed:
    """The feed in `body`. `content_type` is the HTTP header (its charset counts where the document names none),
    `base` the document's address, against which relative links are read.

    Raises FeedError: `html` for a web page, `not_xml` for no markup at all, `no_feed` for other XML or beyond repair,
    `too_complex` for more tags, attributes and references than any feed has. What stands before the root is not read,
    so there are no entities but those of XML itself.
    """
    if HTML_START.match(body, 0, HEAD_BYTES):
        raise FeedError("html", "a web page in place of a feed")
    body = as_utf8(body, content_type)
    if HTML_START.match(body, 0, HEAD_BYTES):
        raise FeedError("html", "a web page in place of a feed")
    start = FEED_ROOT.search(body, 0, HEAD_BYTES)
    if start is None:
        if not body.lstrip().startswith(b"<"):
            raise FeedError("not_xml", "an empty body" if not body.strip() else "no markup at the start")
        raise FeedError("no_feed", "XML without rss, feed or RDF")
    body = body[start.start():]
    if has_marks(body, MOST_MARKS):
        raise FeedError("too_complex", f"over {MOST_MARKS} tags, attributes and references")
    return Feed(_entries(mended(body), base))


def plain_text(text: str, limit_chars: int) -> str:
    """Text on one line: tags become blanks, entities their characters (once), control characters go."""
    if text.isascii() and text.isprintable() and "<" not in text and "&" not in text and "  " not in text:
        text = text.strip()  # the form of most titles, done in a third of the time
        return text if len(text) <= limit_chars else text[:limit_chars - 1].rstrip() + "…"
    text = text[:limit_chars * 5]
    if "<" in text:
        text = text.replace("<b>", " ").replace("</b>", " ")  # EDGAR's summaries have no others
    if "<" in text:
        if "<s" in text or "<S" in text or "<!--" in text:
            for start, end in (("<script", "</script"), ("<style", "</style"), ("<!--", "-->")):
                text = _without(text, start, end)
        text = TAG.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        if C1.search(text):  # numbers 128-159 mean Windows-1252 wherever they are written
            text = C1.sub(lambda match: match[0].encode("latin-1").decode("cp1252", "ignore"), text)
        text = _storable(text)
    text = " ".join(text.split())
    if not text.isprintable():
        text = INVISIBLE.sub("", text)
    return text if len(text) <= limit_chars else text[:limit_chars - 1].rstrip() + "…"


def web_link(text: str, base: str) -> str:
    """The http(s) address in `text`, made absolute by `base`; empty when there is none."""
    if text.isprintable() and " " not in text and len(text) <= LINK_CHARS and ABSOLUTE.match(text):
        return text
    text = "".join(text.split())
    if not 0 < len(text) <= LINK_CHARS:  # urllib keeps what it splits
        return ""
    try:
        link = urljoin(base, text) if base else text
        parts = urlsplit(link)
    except ValueError:
        return ""
    good = parts.scheme.lower() in ("http", "https") and parts.netloc and len(link) <= LINK_CHARS
    return link if good else ""


def sort_tags(tags: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(symbols, categories) of (term, scheme) pairs: a symbol is exchange-qualified, such as `Nasdaq:ABCD`."""
    symbols: dict[str, None] = {}
    categories: dict[str, None] = {}
    for term, scheme in tags:
        text, is_symbol = _tag(term, scheme)
        chosen = symbols if is_symbol else categories
        if text and len(chosen) < TAGS:
            chosen[text] = None
    return tuple(symbols), tuple(categories)


_sorted_tags = lru_cache(maxsize=256)(sort_tags)  # the entries of a document have a few lists of tags between them


@lru_cache(maxsize=256)
def _tag(term: str, scheme: str) -> tuple[str, bool]:
    text = plain_text(term, TAG_CHARS)
    return text, ":" in text and (scheme.rstrip("/").lower().endswith("/stock") or bool(EXCHANGE_TAG.fullmatch(text)))


def _entries(body: bytes, base: str) -> tuple[Entry, ...]:
    """The entries of a document; only what no document has shown before is read."""
    pieces = cut(body, base)
    if pieces is None or len(pieces.entries) > MOST_ENTRIES:
        return tuple([_entry(raw, dates, base) for raw, dates in _read(body)])
    places = pieces.places()
    unread = [number for number, place in enumerate(places) if not place]
    if unread:
        document = pieces.only(unread)
        dates, first = _dates(document), _fast(document)
        if first is None or not len(first) == len(dates) == len(unread) or not is_whole(document):
            return tuple(_entry(raw, dates, base) for raw, dates in _read(body))
        for number, raw, texts in zip(unread, first, dates, strict=True):
            places[number][:] = [_entry(raw, texts, base)]
    return tuple(entry for (entry,) in places)


def _read(body: bytes) -> list[Raw]:
    """Each entry as the library gives it, with the dates as the document writes them, best first."""
    dates = _dates(body)
    if len(dates) > MOST_ENTRIES:
        raise FeedError("too_complex", f"{len(dates)} entries")
    first = _fast(body)
    if first is not None and len(first) == len(dates):
        return list(zip(first, dates, strict=True))
    second = _thorough(body) if dates and len(body) <= SECOND_TRY_BYTES else None
    if second and len(second) >= len(first or ()):
        return [(entry, [entry[name] for name in ("published", "created", "updated") if entry.get(name)])
                for entry in second]
    if first is None:
        raise FeedError("no_feed", "neither parser can read it")
    return [(entry, []) for entry in first]


def _fast(body: bytes) -> list[Mapping[str, Any]] | None:
    import fastfeedparser  # type: ignore[import-untyped]  # it ships no types

    try:
        return list(fastfeedparser.parse(body, include_media=False, include_enclosures=False)["entries"])
    except LIBRARY_FAULTS:
        return None


def _thorough(body: bytes) -> list[Mapping[str, Any]]:
    import feedparser  # type: ignore[import-untyped]  # it ships no types

    try:
        found = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
        return [dict(entry) for entry in found["entries"]]  # its own class makes up dates that are not there
    except LIBRARY_FAULTS:
        return []


def _dates(body: bytes) -> list[list[str]]:
    """For each item or entry of the document its date texts, publication before update."""
    found: list[list[bytes]] = []
    dates: list[bytes] = []  # of the item at hand, first that of the channel
    if b"<!" not in body:
        for item, date, text in PLAIN_MARK.findall(body):
            if item:
                found.append(dates := [])
            else:
                dates.append(DATE_RANK[date.lower()] + text)
        return [_best_first(dates) for dates in found]
    at = 0
    while match := MARK.search(body, at):
        at = match.end()
        item, date = match.groups()
        if item:
            found.append(dates := [])
        elif date:
            end = body.find(b"</", at, at + 400)
            if end > 0:
                text = body[at:end].replace(b"<![CDATA[", b"").replace(b"]]>", b"")
                dates.append(DATE_RANK[date.lower()] + text)
                at = end
        else:
            end = body.find(b"]]>" if match[0] == b"<![CDATA[" else b"-->", at)
            if end < 0:
                break
            at = end
    return [_best_first(dates) for dates in found]


def _best_first(ranked: list[bytes]) -> list[str]:
    if len(ranked) == 1:
        return [ranked[0][1:].decode("utf-8", "replace")]
    return [text[1:].decode("utf-8", "replace") for text in sorted(ranked)]


def _entry(raw: Mapping[str, Any], dates: list[str], base: str) -> Entry:
    get = raw.get
    summary = get("description") or get("summary") or ""
    if not summary and (content := get("content")):
        summary = content[0].get("value") or ""
    title = plain_text(get("title") or "", TITLE_CHARS)
    summary = plain_text(summary, SUMMARY_CHARS)
    name = get("id") or ""
    if " " in name or not name.isprintable() or not name.isascii():
        name = _storable(" ".join(name.split()))
    link = web_link(_storable(get("link") or ""), base) or web_link(name, "")
    published_ms = _first_date(dates)
    if not name:
        name = link or "hash:" + hashlib.sha256(f"{title}\n{published_ms}\n{summary}".encode()).hexdigest()[:32]
    tags = get("tags")
    symbols, categories = _sorted_tags(tuple([(tag.get("term") or "", tag.get("scheme") or "") for tag in tags])) \
        if tags else ((), ())
    return Entry(name, title, link, summary, published_ms, symbols, categories)


@lru_cache(maxsize=64)  # filings come in bunches of one second
def _dated(text: str) -> int | None:
    return parse_date(text)


def _first_date(texts: list[str]) -> int | None:
    for text in texts:
        if (moment := _dated(text)) is not None:
            return moment
    return None


def _storable(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "ignore").decode()


def _without(text: str, start: str, end: str) -> str:
    """`text` without the parts from `start` to `end`; an unclosed one goes to the end of the text."""
    folded, pieces, at = text.lower(), [], 0
    if len(folded) != len(text):  # a few characters change their length in lower case
        folded = text
    while (begin := folded.find(start, at)) >= 0:
        pieces.append(text[at:begin])
        finish = folded.find(end, begin + len(start))
        if finish < 0:
            return " ".join(pieces)
        at = finish + len(end) if end == "-->" else folded.find(">", finish) + 1 or len(text)
    return " ".join([*pieces, text[at:]])
