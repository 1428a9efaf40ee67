"""Logs: one event name and key=value fields, a JSON line each, in `$CATALYST_HOME/logs/ACTOR.jsonl`.

A line holds `t` (UTC ISO), `level`, `actor`, `event` and the fields. A value longer than 8 KB is cut, and since a line
is JSON, nothing from outside can start a new one. Level `error` means that a person must look.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import math
import sys
import traceback
from pathlib import Path
from typing import Any

from catalyst.clock import iso
from catalyst.errors import ConfigError

ROTATE_BYTES = 20_000_000
KEEP_FILES = 5
VALUE_LIMIT = 8_000
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
        return json.dumps(line, ensure_ascii=False)


def configure(actor: str, folder: Path | None, level: str = "info", *, foreground: bool = False) -> None:
    """Point the process's log at `folder/ACTOR.jsonl` (and standard error when `foreground`); None: only the latter.

    Raises ConfigError when the folder cannot be written.
    """
    for handler in list(_LOGGER.handlers):
        _LOGGER.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = []
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handlers.append(logging.handlers.RotatingFileHandler(
                folder / f"{actor}.jsonl", maxBytes=ROTATE_BYTES, backupCount=KEEP_FILES, encoding="utf-8",
                errors="backslashreplace"))
        except OSError as error:
            raise ConfigError(f"cannot write in {folder}: {error.strerror}") from error
    if foreground or folder is None:
        handlers.append(logging.StreamHandler(sys.stderr))
    for handler in handlers:
        handler.setFormatter(JsonLines(actor))
        _LOGGER.addHandler(handler)
    _LOGGER.propagate = False
    set_level(level)


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
