"""Logs: one event name and key=value fields, a JSON line each, in `$CATALYST_HOME/logs/ACTOR.jsonl`.

A line holds `t` (UTC ISO), `level`, `actor`, `event` and the fields. A value longer than 8 KB is cut, and since a line
is JSON, nothing from outside can start a new one. Level `error` means that a person must look.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from catalyst.clock import iso
from catalyst.errors import ConfigError

ROTATE_BYTES = 20_000_000
KEEP_FILES = 5
VALUE_LIMIT = 8_000
PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EIO)  # room is made, errors pass: lines are lost meanwhile, nothing else
# What json.dumps leaves as it is and a terminal may obey: DEL, C1 controls, direction marks and overrides, line ends.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_LOGGER = logging.getLogger("catalyst")


class JsonLines(logging.Formatter):
    """Formats a record as one JSON line with a fixed order of its first keys."""

    def __init__(self, actor: str):
        super().__init__()
        self.actor = actor

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"t": iso(int(record.created * 1000)), "level": record.levelname.lower(),
                                "actor": self.actor, "event": record.getMessage()}
        for key, value in getattr(record, "fields", {}).items():
            plain = value is None or isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
            line[f"{key}_" if key in line else key] = value if plain else str(value)[:VALUE_LIMIT]
        if record.exc_info:
            line["traceback"] = "".join(traceback.format_exception(*record.exc_info))[-VALUE_LIMIT:]
        return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(line, ensure_ascii=False))


class LineFile(logging.Handler):
    """Appends lines to a file and turns it over by size. Nothing that the disk does is raised: lines that it does not
    take are counted, and the first that it takes again is preceded by `log_lines_lost` with their number."""

    def __init__(self, path: Path, rotate_bytes: int = ROTATE_BYTES):
        super().__init__()
        self.path = path
        self._rotate_bytes = rotate_bytes
        self._fd = -1
        self._lost = 0
        self._is_torn = False  # the last line was taken in part only
        try:
            self._open()
        except OSError as error:
            if error.errno not in PASSING:
                raise

    def _open(self) -> None:
        self._fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def emit(self, record: logging.LogRecord) -> None:
        """Append the record's line."""
        text = f"{self.format(record)}\n"
        if self._lost:
            lost = logging.LogRecord(_LOGGER.name, logging.WARNING, "", 0, "log_lines_lost", None, None)
            lost.fields = {"count": self._lost}
            text = f"{self.format(lost)}\n{text}"
        try:
            self._append(text.encode("utf-8", "backslashreplace"))
            self._lost = 0
        except OSError:
            self._lost += 1

    def _append(self, data: bytes) -> None:
        if self._fd < 0:
            self._open()
        if os.fstat(self._fd).st_size + len(data) > self._rotate_bytes:
            self._turn_over()
        data = b"\n" + data if self._is_torn else data
        taken = os.write(self._fd, data)
        self._is_torn = taken < len(data)
        if self._is_torn:
            raise OSError(errno.ENOSPC, "the line was taken in part")

    def _turn_over(self) -> None:
        """ACTOR.jsonl becomes ACTOR.jsonl.1 and so on; the oldest is gone."""
        for number in range(KEEP_FILES - 1, -1, -1):
            source = self.path.with_name(f"{self.path.name}.{number}" if number else self.path.name)
            if source.exists():
                os.replace(source, self.path.with_name(f"{self.path.name}.{number + 1}"))
        os.close(self._fd)
        self._fd = -1
        self._open()

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        super().close()


class Terminal(logging.StreamHandler):  # type: ignore[type-arg]
    """Lines on standard error, for who started the actor in the foreground; what it does not take is gone."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: standard error is what failed."""


def configure(actor: str, folder: Path | None, level: str = "info", *, foreground: bool = False) -> None:
    """Point the process's log at `folder/ACTOR.jsonl` (and standard error when `foreground`); None: only the latter.

    Raises ConfigError when the folder cannot be written, but for a disk that is full.
    """
    for handler in list(_LOGGER.handlers):
        _LOGGER.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = []
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handlers.append(LineFile(folder / f"{actor}.jsonl"))
        except OSError as error:
            if error.errno not in PASSING:
                raise ConfigError(f"cannot write in {folder}: {error.strerror}") from error
    if foreground or folder is None:
        handlers.append(Terminal(sys.stderr))
    for handler in handlers:
        handler.setFormatter(JsonLines(actor))
        _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    set_level(level)


@contextmanager
def held() -> Iterator[None]:
    """This thread's lines are written at the end of the block; not at all where it raises: what they tell did not
    happen then, and is tried, and said, again."""
    kept: list[logging.LogRecord] = []
    mine = threading.get_ident()

    def keep(record: logging.LogRecord) -> bool:
        if record.thread == mine:
            kept.append(record)
        return record.thread != mine

    _LOGGER.addFilter(keep)
    try:
        yield
    finally:
        _LOGGER.removeFilter(keep)
    for record in kept:
        _LOGGER.handle(record)


def set_level(level: str) -> None:
    """Change what is written: `debug`, `info`, `warning` or `error`."""
    _LOGGER.setLevel(level.upper())


def debug(event: str, **fields: Any) -> None:
    """What a developer looks at; off by default."""
    _LOGGER.debug(event, extra={"fields": fields})


def info(event: str, **fields: Any) -> None:
    """What happened, in the normal course of things."""
    _LOGGER.info(event, extra={"fields": fields})


def warning(event: str, **fields: Any) -> None:
    """What is odd and was dealt with."""
    _LOGGER.warning(event, extra={"fields": fields})


def error(event: str, *, exc_info: BaseException | None = None, **fields: Any) -> None:
    """What a person must look at; `exc_info` adds the traceback."""
    _LOGGER.error(event, exc_info=exc_info, extra={"fields": fields})
