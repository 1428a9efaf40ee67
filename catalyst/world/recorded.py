"""Makes a day of recorded wire feeds, press-release lists and EDGAR filings: real wording, own links, one compact day.

Feed documents keep the text of their items; lists (CSV, JSON lines) are written as RSS. The items of each feed keep
their order and are spread evenly over the day. There are no prices: every quote is unknown. The data stays outside the
project; this only reads it where it lies.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

from catalyst.clock import from_iso
from catalyst.errors import ConfigError
from catalyst.world.day import COMPANIES_FILE, Day, FeedFile, write_day
from catalyst.world.feeds import moments, parse_date, read_document, with_date
from catalyst.world.filings import FOLDER
from catalyst.world.recorded_filings import write_recorded

STARTS = "2026-03-03T14:30:00Z"
COMPANIES = Path("reference/company_tickers.json")
RELEASES = Path("news/globenewswire_biotech_releases_2020-2024.csv")
EVENTS = Path("news/catalyst_bot_events_2025-08.jsonl")
DOCUMENTS = {
    "prnewswire": "feeds/reconstructed/prnewswire_*.xml",
    "globenewswire": "feeds/reconstructed/globenewswire_public_*.xml",
    "globenewswire-biotech": "feeds/reconstructed/globenewswire_biotech_*.xml",
}
_HEAD = ('<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>\n<title>{title}</title>'
         "<link>https://recorded.example/{title}</link><description>{title}</description>\n")
_TAIL = "\n</channel></rss>\n"


def make_day(data: Path, folder: Path, *, duration_s: float = 1800, releases: int = 1000, filings: bool = True) -> Day:
    """Write the recorded day into `folder`, which must be empty or absent; at most `releases` press releases.

    `filings`: also EDGAR's lists and filings.

    Raises ConfigError when `data` has none of the feeds, or the folder is not empty.
    """
    data, folder = Path(data).absolute(), Path(folder).absolute()
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder} is not empty")
    found = {name: _documents(data, pattern) for name, pattern in DOCUMENTS.items()}
    if not any(found.values()):
        raise ConfigError(f"{data} has no recorded wire feeds under feeds/reconstructed")
    found["releases"] = _releases(data / RELEASES)[-releases:]
    found["events"] = _events(data / EVENTS)
    (folder / "feeds").mkdir(parents=True)
    starts_ms = from_iso(STARTS)
    feeds = tuple(_write(folder, name, items, starts_ms, duration_s) for name, items in _distinct(found).items())
    lists = write_recorded(data, folder, starts_ms, duration_s) if filings else ()
    companies = None
    if (data / COMPANIES).is_file():
        companies = folder / COMPANIES_FILE
        shutil.copyfile(data / COMPANIES, companies)
    day = Day(folder=folder, name="recorded-wires", seed=None, starts_ms=starts_ms, duration_s=duration_s,
              feeds=feeds + lists, companies=companies, bars=None, bar_s=60,
              filings=folder / FOLDER if lists else None)
    write_day(day)
    return day


def _documents(data: Path, pattern: str) -> list[str]:
    """Items of the recorded documents, the oldest first."""
    dated: list[tuple[int, str]] = []
    for file in sorted(data.glob(pattern)):
        document = read_document(file.read_bytes(), str(file))
        times = moments(document.items, 0)
        dated += [(time, item.text) for time, item in zip(times, document.items, strict=True)][::-1]
    return [text for _, text in sorted(dated, key=lambda entry: entry[0])]


def _releases(file: Path) -> list[str]:
    if not file.is_file():
        return []
    with file.open(newline="", encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["title"] and row["link"]]
    rows.sort(key=lambda row: row["published_date_gmt"])
    return [_rss_item(row["title"], row["link"], row["publisher_summary"], row["published_date_gmt"]) for row in rows]


def _events(file: Path) -> list[str]:
    """News of wires; filings are not news, and rows without a link or title are the recorder's own tests."""
    if not file.is_file():
        return []
    rows: list[dict[str, Any]] = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
    rows = [row for row in rows if row.get("title") and row.get("link") and row.get("source") not in (None, "demo")
            and not row["source"].startswith("sec_")]
    rows.sort(key=lambda row: row["ts"])
    return [_rss_item(row["title"], row["link"], "", row["ts"]) for row in rows]


def _rss_item(title: str, link: str, summary: str, published: str) -> str:
    at, text = escape(link), escape(escape(summary, quote=False), quote=False)
    moment = datetime.fromtimestamp((parse_date(published) or 0) / 1000, UTC)
    return (f'<item><title>{escape(title, quote=False)}</title><link>{at}</link><guid isPermaLink="true">{at}</guid>'
            f"<description>{text}</description><pubDate>{format_datetime(moment, usegmt=True)}</pubDate></item>")


def _distinct(found: dict[str, list[str]]) -> dict[str, list[str]]:
    """Each link once, in the feed that has it first; feeds without an item are left out."""
    known: set[str] = set()
    kept: dict[str, list[str]] = {}
    for name, items in found.items():
        for item in items:
            link = item.partition("<link>")[2].partition("</link>")[0]
            if link not in known:
                known.add(link)
                kept.setdefault(name, []).append(item)
    return kept


def _write(folder: Path, name: str, items: Iterable[str], starts_ms: int, duration_s: float) -> FeedFile:
    items = list(items)
    step_ms = duration_s * 1000 / len(items)
    placed = [with_date(item, starts_ms + int(index * step_ms)) for index, item in enumerate(items)]
    file = folder / "feeds" / f"{name}.xml"
    file.write_text(_HEAD.format(title=name) + "\n".join(reversed(placed)) + _TAIL, "utf-8")
    return FeedFile(name, file, "rss", 0.8, 2.0)
