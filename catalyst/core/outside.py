"""Text from outside, made harmless: one line of plain characters, Discord Markdown that shows as written, safe links.

It shortens to a length counted in UTF-16 units, which is never less than what Discord counts.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import quote, urlsplit

LINK_LIMIT = 2_048  # longest address that Discord takes in an embed
# Letters by category that draw nothing: fillers of Hangul, Khmer and Mongolian, the joiner of graphemes, blank braille.
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
MARKS_IN_A_ROW = 4  # more combining marks than any language needs on one letter
MARKDOWN = frozenset("\\`*_~|<[]")  # alive anywhere in a line
AT_START = frozenset("#->+")  # headings, lists, quotes, small text: alive only as the first character of a line
BREAK = "\u200b"  # stands after "@", so that no client sees a mention
ELLIPSIS = "…"


def length(text: str) -> int:
    """UTF-16 units, the larger of the two ways in which clients and the service count."""
    return len(text) + sum(ord(character) > 0xFFFF for character in text)


def plain_line(text: str) -> str:
    """One line without control, direction, zero-width, private and surrogate characters; runs of blanks become one."""
    kept: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        if category in ("Zs", "Zl", "Zp") or character in "\t\n\r\v\f\x85":
            kept.append(" ")
        elif category in ("Cc", "Cf", "Cs", "Co") or character in INVISIBLE:
            continue
        elif category in ("Mn", "Me"):
            marks += 1
            if marks <= MARKS_IN_A_ROW:
                kept.append(character)
            continue
        else:
            kept.append(character)
        marks = 0
    return " ".join("".join(kept).split())


def cut(text: str, limit: int) -> str:
    """At most `limit` units of the plain line, with an ellipsis where something was left out."""
    return _fit(list(plain_line(text)), limit)


def unmentioned(text: str, limit: int) -> str:
    """A plain line for places where Discord shows no Markdown (footer): only mentions are broken."""
    return _fit([_broken(character) for character in plain_line(text)], limit)


def escaped(text: str, limit: int) -> str:
    """A plain line that Discord shows as it was written: no Markdown, link, emoji, timestamp or mention comes alive.

    A backslash makes any punctuation plain (Discord's help page on Markdown). It is put only where a character could
    mean something, so that prices, times and hyphens stay readable in a phone's notification.
    """
    line = plain_line(text)[:limit + 1]
    pieces = [_piece(line, place) for place in range(len(line))]
    return _fit(pieces, limit)


def safe_link(text: str) -> str | None:
    """The address with every odd character percent-encoded, None unless it is http or https with a host and no user."""
    if not text or length(text) > LINK_LIMIT or any(ord(character) < 33 or ord(character) == 127 for character in text):
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        if parts.scheme not in ("http", "https") or not host or parts.username is not None:
            return None
        name = f"[{host}]" if ":" in host else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return None
    if not all(character.isalnum() or character in ".-_:[]" for character in name):
        return None
    path = quote(parts.path, safe="/%:!$&',;=~+-._")
    query = "?" + quote(parts.query, safe="/%:!$&',;=~+-._?") if parts.query else ""
    fragment = "#" + quote(parts.fragment, safe="/%:!$&',;=~+-._?") if parts.fragment else ""
    link = f"{parts.scheme}://{name}{f':{port}' if port is not None else ''}{path}{query}{fragment}"
    return link if len(link) <= LINK_LIMIT else None


def masked_link(label: str, address: str, limit: int) -> str:
    """`[label](address)` in Markdown, only the label where the address is not safe or has no room. Never empty."""
    link = safe_link(address)
    if link is None or len(link) + 8 > limit:
        return escaped(label, limit) or "unknown"
    return f"[{escaped(label, limit - len(link) - 4) or 'link'}]({link})"


def _piece(line: str, place: int) -> str:
    """The character at `place` as it must be written there."""
    character = line[place]
    alive = character in MARKDOWN or (place == 0 and character in AT_START)
    if character in ".)":
        alive |= line[:place].isdigit()  # a numbered list
    if character == ":":
        alive |= line[place + 1:place + 2].strip() != ""  # an address, an emoji's name
    if character == ".":
        alive |= "/" in line[place:].split(" ", 1)[0]  # an invitation without a scheme
    return f"\\{character}" if alive else _broken(character)


def _broken(character: str) -> str:
    return "@" + BREAK if character in "@＠" else character


def _fit(pieces: list[str], limit: int) -> str:
    """As many whole pieces as fit, so that no escape is cut in two."""
    if sum(map(length, pieces)) <= limit:
        return "".join(pieces)
    used, kept = 1, []
    for piece in pieces:
        used += length(piece)
        if used > limit:
            break
        kept.append(piece)
    return "".join(kept).rstrip() + ELLIPSIS if limit > 0 else ""
