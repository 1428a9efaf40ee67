"""A feed's document cut into its entries, so that what was read before is not read again.

Wires show the same items in poll after poll, a new one among them. The bytes of an entry mean the same wherever the
tags around it are the same and say the same of namespaces and base. Only a document whose entries stand one behind the
other, with nothing between them and only closing tags behind the last, is cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

START = re.compile(rb"<(item|entry)(?=[\s>])")
TAG = re.compile(rb"<[^<>]*>")
AROUND = re.compile(rb"<(?:[\w.-]{1,40}:)?(?:rss|feed|RDF|channel)[\s>]")
CLOSING = re.compile(rb"\s*(?:</[\w:.-]{1,80}\s*>\s*)*")
PAIRS = ((b"<![CDATA[", b"]]>"), (b"<!--", b"-->"))
KNOWN_BYTES = 4_000  # of an entry that is kept to be known again
AROUND_BYTES = 8_000  # of what is kept to know the tags around entries again; a head with many namespaces has 2,000


class Pieces(NamedTuple):
    """A document: what stands before its entries, these with the blanks before them, and what stands behind; `around`
    is what decides how an entry is read."""

    head: bytes
    entries: list[bytes]
    tail: bytes
    around: bytes

    def only(self, numbers: Iterable[int]) -> bytes:
        """The document with these of its entries."""
        return self.head + b"".join([self.entries[number] for number in numbers]) + self.tail

    def places(self) -> list[list[Any]]:
        """For each entry where to keep what it was read as; empty where it was not read yet."""
        return [_place(self.around, entry) if len(entry) <= KNOWN_BYTES else [] for entry in self.entries]


@lru_cache(maxsize=2_048)
def _place(around: bytes, entry: bytes) -> list[Any]:
    return []


@lru_cache(maxsize=512)
def _documents(around: bytes) -> list[bool]:
    return []


def forget() -> None:
    """Know no entry any more."""
    _place.cache_clear()
    _documents.cache_clear()


def cut(body: bytes, base: str) -> Pieces | None:
    """The pieces of a document in UTF-8, whose links are read against the address `base`.

    None where it is not clear at sight where its entries begin and end, where the tags around them are too long to be
    kept, and for the first document with these tags: many never come again.
    """
    first = START.search(body)
    if first is None:
        return None
    start, tag, end_tag = first.start(), b"<" + first[1], b"</%s>" % first[1]
    around = _around(body[:start], base)
    if len(around) > AROUND_BYTES:
        return None
    earlier = _documents(around)
    if not earlier:
        earlier.append(True)
        return None
    end = body.rfind(end_tag) + len(end_tag)
    if end <= start or not CLOSING.fullmatch(body, end):
        return None
    inside = body[start:end]
    entries = [entry + end_tag for entry in inside.split(end_tag)[:-1]]
    if inside.count(tag) != len(entries) or not all(entry.lstrip().startswith(tag) for entry in entries):
        return None
    if b"<!" in body and not all(map(_is_closed, (body[:start], *entries))):
        return None
    return Pieces(body[:start], entries, body[end:], around)


def _around(head: bytes, base: str) -> bytes:
    tags = [tag for tag in TAG.findall(head) if b"xml" in tag or AROUND.match(tag)]
    return b"\n".join([*tags, base.encode(errors="replace")])


def is_whole(document: bytes) -> bool:
    """Whether a document is well-formed: then none of its entries says how another one is read."""
    from xml.parsers import expat

    try:
        expat.ParserCreate("utf-8").Parse(document, True)
    except expat.ExpatError:
        return False
    return True


def _is_closed(text: bytes) -> bool:
    """Whether sections and comments that begin in it end in it."""
    return all(text.count(opening) == text.count(closing) for opening, closing in PAIRS)
