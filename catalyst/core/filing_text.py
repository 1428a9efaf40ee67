"""The words of an SEC document (HTML, XML or plain text), one line a block or table row.

Every step is bounded, so that no document takes more than a moment: what is read of one, how deep its elements may
nest, and how far a tag may reach. Over the depth, where the parser's time grows with its square, the tags are taken out
by a pattern: the lines are the same, because they are broken before the parser sees them.
"""

from __future__ import annotations

import html
import re

SOURCE_CHARS = 1_000_000  # of one document; covers, offering terms and items stand far before
LIMIT_DEPTH = 400

_F = re.IGNORECASE
_HTML = re.compile(r"<(?:html|body|div|p|font|table|span)\b[^<>]{0,2000}>", _F)
_BLOCK = re.compile(r"<(?=/?(?:p|div|tr|br|table|h[1-6]|li|ul|ol|center|hr|dd|dt|title|document)\b)", _F)
_CELL = re.compile(r"<(?=t[dh]\b)", _F)
_TAG = re.compile(r"<(/?)([a-zA-Z][\w:.-]{0,60})[^<>]{0,5000}>")
_VOID = frozenset(("br", "hr", "img", "input", "meta", "link", "col", "area", "base", "wbr", "page"))
_UNSEEN = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_WRAPPED = 58  # a line of plain text at least so long goes on in the next, unless a heading follows
_HEADING = re.compile(r"\W{0,4}(?:items?|sections?|exhibits?|signatures?|part)\b", re.IGNORECASE)


def decode(body: bytes, limit_chars: int = SOURCE_CHARS) -> str:
    """The first characters of a document: UTF-8, else the Windows code page that old documents are in."""
    cut = len(body) > 4 * limit_chars
    body = body[:4 * limit_chars]
    try:
        return body.decode("utf-8-sig")[:limit_chars]
    except UnicodeDecodeError as error:
        if cut and error.start >= len(body) - 3:  # the cut went through a character
            return body[:error.start].decode("utf-8-sig")[:limit_chars]
        return body[:limit_chars].decode("cp1252", errors="replace")


def plain_text(source: str) -> str:
    """The words of a document, one line a paragraph or table row, single blanks between words; no empty lines."""
    source = source[:SOURCE_CHARS].replace("\0", " ")
    source = _without(source, "<ix:header", "</ix:header>")
    head = source[:20_000]
    if not _HTML.search(head) or ("<PAGE>" in head and "<html" not in head.lower()):
        return _paragraphs(_UNSEEN.sub("", html.unescape(_TAG.sub(" ", source))))
    # The source's own line breaks split headings; those set before blocks survive inside tables as well.
    if "<pre" not in source[:200_000].lower():
        source = " ".join(source.split())
    source = _CELL.sub(" <", _BLOCK.sub("\n<", source))
    words = _UNSEEN.sub("", strip_tags(source) if is_deep(source) else _parsed(source))
    return "\n".join(line for line in (" ".join(line.split()) for line in words.split("\n")) if line)


def strip_tags(source: str) -> str:
    """The text without tags, comments, scripts and styles; entities are characters."""
    for start, end in (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"), ("<title", "</title>")):
        source = _without(source, start, end)
    return html.unescape(_TAG.sub("", source))


def is_deep(source: str) -> bool:
    """Whether elements nest deeper than the parser should see. Unclosed ones count as open: that errs on its side."""
    depth = 0
    for match in _TAG.finditer(source):
        if match[1]:
            depth = max(0, depth - 1)
        elif match[2].lower() not in _VOID and not match[0].endswith("/>"):
            depth += 1
            if depth > LIMIT_DEPTH:
                return True
    return False


def _parsed(source: str) -> str:
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(source)
    tree.strip_tags(["script", "style", "title"])
    return tree.body.text() if tree.body is not None else ""


def _without(source: str, start: str, end: str) -> str:
    """The source without what stands between the marks; where the end is missing it is left as it is."""
    parts, place = [], 0
    while (found := source.find(start, place)) >= 0:
        after = source.find(end, found)
        if after < 0:
            break
        parts.append(source[place:found])
        place = after + len(end)
    return "".join([*parts, source[place:]]) if parts else source


def _paragraphs(text: str) -> str:
    """Plain text with its wrapped lines joined: a long line goes on in the next one."""
    lines: list[str] = []
    last = 0
    for raw in text.splitlines():
        line = " ".join(raw.split())
        if line and lines and last >= _WRAPPED and lines[-1][-1] not in ".:;?!" and not _HEADING.match(line) and (
                len(lines[-1]) < 20_000):
            lines[-1] += f" {line}"
        elif line:
            lines.append(line)
        last = len(raw.rstrip())
    return "\n".join(lines)
