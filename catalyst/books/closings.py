"""The rows of sinks that are closed: their address is gone, so nothing is asked there until a person opens them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SCHEMA = """
ALTER TABLE closed ADD COLUMN reason TEXT NOT NULL DEFAULT '';  -- in a word what said so, with its status
-- until here any 401 or 404 closed a sink, also that of a proxy on the way
DELETE FROM closed;
"""


@dataclass(frozen=True, slots=True)
class Closings:
    """Access to the rows, within the transaction of a handler."""

    db: sqlite3.Connection

    def all(self) -> dict[str, str]:
        """Sink -> fingerprint of the address that is gone."""
        return dict(self.db.execute("SELECT sink, fingerprint FROM closed").fetchall())

    def close(self, sink: str, fingerprint: str, reason: str, now_ms: int) -> None:
        """Note that the address of a sink is gone."""
        self.db.execute("INSERT OR REPLACE INTO closed(sink, fingerprint, at_ms, reason) VALUES(?, ?, ?, ?)",
                        (sink, fingerprint, now_ms, reason))

    def open(self, sinks: Iterable[str]) -> None:
        """Forget that these are closed."""
        self.db.executemany("DELETE FROM closed WHERE sink = ?", [(sink,) for sink in sinks])

    def told(self, addresses: Mapping[str, str]) -> list[dict[str, Any]]:
        """Those of the closed whose address, by its fingerprint, is still the one in `addresses`."""
        return [{"sink": sink, "since_ms": at_ms, "reason": reason} for sink, fingerprint, at_ms, reason in
                self.db.execute("SELECT sink, fingerprint, at_ms, reason FROM closed ORDER BY sink")
                if addresses.get(sink) == fingerprint]
