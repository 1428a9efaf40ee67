"""No text makes a pattern of catalyst.core take long."""

from __future__ import annotations

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from itertools import islice

import pytest

import catalyst.core

SIZE, WHOLE = 25_000, 100_000  # of a long text in each run, and in the long one
SMALL = 4_000
GROWTH = 4           # how much worse than in proportion to its length a long text may be
FLOOR_S = 0.05       # what a clock and a busy machine add to any measurement
# Patterns that are only asked for titles, cells and single lines, all of which are cut, or for one place: characters.
SHORT = {"corrections.START": 1_000, "corrections.END": 1_000, "dates.OFFSET": 1_000, "duplicates.AMOUNT": 1_000,
         "duplicates.WIRES": 1_000, "edits.WIRES": 1_000, "stories.AMOUNT": 1_000, "stories.WIRES": 1_000,
         "edgar.TITLE": 300, "edgar.COMPANY": 300, "filing_words._SKIP": 160, "offering_amounts._DEDUCTED": 1_000,
         "compared._AGAINST": 2_000, "compared._FROM_TO": 2_000,
         "filing_items.SIGNED": 4_000, "offering_amounts._NOT_AFTER": 300, "mentions._SEPARATOR": 300}
MOST_S = 0.5         # for those, whatever stands in them
BASELINE = re.compile(r"[^ -~]")
LITERALS = re.compile(r"(?:\\.|[A-Za-z0-9 $:,.(\[])+")
PIECES = (" ", "(", "A ", "Aa ", "a", "1,", ": ", "- ", "$A", "\n", "(NYSE: ", ". ")


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every compiled pattern of a module of core, however it is kept."""
    def within(name: str, value: object, depth: int = 0) -> Iterator[tuple[str, re.Pattern[str]]]:
        if isinstance(value, re.Pattern):
            if isinstance(value.pattern, str):
                yield name, value
        elif isinstance(value, dict) and depth < 3:
            for key, inner in value.items():
                yield from within(f"{name}[{key!r}]", inner, depth + 1)
        elif isinstance(value, (tuple, list)) and depth < 3:
            for number, inner in enumerate(value):
                yield from within(f"{name}[{number}]", inner, depth + 1)

    for module in pkgutil.iter_modules(catalyst.core.__path__, "catalyst.core."):
        for name, value in vars(importlib.import_module(module.name)).items():
            yield from within(f"{module.name.rpartition('.')[2]}.{name}", value)


def hard_texts(pattern: re.Pattern[str], size: int) -> list[str]:
    """Texts of repeated prefixes of what the pattern looks for, and of what opens, separates and shouts."""
    words = dict.fromkeys(re.sub(r"\\s|\\b|\\W", " ", found[0]).replace("\\", "")
                          for found in islice(LITERALS.finditer(pattern.pattern), 4))
    literals = [word for word in words if word.strip()]
    pieces = [*PIECES, *(f"{word} " for word in literals), "".join(literals) or "A"]
    return [(piece * (size // len(piece) + 1))[:size] for piece in dict.fromkeys(pieces)]


def cost(pattern: re.Pattern[str], text: str) -> float:
    """Seconds of CPU time to find all that the pattern finds."""
    began = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - began


ALL = dict(patterns())


def test_patterns_are_found() -> None:
    """The walk finds the patterns of many modules."""
    assert len(ALL) > 100
    assert len({name.partition(".")[0] for name in ALL}) > 20


@pytest.mark.parametrize("size", [SIZE, pytest.param(WHOLE, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", ALL)
def test_no_pattern_blows_up(name: str, size: int) -> None:
    """A text that is longer costs as much more, give or take the machine, and never the square of it."""
    pattern = ALL[name]
    if name in SHORT:
        assert max(cost(pattern, text) for text in hard_texts(pattern, SHORT[name])) < MOST_S
        return
    linear = max(FLOOR_S, cost(BASELINE, "a" * size))
    for text, long in zip(hard_texts(pattern, SMALL), hard_texts(pattern, size), strict=True):
        short = cost(pattern, text)
        assert short < linear, f"{short:.3f} s for {SMALL} characters of {text[:20]!r}"
        taken = cost(pattern, long)
        assert taken < GROWTH * (short * size / SMALL + linear), (
            f"{short:.4f} s for {SMALL} characters of {text[:20]!r}, {taken:.3f} s for {size}")
