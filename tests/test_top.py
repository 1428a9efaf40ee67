"""The lines of `catalyst top`: what stands where at which size, and that nothing from outside steers the terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.silence import Muted, Silence
from catalyst.testing import START_MS, wait_until
from catalyst.top import Alert, Event, Row, Snapshot, View, clean, columns, fit, frame, number, page, short, wrapped

ROOT = Path(__file__).resolve().parents[1]
BUSY = Row("market", "running", 4711, age_s=312.0, restarts=2, cpu_s=1.5, cpu_pct=12.34, rss_bytes=27_600_000,
           heard_s=9.0, beat_age_s=0.42, current="StoryFound 5f3a9c5f3a9c5f3a9c5f3a", current_age_s=0.7, handled=12_345,
           handled_per_s=3.5, inbox=7, outbox=0, oldest_unsent_s=1.0, failed=1, dead=2)
DOWN = Row("fetcher", "backoff", restarts=9)
SUPERVISOR = Row("supervisor", "running", 12, heard_s=9.0)
ALERT = Alert(START_MS, "ACME", "up", ("fda_approval", "contract_win"), 0.82, 3.2, True, 38, "posted",
              "Acme \x1b[31mwins\u202e 大きい")
EVENT = Event(START_MS, "supervisor", "market", "pid 7 DIED after 3m, started again at once")
SNAPSHOT = Snapshot("/home/x", START_MS, 9.0, (BUSY, DOWN, SUPERVISOR), (ALERT,) * 30, START_MS, (EVENT,) * 30)
DEAD = Snapshot("/home/x", START_MS, 9.0, tuple(Row(name, "stopped") for name in ("market", "supervisor")))
SIZES = [(80, 24), (200, 60), (110, 30), (60, 12), (20, 5), (1, 1), (80, 2)]


def texts(snapshot: Snapshot, width: int, height: int, view: View | None = None) -> list[str]:
    """The frame's lines without their styles."""
    return [line.text for line in frame(snapshot, width, height, view or View("market", "the keys"), UTC)]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("snapshot", [SNAPSHOT, DEAD, replace(DEAD, actors=())])
def test_size(snapshot: Snapshot, width: int, height: int) -> None:
    """A frame never has more lines or columns than the screen, and its foot is the last line."""
    lines = texts(snapshot, width, height)
    assert len(lines) == height
    assert max(columns(line) for line in lines) <= width
    assert all(line.isprintable() for line in lines)
    assert lines[-1] == fit("the keys", width).rstrip()


def test_row_at_80() -> None:
    """Every figure of an actor fits into 80 columns; the item in hand has a line of its own."""
    lines = texts(SNAPSHOT, 80, 24)
    assert lines[1].split() == ["ACTOR", "STATE", "PID", "AGE", "RST", "CPU%", "MEM", "BEAT", "IN/S", "INBOX",
                                "OUTBOX", "DEAD"]
    assert lines[2].split() == [">", "market", "running", "4711", "5m", "2", "12", "28M", "0.4s", "3.5", "7", "0", "2"]
    assert lines[3].split() == ["fetcher", "backoff", "-", "-", "9", *["-"] * 7]
    assert lines[5] == "  now: market StoryFound 5f3a9c5f3a9c5f3a 0.7s"


def test_row_at_200() -> None:
    """A wide screen shows the item in hand beside the actor, the rarer figures, and the alerts' titles."""
    lines = texts(SNAPSHOT, 200, 60)
    assert lines[2].split()[13:] == ["1.0s", "12k", "1", "StoryFound", "5f3a9c5f3a9c5f3a", "0.7s"]
    assert lines[7].endswith("38 ms  Acme  [31mwins  大きい")


def test_a_pause_is_in_the_title() -> None:
    """When a person paused the sources, the first line says until when, at 80 columns too."""
    lines = texts(replace(SNAPSHOT, paused_until_ms=START_MS + 600_000), 80, 24)
    assert "PAUSED to 14:10:00" in lines[0]
    assert "PAUSED" not in texts(SNAPSHOT, 80, 24)[0]


