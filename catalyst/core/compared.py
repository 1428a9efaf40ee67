"""Whether a sentence says that a number is more, or less, than the one it is set against.

"EPS $0.92 vs. $0.80 est", "to $300M-$310M from $345M-$360M", "raised from 4 to 5 million": the first number that is set
against another decides. A range counts with its middle, brackets, a minus and a loss are below zero.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

_NUMBER = (r"(?P<{0}>(?P<{0}loss>loss(?:es)? of )?(?P<{0}minus>[-−(]{{0,3}})(?:US|C|A|CA|HK|NT|RMB|EUR|USD)?[$€£¥]?[ ]?"
           r"(?P<{0}bracket>\(?)(?P<{0}digits>\d[\d,]{{0,14}}(?:\.\d{{1,6}})?)\)?"
           r"[ ]?(?P<{0}unit>(?:trillion|billion|million|thousand|bln|mln|bn|mn|cents?|percent|m|b|k|c)\b|%)?)")
_TO = r"[ ]?(?:-|–|—|to|and)[ ]?"


def _range(name: str) -> str:
    return _NUMBER.format(f"{name}low") + "(?:" + _TO + _NUMBER.format(f"{name}high") + ")?"


_WORDS = (r"(?:\bvs?\.?|\b(?:versus|from|compared (?:with|to)|against|than|instead of"
          r"|beats?|beating|tops?|topping|exceed(?:s|ed)|miss(?:es|ed)?|missing|above|below|under|over|down from"
          r"|up from)\b)")
_SET_AGAINST = re.compile(_WORDS, re.IGNORECASE)  # stands in what the two patterns below take, and costs far less
BEFORE = 150  # characters before such a word in which _AGAINST begins: two numbers at their longest and 40 more
_AGAINST = re.compile(
    _range("new") + r"(?:(?!\d)[^.;\n]|\.(?! )){0,40}?" + _WORDS
    + r"(?:(?!\d)[^.;\n$€£(−-]|\.(?! )){0,40}?" + _range("old"), re.IGNORECASE)
_FROM_TO = re.compile(r"\bfrom[ ](?:(?!\d)[^.;\n$€£(−-]){0,25}?" + _NUMBER.format("oldlow")
                      + r"(?:(?!\d)[^.;\n]){0,30}? to (?:(?!\d)[^.;\n$€£(−-]){0,25}?" + _NUMBER.format("newlow"),
                      re.IGNORECASE)
_SCALES = {"trillion": 1e12, "billion": 1e9, "bln": 1e9, "bn": 1e9, "b": 1e9, "million": 1e6, "mln": 1e6, "mn": 1e6,
           "m": 1e6, "thousand": 1e3, "k": 1e3, "c": 0.01, "cent": 0.01, "cents": 0.01}

Compared = Literal["more", "less", ""]


@lru_cache(maxsize=8)  # asked for each phrase of a sentence
def compared(sentence: str) -> Compared:
    """How the first number that is set against another compares with it; empty where none does, or they are equal."""
    word = _SET_AGAINST.search(sentence)
    if word is None:
        return ""
    found = _AGAINST.search(sentence, max(0, word.start() - BEFORE)) or _FROM_TO.search(sentence)
    if found is None:
        return ""
    parts = found.groupdict()
    new, old = _middle(parts, "new", parts.get("oldlowunit")), _middle(parts, "old", parts.get("newlowunit"))
    return "more" if new > old else "less" if new < old else ""


def _middle(parts: dict[str, str | None], name: str, other: str | None) -> float:
    """The number, or the middle of the range; a number without a unit has that of its neighbour."""
    high_unit = parts.get(f"{name}highunit")
    low = _value(parts, f"{name}low", parts.get(f"{name}lowunit") or high_unit or other)
    if not parts.get(f"{name}highdigits"):
        return low
    return (low + _value(parts, f"{name}high", high_unit or parts.get(f"{name}lowunit") or other)) / 2


def _value(parts: dict[str, str | None], name: str, unit: str | None) -> float:
    size = float((parts[f"{name}digits"] or "0").replace(",", "")) * _SCALES.get((unit or "").lower(), 1.0)
    is_below = parts[f"{name}loss"] or parts[f"{name}minus"] or parts[f"{name}bracket"]
    return -size if is_below else size
