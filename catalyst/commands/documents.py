"""Documents that a filter is given by their names: how they are read, and how a filter ends that could not read one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from catalyst.commands.output import print_json
from catalyst.commands.unknown import warn
from catalyst.errors import UsageError

UNREADABLE = "cannot read it"


def read_document(file: str, limit_bytes: int) -> bytes:
    """The bytes of a file or, for a dash, of standard input, one more than `limit_bytes` at most.

    Raises OSError, ValueError for a name that no file can have.
    """
    if file == "-":
        return sys.stdin.buffer.read(limit_bytes + 1)
    with Path(file).open("rb") as stream:
        return stream.read(limit_bytes + 1)


def reason(error: Exception) -> str:
    """What a row says in the place of a document's content."""
    if isinstance(error, OSError):
        return f"{UNREADABLE}: {error.strerror or type(error).__name__}"
    return f"{UNREADABLE}: {error}" if isinstance(error, ValueError) else str(error)


def print_rows(rows: Iterable[Mapping[str, Any]]) -> int:
    """Print a line for each document; 64 where one of the files could not be read, which is said too."""
    code = 0
    for row in rows:
        print_json(row)
        if str(row.get("error") or "").startswith(UNREADABLE):
            warn(f"{row['file']}: {row['error']}")
            code = UsageError.exit_code
    return code
