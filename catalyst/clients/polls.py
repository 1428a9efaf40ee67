"""What the fetcher's threads do: ask one source, fetch the company list; and the list of sources as a file.

Nothing here touches a database; a poll's failure is a result (`Polled.failed`), not an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from catalyst.clients.edgar import Edgar
from catalyst.clients.files import read_text, replace_file
from catalyst.clients.http import Http, Response
from catalyst.core import edgar, keyed
from catalyst.core.companies import Companies
from catalyst.core.daily_index import Row, read_rows
from catalyst.core.feeds import Entry
from catalyst.core.headers import retry_after_s, server_ms
from catalyst.core.intake import Item, fresh_ms, items_of
from catalyst.core.listings import parse_document
from catalyst.core.sources import Source, read_sources
from catalyst.errors import ConfigError, FeedError, FetchError
from catalyst.settings import Settings

BUNDLED_SOURCES = Path(__file__).parent.parent / "sources.toml"
SEC = edgar.SEC
NO_KEY = "no_key"
ACCEPTED = "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5"
DOCUMENT_S = 12.0
POLL_S, PAGE_S = 25.0, 3.0  # of a poll in all, and the least with which a further page is begun; its job may take 30 s
# Of an EDGAR list: 1,000 filings of a form. One that has more to tell after hours without a poll is not read further,
# for the others wait for their turns; the daily index says what was missed.
MOST_PAGES = 10
LARGE_S = 40.0  # for the company list and the daily index
INDEX_BYTES = 10_000_000  # a day has 5,000 rows of 100 bytes
FEED_BYTES = 3_000_000  # the largest recorded list, of EDGAR's Form 4, has 1.1 MB
VALIDATOR = re.compile(r"[\x20-\x7e]{1,1000}")  # an ETag or date that a header can carry back
COMPANIES_BYTES = 30_000_000  # the SEC's list has 0.8 MB


class Poll(msgspec.Struct, frozen=True):
    """One question to one source; `etag` and `last_modified` make it a conditional GET.

    `head_ms` is when the newest filing was listed up to which an EDGAR list has been read: its pages are read until
    that is reached. Where the last poll did not come so far, `top_ms` is the newest that it saw, and `rest_at` how many
    entries it left above the first that it did not: this one reads until it meets `top_ms`, then on from there.
    """

    name: str
    url: str
    kind: str
    etag: str | None = None
    last_modified: str | None = None
    head_ms: int | None = None
    top_ms: int | None = None
    rest_at: int | None = None


@dataclass(frozen=True, slots=True)
class Polled:
    """The answer: `outcome` is ok, not_modified, empty, or the reason of a failure (then `failed`). `seen_ms` is when
    the response was complete, `fresh_ms` the same by the clock that the ages of items are told by, `wish_s` the seconds
    that the server asks to wait; `refused` counts the rows of a CSV that cannot be read, `others` the entries of an
    EDGAR list that are of another form than it was asked for and are no items of it, `top_ms` is its newest entry,
    `rest_at` how many entries stand above those that the next poll has to read, None where it was read to the end of
    what is new.
    """

    outcome: str
    items: tuple[Item, ...] = ()
    seen_ms: int = 0
    etag: str | None = None
    last_modified: str | None = None
    failed: bool = False
    wish_s: float | None = None
    others: int = 0
    fresh_ms: int = 0
    top_ms: int | None = None
    rest_at: int | None = None
    refused: int = 0


def ask(http: Http | Edgar, poll: Poll, key: str | None = None, *, deadline_s: float = DOCUMENT_S) -> Polled:
    """Fetch and read one document within the deadline; EDGAR's lists are asked of an Edgar, with their further pages
    within `POLL_S` in all. `key` as `key_of` gives it."""
    if key == "":
        return Polled(NO_KEY, failed=True)
    headers, ends_s = {}, http.clock.monotonic_s() + POLL_S
    for name, value in (("If-None-Match", poll.etag), ("If-Modified-Since", poll.last_modified)):
        if value and VALIDATOR.fullmatch(value):
            headers[name] = value
    try:
        answer = get_document(http, poll.kind, poll.url, key, headers, deadline_s)
        if answer.status == 304:
            return Polled("not_modified", seen_ms=answer.done_ms)
        if answer.status != 200:
            return Polled(f"status_{answer.status}", failed=True, wish_s=retry_after_s(answer.headers, answer.done_ms))
        feed = parse_document(poll.kind, answer.body, answer.headers.get("content-type", ""), answer.url)
    except FetchError as error:
        return Polled(error.reason, failed=True, wish_s=error.retry_after_s)
    except FeedError as error:
        return Polled(error.reason, failed=True)
    if not feed.entries and poll.kind != "edgar":
        # Without conditional headers: a 304 to an empty feed would look like success. EDGAR's list of a rare form is
        # empty on most days; that EDGAR refuses to answer is a page in HTML, which is no list.
        return Polled("empty", seen_ms=answer.done_ms)
    entries, others = feed.entries, 0
    top_ms = rest_at = None
    if poll.kind == "edgar":
        listed, rest_at = _further_pages(http, poll, feed.entries, ends_s)
        kept, others, strange = edgar.of_source(listed, poll.url)
        if strange and strange == len(listed):
            return Polled("no_filings", failed=True)
        entries = tuple(kept)
        top_ms = max((entry.published_ms for entry in listed if entry.published_ms is not None), default=None)
    # Where a page is missing the next poll must get the document again, to read on.
    etag, last_modified = (_validator(answer, name) if rest_at is None else None for name in ("etag", "last-modified"))
    return Polled("ok", tuple(items_of(entries, poll.name)), answer.done_ms, etag, last_modified, others=others,
                  fresh_ms=fresh_ms(answer.done_ms, server_ms(answer.headers)), top_ms=top_ms, rest_at=rest_at,
                  refused=feed.refused)


def get_document(http: Http | Edgar, kind: str, url: str, key: str | None, headers: Mapping[str, str],
                 deadline_s: float = DOCUMENT_S) -> Response:
    """The answer of a source of this `kind`. Where a key goes with the request, nothing of the answer holds it."""
    if key is None:
        return http.get(url, headers={"Accept": ACCEPTED, **headers}, deadline_s=deadline_s, limit_bytes=FEED_BYTES)
    address, own = keyed.with_key(kind, url, key)
    answer = http.get(address, headers={**own, **headers}, deadline_s=deadline_s, limit_bytes=FEED_BYTES)
    clean = {name: keyed.masked(value, key) for name, value in answer.headers.items()}
    return replace(answer, url=url, headers=clean, body=keyed.masked_bytes(answer.body, key))


def key_of(source: Source | Poll, settings: Settings) -> str | None:
    """The key that goes with a question to a source, empty where it is not set; None where there is none to set."""
    service = keyed.SERVICES.get(source.kind)
    return None if service is None else str(getattr(settings, service.attribute)).strip()


def _further_pages(http: Http | Edgar, poll: Poll, entries: tuple[Entry, ...],
                   ends_s: float) -> tuple[tuple[Entry, ...], int | None]:
    """The entries of an EDGAR list with those of its further pages, as far as they are new; and how many entries stand
    above the first page that could not be read, or not in time, None where there is none.

    While pages are read, and between two polls, filings come in at the head and push others down: those show twice.
    """
    if poll.head_ms is None:
        return entries, None
    count, start, last = edgar.page_entries(poll.url), 0, entries
    rest_at, goal_ms = poll.rest_at, poll.head_ms if poll.rest_at is None else poll.top_ms or 0
    while True:
        start += count
        if edgar.reaches(last, count, goal_ms):
            if rest_at is None or len(last) < count:
                return entries, None
            start, goal_ms, rest_at = max(start, rest_at), poll.head_ms, None
        if start >= MOST_PAGES * count:
            return entries, None
        found = _page(http, edgar.page_at(poll.url, start), ends_s - http.clock.monotonic_s())
        if found is None:
            return entries, start
        last = found
        entries += last


def _page(http: Http | Edgar, url: str, left_s: float) -> tuple[Entry, ...] | None:
    """The entries of a further page, None where it cannot be read with the time that is left."""
    if left_s < PAGE_S:
        return None
    try:
        answer = get_document(http, "edgar", url, None, {}, min(DOCUMENT_S, left_s))
        if answer.status != 200:
            return None
        return parse_document("edgar", answer.body, answer.headers.get("content-type", ""), answer.url).entries
    except (FetchError, FeedError):
        return None


def lane_of(poll: Poll) -> str:
    """What shares the workers of one host: EDGAR's lists, else who has the same host and port."""
    return "edgar" if poll.kind == "edgar" else urlsplit(poll.url).netloc.rpartition("@")[2].lower()


