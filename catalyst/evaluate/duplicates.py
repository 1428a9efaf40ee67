"""How well stories of several wires are known as one: a generated set beside its truth, and the recorded feeds.

The decision is the fetcher's own, on its own tables. A merge is right when both stories are the same release; a story's
first telling is never expected to merge. Recorded feeds have no truth: what merges there is listed for the eye.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst.books.stories import Known, Storybook
from catalyst.core.feeds import Entry, parse_feed
from catalyst.core.intake import Item, items_of
from catalyst.runtime.roster import load_actor
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from catalyst.world.tellings import Telling, tellings

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "feeds"
START_MS = 1_772_548_500_000  # 2026-03-03 14:35 UTC
KEPT_MS = 7 * 86_400_000
COMMIT_EVERY = 200  # items; a poll brings fewer


@dataclass(slots=True)
class Figures:
    """Counts of one set. `false` and `missed` are pairs of titles with what the second was made as."""

    seed: int
    stories: int
    tellings: int = 0
    expected: int = 0
    right: int = 0
    false: list[tuple[str, str, str]] = field(default_factory=list)
    missed: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Share of the merges that are right."""
        return self.right / (self.right + len(self.false)) if self.right else 0.0

    @property
    def recall(self) -> float:
        """Share of the repeated tellings that were merged with their story."""
        return self.right / self.expected if self.expected else 0.0

    def plain(self) -> dict[str, Any]:
        """The figures for `--json`."""
        return {"seed": self.seed, "stories": self.stories, "tellings": self.tellings, "expected": self.expected,
                "merged": self.right + len(self.false), "precision": round(self.precision, 4),
                "recall": round(self.recall, 4), "false": [list(pair) for pair in self.false],
                "missed": [list(pair) for pair in self.missed]}


class Stories:
    """The fetcher's stories in a database of their own. Usable as a context manager."""

    def __init__(self, folder: Path):
        self._store = Store(load_actor("fetcher"), defaults(home=folder))
        self._waiting = 0
        self._store.db.execute("BEGIN")

    def __enter__(self) -> Stories:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.db.execute("COMMIT")
        self._store.close()

    def take(self, source: str, item: Item, seen_ms: int) -> Known | None:
        """What the item repeats, None when it is news; it is stored."""
        self._waiting += 1
        if self._waiting % COMMIT_EVERY == 0:
            self._store.db.execute("COMMIT")
            self._store.db.execute("BEGIN")
        return Storybook(self._store.db).take(source, item, seen_ms, lambda age_ms: seen_ms - age_ms, KEPT_MS)


def item_of(told: Telling) -> Item:
    """The telling as the fetcher would have read it."""
    (item,) = items_of([Entry(told.link, told.title, told.link, told.summary, START_MS + told.offset_s * 1000,
                              told.symbols, ())], told.wire)
    return item


def measure(seed: int, stories: int) -> Figures:
    """The figures of a generated set of `stories` stories."""
    figures = Figures(seed, stories)
    number_of: dict[str, Telling] = {}
    begun: set[int] = set()
    with tempfile.TemporaryDirectory(prefix="catalyst-evaluate-") as folder, Stories(Path(folder)) as book:
        for told in tellings(seed, stories):
            item = item_of(told)
            known = book.take(told.wire, item, START_MS + told.offset_s * 1000)
            first = None if known is None else number_of[known.first]
            number_of[item.item_id] = told
            is_copy = told.story in begun
            figures.tellings += 1
            figures.expected += is_copy
            how = ", ".join(filter(None, (told.look, *told.edits)))
            if first is not None and first.story == told.story:
                figures.right += 1
            elif first is not None:
                figures.false.append((first.title, told.title, how))
            if is_copy and (first is None or first.story != told.story):
                figures.missed.append((_first_title(number_of, told), told.title, how))
            begun.add(told.story)
    return figures


def _first_title(number_of: dict[str, Telling], told: Telling) -> str:
    return next(one.title for one in number_of.values() if one.story == told.story)


def cost_us(stored: int, timed: int = 1_000) -> float:
    """Microseconds of processor time of one new item, with its print and its rows, where `stored` are there already."""
    told = tellings(7, (stored + timed) * 5 // 10)
    items = [(one.wire, item_of(one), START_MS + one.offset_s * 1000) for one in told][:stored + timed]
    with tempfile.TemporaryDirectory(prefix="catalyst-evaluate-") as folder, Stories(Path(folder)) as book:
        for wire, item, seen_ms in items[:-timed]:
            book.take(wire, item, seen_ms)
        began = time.process_time()
        for wire, item, seen_ms in items[-timed:]:
            book.take(wire, item, seen_ms)
        return (time.process_time() - began) / timed * 1e6


def recorded(folder: Path = RECORDED) -> tuple[list[tuple[str, str, str, str, str]], Counter[str]]:
    """What merges among the recorded stories of news wires, in order of time: how, both sources, both titles; and how
    many stories each source had."""
    entries: list[tuple[int, str, Item]] = []
    counts: Counter[str] = Counter()
    for file in sorted(folder.rglob("*")):
        if file.suffix not in (".xml", ".rss", ".atom"):
            continue
        source = file.stem.split("_20")[0]
        found = [item for item in items_of(parse_feed(file.read_bytes()).entries, source) if not item.is_filing]
        counts[source] += len(found)
        entries += [(item.entry.published_ms or 0, source, item) for item in found]
    merged = []
    told: dict[str, tuple[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="catalyst-evaluate-") as home, Stories(Path(home)) as book:
        for at_ms, source, item in sorted(entries, key=lambda entry: entry[0]):
            if item.item_id in told:
                continue
            known = book.take(source, item, at_ms)
            told[item.item_id] = (source, item.entry.title)
            if known is not None:
                merged.append((known.how, *_crossed(told[known.first], told[item.item_id])))
    return merged, counts


def _crossed(first: tuple[str, str], later: tuple[str, str]) -> tuple[str, str, str, str]:
    return first[0], later[0], first[1], later[1]


def text_of(figures: Iterable[Figures]) -> str:
    """The figures as lines, with every false merge and a few of the misses."""
    lines = []
    for one in figures:
        lines.append(f"seed {one.seed}: {one.stories} stories, {one.tellings} tellings on 3 wires, "
                     f"{one.expected} copies: precision {one.precision:.4f}, recall {one.recall:.4f} "
                     f"({len(one.false)} false, {len(one.missed)} missed)")
        for word, pairs in (("false", one.false), ("missed", one.missed)):
            lines += [f"  {word}: [{how}]\n    {first}\n    {later}" for first, later, how in pairs]
    return "\n".join(lines) + "\n"
