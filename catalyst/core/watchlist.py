"""The watch list as text: read from our own CSV, a plain list or a screener's export, changed, and written as our CSV.

Our CSV has the columns ticker, added (ISO date and time, UTC), note, market_value_usd and market_value_date; lists of
earlier versions have the first three. A Finviz export tells market values too. It opens no file and knows no company.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from catalyst.core.companies import canonical
from catalyst.core.csv_lines import read_lines
from catalyst.core.market_values import MILLION, MarketValue, day_ms, usd_of

FORMER = ("ticker", "added", "note")
VALUE, VALUE_DAY = "market_value_usd", "market_value_date"
COLUMNS = (*FORMER, VALUE, VALUE_DAY)
FINVIZ, FINVIZ_VALUE = "ticker", "market cap"  # of other screeners' numbers nobody knows the unit
MOST = 10_000        # tickers on the list: more than there are
NOTE_CHARS = 200
SHOWN_CHARS = 40     # of a refused line
_TICKER = re.compile(r"(?=.{0,9}[A-Z])[A-Z0-9][A-Z0-9.\-/]{0,9}")
_HEADS = ("ticker", "symbol")  # Finviz and most screeners write Ticker
_NOTES = ("note", "company", "name")


@dataclass(frozen=True, slots=True)
class Watched:
    """One row: `added` is empty where it is not known, `market_value` None."""

    ticker: str
    added: str = ""
    note: str = ""
    market_value: MarketValue | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that holds no ticker, and why; `line` counts from 1."""

    line: int
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Listed:
    """What a text holds: rows in its order, each ticker once; `is_ours`: writing `rows` loses nothing of the text."""

    rows: tuple[Watched, ...]
    refused: tuple[Refused, ...]
    is_ours: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A changed list, with what was added to it (or taken out), what needed no change, whose market value is new."""

    rows: tuple[Watched, ...]
    done: tuple[str, ...]
    idle: tuple[str, ...]
    valued: tuple[str, ...] = ()


def ticker_of(text: str) -> str:
    """The ticker that a cell or a word means, in its one spelling; empty where it is none. Any case, a dollar sign."""
    bare = text.strip().strip("\ufeff").lstrip("$").upper()
    return canonical(bare) if _TICKER.fullmatch(bare) else ""


def read(text: str, dated_ms: int | None = None) -> Listed:
    """The rows of a text. A first line with a column Ticker or Symbol is a head; without one every cell of a line is a
    ticker, or the first one where the others are not. Blank lines and those that begin with # are passed over. A row is
    one line: one whose quote does not close there is refused, and those after it are read all the same.
    `dated_ms`: when the market values of an export are of, which does not say it; without it they are unknown.
    """
    rows: dict[str, Watched] = {}
    refused: list[Refused] = []
    heads: list[str] | None = None
    is_first, is_ours = True, True
    for line in read_lines(text):
        cells = line.cells
        if not line.fault and not any(cell.strip() for cell in cells):
            continue
        if cells and cells[0].lstrip().startswith("#"):
            is_ours = False
            continue
        if line.fault:
            refused.append(Refused(line.number, _shown(cells[0] if cells else ""), line.fault))
        if is_first and {cell.strip().lower() for cell in cells}.intersection(_HEADS):
            heads = [cell.strip().lower() for cell in cells]
            is_ours = is_ours and tuple(heads) in (COLUMNS, FORMER)
        elif not line.fault:
            is_ours = is_ours and heads is not None
            _take(cells, heads, dated_ms, rows, refused, line.number)
        is_first = False
    return Listed(tuple(rows.values()), tuple(refused), is_ours and not refused)


def _take(cells: Sequence[str], heads: Sequence[str] | None, dated_ms: int | None, rows: dict[str, Watched],
          refused: list[Refused], line: int) -> None:
    """Read one line into `rows` or `refused`."""
    if heads is None:
        found = [ticker_of(cell) for cell in cells if cell.strip()]
        for ticker in found if all(found) else found[:1]:
            if ticker:
                rows.setdefault(ticker, Watched(ticker))
        cell = cells[0]
    else:
        at = next(heads.index(head) for head in _HEADS if head in heads)
        cell = cells[at] if at < len(cells) else ""
        found = [ticker_of(cell)]
        if found[0]:
            rows.setdefault(found[0], Watched(found[0], _cell(cells, heads, ("added",)), _cell(cells, heads, _NOTES),
                                              _market_value(cells, heads, dated_ms)))
    if not found or not found[0]:
        shown = _shown(cell)
        refused.append(Refused(line, shown, f"{shown!r} is no ticker" if shown else "there is no ticker in it"))


def _shown(cell: str) -> str:
    return " ".join(cell.split())[:SHOWN_CHARS]


def _cell(cells: Sequence[str], heads: Sequence[str], names: Sequence[str]) -> str:
    at = next((heads.index(name) for name in names if name in heads), len(cells))
    return note_of(cells[at]) if at < len(cells) else ""


def _market_value(cells: Sequence[str], heads: Sequence[str], dated_ms: int | None) -> MarketValue | None:
    """The market value of a line of ours or of a Finviz export; None where one of amount and day is not known."""
    if VALUE in heads:
        usd, at_ms = usd_of(_cell(cells, heads, (VALUE,)), 1.0), day_ms(_cell(cells, heads, (VALUE_DAY,)))
    else:
        usd = usd_of(_cell(cells, heads, (FINVIZ_VALUE,)), MILLION if FINVIZ in heads else None)
        at_ms = dated_ms
    return MarketValue.of_day(usd, at_ms) if usd is not None and at_ms is not None else None


def note_of(text: str) -> str:
    """A note as the list keeps it: one line of printable characters."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:NOTE_CHARS]


def add(rows: Sequence[Watched], new: Iterable[Watched], now: str) -> Change:
    """The list with further tickers, in the order of their adding; one that is on it stays as it is, but for a market
    value that is no older than its own. `now` ISO UTC.
    """
    known = {row.ticker: row for row in rows}
    done, idle, valued = [], [], []
    for row in new:
        if row.ticker in known:
            idle.append(row.ticker)
        else:
            known[row.ticker] = Watched(row.ticker, row.added or now, row.note)
            done.append(row.ticker)
        kept, value = known[row.ticker], row.market_value
        before = kept.market_value
        if value is not None and value != before and (before is None or value.at_ms >= before.at_ms):
            known[row.ticker] = replace(kept, market_value=value)
            valued.append(row.ticker)
    return Change(tuple(known.values()), tuple(done), tuple(dict.fromkeys(idle)), tuple(valued))


def remove(rows: Sequence[Watched], tickers: Iterable[str]) -> Change:
    """The list without some tickers."""
    wanted = tuple(dict.fromkeys(tickers))
    listed = {row.ticker for row in rows}
    return Change(tuple(row for row in rows if row.ticker not in wanted),
                  tuple(one for one in wanted if one in listed), tuple(one for one in wanted if one not in listed))


def to_csv(rows: Iterable[Watched]) -> str:
    """Our CSV. Each row is one line, whatever its note holds."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows((row.ticker, note_of(row.added), note_of(row.note),
                      *((f"{row.market_value.usd:.0f}", row.market_value.day) if row.market_value else ("", "")))
                     for row in rows)
    return out.getvalue()