def test_what_is_held_back_has_a_line() -> None:
    """Quiet hours, the count of today and the mutes with their ends, in one line above the alerts; none where nothing
    is held."""
    mutes = (Muted("ticker", "ACME", START_MS + 1_800_000), Muted("source", "x\x1b[2J", START_MS + 10**8),
             Muted("kind", "x", START_MS))
    silence = Silence(mutes, {"muted": 3}, START_MS + 3_600_000)
    lines = texts(replace(SNAPSHOT, silence=silence), 200, 60)
    place = lines.index("ALERTS, newest first")
    assert lines[place - 2] == ("  QUIET HOURS to 15:00  muted: ticker ACME to 14:30, source x [2J to 3 Jan 17:46, "
                                "1 more  3 held back today: 3 muted")
    assert texts(replace(SNAPSHOT, silence=Silence()), 200, 60) == texts(SNAPSHOT, 200, 60)
    for width, height in SIZES:
        assert len(texts(replace(SNAPSHOT, silence=silence), width, height)) == height


def test_lists() -> None:
    """Alerts get two thirds of the room, restarts and incidents the rest; each needs no colour to be read."""
    lines = texts(SNAPSHOT, 80, 24)
    first = lines.index("ALERTS, newest first")
    second = lines.index("RESTARTS AND INCIDENTS, newest first")
    assert lines[first + 1].split() == ["14:00:00", "ACME", "▲", "fda_approval,", "contract_win", "82", "$3.20", "sim",
                                        "38", "ms"]
    assert lines[second + 1] == "  14:00:00 market      pid 7 DIED after 3m, started again at once"
    assert (second - first - 2, 24 - 1 - second - 1) == (9, 4)


def test_few_alerts_leave_room() -> None:
    """What one list does not need the other has."""
    lines = texts(replace(SNAPSHOT, alerts=(ALERT,)), 80, 24)
    assert sum("DIED" in line for line in lines) == 12


@pytest.mark.parametrize(("changes", "words"), [
    ({"latency_ms": None, "state": "new"}, "waiting"), ({"latency_ms": None, "state": "posted"}, "no sink"),
    ({"latency_ms": None, "state": "dead"}, "NOT SENT"), ({"waiting": 2}, "  2 waiting"),
    ({"price_usd": None}, "no price"),
    ({"price_usd": 0.1234, "simulated": False}, " $0.1234 "), ({"direction": "down"}, "▼"),
    ({"direction": "neutral"}, "●"), ({"kinds": ()}, "no kind"), ({"at_ms": 10**18}, "--:--:--")])
def test_odd_alerts(changes: dict[str, object], words: str) -> None:
    """What is unknown or went wrong is said in words."""
    assert words in texts(replace(SNAPSHOT, alerts=(replace(ALERT, **changes),)), 80, 24)[8]


def test_dead_house() -> None:
    """Where nothing runs the actors show as stopped, and who does not answer is named."""
    lines = texts(DEAD, 80, 24)
    assert "0 of 2 run" in lines[0]
    assert [line.split()[:2] for line in lines[2:4]] == [[">", "market"], ["supervisor", "stopped"]]
    assert "ALERTS, newest first  (the alerter does not answer)" in lines
    assert "RESTARTS AND INCIDENTS, newest first  (the supervisor does not answer)" in lines


def test_late_alerts() -> None:
    """Alerts of an alerter that is silent now say of when they are."""
    lines = texts(replace(SNAPSHOT, alerts_ms=START_MS - 5_000), 80, 24)
    assert "ALERTS, newest first  (the alerter does not answer; as of 13:59:55)" in lines


def test_selected_stays_visible() -> None:
    """On a screen with fewer lines than actors the selected one is among those shown."""
    rows = tuple(Row(f"actor{place}", "running") for place in range(20))
    for row in rows:
        lines = texts(replace(SNAPSHOT, actors=rows), 80, 8, View(row.name, "keys"))
        assert sum(line.startswith("> ") for line in lines) == 1


