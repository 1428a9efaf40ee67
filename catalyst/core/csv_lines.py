"""CSV read line by line, so that one damaged line costs that line.

`csv.reader` takes a quote that nobody closed for a cell of many lines (RFC 4180 allows line breaks in quotes) and ends
it at the next quote or at the end of the text: all rows in between would be gone without a word. It opens no file.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

UNCLOSED = "a quote is not closed"


@dataclass(frozen=True, slots=True)
class Line:
    """One row, with the number of its line, counted from 1. `fault` says why it is none: then `cells` are a guess."""

    number: int
    cells: tuple[str, ...]
    fault: str = ""


def read_lines(text: str) -> Iterator[Line]:
    """Every line of a text by itself, whatever stands in the one before it; a blank one has no cells."""
    return (_read(number, raw) for number, raw in enumerate(_lines(text), 1))


def read_rows(text: str, is_row: Callable[[Sequence[str]], bool]) -> Iterator[Line]:
    """The same for a text whose cells may hold line breaks; `is_row` tells a row from text that has commas by chance.

    A row over several lines is one where its quotes close as they should, none of its further lines is a row by itself
    and it is one. Else it is refused with all that follows up to the next row, or the next line with such a fault.
    """
    lines = _lines(text)
    place = 0
    while place < len(lines):
        line = _read(place + 1, lines[place])
        if line.fault != UNCLOSED:
            is_torn = line.cells and not is_row(line.cells) and not _joined(lines, place)[0]  # a quote ends in a cell
            yield replace(line, fault=UNCLOSED) if is_torn else line
            place += 1
            continue
        cells, span = _joined(lines, place)
        following = (_read(number + 1, lines[number]) for number in range(place + 1, len(lines)))
        if is_row(cells) and not any(is_row(one.cells) for one in islice(following, span - 1)):
            yield Line(line.number, cells)
            place += span
            continue
        yield line
        place = next((number for number in range(place + 1, len(lines))
                      if (one := _read(number + 1, lines[number])).fault or is_row(one.cells)), len(lines))


def _lines(text: str) -> list[str]:
    return list(io.StringIO(text.removeprefix("\ufeff"), newline=""))


def _read(number: int, raw: str) -> Line:
    reader = csv.reader((raw.rstrip("\r\n"), ""))  # the second line is read only where a quote of the first is open
    try:
        cells = tuple(next(reader))
    except csv.Error as error:
        return Line(number, (), str(error))
    return Line(number, cells, UNCLOSED if reader.line_num > 1 else "")


def _joined(lines: Sequence[str], place: int) -> tuple[tuple[str, ...], int]:
    """The row that begins in a line and ends where its quotes do, and over how many lines; no cells where they end
    wrongly, or never."""
    reader = csv.reader((lines[number] for number in range(place, len(lines))), strict=True)
    try:
        return tuple(next(reader)), reader.line_num
    except csv.Error:
        return (), 1
