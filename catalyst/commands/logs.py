"""`catalyst logs`: the actors' JSON logs as lines for a person, the newest last. It reads files, no actor."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from catalyst.commands.home import known
from catalyst.commands.output import Local, count, plain
from catalyst.runtime.roster import ALL
from catalyst.settings import load

LEVELS = ("debug", "info", "warning", "error")
BLOCK_BYTES = 64 * 1024
POLL_S = 0.2
FIRST_KEYS = ("t", "level", "actor", "event", "traceback")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst logs [NAME] [-n N] [-f] [--level L]`."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="one actor (default: all, in the order of time)")
    parser.add_argument("-n", type=count, default=50, metavar="N", help="the last N lines (default 50)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is written, until Ctrl-C")
    parser.add_argument("--level", choices=LEVELS, default="debug", help="this level and above")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a log. `moment` orders lines: the line's own time, or that of the line before."""

    text: str
    moment: str
    record: dict[str, Any] | None  # None: not JSON, for example what an interpreter wrote as it died

    def passes(self, level: str) -> bool:
        """Whether the line is of `level` or above; what has no level always is."""
        own = self.record.get("level") if self.record else None
        return own not in LEVELS or LEVELS.index(str(own)) >= LEVELS.index(level)


def run(arguments: argparse.Namespace) -> int:
    """Print the last lines, then follow if asked to."""
    settings = load()
    folder, local = settings.log_folder, Local.of(settings)
    if arguments.name is not None:
        known(arguments.name, [*dict.fromkeys((*ALL, *sorted(path.stem for path in folder.glob("*.jsonl"))))])
    tails = Tails(folder, arguments.name) if arguments.follow else None
    last: list[Line] = []
    for path in paths(folder, arguments.name):
        last += tail(path, arguments.n, arguments.level)
    last.sort(key=lambda line: line.moment)
    for line in last[-arguments.n:] if arguments.n else []:
        print(line.text if arguments.json else readable(line, local))
    while tails is not None:
        for line in tails.new():
            if line.passes(arguments.level):
                print(line.text if arguments.json else readable(line, local), flush=True)
        time.sleep(POLL_S)
    return 0


def paths(folder: Path, name: str | None) -> list[Path]:
    """The present log files, of one actor or of all."""
    return [folder / f"{name}.jsonl"] if name else sorted(folder.glob("*.jsonl"))


def tail(path: Path, most: int, level: str) -> list[Line]:
    """The last `most` lines of `level` and above, rotated files (`.1` is the newest) included, oldest first."""
    files = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, 10))]
    kept: list[str] = []  # newest first, without a time of their own
    found: list[Line] = []  # newest first
    for text in (text for file in files for text in backwards(file)):
        if len(found) >= most:
            break
        record = parse(text)
        if record is None:
            kept.append(text)
            continue
        moment = str(record.get("t", ""))
        found += [Line(other, moment, None) for other in kept]
        kept = []
        if (line := Line(text, moment, record)).passes(level):
            found.append(line)
    found += [Line(text, "", None) for text in kept]
    return found[:most][::-1]


def backwards(path: Path) -> Iterator[str]:
    """Lines of a file from its end to its beginning; none where there is no file."""
    if not path.is_file():
        return
    with path.open("rb") as file:
        place, rest = file.seek(0, os.SEEK_END), b""
        while place > 0:
            size = min(BLOCK_BYTES, place)
            place = file.seek(place - size)
            first, *lines = (file.read(size) + rest).split(b"\n")
            rest = first
            yield from (line.decode(errors="replace") for line in reversed(lines) if line)
        if rest:
            yield rest.decode(errors="replace")


def parse(text: str) -> dict[str, Any] | None:
    """The record of a line, None where it is no JSON object."""
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def readable(line: Line, local: Local) -> str:
    """`2026-01-02 09:00:00.123 EST WARNING fetcher   poll_failed source=... reason=...`, a traceback indented below."""
    record = line.record
    if record is None:
        return plain(line.text)
    first = [plain(record.get(key, "")) for key in FIRST_KEYS[:4]]
    moment = local.precise(first[0])
    rest = " ".join(f"{plain(key)}={_value(value)}" for key, value in record.items() if key not in FIRST_KEYS)
    text = f"{moment} {first[1].upper():<7} {first[2]:<10} {first[3]} {rest}".rstrip()
    trace = str(record.get("traceback", "")).rstrip()
    return "\n".join([text, *(f"    {plain(row)}" for row in trace.splitlines() if trace)])


def _value(value: Any) -> str:
    text = plain(value if isinstance(value, str) else json.dumps(value))
    return json.dumps(text, ensure_ascii=False) if not text or " " in text or '"' in text else text


class Tails:
    """Lines that are written from now on, files that are rotated or made later included."""

    def __init__(self, folder: Path, name: str | None):
        self._folder = folder
        self._name = name
        self._files: dict[Path, IO[bytes]] = {}
        self._rests: dict[Path, bytes] = {}
        self._open(at_end=True)

    def _open(self, *, at_end: bool) -> None:
        for path in paths(self._folder, self._name):
            if path not in self._files and path.is_file():
                self._files[path] = path.open("rb")
                if at_end:
                    self._files[path].seek(0, os.SEEK_END)

    def new(self) -> list[Line]:
        """Whole lines since the last call, in the order of time."""
        found: list[Line] = []
        for path, file in list(self._files.items()):
            found += self._read(path, file)
            if _is_replaced(path, file):
                found += self._read(path, file)  # what came between the reading and the rotation
                file.close()
                del self._files[path]
        self._open(at_end=False)
        return sorted(found, key=lambda line: line.moment)

    def _read(self, path: Path, file: IO[bytes]) -> list[Line]:
        *whole, rest = (self._rests.get(path, b"") + file.read()).split(b"\n")
        self._rests[path] = rest
        lines, moment = [], ""
        for text in (row.decode(errors="replace") for row in whole if row):
            record = parse(text)
            moment = str(record.get("t", "")) if record else moment
            lines.append(Line(text, moment, record))
        return lines


def _is_replaced(path: Path, file: IO[bytes]) -> bool:
    """Whether the name now belongs to another file than the open one, or to none, or the file was cut."""
    try:
        now, own = path.stat(), os.fstat(file.fileno())
    except FileNotFoundError:
        return True
    return now.st_ino != own.st_ino or now.st_size < file.tell()
