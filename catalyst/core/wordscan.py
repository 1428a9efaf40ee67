"""Texts folded for comparison, and many phrases found in them as whole words in one pass.

Folding makes lower case, plain quotes and single blanks, and reads every dash as a blank, so that "At-the-Market" and
"at the market" are one phrase. It never drops a letter, and `Folded.original` leads back to the words as written. It
decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import islice

import ahocorasick_rs
import msgspec

KEPT = 8  # texts whose forms are remembered: the parts of a decision read the same title and summary
_QUOTES = {**dict.fromkeys("‘’‚‛′`´", "'"), **dict.fromkeys("“”„‟″«»", '"')}
_DASHES = "-‐‑‒–—―−"
_BLANKS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200C)))
_PLAIN = {**_QUOTES, **dict.fromkeys(_DASHES, "-"), **dict.fromkeys(_BLANKS, " ")}
_FREQUENT = tuple((odd, _PLAIN[odd]) for odd in "’“”–—\xa0`\n")  # most texts have no others
_ODD = re.compile("[" + re.escape("".join(_PLAIN)) + "]")  # few letters are odd: four times as fast as str.translate
_IN_WORD = bytes(chr(code).isalnum() for code in range(128)).ljust(256, b"\0")  # 1: a letter or digit
_RUN = re.compile(r"  +")
_END = re.compile(  # a mark and blanks, but no stop behind an abbreviation
    r"[.!?;](?<!\b[a-z]\.)(?<!\b(?:co|dr|mr|ms|no|vs|st|jr|sr)\.)(?<!\b(?:inc|ltd)\.)(?<!\b(?:corp|prof)\.)"
    r"(?<!\bapprox\.) +")


@lru_cache(maxsize=KEPT)
def plain(text: str) -> str:
    """`text` with plain quotes, dashes and blanks, character for character: offsets and case stay."""
    if not text.isascii() or not text.isprintable() or "`" in text:
        for odd, usual in _FREQUENT:
            text = text.replace(odd, usual)
    if text.isascii() and text.isprintable():
        return text
    return _ODD.sub(lambda odd: _PLAIN[odd[0]], text)


@lru_cache(maxsize=KEPT)
def lower_same(text: str) -> str:
    """`text` in small letters, character for character: a few capitals, as the Turkish dotted I, would become two."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(small if len(small := letter.lower()) == 1 else letter for letter in text)


class Folded(msgspec.Struct, frozen=True):
    """`text` is what is searched; `source` what was written; `wide` is `text` with all blanks, as long as `source`."""

    source: str
    text: str
    wide: str

    def offset(self, position: int) -> int:
        """Offset in `source` of the character at `position` of `text`."""
        if len(self.text) == len(self.source):
            return position
        for run in _RUN.finditer(self.wide):
            if run.start() >= position:
                break
            position += run.end() - run.start() - 1
        return position

    def original(self, start: int, end: int) -> str:
        """The words of `source` that `text[start:end]` stands for."""
        return self.source[self.offset(start):self.offset(end - 1) + 1] if end > start else ""


@lru_cache(maxsize=KEPT)
def fold(text: str) -> Folded:
    """Lower case, plain, single blanks, dashes read as blanks."""
    wide = lower_same(plain(text)).replace("-", " ")
    return Folded(text, _RUN.sub(" ", wide) if "  " in wide else wide, wide)


def sentence_ends(folded: str, most: int | None = None) -> list[int]:
    """Offsets at which the first `most` sentences of a folded text end; abbreviations as `inc.` end none."""
    return [found.end() for found in islice(_END.finditer(folded), most)]


class Phrases:
    """Phrases, folded on the way in; `find` gives each whole-word occurrence of each, overlapping ones too."""

    def __init__(self, phrases: Iterable[str]):
        self.phrases = tuple(fold(phrase).text.strip() for phrase in phrases)
        self._open = frozenset(number for number, phrase in enumerate(self.phrases)
                               if not (phrase[:1].isalnum() and phrase[-1:].isalnum()))  # "$5": no word on one side
        # Measured with 17,700 phrases: as fast as the whole automaton (DFA), in 2 MB in place of 25.
        self._automaton = ahocorasick_rs.AhoCorasick(self.phrases,
                                                    implementation=ahocorasick_rs.Implementation.ContiguousNFA)

    def find(self, text: str) -> list[tuple[int, int, int]]:
        """(number of the phrase, start, end) in a folded text, in the order of their ends."""
        found = self._automaton.find_matches_as_indexes(text, overlapping=True)
        if not found:
            return []
        framed, is_open = f" {text} ", self._open
        in_word = framed.encode().translate(_IN_WORD) if text.isascii() else bytes(map(str.isalnum, framed))
        return [hit for hit in found if not (in_word[hit[1]] or in_word[hit[2] + 1])
                or (hit[0] in is_open and self._is_whole(framed, *hit))]

    def _is_whole(self, framed: str, number: int, start: int, end: int) -> bool:
        """Whether no word goes on where the phrase begins or ends with a letter or digit."""
        phrase = self.phrases[number]
        return not ((phrase[:1].isalnum() and framed[start].isalnum())
                    or (phrase[-1:].isalnum() and framed[end + 1].isalnum()))
