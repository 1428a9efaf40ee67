"""What the commands print with: JSON lines, tables, times and sizes for a person. It asks nobody."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from catalyst.clock import from_iso, iso

if TYPE_CHECKING:
    from catalyst.settings import Settings

UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
GAP = "  "
UNKNOWN = "-"
FASTEST = 1e6  # a day of three hours in ten milliseconds


def print_json(value: Any) -> None:
    """One line of JSON, out at once: a reader may follow."""
    print(json.dumps(value, default=str), flush=True)


def plain(value: Any) -> str:
    """Text for a terminal: what is not printable (escape sequences, line ends, bidirectional marks) is a blank."""
    return "".join(letter if letter.isprintable() else " " for letter in str(value))


def shown(value: Any) -> str:
    """A table's cell; None is a dash."""
    if value is None:
        return UNKNOWN
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    return plain(value)


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], width: int | None = None) -> str:
    """Rows under their heads, numbers to the right; lines are cut at `width` columns (default: the terminal's)."""
    rows = [list(row) for row in rows]
    cells = [list(head), *([shown(value) for value in row] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(head))]
    right = [bool(rows) and all(isinstance(row[place], (int, float, type(None))) for row in rows)
             for place in range(len(head))]
    width = terminal_width() if width is None else width
    lines = (GAP.join(cell.rjust(widths[place]) if right[place] else cell.ljust(widths[place])
                      for place, cell in enumerate(row)).rstrip() for row in cells)
    return "\n".join(cut(line, width) for line in lines)


def cut(line: str, width: int) -> str:
    """The line, shortened to `width` columns."""
    return line if len(line) <= width else line[:max(0, width - 1)] + "…"


def terminal_width() -> int:
    """Columns of the terminal; without one lines are not cut."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 10_000
    except (OSError, ValueError):
        return 10_000


def when(moment_ms: int | None) -> str | None:
    """ISO UTC with milliseconds; None where the moment is unknown or lies in no year that a calendar has."""
    try:
        return iso(moment_ms)
    except (ValueError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Local:
    """The clock of CATALYST_TZ, on which a person is told times; JSON is UTC. A moment is UTC milliseconds or an ISO
    text; one that is unknown, or lies in no year that a calendar has, is a dash."""

    zone: tzinfo

    @classmethod
    def of(cls, settings: Settings) -> Local:
        """As the settings say."""
        from zoneinfo import ZoneInfo  # what a person types often starts fast without it

        return cls(ZoneInfo(settings.tz))

    def time(self, moment: int | str | None) -> str:
        """`09:30:05.123`, where the zone stands beside it once for several."""
        found = self._at(moment)
        return UNKNOWN if found is None else f"{found:%H:%M:%S}.{found.microsecond // 1000:03d}"

    def name(self, moment: int | str | None) -> str:
        """`EST`: what the zone is called then; for an unknown moment, now."""
        return f"{self._at(moment) or datetime.now(self.zone):%Z}"

    def date_time(self, moment: int | str | None) -> str:
        """`2026-01-02 09:30:05 EST`."""
        found = self._at(moment)
        return UNKNOWN if found is None else f"{found:%Y-%m-%d %H:%M:%S %Z}"

    def precise(self, moment: int | str | None) -> str:
        """`2026-01-02 09:30:05.123 EST`."""
        found = self._at(moment)
        return UNKNOWN if found is None else f"{found:%Y-%m-%d} {self.time(moment)} {found:%Z}"

    def _at(self, moment: int | str | None) -> datetime | None:
        try:
            moment_ms = from_iso(moment) if isinstance(moment, str) else moment
            return None if moment_ms is None else datetime.fromtimestamp(moment_ms / 1000, UTC).astimezone(self.zone)
        except (ValueError, OverflowError, OSError):
            return None


def megabytes(size_bytes: int | None) -> str:
    """`24 MB`."""
    return UNKNOWN if size_bytes is None else f"{size_bytes / 1e6:.0f} MB"


def seconds(duration_s: float | None) -> str:
    """`0.4 s`, `90 s`, `3 m`, `5 h`, `2 d`: two units less exact as it grows."""
    if duration_s is None:
        return UNKNOWN
    for limit, unit, size in ((10, "s", 1.0), (120, "s", 1.0), (7200, "m", 60.0), (172_800, "h", 3600.0)):
        if duration_s < limit:
            return f"{duration_s / size:.1f} {unit}" if limit == 10 else f"{duration_s / size:.0f} {unit}"
    return f"{duration_s / 86_400:.0f} d"


def duration_ms(text: str) -> int:
    """Milliseconds of `90s`, `10m`, `1h` or `2d`. Raises ArgumentTypeError."""
    try:
        number = float(text[:-1])
        if not 0 <= number <= 100_000:
            raise ValueError
        return round(number * UNIT_MS[text[-1]])
    except (ValueError, KeyError, IndexError):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 10m, 1h or 2d") from None


def count(text: str) -> int:
    """A whole number, 0 or more. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    return int(text)


def port(text: str) -> int:
    """A port's number, 0 for any. Raises ArgumentTypeError."""
    number = count(text)
    if number > 65_535:
        raise argparse.ArgumentTypeError(f"{text} is no port")
    return number


def speed(text: str) -> float:
    """How many times as fast a day is played. Raises ArgumentTypeError."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= FASTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no speed above 0, at most {FASTEST:g}")
    return number


def fields(row: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The named fields of a row, in this order, None where absent."""
    return {name: row.get(name) for name in names}
