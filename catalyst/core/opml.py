"""A list of feeds that another reader has exported (OPML 2.0, opml.org/spec2.opml) -> entries of a sources.toml. Pure.

The document is a stranger's: declarations of entities and document types are refused before anything is read, and depth
and number of its outlines are bounded.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

from catalyst.core.feed_bytes import as_utf8
from catalyst.core.sources import Source, read_sources
from catalyst.errors import ConfigError

MOST_BYTES = 5_000_000
MOST_OUTLINES, DEEPEST = 20_000, 50
DECLARATION = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)", re.IGNORECASE)
NAME_CHARS = 40
KINDS = {"atom": "atom", "json": "json", "jsonfeed": "json"}  # of an outline's `type`; everything else is RSS


@dataclass(frozen=True, slots=True)
class Outline:
    """A feed of the list: what it is called there, and its address as written."""

    title: str
    url: str
    kind: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a list: `added` as they are named now, `skipped` with the reason, `text` of the new file."""

    added: tuple[Source, ...]
    skipped: tuple[tuple[Outline, str], ...]
    text: str


def read_opml(body: bytes) -> list[Outline]:
    """The feeds of an OPML document, nested ones too, in its order. Raises ConfigError for anything else."""
    if len(body) > MOST_BYTES:
        raise ConfigError(f"it has more than {MOST_BYTES // 1_000_000} MB")
    body = as_utf8(body, "")
    if DECLARATION.search(body):
        raise ConfigError("it declares a document type or entities, which no list of feeds needs")
    reader: Any = ElementTree.XMLPullParser(["start", "end"])  # its types differ between versions of Python
    found: list[Outline] = []
    depth = count = 0
    try:
        for at in range(0, len(body), 65_536):
            reader.feed(body[at:at + 65_536])
            for event, element in reader.read_events():
                depth += 1 if event == "start" else -1
                if event == "end":
                    element.clear()
                    continue
                if not count and element.tag.lower() != "opml":
                    raise ConfigError(f"it is no OPML but <{element.tag[:40]}>")
                count += 1
                if count > MOST_OUTLINES or depth > DEEPEST:
                    raise ConfigError(f"it has over {MOST_OUTLINES} parts, or they are nested over {DEEPEST} deep")
                if element.tag.lower() == "outline" and (outline := _outline(element.attrib)) is not None:
                    found.append(outline)
        reader.close()
    except ElementTree.ParseError as error:
        raise ConfigError(f"it is no XML: {error}") from error
    return found


def add_feeds(text: str, outlines: Iterable[Outline]) -> Imported:
    """The text of a sources.toml with a source for each feed that is not in it, behind what is there; comments stay.

    Raises ConfigError where the text is no list of sources, or cannot be continued.
    """
    known = read_sources(text)
    names, places = {source.name.lower() for source in known}, {_place(source.url) for source in known}
    tables: list[str] = []
    fresh: list[str] = []
    skipped: list[tuple[Outline, str]] = []
    for outline in outlines:
        table = ""
        if (place := _place(outline.url)) in places:
            skipped.append((outline, "is there already"))
            continue
        name = _unique(_name(outline), names)
        table = "\n".join(["[[source]]", f"# {_line(outline.title) or name}", f"name = {_quoted(name)}",
                           f"url = {_quoted(outline.url)}", f"kind = {_quoted(outline.kind)}", ""])
        try:
            read_sources(table)
        except ConfigError:
            skipped.append((outline, "has no http or https address"))
            continue
        names.add(name.lower())
        places.add(place)
        tables.append(table)
        fresh.append(name)
    whole = "\n".join([text.rstrip("\n") + "\n" if text.strip() else "", *tables]) if tables else text
    by_name = {source.name: source for source in read_sources(whole)}
    return Imported(tuple(by_name[name] for name in fresh), tuple(skipped), whole)


def _outline(attributes: dict[str, str]) -> Outline | None:
    fields = {name.lower(): value.strip() for name, value in attributes.items()}
    url = fields.get("xmlurl")
    if not url:
        return None  # a folder, or a link to a page
    title = fields.get("title") or fields.get("text") or ""
    return Outline(title, url, KINDS.get(fields.get("type", "").lower(), "rss"))


def _name(outline: Outline) -> str:
    """The title by the rule for names: letters without marks, what is between them a dash; else the host's name."""
    for text in (outline.title, _host(outline.url), "feed"):
        plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
        name = re.sub(r"[^a-z0-9._]+", "-", plain).lstrip("-._")[:NAME_CHARS].rstrip("-._")
        if name:
            return name
    return "feed"


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""


def _unique(name: str, names: Collection[str]) -> str:
    number, unique = 1, name
    while unique in names:
        number += 1
        unique = f"{name[:NAME_CHARS - len(str(number)) - 1]}-{number}"
    return unique


def _place(url: str) -> str:
    """An address for comparing: scheme and a bare slash at its end do not count."""
    try:
        parts = urlsplit(url)
        return f"{(parts.netloc or '').lower()}{parts.path.rstrip('/')}?{parts.query}"
    except ValueError:
        return url


def _line(text: str) -> str:
    """A title as a comment."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:100]


def _quoted(text: str) -> str:
    """A basic string of TOML, which is JSON's save for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
