"""Writes a generated day: fictional companies, real formats, and the truth about every item beside it.

The same seed and sizes give the same bytes. `truth.jsonl` has one line an item of a feed, in order of appearance:
`link`, `source`, `title`, `what`, `kind`, `ticker`, `direction`, `duplicate_of` (a link, or null), `fate`, `reason`,
and for convenience `odd` (`undated`, or how the title is odd) and `published` (the day's own time, null when undated).
A `correction` names the story of the same wire that it corrects as `duplicate_of`, and shares its fate.
A line whose `what` is `same_link` is no item of its own: its link is that of `duplicate_of` with something behind it;
or the very same, where the entry was edited in place: then its title is another.
Then follows a line a filing (`what` is `filing`), with the further fields that `filings.truth_lines` names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from catalyst.clock import from_iso, iso
from catalyst.errors import ConfigError
from catalyst.world.amended import amended, edited
from catalyst.world.companies import Company, company_list, make_companies
from catalyst.world.day import COMPANIES_FILE, DAY_FILE, DEFAULT_WINDOW, TRUTH_FILE, Day, FeedFile, write_day
from catalyst.world.filings import FOLDER, LIST_FILE, Registrar, list_feeds, reactions, truth_lines, write_filings
from catalyst.world.stories import Story, Writer, mix
from catalyst.world.walk import price_file
from catalyst.world.wires import WIRES, document, item, link

STARTS = "2026-03-03T14:35:00Z"  # a Tuesday, five minutes after the opening
PREMARKET = "2026-03-03T09:00:00Z"  # 4:00 Eastern: the first bar
OPENING = "2026-03-03T14:30:00Z"
AFTER_S = 3600  # prices go on after the last story
BUSY_SPAN_S = 600  # a feed's window holds at least what it publishes in so many seconds
MOST_COMPANIES = 1500


@dataclass(frozen=True, slots=True)
class _Dated:
    story: Story
    moment: datetime
    link: str


def generate(seed: int, items: int, folder: Path, *, duration_s: float = 3600, duplicates: float = 0.10,
             burst_s: float | None = None, every_s: float = 2.0, window: int | None = None, filings: int = 0,
             edits: bool = False) -> Day:
    """Write a day of `items` feed entries and of `filings` filings on EDGAR into `folder` and return it.

    `duplicates` is the share of entries that repeat a story of another wire or correct one; with `burst_s` all entries
    appear at once, so many seconds after the start, and none is a correction; `every_s` is how often a feed asks to be
    polled; with `edits` some entries are edited in place. Raises ConfigError for sizes that cannot be, or a folder that
    holds something else.
    """
    _check(items, duration_s, duplicates, burst_s, filings)
    random = Random(seed)  # noqa: S311 - a reproducible day, not a secret
    starts_ms = from_iso(STARTS)
    companies = make_companies(random, min(max(items // 4, 12), MOST_COMPANIES))
    stories = Writer(random, companies, duration_s, burst_s).stories(mix(items, duplicates))
    if burst_s is None:  # of two items of one moment none corrects the other
        stories = amended(Random(f"{seed} corrections"), stories, max(0, int(duration_s) - 1))  # noqa: S311 - as above
    if edits:
        stories = edited(Random(f"{seed} edits"), stories)  # noqa: S311 - as above
    dated = _dated(stories, starts_ms)
    filed = Registrar(seed, companies, starts_ms, duration_s, burst_s).draw(filings) if filings else []
    folder = Path(folder).absolute()
    _clear(folder)
    feeds = _write_feeds(folder, dated, starts_ms, every_s, window)
    if filed:
        write_filings(folder, filed)
        feeds += list_feeds(folder, every_s)
    (folder / COMPANIES_FILE).write_text(company_list(companies), "utf-8")
    (folder / TRUTH_FILE).write_text(_truth(dated) + truth_lines(filed), "utf-8")
    bar_s = 60 if len(companies) <= 200 else 300 if len(companies) <= 800 else 900
    _write_bars(random, folder / "bars", companies, [*_reactions(dated), *reactions(filed)],
                (bar_s, starts_ms + int((duration_s + AFTER_S) * 1000)))
    day = Day(folder=folder, name=f"generated-{seed}", seed=seed, starts_ms=starts_ms, duration_s=duration_s,
              feeds=feeds, companies=folder / COMPANIES_FILE, bars=folder / "bars", bar_s=bar_s,
              filings=folder / FOLDER if filed else None)
    write_day(day)
    return day


def _check(items: int, duration_s: float, duplicates: float, burst_s: float | None, filings: int) -> None:
    if not 1 <= items <= 20_000:
        raise ConfigError(f"{items} items: a day has 1 to 20000")
    if not 0 <= filings <= 20_000:
        raise ConfigError(f"{filings} filings: a day has 0 to 20000")
    if not 0 <= duplicates <= 0.4:
        raise ConfigError(f"a share of {duplicates:g} duplicates is not between 0 and 0.4")
    if not 1 <= duration_s <= 12 * 3600:
        raise ConfigError(f"a duration of {duration_s:g} s is not between 1 and 43200")
    if burst_s is not None and not 0 <= burst_s < duration_s:
        raise ConfigError(f"a burst after {burst_s:g} s is not within the day")


def _clear(folder: Path) -> None:
    """Make the folder ready; a day that is already there goes, anything else stays and is an error."""
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is not a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DAY_FILE).is_file():
        raise ConfigError(f"{folder} holds something that is not a day; give an empty folder")
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
    (folder / LIST_FILE).unlink(missing_ok=True)
    for name, pattern in (("feeds", "*.xml"), ("bars", "*.csv")):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for file in (folder / name).glob(pattern):
            file.unlink()


def _dated(stories: Sequence[Story], starts_ms: int) -> list[_Dated]:
    day = datetime.fromtimestamp(starts_ms // 1000, UTC)
    links = {story.number: link(story, day) for story in stories if story.what != "same_link"}
    return [_Dated(story, day + timedelta(seconds=story.offset_s), links[story.number] + story.query)
            for story in stories]


def _write_feeds(folder: Path, dated: Sequence[_Dated], starts_ms: int, every_s: float,
                 window: int | None) -> tuple[FeedFile, ...]:
    feeds = []
    for wire in WIRES:
        own = [entry for entry in dated if entry.story.wire == wire.name]
        text = document(wire, [item(entry.story, entry.moment, entry.link) for entry in reversed(own)], starts_ms)
        file = folder / "feeds" / f"{wire.name}.xml"
        file.write_text(text, "utf-8")
        feeds.append(FeedFile(wire.name, file, wire.kind, wire.trust, every_s, window or _window(own)))
    return tuple(feeds)


def _window(entries: Sequence[_Dated]) -> int:
    """Wide enough for the busiest ten minutes, so that a reader that was away for a while misses nothing."""
    offsets = [entry.story.offset_s for entry in entries]
    busiest = first = 0
    for index, offset in enumerate(offsets):
        while offset - offsets[first] > BUSY_SPAN_S:
            first += 1
        busiest = max(busiest, index - first + 1)
    return max(DEFAULT_WINDOW, busiest)


def _truth(dated: Sequence[_Dated]) -> str:
    links = {entry.story.number: entry.link for entry in dated if entry.story.what != "same_link"}
    lines = []
    for entry in dated:
        story = entry.story
        first = None if story.of is None else links[story.of]
        lines.append(json.dumps({
            "link": entry.link,
            "source": story.wire, "title": story.title, "what": story.what, "kind": story.kind,
            "ticker": story.company.ticker if story.company else None, "direction": story.direction,
            "duplicate_of": first, "fate": story.fate, "reason": story.reason, "odd": story.odd,
            "published": iso(int(entry.moment.timestamp()) * 1000) if story.is_dated else None,
        }, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def _reactions(dated: Sequence[_Dated]) -> list[tuple[str, int, str]]:
    """Ticker, moment and direction of each story that moves a price."""
    return [(entry.story.company.ticker, int(entry.moment.timestamp()) * 1000, entry.story.direction)
            for entry in dated if entry.story.company is not None and entry.story.what in ("catalyst", "dear")]


def _write_bars(random: Random, folder: Path, companies: Sequence[Company], moves: Sequence[tuple[str, int, str]],
                size: tuple[int, int]) -> None:
    """`moves` are ticker, moment and direction; `size` is the length of a bar in seconds and the end in ms."""
    found: dict[str, list[tuple[int, str]]] = {}
    for ticker, moment_ms, direction in moves:
        found.setdefault(ticker, []).append((moment_ms, direction))
    bar_s, end_ms = size
    for company in companies:
        text = price_file(random, company, found.get(company.ticker, []), (from_iso(PREMARKET), end_ms),
                          from_iso(OPENING), bar_s)
        (folder / f"{company.ticker}.csv").write_text(text, "ascii")
