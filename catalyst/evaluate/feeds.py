"""How well recorded feeds are read: entries beside feedparser's count, each date beside what the standard library reads
in the same text. What differs is listed for the eye.
"""

from __future__ import annotations

import email.utils
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalyst.core.feeds import Entry, parse_feed
from catalyst.errors import FeedError, UnavailableError
from catalyst.evaluate.duplicates import RECORDED

SUFFIXES = (".xml", ".rss", ".atom")
DATES = ("published", "created", "updated")  # feedparser's names, the moment of publication first


@dataclass(frozen=True, slots=True)
class Row:
    """One document. Of our `entries` so many dates are `right`, `null` (unknown) and `wrong`; `unread`: null although
    the standard library reads a date there. `error` is our reason to refuse the document.
    """

    file: str
    entries: int
    feedparser: int
    right: int = 0
    null: int = 0
    wrong: int = 0
    unread: int = 0
    error: str = ""

    @property
    def is_good(self) -> bool:
        """As many entries as feedparser finds, and every date right or null."""
        return self.entries == self.feedparser and not self.wrong


def table(folder: Path = RECORDED) -> list[Row]:
    """A row for each recorded document below the folder, in the order of their names.

    Raises UnavailableError where there is none.
    """
    if not any(file.suffix in SUFFIXES for file in folder.rglob("*")):
        raise UnavailableError(f"no recorded feeds: {folder} holds none")
    return [read(file, str(file.relative_to(folder))) for file in sorted(folder.rglob("*")) if file.suffix in SUFFIXES]


def read(file: Path, name: str) -> Row:
    """The row of one document."""
    import feedparser  # type: ignore[import-untyped]  # it ships no types

    body = file.read_bytes()
    peers = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)["entries"]
    try:
        entries = parse_feed(body).entries
    except FeedError as error:
        return Row(name, 0, len(peers), error=error.reason)
    if len(entries) != len(peers):
        return Row(name, len(entries), len(peers))
    right = null = wrong = unread = 0
    for entry, peer in zip(entries, peers, strict=True):
        expected = _first_date(dict(peer))
        if entry.published_ms is None:
            null += 1
            unread += expected is not None
        elif _is_right(entry, expected):
            right += 1
        else:
            wrong += 1
    return Row(name, len(entries), len(peers), right, null, wrong, unread)


def _is_right(entry: Entry, expected: int | None) -> bool:
    return entry.published_ms is not None and expected is not None and abs(entry.published_ms - expected) < 1000


def _first_date(peer: dict[str, Any]) -> int | None:
    """UTC milliseconds of the first date text that the standard library can read; what it gives no zone is UTC, a day
    alone its beginning."""
    for name in DATES:
        text = str(peer.get(name) or "").strip()
        for parse in (datetime.fromisoformat, email.utils.parsedate_to_datetime, _written_out):
            try:
                moment = parse(text)
            except (ValueError, TypeError, IndexError):
                continue
            return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    return None


def _written_out(text: str) -> datetime:
    """As in "November 1, 2013"."""
    return datetime.strptime(text, "%B %d, %Y").replace(tzinfo=UTC)


def plain(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """The rows for `--json`."""
    return [{**asdict(row), "good": row.is_good} for row in rows]


def text_of(rows: list[Row]) -> str:
    """The rows as a table with their sums; a mark behind each that is not as it should be."""
    width = max((len(row.file) for row in rows), default=8)
    lines = [f"{'document':<{width}} {'ours':>6} {'feedp.':>6} {'right':>6} {'null':>5} {'wrong':>5} {'unread':>6}"]
    lines += [f"{row.file:<{width}} {row.entries:>6} {row.feedparser:>6} {row.right:>6} {row.null:>5} {row.wrong:>5} "
              f"{row.unread:>6}{'' if row.is_good else '  <<'}{' ' + row.error if row.error else ''}" for row in rows]
    sums = [sum(getattr(row, name) for row in rows) for name in
            ("entries", "feedparser", "right", "null", "wrong", "unread")]
    lines.append(f"{f'{len(rows)} documents':<{width}} {sums[0]:>6} {sums[1]:>6} {sums[2]:>6} {sums[3]:>5} "
                 f"{sums[4]:>5} {sums[5]:>6}")
    return "\n".join(lines) + "\n"
