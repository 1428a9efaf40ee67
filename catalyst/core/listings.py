"""Lists of news that are no XML -> entries: JSON Feed 1.1 (jsonfeed.org) and CSV with a header line.

Of a CSV the columns title, link or url, date or published, summary or description, ticker or tickers and category
count, in any order and case. It decides nothing about an entry and reads no file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from catalyst.core.dates import parse_date
from catalyst.core.feeds import (
    SUMMARY_CHARS,
    TITLE_CHARS,
    Entry,
    Feed,
    as_utf8,
    parse_feed,
    plain_text,
    sort_tags,
    web_link,
)
from catalyst.errors import FeedError

COLUMNS = {"title": "title", "headline": "title", "link": "link", "url": "link", "date": "date", "published": "date",
           "datetime": "date", "summary": "summary", "description": "summary", "ticker": "tickers",
           "tickers": "tickers", "category": "category", "id": "id", "guid": "id"}
MOST_ROWS = 4_000
MOST_MARKS = 250_000  # commas and brackets: values of the JSON in memory


def parse_document(kind: str, body: bytes, content_type: str = "", base: str = "") -> Feed:
    """The entries of a source of this `kind` (as in sources.toml). Raises FeedError."""
    if kind == "json":
        return parse_json_feed(body, base)
    return parse_csv(body, content_type, base) if kind == "csv" else parse_feed(body, content_type, base)


def parse_json_feed(body: bytes, base: str = "") -> Feed:
    """The entries of a JSON Feed. Raises FeedError `no_feed` for anything else, `html` for a web page, `too_complex`
    for more values than any feed has."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MOST_MARKS:
        raise FeedError("too_complex", f"over {MOST_MARKS} values")
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FeedError("html" if body.lstrip()[:1] == b"<" else "no_feed", "no JSON") from error
    items = document.get("items") if isinstance(document, dict) else None
    if not isinstance(items, list):
        raise FeedError("no_feed", "JSON without a list of items")
    return Feed(tuple(_of_json(item, base) for item in items[:MOST_ROWS] if isinstance(item, dict)))


def parse_csv(body: bytes, content_type: str = "", base: str = "") -> Feed:
    """The entries of a CSV. Raises FeedError `html` for a web page, `no_feed` without the columns title and link."""
    text = as_utf8(body, content_type).decode("utf-8", "replace")
    if text.lstrip()[:1] == "<":
        raise FeedError("html", "a web page in place of a CSV")
    try:
        rows = csv.reader(io.StringIO(text))
        names = [COLUMNS.get(name.strip().lower(), "") for name in next(rows, [])]
        if not {"title", "link"} <= set(names):
            raise FeedError("no_feed", "CSV without the columns title and link")
        found = [dict(zip(names, row, strict=False)) for _, row in zip(range(MOST_ROWS), rows, strict=False) if row]
    except csv.Error as error:
        raise FeedError("no_feed", f"damaged CSV: {error}") from error
    return Feed(tuple(_made(row, base, [(row.get("category", ""), "")]) for row in found))


def _of_json(item: Mapping[str, Any], base: str) -> Entry:
    text = {name: value for name, value in item.items() if isinstance(value, str)}
    fields = {"id": str(item.get("id", "")), "title": text.get("title", ""), "link": text.get("url", ""),
              "date": text.get("date_published") or text.get("date_modified", ""),
              "summary": text.get("summary") or text.get("content_html") or text.get("content_text", "")}
    tags = item.get("tags")
    return _made(fields, base, [(tag, "") for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else [])


def _made(fields: Mapping[str, str], base: str, tags: list[tuple[str, str]]) -> Entry:
    title = plain_text(fields.get("title", ""), TITLE_CHARS)
    summary = plain_text(fields.get("summary", ""), SUMMARY_CHARS)
    link = web_link(fields.get("link", ""), base)
    published_ms = parse_date(fields.get("date", ""))
    name = " ".join(fields.get("id", "").split()) or link
    if not name:
        name = "hash:" + hashlib.sha256(f"{title}\n{published_ms}\n{summary}".encode()).hexdigest()[:32]
    symbols, categories = sort_tags(tags)
    tickers = tuple(ticker for ticker in re.split(r"[,;\s]+", fields.get("tickers", "")) if ":" in ticker)
    return Entry(name, title, link, summary, published_ms, symbols + tickers, categories)
