"""`catalyst logs`: reading, merging, rotating, rendering."""

from __future__ import annotations

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.commands.logs import Line, Tails, backwards, parse, readable, tail
from catalyst.commands.output import Local
from tests.commands.conftest import Catalyst


def line(second: int, event: str = "polled", level: str = "info", **fields: object) -> str:
    """A line as the actors write it."""
    return json.dumps({"t": f"2026-01-02T14:00:{second:02d}.000Z", "level": level, "actor": "fetcher", "event": event,
                       **fields})


@pytest.fixture
def folder(home: Path) -> Path:
    """The log folder with two actors' logs, one of them rotated once."""
    folder = home / "logs"
    folder.mkdir()
    (folder / "fetcher.jsonl.1").write_text(f"{line(1)}\n{line(2, 'slow', 'warning')}\n")
    (folder / "fetcher.jsonl").write_text(f"{line(4)}\nFatal Python error\n{line(6, 'broke', 'error')}\n")
    (folder / "market.jsonl").write_text(f"{line(3, 'priced')}\n{line(5, 'priced')}\n")
    return folder


def test_all_actors_in_order(catalyst: Catalyst, folder: Path) -> None:
    """Lines of all actors come in the order of time; a line that is no JSON stays behind the one before it."""
    done = catalyst("logs", "-n", "5", "--json")
    assert done.code == 0
    assert done.out.splitlines() == [line(3, "priced"), line(4), "Fatal Python error", line(5, "priced"),
                                     line(6, "broke", "error")]


def test_rotated_file_and_level(catalyst: Catalyst, folder: Path) -> None:
    """Older files are read when the present one has too few lines of the level; lines without a level pass."""
    done = catalyst("logs", "fetcher", "--level", "warning")
    assert [row.split()[2:4] for row in done.out.splitlines()] == [["EST", "WARNING"], ["error"], ["EST", "ERROR"]]
    assert "Fatal Python error" in done.out


def test_nothing_to_show(catalyst: Catalyst, folder: Path) -> None:
    """No lines wanted and no log there are no errors; an unknown name is."""
    assert catalyst("logs", "-n", "0").out == ""
    assert catalyst("logs", "tracker") == catalyst("logs", "tracker", "--json")
    done = catalyst("logs", "../secret")
    assert done.code == 64
    assert "there is no actor '../secret'" in done.err


def test_readable() -> None:
    """Fields follow the event, what is not printable is a blank, a traceback is indented below."""
    text = line(1, "poll_failed", "warning", source="a b", why="\x1b[2J\x9b2Jx\u202e", n=3, none=None,
                traceback="Traceback\n  File\n")
    assert readable(Line(text, "", parse(text)), Local(ZoneInfo("Europe/Berlin"))) == (
        '2026-01-02 15:00:01.000 CET WARNING fetcher    poll_failed source="a b" why=" [2J 2Jx " n=3 none=null\n'
        "    Traceback\n      File")


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), min_size=1), max_size=30),
       st.booleans())
def test_backwards(tmp_path: Path, lines: list[str], ended: bool) -> None:
    """Reading from the end gives the same lines as reading from the beginning."""
    path = tmp_path / "x.jsonl"
    path.write_bytes("\n".join([*lines, *([""] if ended else [])]).encode())
    assert list(backwards(path))[::-1] == lines


def test_backwards_over_blocks(tmp_path: Path) -> None:
    """A line that is longer than a block is one line."""
    path = tmp_path / "x.jsonl"
    path.write_text(f"first\n{'x' * 200_000}\nlast\n")
    assert [len(text) for text in backwards(path)] == [4, 200_000, 5]
    assert [row.text for row in tail(path, 1, "debug")] == ["last"]


def test_follow(folder: Path) -> None:
    """New lines come whole, through a rotation and from an actor that starts later."""
    tails = Tails(folder, None)
    assert tails.new() == []
    with (folder / "fetcher.jsonl").open("a") as file:
        file.write(line(7) + "\n" + line(8)[:20])
    assert [row.text for row in tails.new()] == [line(7)]
    with (folder / "fetcher.jsonl").open("a") as file:
        file.write(line(8)[20:] + "\n")
    (folder / "fetcher.jsonl").rename(folder / "fetcher.jsonl.1")
    (folder / "fetcher.jsonl").write_text(line(9) + "\n")
    (folder / "alerter.jsonl").write_text(line(10) + "\n")
    assert [row.text for row in tails.new() + tails.new()] == [line(8), line(9), line(10)]
