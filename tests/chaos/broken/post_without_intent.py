"""Broken on purpose: an alert is posted without a row that says so before, and only its end is committed."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

from catalyst.runtime.contract import Job
from catalyst.runtime.jobs import Jobs

mark_running = Jobs._mark_running


def begin_unseen(self: Jobs, db: sqlite3.Connection, kind: str, lane: str, row: tuple[Any, ...],
                 now_ms: int) -> Job | None:
    """Start a delivery while its row still says that it waits."""
    if kind != "deliver":
        return mark_running(self, db, kind, lane, row, now_ms)
    self._queued[kind, lane] -= 1
    job = self._read(db, kind, lane, row)
    return None if job is None else replace(job, tries=job.tries + 1)


Jobs._mark_running = begin_unseen  # type: ignore[method-assign]
