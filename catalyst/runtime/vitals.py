"""What a process shows of itself in its heartbeat: how much waits and since when, what is under way, what is wrong.

The loop refreshes it; the heartbeat's thread sends what was shown last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalyst.runtime.process import Process

AGE_S = 1.0  # the age of what waits is read from the rows no more often
LOOK_S = 0.01  # and all of it refreshed by a busy loop


class Vitals:
    """The snapshot of one process."""

    def __init__(self, process: Process):
        self._process = process
        self._next_age_s = self.next_s = process.clock.monotonic_s()
        self.is_fresh = False  # it shows what this turn left

    def turned(self, *, idle: bool) -> None:
        """A turn is over: refresh what is shown, unless a busy loop did so just before."""
        self.is_fresh = idle or self._process.clock.monotonic_s() >= self.next_s
        if self.is_fresh:
            self.refresh()

    def refresh(self) -> None:
        """Look at everything now."""
        process = self._process
        actor, jobs, storage = process.actor, process.engine.jobs, process.storage.look()
        now_s = process.clock.monotonic_s()
        self.next_s = now_s + LOOK_S
        waiting = sum(link.unacked for link in process.links.out.values())
        oldest_s = process.progress.snapshot.get("oldest_unsent_s", 0.0) if waiting else 0.0
        if waiting and now_s >= self._next_age_s:
            self._next_age_s = now_s + AGE_S
            queued_ms = process.links.backlog(process.store.db)[1]
            oldest_s = actor.time.passed_ms(queued_ms) / 1000 if queued_ms is not None else 0.0
        job = jobs.oldest_running()
        process.progress.snapshot = {
            "inbox": process.engine.deferred + jobs.waiting(), "outbox": waiting,
            "waiting": actor.waiting() + process.late, "storage": storage,
            "oldest_unsent_s": oldest_s, "dead": process.engine.dead,
            "job": job[0] if job else "", "job_age_s": now_s - job[1] if job else 0.0,
            "job_limit_s": job[2] if job else 0.0, "mismatches": process.links.mismatches,
            "clock_jumps": actor.time.count, "rejected": process.heartbeat.rejected(),
            "set_aside": process.store.set_aside, "statistics": dict(actor.statistics())}
