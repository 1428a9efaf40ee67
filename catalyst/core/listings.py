"""Lists of news that are no XML -> entries: JSON Feed 1.1 (jsonfeed.org), CSV with a header line, and the answers of
services that ask for a key: Finnhub (finnhub.io/docs/api/market-news and /company-news), Finviz Elite's news export,
Benzinga (docs.benzinga.com, "Newsfeed").

Of a CSV the columns title, link or url, date or published, summary or description, ticker or tickers and category
count, in any order and case. It decides nothing about an entry and reads no file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import msgspec

from catalyst.core.csv_lines import read_lines, read_rows
from catalyst.core.dates import parse_date
from catalyst.core.feed_bytes import as_utf8
from catalyst.core.feeds import (
    SUMMARY_CHARS,
    TAGS,
    TITLE_CHARS,
    Entry,
    Feed,
    parse_feed,
    plain_text,
    sort_tags,
    web_link,
)
from catalyst.core.session import NEW_YORK
from catalyst.errors import FeedError

COLUMNS = {"title": "title", "headline": "title", "link": "link", "url": "link", "date": "date", "published": "date",
           "datetime": "date", "summary": "summary", "description": "summary", "ticker": "tickers",
           "tickers": "tickers", "category": "category", "id": "id", "guid": "id"}
MOST_ROWS = 4_000
MOST_MARKS = 250_000  # commas and brackets: values of the JSON in memory
LINK = re.compile(r"(?:https?://|/)\S+", re.IGNORECASE)
TICKER = re.compile(r"(?:[A-Za-z][A-Za-z .-]{0,30}:\s?)?[A-Z0-9]{1,7}(?:[./-][A-Z]{1,3})?")
ZONED = re.compile(r"(?:[zZ]|[A-Za-z]{2,}|:\d\d(?:\.\d+)?\s*[+-]\d\d:?\d\d)\s*$")


@dataclass(frozen=True, slots=True)
class Listing(Feed):
    """A document's entries; `refused` counts the rows of a CSV that could not be read."""

    refused: int = 0


def parse_document(kind: str, body: bytes, content_type: str = "", base: str = "") -> Listing:
    """The entries of a source of this `kind` (as in sources.toml). Raises FeedError."""
    if kind in ("finnhub", "benzinga"):
        return _parse_array(body, base, _of_finnhub if kind == "finnhub" else _of_benzinga)
    if kind == "json":
        return parse_json_feed(body, base)
    if kind in ("csv", "finviz"):
        return parse_csv(body, content_type, base, is_finviz=kind == "finviz")
    return Listing(parse_feed(body, content_type, base).entries)


def parse_json_feed(body: bytes, base: str = "") -> Listing:
    """The entries of a JSON Feed. Raises FeedError `no_feed` for anything else, `html` for a web page, `too_complex`
    for more values than any feed has."""
    document = _decoded(body)
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise FeedError("no_feed", "JSON without a list of items")
    return Listing(tuple(_of_json(item, base) for item in items[:MOST_ROWS] if isinstance(item, dict)))


def parse_csv(body: bytes, content_type: str = "", base: str = "", *, is_finviz: bool = False) -> Listing:
    """The entries of a CSV. Raises FeedError `html` for a web page, `no_feed` without the columns title and link, or
    where no row of several can be read.

    Finviz writes New York's time without saying so, and bare tickers.
    """
    text = as_utf8(body, content_type).decode("utf-8", "replace")
    if text.lstrip()[:1] == "<":
        raise FeedError("html", "a web page in place of a CSV")
    head = next(read_lines(text), None)
    names = [COLUMNS.get(name.strip().lower(), "") for name in head.cells] if head and not head.fault else []
    if not {"title", "link"} <= set(names):
        raise FeedError("no_feed", "CSV without the columns title and link")
    place = names.index("link")

    def is_row(cells: Sequence[str]) -> bool:  # where a cell of several lines ends, its quote stands before the link
        return (len(cells) > place and LINK.fullmatch(cells[place].strip()) is not None
                and not any(cell.count('"') % 2 for cell in cells[:place]))

    rows = list(islice(read_rows(text, is_row), 1, MOST_ROWS + 1))
    found = tuple(_of_row(dict(zip(names, row.cells, strict=False)), base, is_finviz=is_finviz)
                  for row in rows if row.cells and not row.fault)
    refused = [row for row in rows if row.fault]
    if refused and not found:
        raise FeedError("no_feed", f"damaged CSV: line {refused[0].number}: {refused[0].fault}")
    return Listing(found, len(refused))


