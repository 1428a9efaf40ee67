"""CSV line by line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.csv_lines import UNCLOSED, Line, read_lines, read_rows


@pytest.mark.parametrize(("text", "cells"), [
    ('a,"b, ""c"""', ("a", 'b, "c"')), ('5" pipe,x', ('5" pipe', "x")), ('""', ("",)), ("", ()), ("\ufeffa", ("a",))])
def test_a_line(text: str, cells: tuple[str, ...]) -> None:
    """Quotes as CSV has them; one in the middle of a cell is a sign like any other."""
    assert [line.cells for line in read_lines(text)] == ([cells] if text else [])


def test_a_fault_ends_with_its_line() -> None:
    """An open quote and a cell beyond all measure cost their lines, whatever the line ends are."""
    lines = list(read_lines('a,"b\r\nc,d\r"' + "x" * 200_000 + '"\ne,"f'))
    assert [(line.number, bool(line.fault)) for line in lines] == [(1, True), (2, False), (3, True), (4, True)]
    assert lines[0].fault == lines[3].fault == UNCLOSED
    assert lines[1] == Line(2, ("c", "d"))


def is_row(cells: tuple[str, ...] | list[str]) -> bool:
    return len(cells) == 2 and cells[1].startswith("/") and not cells[0].count('"') % 2


@pytest.mark.parametrize(("text", "rows", "refused"), [
    ('"a\nb",/1\nc,/2\n', [("a\nb", "/1"), ("c", "/2")], []),
    ('"a,/1\nc,/2\n"d",/3\n', [("c", "/2"), ("d", "/3")], [1]),
    ('"a,/1\n"b,/2\nc,/3\n', [("c", "/3")], [1, 2]),
    ('"a,/1\nb,"/2\nc,/3\n', [("c", "/3")], [1, 2]),
    ('"a\nsaid "b" to\nc",/1\nd,/2\n', [("d", "/2")], [1]),
    ('"a,"/1"\nb,/2\n', [("b", "/2")], [1]), ('"a "b" c",/1\nb\n', [('a b" c"', "/1"), ("b",)], []),
    ('"a\nb\n', [], [1])])
def test_rows_over_several_lines(text: str, rows: list[tuple[str, ...]], refused: list[int]) -> None:
    """A cell may hold line breaks; what runs into the next row is refused alone, and its rest is no row."""
    found = list(read_rows(text, is_row))
    assert [line.cells for line in found if not line.fault] == rows
    assert [line.number for line in found if line.fault] == refused


@given(st.lists(st.tuples(st.text('a",\n ', max_size=6), st.integers(1, 9)), max_size=5))
def test_rows_as_they_were_written(rows: list[tuple[str, int]]) -> None:
    """What a writer of CSV made is read as it was."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows((f"/{number}", text) for text, number in rows)
    found = list(read_rows(out.getvalue(), lambda cells: len(cells) > 0 and cells[0].startswith("/")))
    assert [line.cells for line in found] == [(f"/{number}", text) for text, number in rows]
