"""When a publisher edits a story in place: the same entry under the same link has a title that says something else.

A false "corrected by its publisher" is worse than none, so a new title counts only where a word or a figure with
meaning came, went or changed, and where it is still about the same. Nothing is said by case, quotes, dashes and blanks,
by the order of words, by what `wording` knows to mean the same, by a misspelling that is mended, by a ticker or the
publisher's name that a title gains, by a mark like "UPDATE" alone, and by where a title is cut. A mark of correction
that a title gains counts by itself. Whose entry it is, and what was told before, is for the fetcher's tables to say.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from zlib import crc32

from catalyst.core.corrections import read_mark
from catalyst.core.stories import MINUS, SOFT, WIRES, folded, words_of
from catalyst.core.wording import COMMON, LINKING, is_typo, stem, stems_of

MOST_EDITS = 3  # corrections of one story that are told: a headline that changes for ever ends here
FEW, FEW_SHARE = 3, 0.1  # titles of one document that change at once; with more the feed has changed its ways
PIECE = re.compile(r"[^\W_]+|[$€£%+<>…]")
TICKER = re.compile(r"[(\[]\s*\$?[A-Za-z]{1,5}(?:\.[A-Za-z])?\s*[)\]]|\$[A-Z]{1,5}(?:\.[A-Z])?\b"
                    r"|^[A-Z]{1,5}(?:\.[A-Z])?\s*(?::|[-–—|](?=\s))(?=\s)")
SUFFIX = re.compile(r" (?:[-–—|]|::) ([^-–—|:]{2,40})$")  # of a title with single blanks
SUFFIX_WORDS = 4
# What alone makes no difference: what is hung on a headline, and words that link others, but for those of a direction.
DRESS = ("press", "news", "alert", "exclusive", "live", "video", "photo", "watch", "read")
DIRECTIONS = ("up", "down", "over", "under", "before", "after", "against", "<", ">", "€", "£")
QUIET = frozenset(map(stem, DRESS)) | LINKING - frozenset(DIRECTIONS)


def title_key(title: str) -> int:
    """A number over 0, equal for titles that differ in case, quotes, dashes and blanks only: a cheap first look."""
    return crc32(_pieces(title).encode(errors="replace")) or 1


def edit_id(first: str, title: str) -> str:
    """The id of the story `first` as its publisher retitled it: 20 hex digits, the same for one title at any time."""
    return hashlib.sha256(f"edit:{first}\n{_pieces(title)}".encode(errors="replace")).hexdigest()[:20]


def is_marked(title: str) -> bool:
    """Whether a title has a publisher's mark of correction; that of an update alone is none."""
    marked = read_mark(title)
    return marked is not None and not marked.mark.replace(" ", "").startswith("update")


def corrects(new: str, told: Iterable[str]) -> bool:
    """Whether a title says something that none of those says which were told of its story."""
    return all(_says_else(old, new) for old in told)


def is_few(edits: int, entries: int) -> bool:
    """Whether so many of a document's entries may have been edited at once, without a mark, by a person."""
    return edits <= max(FEW, round(entries * FEW_SHARE))


def _says_else(old: str, new: str) -> bool:
    if is_marked(new) and not is_marked(old):
        return True
    one, other = _plain(old), _plain(new)
    if _is_respelled(words_of(one), words_of(other)):
        return False
    before, after = stems_of(one)[0], stems_of(other)[0]
    ends = [len(words) - 1 for words, cut, whole in ((before, one, other), (after, other, one))
            if cut.endswith(("...", "…")) or (whole.startswith(cut) and whole[len(cut):][:1].isalnum())]
    end = min(ends, default=None)  # where one is cut they are compared as far as both go
    a, b = set(before[:end]), set(after[:end])
    return bool((a ^ b) - QUIET) and 2 * len(a & b) >= min(len(a), len(b)) > 0


def _is_respelled(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether the words of two titles are the same but for slips of the hand behind their first letters."""
    return len(one) == len(other) and all(
        a == b or (a[0] == b[0] and is_typo(a, b)) for a, b in zip(one, other, strict=True))


def _plain(title: str) -> str:
    """A title in one case, without its mark, a ticker and its publisher's name."""
    marked = read_mark(title)
    if marked is not None and marked.title:
        title = marked.title
    plain = WIRES.sub("", " ".join(folded(TICKER.sub(" ", title)).split()))
    suffix = SUFFIX.search(plain)
    return plain[:suffix.start()] if suffix is not None and _is_name(suffix[1].split()) else plain


def _is_name(words: list[str]) -> bool:
    """Whether what stands behind a title's last dash may be its publisher: a few words, no figure, none of news."""
    return len(words) <= SUFFIX_WORDS and not any(
        any(map(str.isdigit, word)) or (word not in SOFT and stem(word) in COMMON) for word in words)


def _pieces(title: str) -> str:
    return " ".join(PIECE.findall(MINUS.sub(" minus ", folded(title))))
