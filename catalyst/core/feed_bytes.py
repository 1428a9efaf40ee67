"""The bytes of a feed's document -> UTF-8 that an XML library reads whole: encodings, what publishers write for HTML,
and whether it is too much to be read. It knows nothing of entries.
"""

from __future__ import annotations

import html
import re
from html.entities import html5

MOST_MARKS = 60_000  # nodes that the document would have in memory, up to 300 bytes each; a thousand items have 15,000
MOST_ATTRIBUTES = 500  # of one tag: the XML library compares each with all before it
SECTION = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
OPEN_TAG = re.compile(rb"<[^<>]*")
REFERENCE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#x?[0-9a-fA-F]{1,8});)")

MENDED = re.compile(SECTION.pattern + rb"|&(?!(?:amp|lt|gt|quot|apos|#x?[0-9a-fA-F]{1,8});)(?:([a-zA-Z]\w{1,31});)?",
                    re.DOTALL)
CHILD = re.compile(rb"<(title|description|summary)(?:\s[^<>]*)?(?<!/)>[^<]*<(?![/!])")  # markup where text belongs
CHILD_OR_SECTION = re.compile(SECTION.pattern + b"|" + CHILD.pattern, re.DOTALL)

DECLARATION = re.compile(rb"\s*<\?xml[^>]*?\?>")
ENCODING = re.compile(rb"encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']")
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
CONTROLS = bytes(number for number in range(32) if number not in (9, 10, 13))  # not allowed in XML 1.0


def as_utf8(body: bytes, content_type: str) -> bytes:
    """The document in UTF-8 without byte order mark, declaration and control characters, whatever it claims to be."""
    declared = ENCODING.search(body, 0, 400)
    charset = CHARSET.search(content_type)
    name = declared[1].decode() if declared else charset[1] if charset else "utf-8"
    text = _wide(body)
    if text is None and (not body.isascii() or name.lower().startswith(("iso-2022", "hz"))):
        text = _decoded(body, name.lower())
    if text is not None:
        body = text.lstrip("\ufeff").encode("utf-8", "ignore")
    return DECLARATION.sub(b"", body.translate(None, CONTROLS), count=1) if DECLARATION.match(body) else \
        body.translate(None, CONTROLS)


def mended(body: bytes) -> bytes:
    """`body` with what publishers write for HTML and XML readers drop without a word: names of characters that XML does
    not know, a bare `&`, and tags within a title or description, which become its text."""
    if REFERENCE.search(body):
        body = MENDED.sub(_reference, body)
    if CHILD.search(body) is None:
        return body
    parts, at, done = [], 0, 0
    while found := CHILD_OR_SECTION.search(body, at):
        at = found.end()
        if (name := found[1]) is None:
            continue
        begin, end = body.index(b">", found.start()) + 1, body.find(b"</" + name, at)
        if end < 0:
            break
        inside = body[begin:end].replace(b"<![CDATA[", b"").replace(b"]]>", b"")
        parts += [body[done:found.start()], b"<" + name + b"><![CDATA[", inside, b"]]>"]
        at = done = end
    return b"".join([*parts, body[done:]])


def _reference(found: re.Match[bytes]) -> bytes:
    if found[0].startswith(b"<"):
        return found[0]
    character = html5.get(f"{found[1].decode()};") if found[1] else None
    return html.escape(character).encode() if character else b"&amp;" + found[0][1:]


def _wide(body: bytes) -> str | None:
    """The text of UTF-16 or UTF-32, known by its mark or its NULs."""
    for mark, name in ((b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xff\xfe", "utf-16"),
                       (b"\xfe\xff", "utf-16"), (b"<\0\0\0", "utf-32-le"), (b"\0\0\0<", "utf-32-be"),
                       (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be")):
        if body.startswith(mark):
            return body.decode(name, "replace")
    return None


def _decoded(body: bytes, name: str) -> str:
    """The text by the first of: UTF-8 where it is valid, the declared encoding, Windows-1252 (it never fails)."""
    names = [name] if name.startswith(("iso-2022", "hz")) else ["utf-8"]
    names.append("cp1252" if name in ("iso-8859-1", "latin-1", "latin1", "us-ascii", "ascii") else name)
    for each in names:
        try:
            return body.decode(each)
        except (UnicodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def has_marks(body: bytes, most: int) -> bool:
    """Whether `body` would have more than `most` nodes, or one tag far too many attributes.

    Text in sections makes none and is left out where that counts. Quotes are not looked at: a `>` inside an attribute
    ends the tag here, what stands behind it counts as text.
    """
    marks = len(body) - len(body.translate(None, b"<=&"))
    if marks <= most and (marks <= 10 * MOST_ATTRIBUTES or body.count(b"=") <= 10 * MOST_ATTRIBUTES):
        return False
    if b"<![CDATA[" in body:
        body = SECTION.sub(b"<", body)
    if (count := body.count(b"<") + len(REFERENCE.findall(body))) > most:
        return True
    if count + body.count(b"=") > most and count + sum(tag.count(b"=") for tag in OPEN_TAG.findall(body)) > most:
        return True
    tags = (piece.partition(b">")[0] for piece in body.split(b"<")[1:] if len(piece) > MOST_ATTRIBUTES)
    return any(tag.count(b"=") > MOST_ATTRIBUTES for tag in tags)
