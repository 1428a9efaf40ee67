"""Recorded EDGAR lists and filings as part of a day: one list document and the documents of those that were kept.

The lists' entries keep their text; only their times change, so that the filings come evenly over the day, in the order
in which they were recorded. A filing of a captured list has no documents here: its index page is missing, as on EDGAR
while its servers lag behind.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from catalyst.errors import ConfigError
from catalyst.world.archive import ITEM_TITLES, Filing, Paper, Party, write_filing
from catalyst.world.day import FeedFile
from catalyst.world.edgar_pages import LIST_TAIL, list_entry, list_head, stamp
from catalyst.world.feeds import moments, read_document
from catalyst.world.filings import FOLDER, LIST_FILE, LISTS, TRUST
from catalyst.world.submissions import read_submission

CAPTURES = ("feeds/edgar_getcurrent_*/*.atom", "feeds/reconstructed/edgar_*.atom")
SUBMISSIONS = "filings/submissions/*"
REPORTS, REPORTS_INDEX = Path("filings/8k_primary"), Path("filings/8k_index.jsonl")
FURTHER_LISTS = {"sec_s3": "S-3", "sec_sc13g": "SC 13G", "sec_424b3": "424B3", "sec_425": "425", "sec_10q": "10-Q",
                 "sec_10k": "10-K", "sec_pos_am": "POS AM"}
EVERY_S, FASTEST_S = 2.0, 0.2
NEW_ENTRIES = 25  # that a poll of the busiest list should find at most on average: a page shows 100, the rest is missed
_NUMBER = re.compile(r"accession-number=(\d{10}-\d{2}-\d{6})")
_TERM = re.compile(r'term="([^"]*)"')
_LINK = re.compile(r'href="([^"]*)"')
_UPDATED = re.compile(r"(<updated>)[^<]*(</updated>)")


@dataclass(frozen=True, slots=True)
class _Listed:
    """A filing as the list shows it: one text a party."""

    accession: str
    recorded_ms: int
    entries: tuple[str, ...]


def write_recorded(data: Path, folder: Path, starts_ms: int, duration_s: float) -> tuple[FeedFile, ...]:
    """Write list and documents below the day's folder; the day's lists, none where nothing was recorded.

    Raises ConfigError for an index of recorded reports that cannot be read.
    """
    kept = {filing.accession: (filing, raw) for filing, raw in [*_submissions(data), *_reports(data)]}
    groups = [_captured(data, pattern, set(kept)) for pattern in CAPTURES]
    groups.append([_Listed(filing.accession, filing.moment_ms, tuple(
        list_entry(filing, party, filing.moment_ms) for party in filing.parties)) for filing, _ in kept.values()])
    placed = sorted(((index + 0.5) / len(group), number, index, listed) for number, group in enumerate(groups)
                    for index, listed in enumerate(sorted(group, key=lambda one: (one.recorded_ms, one.accession))))
    if not placed:
        return ()
    entries: list[str] = []
    last_ms = starts_ms
    for share, _, _, listed in placed:
        last_ms = starts_ms + int(share * duration_s * 1000)
        entries += [_UPDATED.sub(rf"\g<1>{stamp(last_ms)}\g<2>", text) for text in reversed(listed.entries)]
    text = list_head(last_ms) + "\n".join(reversed(entries)) + "\n" + LIST_TAIL
    (folder / LIST_FILE).write_bytes(text.encode("iso-8859-1", "xmlcharrefreplace"))
    (folder / FOLDER).mkdir()
    for filing, raw in kept.values():
        write_filing(folder / FOLDER, filing, raw)
    lists = {**LISTS, **FURTHER_LISTS}
    every_s = _pace_s(entries, lists.values(), duration_s)
    return tuple(FeedFile(name, folder / LIST_FILE, "edgar", TRUST, every_s, form=form) for name, form in lists.items())


def _pace_s(entries: Sequence[str], forms: Iterable[str], duration_s: float) -> float:
    """How often the lists ask to be polled, so that a compact day does not run off their first page."""
    terms = [match[1] for text in entries if (match := _TERM.search(text))]
    busiest = max(sum(term.startswith(form) for term in terms) for form in forms)
    pace_s: float = NEW_ENTRIES * duration_s / max(1, busiest)
    return round(min(EVERY_S, max(FASTEST_S, pace_s)), 2)


def _captured(data: Path, pattern: str, kept: set[str]) -> list[_Listed]:
    """The filings of captured lists; a page that was fetched while the list moved on repeats some entries."""
    found: dict[str, tuple[int, dict[str, str]]] = {}
    for file in sorted(data.glob(pattern)):
        document = read_document(file.read_bytes(), str(file))
        for item, moment_ms in zip(document.items, moments(document.items, 0), strict=True):
            number, link = _NUMBER.search(item.text), _LINK.search(item.text)
            if number is not None and link is not None and number[1] not in kept:
                found.setdefault(number[1], (moment_ms, {}))[1].setdefault(link[1], item.text)
    kept |= set(found)
    return [_Listed(accession, moment_ms, tuple(texts.values())) for accession, (moment_ms, texts) in found.items()]


def _submissions(data: Path) -> Iterator[tuple[Filing, bytes | None]]:
    for file in sorted(data.glob(SUBMISSIONS)):
        raw = file.read_bytes()
        filing = read_submission(raw)
        if filing is not None:
            yield filing, raw


def _reports(data: Path) -> Iterator[tuple[Filing, bytes | None]]:
    """Main documents of 8-Ks, of which only these were recorded."""
    index = data / REPORTS_INDEX
    if not index.is_file():
        return
    for number, line in enumerate(index.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            body = (data / REPORTS / row["filename"]).read_bytes()
            moment_ms = moments(read_document(f"<item><updated>{row['filing_date']}</updated></item>".encode()).items,
                                0)[0]
            yield _report(row["filename"], row["company"], int(row["cik"]), row["items"], moment_ms, body), None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{index}, line {number} does not describe a report: {error!r}") from error


def _report(file: str, company: str, cik: int, items: Sequence[str], moment_ms: int, body: bytes) -> Filing:
    accession = Path(file).stem[-20:]
    party = Party("Filer", company, cik)
    return Filing(accession, "8-K", moment_ms, (party,), (Paper("8-K", file, "CURRENT REPORT", body),),
                  tuple((number, ITEM_TITLES[number]) for number in items if number in ITEM_TITLES))
