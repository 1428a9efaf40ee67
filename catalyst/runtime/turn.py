"""Records of the loop: how a process came to life, and what one turn of it takes up and brings about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from catalyst.core.watch import Blame
from catalyst.runtime.bus import Arrivals
from catalyst.runtime.contract import Job
from catalyst.runtime.heartbeat import Command
from catalyst.runtime.jobs import Finished


@dataclass(frozen=True, slots=True)
class Birth:
    """When a start was asked for (monotonic, which is the same in all processes) and the modules that were there.

    `suspect`: what of that which the actor had in hand may have ended its last process.
    """

    asked_s: float
    modules: frozenset[str]
    suspect: Blame = ""


@dataclass(slots=True)
class Turn:
    """What one turn takes up, and what it brought about: that leaves after the commit."""

    now_s: float
    now_ms: int
    jumped_ms: int  # by how much the wall clock was set since the last one
    arrivals: Arrivals
    finished: list[Finished]
    timers: list[str]
    prune: bool
    retry: bool
    before: tuple[int, int, int, dict[str, float]]  # what only counts, as of the beginning
    answers: list[tuple[str, bytes]] = field(default_factory=list)
    replies: list[tuple[Command, dict[str, Any]]] = field(default_factory=list)
    over: list[Finished] = field(default_factory=list)
    put_back: list[Finished] = field(default_factory=list)
    picked: list[Job] = field(default_factory=list)