def _of_row(row: Mapping[str, str], base: str, *, is_finviz: bool) -> Entry:
    """A CSV's row: its tickers count with an exchange, Finviz's alone too."""
    tickers = re.split(r"[,;\s]+", row.get("tickers", ""))
    entry = _made(row, base, [(row.get("category", ""), "")],
                  _tickers(tickers) if is_finviz else [ticker for ticker in tickers if ":" in ticker])
    if is_finviz and entry.published_ms is not None and not ZONED.search(re.sub(r"(?i)[ap]\.?m\.?", "", row["date"])):
        naive = datetime.fromtimestamp(entry.published_ms / 1000, UTC).replace(tzinfo=NEW_YORK)
        return msgspec.structs.replace(entry, published_ms=round(naive.timestamp() * 1000))
    return entry


def _decoded(body: bytes) -> Any:
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_MARKS:
        raise FeedError("too_complex", f"over {MOST_MARKS} values")
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedError("html" if body.lstrip()[:1] == b"<" else "no_feed", "no JSON") from error


def _parse_array(body: bytes, base: str, read: Callable[[Mapping[str, Any], str], Entry]) -> Listing:
    items = _decoded(body)
    if not isinstance(items, list):
        raise FeedError("no_feed", "JSON, but no list of news")  # what is wrong with the key or the question
    return Listing(tuple(read(item, base) for item in items[:MOST_ROWS] if isinstance(item, dict)))


def _of_finnhub(item: Mapping[str, Any], base: str) -> Entry:
    """An item of market or company news: `datetime` in Unix seconds, `related` tickers or empty."""
    number = item.get("id")
    fields = {"id": str(number) if number else "", "title": _text(item, "headline"), "link": _text(item, "url"),
              "date": str(item.get("datetime", "")), "summary": _text(item, "summary")}
    return _made(fields, base, [(_text(item, "category"), "")], _tickers(_text(item, "related").split(",")))


def _of_benzinga(item: Mapping[str, Any], base: str) -> Entry:
    """An item of the newsfeed: times as in RFC 822, names in lists; a stock with a dollar sign is a currency."""
    fields = {"id": str(item.get("id") or ""), "title": _text(item, "title"), "link": _text(item, "url"),
              "date": _text(item, "created") or _text(item, "updated"),
              "summary": _text(item, "body") or _text(item, "teaser")}
    names = [*_names(item, "channels"), *_names(item, "tags")]
    return _made(fields, base, [(name, "") for name in names], _tickers(_names(item, "stocks")))


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return value if isinstance(value, str) else ""


def _names(item: Mapping[str, Any], name: str) -> list[str]:
    rows = item.get(name)
    return [_text(row, "name") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _tickers(names: Iterable[str]) -> list[str]:
    """What can be a ticker, bare or with its exchange, each once."""
    return list(dict.fromkeys(name.strip() for name in names if TICKER.fullmatch(name.strip())))


def _of_json(item: Mapping[str, Any], base: str) -> Entry:
    text = {name: value for name, value in item.items() if isinstance(value, str)}
    name = item.get("id")
    fields = {"id": "" if name is None else str(name), "title": text.get("title", ""), "link": text.get("url", ""),
              "date": text.get("date_published") or text.get("date_modified", ""),
              "summary": text.get("summary") or text.get("content_html") or text.get("content_text", "")}
    tags = item.get("tags")
    return _made(fields, base, [(tag, "") for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [])


def _made(fields: Mapping[str, str], base: str, tags: list[tuple[str, str]], tickers: Iterable[str] = ()) -> Entry:
    title = plain_text(fields.get("title", ""), TITLE_CHARS)
    summary = plain_text(fields.get("summary", ""), SUMMARY_CHARS)
    link = web_link(fields.get("link", ""), base)
    published_ms = parse_date(fields.get("date", ""))
    name = " ".join(fields.get("id", "").split()) or link
    if not name:
        name = "hash:" + hashlib.sha256(f"{title}\n{published_ms}\n{summary}".encode()).hexdigest()[:32]
    symbols, categories = sort_tags(tags)
    symbols = tuple(dict.fromkeys((*symbols, *tickers)))[:TAGS]
    return Entry(name, title, link, summary, published_ms, symbols, categories)
