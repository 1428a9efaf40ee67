"""What becomes of a polled document: which items it holds, which are backlog, when the source is asked again.

Pure decisions over entries; what was seen before, on this wire or another, is for the fetcher's tables to say.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

from catalyst.core.corrections import read_mark
from catalyst.core.edgar import party_rank, read_entry
from catalyst.core.edits import title_key
from catalyst.core.feeds import Entry
from catalyst.core.jitter import spread_ms
from catalyst.core.sources import Source
from catalyst.core.stories import accession_of, item_id_of, title_signature
from catalyst.messages import FilingFound, StoryCorrected, StoryFound, StoryJoined

BACKLOG_MS = 600_000  # on a source's first poll, what was published earlier than this is not news
SKEW_MS = 120_000  # a network's delay and a cache's whole seconds are far below
LONGEST_WAIT_MS = 300_000  # the back-off's cap
LONGEST_WISH_MS = 3_600_000  # a Retry-After beyond this is not obeyed in full
TITLE_FROM_SUMMARY = 200
KNOWN_CHARS = 4_000  # of id and summary of an entry that is kept to be known again


@dataclass(frozen=True, slots=True)
class Item:
    """An entry with its identity. `key` names the entry within its source; `signature` serves the search for the
    same story on other wires, empty where none is wanted; `digest` is equal for the same text at the same time;
    `title_key` is another when the title is, 0 for a filing and where the publisher gave none.
    """

    entry: Entry
    item_id: str
    key: str
    signature: str
    digest: str
    title_key: int

    @property
    def is_filing(self) -> bool:
        """Whether it stands for a filing of EDGAR, which has an identity of its own."""
        return accession_of(self.entry.id, self.entry.link) is not None


def items_of(entries: Iterable[Entry], source: str) -> list[Item]:
    """The items of a document in its order, one an item id.

    Of a filing, which EDGAR lists once for each party, the entry of the company counts. Where a publisher gives several
    entries one id, the link tells them apart.
    """
    found: dict[str, Item] = {}
    ids: dict[str, str] = {}  # of an entry's id the first item's
    shared: set[str] = set()
    for entry in entries:
        if not (entry.title or entry.summary):
            continue
        item = (_known_item if len(entry.id) + len(entry.summary) <= KNOWN_CHARS else _item)(entry, source)
        if ids.setdefault(entry.id, item.item_id) != item.item_id:
            shared.add(entry.id)
        if item.item_id not in found or _is_nearer(item.entry, found[item.item_id].entry):
            found[item.item_id] = item
    if not shared:
        return list(found.values())
    return [replace(item, key=_short(f"{item.entry.id}\n{item.item_id}")) if item.entry.id in shared else item
            for item in found.values()]


def _item(entry: Entry, source: str) -> Item:
    key = title_key(entry.title) if entry.title else 0
    entry = _titled(entry)
    is_filing = accession_of(entry.id, entry.link) is not None
    signature = "" if is_filing else title_signature(entry.title)
    return Item(entry, item_id_of(entry.id, entry.link, source), _short(entry.id), signature, _digest(entry),
                0 if is_filing else key)


_known_item = lru_cache(maxsize=2_048)(_item)  # a feed shows the same entries again and again


def in_order(items: Iterable[Item]) -> list[Item]:
    """By time of publication, undated last. Of one moment a marked correction comes behind what it may correct, which
    feeds list below it; what else is equal keeps its order.
    """
    return sorted(items, key=lambda item: (item.entry.published_ms is None, item.entry.published_ms or 0,
                                           read_mark(item.entry.title) is not None))


def fresh_ms(seen_ms: int, server_ms: int | None) -> int:
    """The moment against which the age of a source's items is told: when they were seen, by our clock; by the source's
    own, `server_ms`, where the two differ by so much that one of them is wrong. It dates its items by its own.
    """
    return seen_ms if server_ms is None or abs(server_ms - seen_ms) <= SKEW_MS else server_ms


def split_backlog(items: Iterable[Item], seen_ms: int, wanted: int, *,
                  undated_too: bool) -> tuple[list[Item], list[Item]]:
    """(news, backlog) of a source's first items, both in order; the newest `wanted` of the backlog count as news.

    Backlog is what was published more than 600 s before it was seen, and with `undated_too` what has no date.
    `seen_ms` is by the clock that `fresh_ms` chooses.
    """
    news: list[Item] = []
    old: list[Item] = []
    for item in in_order(items):
        published_ms = item.entry.published_ms
        is_old = undated_too if published_ms is None else seen_ms - published_ms > BACKLOG_MS
        (old if is_old else news).append(item)
    dated = [item for item in old if item.entry.published_ms is not None]
    ranked = dated[::-1] + [item for item in old if item.entry.published_ms is None]
    chosen = {item.item_id for item in ranked[:wanted]}
    return (in_order([*news, *(item for item in old if item.item_id in chosen)]),
            [item for item in old if item.item_id not in chosen])


def announcement(item: Item, source: Source, seen_ms: int) -> StoryFound | FilingFound:
    """The message that hands on an item which no wire has shown before: to who reads filings where EDGAR lists one."""
    entry = item.entry
    listed = read_entry(entry) if source.kind == "edgar" else None
    if listed is None:
        return StoryFound(item_id=item.item_id, source=source.name, trust=source.trust, title=entry.title,
                          link=entry.link, summary=entry.summary, published_ms=entry.published_ms, seen_ms=seen_ms,
                          symbols=entry.symbols, categories=entry.categories)
    return FilingFound(item_id=item.item_id, source=source.name, trust=source.trust, form=listed.form, cik=listed.cik,
                       company=listed.company, title=entry.title, link=entry.link, items=listed.items,
                       published_ms=entry.published_ms, seen_ms=seen_ms)


def follow_up(kind: type[StoryJoined | StoryCorrected], item: Item, first: str, source: str,
              seen_ms: int) -> StoryJoined | StoryCorrected:
    """The message that tells of an item that belongs to the story `first`: another wire's copy, or a correction."""
    entry = item.entry
    return kind(item_id=first, joined_id=item.item_id, source=source, title=entry.title, link=entry.link,
                published_ms=entry.published_ms, seen_ms=seen_ms)


