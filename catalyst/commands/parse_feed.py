"""`catalyst parse-feed`: feed documents in, their entries out. It asks no server; "-" is standard input."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalyst.clock import iso
from catalyst.commands.documents import read_document, reason
from catalyst.core.feeds import parse_feed
from catalyst.core.stories import item_id_of
from catalyst.errors import FeedError

LIMIT_BYTES = 50_000_000


def run(files: list[str]) -> Iterator[dict[str, Any]]:
    """For each file, in order, `{"file", "entries": [{"id", "title", "link", "summary", "published"}], "error"}`.

    `file` is as given. `id` is the item's: the accession number of a filing, else the hash of the canonical link.
    `published` is UTC ISO with milliseconds, null when unknown. A file that cannot be read or is no feed has no entries
    and an `error`; nothing is raised for it.
    """
    for file in files:
        try:
            entries = parse_feed(_read(file)).entries
        except (FeedError, OSError, ValueError) as error:
            yield {"file": file, "entries": [], "error": reason(error)}
            continue
        yield {"file": file, "error": None, "entries": [
            {"id": item_id_of(entry.id, entry.link, ""), "title": entry.title, "link": entry.link,
             "summary": entry.summary, "published": iso(entry.published_ms)} for entry in entries]}


def _read(file: str) -> bytes:
    """The bytes of a file. Raises OSError, ValueError, FeedError over the limit."""
    body = read_document(file, LIMIT_BYTES)
    if len(body) > LIMIT_BYTES:
        raise FeedError("too_big", f"over {LIMIT_BYTES // 1_000_000} MB")
    return body