def test_styles_say_nothing_alone() -> None:
    """A coloured row has its state in words, the selected one a mark."""
    lines = frame(SNAPSHOT, 80, 24, View("market"), UTC)
    assert (lines[2].style, lines[2].text[:2]) == ("selected", "> ")
    assert (lines[3].style, "backoff" in lines[3].text) == ("bad", True)


@pytest.mark.parametrize(("value", "text"), [
    (None, "-"), (0.04, "0.0s"), (9.94, "9.9s"), (9.96, "10s"), (99.0, "99s"), (100.0, "2m"), (5969.0, "99m"),
    (5970.0, "2h"), (172_800.0, "2d"), (-3.0, "0.0s")])
def test_short(value: float | None, text: str) -> None:
    """Durations take four columns."""
    assert short(value) == text


@pytest.mark.parametrize(("value", "text"), [(None, "-"), (0, "0"), (0.0, "0"), (0.44, "0.4"), (9.96, "10"), (37, "37"),
                                             (9_999, "9999"), (12_345, "12k"), (3_400_000, "3M")])
def test_number(value: float | None, text: str) -> None:
    """Counts and rates take five columns."""
    assert number(value) == text


@given(st.text(), st.integers(-1, 40))
def test_fit(text: str, width: int) -> None:
    """Whatever the text, it takes exactly the columns it was given."""
    fitted = fit(clean(text), width)
    assert columns(fitted) == max(0, width)
    assert fitted.isprintable()


@given(st.text(), st.integers(2, 40))
def test_wrapped(text: str, width: int) -> None:
    """Wrapping loses nothing and no line is wider than it may be."""
    lines = wrapped(text, width)
    assert all(columns(line) <= width for line in lines)
    assert "".join(lines) == "".join(clean(line) for line in text.splitlines())


def test_page() -> None:
    """A page says where in the text it is."""
    lines = page("stacks of market", wrapped("one\n\x1b[2Jtwo\nthree", 40), 40, 4, 1)
    assert [line.text for line in lines] == ["stacks of market  lines 2-3 of 3", " [2Jtwo", "three",
                                             "q back  up/down PgUp/PgDn move"]
    assert len(page("x", [], 10, 1, 0)) == 1


def test_quit_on_a_terminal(home: Path) -> None:
    """On a real terminal, in a home where nothing runs, it draws the actors and ends with 0 when q is pressed."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "CATALYST_HOME": str(home), "TERM": "xterm"}
    with subprocess.Popen([sys.executable, ROOT / "scripts/top.py"], env=environment, cwd=home, stdin=child,
                          stdout=child, stderr=subprocess.PIPE, close_fds=True) as process:
        os.close(child)
        shown = b""
        while b"stacks" not in shown:
            shown += os.read(parent, 65_536)
        assert b"supervisor" in shown
        os.write(parent, b"q")
        wait_until(lambda: _ended(process, parent))
        assert process.returncode == 0
    os.close(parent)


def _ended(process: subprocess.Popen[bytes], terminal: int) -> bool:
    """Whether it ended; what it still writes is read, so that it can."""
    os.set_blocking(terminal, False)
    with suppress(OSError):  # nothing there now, or nobody writes any more
        os.read(terminal, 65_536)
    return process.poll() is not None


def test_a_disk_that_takes_nothing_is_in_the_title() -> None:
    """The worse word and how many actors it stops; their rows are bad although they run."""
    rows = (replace(BUSY, storage="full"), replace(BUSY, name="sec", storage="failing"), SUPERVISOR)
    lines = frame(replace(SNAPSHOT, actors=rows), 200, 24, View(), UTC)
    assert "DISK FAILING for 2" in lines[0].text
    assert [line.style for line in lines[2:5]] == ["bad", "bad", ""]
    assert "DISK FULL for 1" in texts(replace(SNAPSHOT, actors=rows[:1]), 200, 24)[0]
    assert "DISK" not in texts(SNAPSHOT, 200, 24)[0]
