"""A day: the folder that says what the outside world does, and the files that point Catalyst at it.

    day.toml              name, seed, starts (ISO), duration_s, [[feed]], [companies], [bars]
    feeds/NAME.xml        an ordinary RSS or Atom document with all items of the day and their own times
    company_tickers.json  the company list in the SEC's shape
    bars/TICKER.csv       time (UTC ISO), open, high, low, close, volume
    feeds/edgar.atom      EDGAR's list of latest filings; a [[feed]] of kind "edgar" shows those of its `form`
    filings/ACCESSION/    the documents of a filing and what it is (archive.py)
    truth.jsonl           what each item is and what should become of it (generated days only)

`[companies] file`, `[bars] folder` and `[filings] folder` may be absent: then the world knows no company list, no
price, no document of a filing. A generated day is fictional. This module reads and writes; it plays nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

from catalyst.clock import from_iso, iso
from catalyst.errors import ConfigError

DAY_FILE = "day.toml"
TRUTH_FILE = "truth.jsonl"
COMPANIES_FILE = "company_tickers.json"
BACKLOG_AGE_S = 600  # older than this when a source is first polled: dropped as backlog
DEFAULT_WINDOW = 200
FEED_KINDS = ("rss", "atom", "edgar")
LATEST = ("/cgi-bin/browse-edgar?action=getcurrent&type={form}&company=&dateb=&owner=include&start=0&count=100"
          "&output=atom")
_FEED_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class FeedFile:
    """One feed of a day. `window`: how many items it shows at most, the newest; `every_s`: how often to ask.

    One of kind `edgar` is EDGAR's list of the filings whose form begins with `form`; it has pages in place of a window.
    """

    name: str
    file: Path
    kind: str = "rss"
    trust: float = 0.8
    every_s: float | None = None
    window: int = DEFAULT_WINDOW
    form: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """A day folder as read from its `day.toml`; file names are absolute, `starts_ms` is the day's own time."""

    folder: Path
    name: str
    seed: int | None
    starts_ms: int
    duration_s: float
    feeds: tuple[FeedFile, ...]
    companies: Path | None
    bars: Path | None
    bar_s: int
    filings: Path | None = None

    @staticmethod
    def load(path: Path) -> Day:
        """The day in the folder `path`. Raises ConfigError, which names the file and what is wrong in it."""
        folder = Path(path).absolute()
        file = folder / DAY_FILE
        try:
            table = tomllib.loads(file.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{folder} is not a day: it has no {DAY_FILE}") from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"{file} cannot be read: {error}") from error
        return _Reader(folder, file).day(table)


@dataclass(frozen=True, slots=True)
class Shift:
    """From the day's own time to the time of the machine that plays it.

    What lies before the day's start keeps its distance to it, what lies after runs `speed` times as fast.
    """

    day_start_ms: int
    real_start_ms: int
    speed: float

    def real_ms(self, day_ms: int) -> int:
        """When the day's moment `day_ms` takes place here."""
        offset_ms = day_ms - self.day_start_ms
        return self.real_start_ms + (offset_ms if offset_ms < 0 else int(offset_ms / self.speed))

    def day_ms(self, real_ms: int) -> int:
        """The day's own time at the moment `real_ms` here."""
        offset_ms = real_ms - self.real_start_ms
        return self.day_start_ms + (offset_ms if offset_ms < 0 else int(offset_ms * self.speed))


class _Reader:
    """Takes a parsed `day.toml` apart; every fault becomes a ConfigError with the file's name in front."""

    def __init__(self, folder: Path, file: Path):
        self.folder = folder
        self.file = file

    def day(self, table: dict[str, Any]) -> Day:
        feeds = tuple(self._feed(entry) for entry in self._tables(table, "feed"))
        names = [feed.name for feed in feeds]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated:
            raise self._fault(f"feed {repeated} is there twice")
        companies = self._table(table, "companies")
        bars = self._table(table, "bars")
        filings = self._table(table, "filings")
        seed = table.get("seed")
        if seed is not None and not isinstance(seed, int):
            raise self._fault("seed is not a whole number")
        return Day(
            folder=self.folder,
            name=self._text(table, "name", self.folder.name),
            seed=seed,
            starts_ms=self._moment(table, "starts"),
            duration_s=self._number(table, "duration_s", 3600, 0.001, 7 * 86_400),
            feeds=feeds,
            companies=self._path(companies, "file", "[companies]") if companies else None,
            bars=self._path(bars, "folder", "[bars]") if bars else None,
            bar_s=int(self._number(bars, "bar_s", 60, 1, 86_400)),
            filings=self._path(filings, "folder", "[filings]") if filings else None,
        )

    def _feed(self, entry: dict[str, Any]) -> FeedFile:
        name = self._text(entry, "name", "")
        if not _FEED_NAME.fullmatch(name):
            raise self._fault(f"feed name {name!r} must be lower-case letters, digits, - and _")
        kind = self._text(entry, "kind", "rss")
        if kind not in FEED_KINDS:
            raise self._fault(f"feed {name}: kind {kind!r} is none of {', '.join(FEED_KINDS)}")
        form = self._text(entry, "form", "")
        if form and kind != "edgar":
            raise self._fault(f"feed {name}: only a feed of kind edgar has a form")
        every = self._number(entry, "every", 0, 0, 86_400)
        return FeedFile(
            name=name,
            file=self._path(entry, "file", f"feed {name}"),
            kind=kind,
            trust=self._number(entry, "trust", 0.8, 0, 1),
            every_s=every or None,
            window=int(self._number(entry, "window", DEFAULT_WINDOW, 1, 1_000_000)),
            form=form,
        )

    def _fault(self, what: str) -> ConfigError:
        return ConfigError(f"{self.file}: {what}")

    def _tables(self, table: dict[str, Any], key: str) -> list[dict[str, Any]]:
        entries = table.get(key, [])
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise self._fault(f"{key} must be written as [[{key}]]")
        return entries

    def _table(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        entry = table.get(key, {})
        if not isinstance(entry, dict):
            raise self._fault(f"{key} must be written as [{key}]")
        return entry

    def _text(self, table: dict[str, Any], key: str, default: str) -> str:
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self._fault(f"{key} is not a text")
        return value

    def _number(self, table: dict[str, Any], key: str, default: float, low: float, high: float) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._fault(f"{key} is not a number between {low:g} and {high:g}")
        return float(value)

    def _moment(self, table: dict[str, Any], key: str) -> int:
        value: Any = table.get(key)
        try:
            return from_iso(value.isoformat() if isinstance(value, datetime) else value)
        except (ValueError, TypeError):
            raise self._fault(f"{key} is not an ISO time such as 2026-03-03T14:30:00Z") from None

    def _path(self, table: dict[str, Any], key: str, where: str) -> Path:
        name = self._text(table, key, "")
        path = (self.folder / name).resolve()
        if not name or not path.is_relative_to(self.folder.resolve()):
            raise self._fault(f"{where}: {key} {name!r} is not a name inside the folder")
        if not path.exists():
            raise self._fault(f"{where}: {name} is missing")
        return path


def toml_value(value: Any) -> str:
    """`value` as TOML writes it; JSON's texts, numbers and lists are TOML's as well."""
    return json.dumps(value, ensure_ascii=False)


def toml_text(top: dict[str, Any], arrays: dict[str, list[dict[str, Any]]] | None = None,
              tables: dict[str, dict[str, Any]] | None = None) -> str:
    """A TOML document of plain values, then `[[name]]` blocks, then `[name]` blocks; values of None are left out."""
    blocks = [_lines(top)]
    for name, entries in (arrays or {}).items():
        blocks += [f"[[{name}]]\n{_lines(entry)}" for entry in entries]
    blocks += [f"[{name}]\n{_lines(entry)}" for name, entry in (tables or {}).items()]
    return "\n".join(block for block in blocks if block)


def _lines(table: dict[str, Any]) -> str:
    return "".join(f"{key} = {toml_value(value)}\n" for key, value in table.items() if value is not None)


def write_day(day: Day) -> None:
    """Write `day.toml` into the day's folder; the files that it names are the caller's work."""
    top = {"name": day.name, "seed": day.seed, "starts": iso(day.starts_ms), "duration_s": _plain(day.duration_s)}
    feeds = [{"name": feed.name, "file": _inside(day, feed.file), "kind": feed.kind, "trust": feed.trust,
              "every": None if feed.every_s is None else _plain(feed.every_s),
              "window": None if feed.kind == "edgar" else feed.window, "form": feed.form or None}
             for feed in day.feeds]
    tables: dict[str, dict[str, Any]] = {}
    if day.companies:
        tables["companies"] = {"file": _inside(day, day.companies)}
    if day.bars:
        tables["bars"] = {"folder": _inside(day, day.bars), "bar_s": day.bar_s}
    if day.filings:
        tables["filings"] = {"folder": _inside(day, day.filings)}
    (day.folder / DAY_FILE).write_text(toml_text(top, {"feed": feeds}, tables), "utf-8")


def _plain(number: float) -> float | int:
    return int(number) if number == int(number) else number


def _inside(day: Day, path: Path) -> str:
    return path.relative_to(day.folder).as_posix()


def write_sources(day: Day, base_url: str, path: Path) -> None:
    """Write the `sources.toml` that points at the world running at `base_url`."""
    sources = [{"name": feed.name, "url": f"{base_url}{address(feed)}", "kind": feed.kind,
                "every": None if feed.every_s is None else _plain(feed.every_s), "trust": feed.trust, "enabled": True}
               for feed in day.feeds]
    path.write_text(toml_text({}, {"source": sources}), "utf-8")


def address(feed: FeedFile) -> str:
    """Path and query under which the world serves the feed."""
    return LATEST.format(form=quote_plus(feed.form)) if feed.kind == "edgar" else f"/feeds/{feed.name}.xml"


def environment(day: Day, base_url: str, sources_path: Path) -> dict[str, str]:
    """Settings by name under which Catalyst sees the world at `base_url` and nothing else.

    The prices of a day are marked as simulated: the provider `simulated` reads them in Yahoo's format.
    """
    settings = {
        "CATALYST_SOURCES": str(sources_path),
        "CATALYST_ALLOW_HOSTS": base_url.removeprefix("http://"),
        "SEC_BASE_URL": base_url,
        "SEC_USER_AGENT": "Catalyst test bench test@example.com",
        "CATALYST_EDGAR_PER_S": "0",  # the world has no fair-access rule
        "QUOTE_PROVIDERS": "simulated",
        "YAHOO_BASE_URL": base_url,
        "DISCORD_WEBHOOK_URL": f"{base_url}/api/webhooks/1/alerts",
        "DISCORD_ADMIN_WEBHOOK": f"{base_url}/api/webhooks/2/ops",
        "CATALYST_WEBHOOK_URL": f"{base_url}/hook",
        "CATALYST_WEBHOOK_SECRET": "world",
        "DISCORD_BASE_URL": base_url,  # a bot of the user's posts in the world's Discord
        "CATALYST_NOTIFY": "",
    }
    if day.companies:
        settings["CATALYST_COMPANIES"] = str(day.companies)
    return settings