def following_due(due_ms: int, now_ms: int, pace_ms: int) -> int:
    """When a source that was due at `due_ms` and is asked now is due again.

    The rhythm is kept, so small delays do not add up. After a long delay (a stop, a slow answer) a new rhythm begins
    now: missed polls are not made up for.
    """
    return due_ms + pace_ms if 0 <= now_ms - due_ms < pace_ms / 4 else now_ms + pace_ms


def wait_after_failure(name: str, failures: int, pace_ms: int, wish_s: float | None) -> int:
    """Milliseconds to the next try after `failures` failures in a row: the pace, doubled each time up to five minutes,
    plus up to a quarter that depends on name and count only; never less than the pace, nor than the server's wish.
    """
    wait_ms: int = min(pace_ms * 2 ** min(failures - 1, 20), max(LONGEST_WAIT_MS, pace_ms))
    if failures > 1:
        wait_ms += spread_ms(wait_ms, name, failures)
    return max(wait_ms, min(round((wish_s or 0) * 1000), LONGEST_WISH_MS))


def _titled(entry: Entry) -> Entry:
    if entry.title:
        return entry
    return Entry(entry.id, entry.summary[:TITLE_FROM_SUMMARY], entry.link, entry.summary, entry.published_ms,
                 entry.symbols, entry.categories)


def _is_nearer(entry: Entry, other: Entry) -> bool:
    """Whether of two entries of one filing the first names the company and the second another party."""
    is_filing = accession_of(entry.id, entry.link) is not None
    return is_filing and party_rank(entry.title) < party_rank(other.title)


def _digest(entry: Entry) -> str:
    if entry.published_ms is None or not entry.summary:
        return ""
    return _short(f"{entry.title}\n{entry.published_ms}\n{entry.summary}")


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:20]
