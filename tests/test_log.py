"""catalyst.log: one JSON line an event, whatever is in the fields."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst import log
from catalyst.errors import ConfigError
from tests.filelimit import files_end_at


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[Any]:
    """A function that gives the lines written so far; the log is closed at the end."""
    log.configure("actor", tmp_path, "debug")
    yield lambda: [json.loads(line) for line in (tmp_path / "actor.jsonl").read_bytes().split(b"\n") if line]
    log.configure("nobody", tmp_path / "end")


def test_a_line_holds_time_level_actor_event_and_fields(lines: Any) -> None:
    """The first keys are always the same; plain values keep their type, others become text."""
    log.info("started", pid=5, clean=True, ratio=0.5, nothing=None, path=Path("/x"))
    (line,) = lines()
    assert list(line)[:4] == ["t", "level", "actor", "event"]
    assert line["t"].endswith("Z")
    assert (line["level"], line["actor"], line["event"]) == ("info", "actor", "started")
    assert (line["pid"], line["clean"], line["ratio"], line["nothing"], line["path"]) == (5, True, 0.5, None, "/x")


@given(text=st.text(max_size=60) | st.sampled_from(["a\nb", "\r\n", "\u2028", "\x00", "\ud800", '"}', "%s %d", "{x}"]))
def test_outside_text_stays_inside_its_line(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Line breaks, quotes, control characters and lone surrogates neither start nor lose a line."""
    folder = tmp_path_factory.mktemp("log")
    log.configure("actor", folder)
    log.info("event", title=text)
    log.configure("nobody", folder / "end")
    (line,) = (folder / "actor.jsonl").read_bytes().removesuffix(b"\n").split(b"\n")
    shown = json.loads(line)["title"]
    assert shown.encode(errors="backslashreplace") == text.encode(errors="backslashreplace")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_json_does_not_know_becomes_text(lines: Any, value: float) -> None:
    """A strict JSON reader can read every line."""
    def never(word: str) -> None:
        raise AssertionError(word)

    log.info("event", number=value)
    logged = logging.getLogger("catalyst").handlers[0].path.read_text()  # type: ignore[attr-defined]
    assert json.loads(logged, parse_constant=never)["number"] == str(value)


def test_long_values_are_cut(lines: Any) -> None:
    """A huge field does not fill the disk."""
    log.info("event", body="x" * 100_000)
    assert len(lines()[0]["body"]) == log.VALUE_LIMIT


def test_an_error_carries_the_end_of_its_traceback(lines: Any) -> None:
    """The traceback is one field, and its last line, which names the error, is kept."""
    try:
        raise ZeroDivisionError("y" * 20_000 + "the end")
    except ZeroDivisionError as error:
        log.error("failed", exc_info=error)
    (line,) = lines()
    assert line["level"] == "error"
    assert line["traceback"].rstrip().endswith("the end")
    assert len(line["traceback"]) <= log.VALUE_LIMIT


def test_the_level_decides_what_is_written(lines: Any) -> None:
    """debug, info, warning and error, each with those above it."""
    log.set_level("warning")
    for write in (log.debug, log.info, log.warning, log.error):
        write(write.__name__)
    assert [line["event"] for line in lines()] == ["warning", "error"]


def test_a_field_cannot_pass_for_one_of_the_first_keys(lines: Any) -> None:
    """A field named `actor`, `level` or `t` does not replace who wrote the line, and when."""
    log.warning("event", actor="impostor", level="info", t="never")
    (line,) = lines()
    assert (line["actor"], line["level"]) == ("actor", "warning")
    assert line["t"] != "never"


def test_without_a_folder_lines_go_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A command has no log file."""
    log.configure("cli", None)
    log.info("event", n=1)
    assert json.loads(capfd.readouterr().err)["n"] == 1
    log.configure("nobody", tmp_path)


def test_a_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    """An unusable home is named in one line, not in a traceback."""
    (tmp_path / "logs").write_text("a file")
    with pytest.raises(ConfigError, match="logs"):
        log.configure("actor", tmp_path / "logs")
    log.configure("nobody", tmp_path)


def test_a_full_disk_loses_lines_and_nothing_else(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No call raises or says anything elsewhere; afterwards the lost lines are counted and all others can be read."""
    log.configure("actor", tmp_path)
    log.info("before")
    size = (tmp_path / "actor.jsonl").stat().st_size
    with files_end_at(size + 40):
        for number in range(7):
            log.error("refused", exc_info=ValueError("x"), number=number)
    log.info("after")
    log.info("later")
    log.configure("nobody", tmp_path / "end")
    first, torn, *rest = (tmp_path / "actor.jsonl").read_text().splitlines()
    assert json.loads(first)["event"] == "before"
    assert len(torn) == 40, "what the disk took of a line"
    assert [json.loads(line)["event"] for line in rest] == ["log_lines_lost", "after", "later"]
    assert json.loads(rest[0])["count"] == 7
    assert capfd.readouterr() == ("", "")


def test_a_file_is_turned_over_by_size(tmp_path: Path) -> None:
    """KEEP_FILES old ones stay, each within its size; no line is in two of them, none is missing but the oldest."""
    handler = log.LineFile(tmp_path / "actor.jsonl", rotate_bytes=1_000)
    handler.setFormatter(log.JsonLines("actor"))
    for number in range(100):
        handler.handle(logging.LogRecord("catalyst", logging.INFO, "", 0, f"event{number}", None, None))
    handler.close()
    files = sorted(tmp_path.iterdir(), key=lambda path: path.name, reverse=True)
    assert len(files) == log.KEEP_FILES + 1
    assert all(path.stat().st_size <= 1_000 for path in files)
    events = [json.loads(line)["event"] for path in files for line in path.read_text().splitlines()]
    assert events == [f"event{number}" for number in range(100 - len(events), 100)]


def test_turning_over_on_a_full_disk_goes_on_later(tmp_path: Path) -> None:
    """Where the old file cannot be moved the lines are lost; once it can, logging is as ever."""
    (tmp_path / "actor.jsonl.4").touch()
    (tmp_path / "actor.jsonl.5").mkdir()
    handler = log.LineFile(tmp_path / "actor.jsonl", rotate_bytes=300)
    handler.setFormatter(log.JsonLines("actor"))
    for number in range(10):
        handler.handle(logging.LogRecord("catalyst", logging.INFO, "", 0, f"event{number}", None, None))
    (tmp_path / "actor.jsonl.5").rmdir()
    handler.handle(logging.LogRecord("catalyst", logging.INFO, "", 0, "after", None, None))
    handler.close()
    events = [json.loads(line)["event"] for line in (tmp_path / "actor.jsonl").read_text().splitlines()]
    assert events == ["log_lines_lost", "after"]


def test_held_lines_come_at_the_end_or_not_at_all(lines: Any) -> None:
    """Of another thread at once; of this one in their order, once the block is through without an error."""
    with log.held():
        log.info("first")
        other = threading.Thread(target=lambda: log.info("other"))
        other.start()
        other.join()
        log.info("second")
        assert [line["event"] for line in lines()] == ["other"]
    with suppress(ZeroDivisionError), log.held():
        log.info("undone")
        raise ZeroDivisionError
    log.info("last")
    assert [line["event"] for line in lines()] == ["other", "first", "second", "last"]
