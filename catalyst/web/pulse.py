"""The beats as the page needs them: who was heard and when, and each actor's row made of its last beat.

The loop writes (`hear`), the page's threads read. It asks nobody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst.clock import Clock
from catalyst.runtime.ownership import Owner, living_owner
from catalyst.web import views

SILENT_S = 3.0  # three beats: from here on an actor counts as hung, and nobody waits for its answer
PULSE_S = 60  # seconds that the page shows as ticks


@dataclass(slots=True)
class _Heard:
    """What was heard of one actor; `pid` tells one process from the next."""

    at_s: float = 0.0
    beat: dict[str, Any] = field(default_factory=dict)
    before: tuple[float, float, int | None] | None = None  # moment, cpu seconds, pid: about a second ago or more
    cpu_pct: float | None = None
    seconds: deque[int] = field(default_factory=lambda: deque(maxlen=PULSE_S))


class Pulse:
    """Everything that the beats told since this process began; `remote` actors live on other hosts."""

    def __init__(self, database_folder: Path, clock: Clock, remote: Container[str] = ()):
        self.remote = remote
        self._folder = database_folder
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._lock = threading.Lock()
        self._heard: dict[str, _Heard] = {}

    def hear(self, beat: dict[str, Any]) -> None:
        """Take in a beat."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            heard = self._heard.setdefault(str(beat["actor"]), _Heard())
            heard.at_s, heard.beat = now_s, beat
            if not heard.seconds or heard.seconds[-1] != int(now_s):
                heard.seconds.append(int(now_s))
            cpu_s, pid = views.number(beat.get("cpu_s")), views.whole(beat.get("pid"))
            if cpu_s is None or (heard.before and heard.before[2] == pid and now_s - heard.before[0] < 0.9):
                return
            if heard.before and heard.before[2] == pid:
                heard.cpu_pct = max(0.0, cpu_s - heard.before[1]) / (now_s - heard.before[0]) * 100
            else:
                heard.cpu_pct = None
            heard.before = (now_s, cpu_s, pid)

    def answered(self) -> frozenset[str]:
        """The actors that were heard at all."""
        with self._lock:
            return frozenset(self._heard)

    def beating(self) -> frozenset[str]:
        """The actors that live and were heard just now."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            fresh = [name for name, heard in self._heard.items() if now_s - heard.at_s < SILENT_S]
        return frozenset(name for name in fresh if name in self.remote or living_owner(self._folder, name) is not None)

    def actor(self, name: str, child: views.Raw) -> views.Actor:
        """The row of an actor; `child` is what the supervisor says of it, empty where it says nothing."""
        owner = living_owner(self._folder, name)
        now_s = self._clock.monotonic_s()
        with self._lock:
            heard = self._heard.get(name)
            beat = heard.beat if heard else {}
            age_s = now_s - heard.at_s if heard else None
            silent_s = now_s - (heard.at_s if heard else self._began_s)
            ticks = self._ticks(heard, now_s)
            cpu_pct = heard.cpu_pct if heard else None
        pid = owner.pid if owner else None
        if name in self.remote:  # its lock is elsewhere: its beats are all that is known
            pid = views.whole(beat.get("pid")) if silent_s < SILENT_S else None
        if pid is None or pid != beat.get("pid"):
            beat, cpu_pct = {}, None
        said = views.word(child.get("state"))
        job = views.word(beat.get("job"))
        current = views.word(beat.get("current")) or (f"job {job}" if job else "")
        statistics = beat.get("statistics")
        return views.Actor(
            name=name, state=state(said, beat, silent_s, held=pid is not None),
            wanted=bool(child.get("wanted", True)), pid=pid, age_s=_age_s(owner),
            restarts=views.whole(child.get("restarts")),
            cpu_s=views.number(beat.get("cpu_s")), cpu_pct=cpu_pct, rss_bytes=views.whole(beat.get("rss_bytes")),
            beat_age_s=age_s, current=current, pulse=ticks,
            current_age_s=views.number(beat.get("current_age_s" if beat.get("current") else "job_age_s")),
            inbox=views.whole(beat.get("inbox")), outbox=views.whole(beat.get("outbox")),
            oldest_unsent_s=views.number(beat.get("oldest_unsent_s")), handled=views.whole(beat.get("handled")),
            failed=views.whole(beat.get("failed")), dead=views.whole(beat.get("dead")),
            storage=word if (word := views.word(beat.get("storage"))) in ("full", "failing") else "",
            statistics=_numbers(statistics) if isinstance(statistics, dict) else {})

    def _ticks(self, heard: _Heard | None, now_s: float) -> tuple[bool, ...]:
        """A tick for each past second since this process began; the one that runs is not over."""
        last = int(now_s) - 1
        first = max(last - PULSE_S + 1, int(self._began_s) + 1)
        there = set(heard.seconds) if heard else set()
        # Beats come each second or a little later: a second without one counts only where the next has none either.
        return tuple(second in there or second + 1 in there for second in range(first, last + 1))


def state(said: str, beat: views.Raw, silent_s: float, *, held: bool) -> str:
    """The word for an actor, one of those of `catalyst status`, from the supervisor's word, its last beat and its lock.

    `hung` is one that holds its lock and was not heard for three beats, or whose message is over its limit. `beat` is
    empty where the process that holds the lock was not heard yet.
    """
    if not held:
        return said if said in ("starting", "backoff", "parked") else "stopped"
    if not beat:
        return said if said in ("starting", "draining") else "hung" if silent_s >= 2 * SILENT_S else "starting"
    if silent_s >= SILENT_S:
        return "hung"
    own = views.word(beat.get("state"))
    limit_s, in_hand_s = views.number(beat.get("current_limit_s")), views.number(beat.get("current_age_s"))
    if own == "running" and limit_s and in_hand_s is not None and in_hand_s > limit_s:
        return "hung"
    return own or said or "starting"


def _numbers(statistics: views.Raw) -> dict[str, float]:
    found = ((name[:80], views.number(value)) for name, value in sorted(statistics.items()) if isinstance(name, str))
    return {name: value for name, value in found if value is not None}


def _age_s(owner: Owner | None) -> float | None:
    """How long the process lives already."""
    if owner is None:
        return None
    import time

    import psutil

    try:
        return max(0.0, time.time() - psutil.Process(owner.pid).create_time())
    except psutil.Error:
        return None
