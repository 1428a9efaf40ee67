"""A feed that grows: the items of a whole RSS or Atom document, each shown from its own moment on.

The text of an item stays as it was recorded; only the dates inside it become the moments at which it appears here. An
item without a readable date keeps having none and appears together with its older neighbour in the document (the next
one below it), because feeds list the newest first. Nothing here knows of HTTP or of the clock.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from catalyst.clock import from_iso
from catalyst.errors import ConfigError

_DECLARATION = re.compile(rb"""^\s*(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\bencoding=["']([\w.-]+)["']""")
_TOKEN = re.compile(r"<!\[CDATA\[.*?\]\]>|<!--.*?-->|<(/?)(item|entry)\b[^>]*?(/?)>", re.DOTALL)
_DATE = re.compile(r"(<(pubDate|published|updated|dc:date|lastBuildDate)\b[^>]*>)\s*([^<]*?)\s*(</\2\s*>)")
_CDATA = re.compile(r"<!\[CDATA\[.*?\]\]>", re.DOTALL)
_MOMENT_ORDER = ("pubDate", "published", "dc:date", "updated")


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item or entry as it stands in its document; `moment_ms` None when it has no readable date."""

    text: str
    moment_ms: int | None


@dataclass(frozen=True, slots=True)
class Document:
    """A feed document taken apart: `head`, items in the document's order, `tail`, and the encoding of its bytes."""

    head: str
    items: tuple[RawItem, ...]
    tail: str
    encoding: str


def read_document(data: bytes, name: str = "feed") -> Document:
    """Take an RSS or Atom document apart. Raises ConfigError when it is not text in its own encoding."""
    declared = _DECLARATION.match(data)
    encoding = declared.group(1).decode("ascii") if declared else "utf-8"
    try:
        text = data.decode("utf-8-sig" if encoding.lower() == "utf-8" else encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise ConfigError(f"{name} is not text in its own encoding: {error}") from error
    spans = _item_spans(text)
    if not spans:
        cut = max(text.rfind("</channel"), text.rfind("</feed"), 0) or len(text)
        return Document(text[:cut], (), text[cut:], encoding)
    items = tuple(RawItem(text[start:end], item_moment(text[start:end])) for start, end in spans)
    return Document(text[: spans[0][0]], items, text[spans[-1][1] :], encoding)


def _item_spans(text: str) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for token in _TOKEN.finditer(text):
        closing, name, empty = token.group(1), token.group(2), token.group(3)
        if name is None or empty:
            continue
        if not closing and start is None:
            start = token.start()
        elif closing and start is not None:
            spans.append((start, token.end()))
            start = None
    return spans


def parse_date(text: str) -> int | None:
    """UTC milliseconds of a date as feeds write them (RFC 822, with or without seconds, or ISO); None: unreadable."""
    text = text.strip()
    try:
        if text[:4].isdigit() and "-" in text:
            return from_iso(text)
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def item_moment(text: str) -> int | None:
    """When the item says it was published, else updated."""
    found: dict[str, int] = {}
    for date in _DATE.finditer(_CDATA.sub("", text)):
        moment = parse_date(date.group(3))
        if moment is not None:
            found.setdefault(date.group(2), moment)
    return next((found[name] for name in _MOMENT_ORDER if name in found), None)


def with_date(text: str, moment_ms: int) -> str:
    """`text` with every readable date in it replaced by `moment_ms`, in the same style (whole seconds)."""
    moment = datetime.fromtimestamp(moment_ms // 1000, UTC)

    def replaced(date: re.Match[str]) -> str:
        old = date.group(3)
        if parse_date(old) is None:
            return date.group(0)
        if old[:4].isdigit():
            new = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        else:
            new = format_datetime(moment, usegmt=not old.endswith("+0000"))
        return f"{date.group(1)}{new}{date.group(4)}"

    if "<![CDATA[" not in text:
        return _DATE.sub(replaced, text)
    kept: list[str] = []
    at = 0
    for block in _CDATA.finditer(text):
        kept += [_DATE.sub(replaced, text[at : block.start()]), block.group(0)]
        at = block.end()
    return "".join(kept) + _DATE.sub(replaced, text[at:])


def moments(items: Sequence[RawItem], fallback_ms: int) -> list[int]:
    """When each item appears: its own date, else that of the next dated item below it, else of the one above."""
    result: list[int | None] = [item.moment_ms for item in items]
    for order in (range(len(items) - 1, -1, -1), range(len(items))):
        last: int | None = None
        for index in order:
            if result[index] is None:
                result[index] = last
            last = result[index]
    return [fallback_ms if moment is None else moment for moment in result]


class Tape:
    """A document that plays: `at(now_ms)` gives the bytes that a reader gets at that moment, and their ETag."""

    def __init__(self, document: Document, appear_ms: Sequence[int], window: int):
        """`appear_ms`: when each item of the document appears, in real milliseconds; `window`: most items shown."""
        order = sorted(range(len(appear_ms)), key=lambda index: (appear_ms[index], -index))
        self.window = window
        self.appear_ms = [appear_ms[index] for index in order]
        self._document = document
        self._items = [with_date(document.items[index].text, appear_ms[index]) for index in order]
        self._rendered: tuple[int, bytes, str] | None = None

    def __len__(self) -> int:
        return len(self._items)

    def visible(self, now_ms: int) -> int:
        """How many items have appeared, those that the window no longer shows included."""
        return bisect_right(self.appear_ms, now_ms)

    def at(self, now_ms: int) -> tuple[bytes, str]:
        """The document's bytes and ETag at `now_ms`; rendered once for each change."""
        count = self.visible(now_ms)
        rendered = self._rendered
        if rendered is None or rendered[0] != count:
            rendered = (count, *self._render(count))
            self._rendered = rendered
        return rendered[1], rendered[2]

    def _render(self, count: int) -> tuple[bytes, str]:
        shown = self._items[max(0, count - self.window) : count][::-1]
        head = self._document.head
        if count:
            head = with_date(head, self.appear_ms[count - 1])
        text = "\n".join([head.rstrip("\n"), *shown, self._document.tail.lstrip("\n")])
        body = text.encode(self._document.encoding, "xmlcharrefreplace")
        return body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
