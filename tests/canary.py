"""Looks for secrets in what a test leaves: the mark in each secret of a test's house, the address of a webhook."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from catalyst.bench.house import SECRET

MARK = SECRET[:6].lower().encode()  # a host's name may come back in small letters
ADDRESS = re.compile(rb"/api/webhooks/[0-9]+/[a-z0-9]")
KEEPERS = frozenset({".env", "sent.jsonl", "world.json"})  # where the user keeps them, and what the world received
PIECE, OVERLAP, SHOWN = 2**20, 100, 60


def leaks(folder: Path) -> Iterator[str]:
    """File and words around it of each file below a folder that holds a secret: logs, databases with their freed pages
    and write-ahead logs, traces, whatever else was written. Of the world's own files and `.env` none."""
    for path in sorted(folder.rglob("*")):
        if path.name in KEEPERS or path.is_symlink() or not path.is_file():
            continue
        for piece in pieces(path):
            place = piece.find(MARK)
            if place < 0 and (found := ADDRESS.search(piece) if b"/api/webhooks/" in piece else None):
                place = found.start()
            if place >= 0:
                yield f"{path.relative_to(folder)}: {piece[max(0, place - SHOWN):place + SHOWN]!r}"
                break


def pieces(path: Path) -> Iterator[bytes]:
    """What a file holds in small letters, a piece at a time, each with the end of the one before; no holes. Nothing
    of one that went meanwhile."""
    if not path.exists():
        return
    with path.open("rb", buffering=0) as stream:
        size, place = os.fstat(stream.fileno()).st_size, 0
        while place < size:
            try:
                start = os.lseek(stream.fileno(), place, os.SEEK_DATA)
            except OSError:  # a hole up to the end
                return
            os.lseek(stream.fileno(), max(0, start - OVERLAP), os.SEEK_SET)
            data = stream.read(PIECE + OVERLAP) or b""
            yield data.lower()
            place = max(start, max(0, start - OVERLAP) + len(data), place + 1)