def _validator(answer: Response, name: str) -> str | None:
    """The value of a header that is to be sent back; None where it is absent or would spoil the next request."""
    value = answer.headers.get(name, "")
    return value if VALIDATOR.fullmatch(value) else None


def list_sources(settings: Settings) -> tuple[Source, ...]:
    """Every source of the user's file or the bundled one, disabled ones too. Raises ConfigError."""
    return read_sources(read_text(settings.sources or BUNDLED_SOURCES, "sources"))


def address_of(source: Source, settings: Settings) -> str:
    """The source's address; EDGAR's follow SEC_BASE_URL."""
    if source.kind == "edgar" and source.url.startswith(f"{SEC}/"):
        return str(settings.sec_base_url).rstrip("/") + source.url.removeprefix(SEC)
    return source.url


def fetch_companies(http: Edgar, url: str, path: Path) -> int:
    """Fetch the SEC's company list and replace the file at `path` with it as a whole; how many rows it has.

    Raises FetchError, FeedError `no_feed` for an answer that is no company list, or StoreError where the disk does not
    take it; the file is untouched then.
    """
    answer = http.get(url, headers={"Accept": "application/json"}, deadline_s=LARGE_S, limit_bytes=COMPANIES_BYTES)
    if answer.status != 200:
        raise FetchError("status", str(answer.status), status=answer.status)
    try:
        count = len(Companies.from_json(answer.body.decode("utf-8-sig")))
    except (ConfigError, UnicodeDecodeError) as error:
        raise FeedError("no_feed", "not a company list") from error
    replace_file(path, answer.body)
    return count


class DailyIndex(msgspec.Struct, frozen=True):
    """EDGAR's index of one day (ISO) at its address."""

    day: str
    url: str


def fetch_index(http: Edgar, wanted: DailyIndex) -> list[Row] | None:
    """The filings of a day, None where there is no index: EDGAR was closed, or it is not there yet.

    Raises FetchError, or FeedError `no_feed` for an answer that is no index.
    """
    answer = http.get(wanted.url, deadline_s=LARGE_S, limit_bytes=INDEX_BYTES)
    if answer.status in (403, 404):  # the file store answers 403 for what does not exist
        return None
    if answer.status != 200:
        raise FetchError("status", str(answer.status), status=answer.status)
    rows = read_rows(answer.body)
    if not rows:
        raise FeedError("no_feed", "not a daily index")
    return rows
