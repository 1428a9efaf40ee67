"""What an actor declares and what its handlers may yield; checked when the class is made. It runs nothing.

An actor is a class with a header of declarations and plain methods. Handlers decide and yield; the runtime writes the
rows, the outgoing messages, the jobs and the mark "handled" in one transaction and sends after the commit. A handler
sees typed messages, a database connection (inside that transaction), `self.settings`, `self.now_ms` and `self.time`
(ages of stamps), nothing else.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol

import msgspec

from catalyst.clock import Clock
from catalyst.errors import ContractError, StorageKind
from catalyst.messages import Message
from catalyst.runtime.faults import Reach, nothing
from catalyst.runtime.timekeeper import Timekeeper
from catalyst.settings import Settings


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of slow work (HTTP, model, drawing), done by a thread outside the transaction.

    `payload` is the typed record that the job's row holds; `limit_s` the time after which one job counts as stuck;
    `workers` how many run at once in one lane, `most` in all lanes (0: any number); `background` jobs do not count as
    waiting work (polls that come back).
    """

    name: str
    payload: type[msgspec.Struct]
    limit_s: float
    workers: int = 1
    most: int = 0
    background: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of slow work, yielded by a handler: its row commits with everything else the handler did.

    Jobs of one `lane` share its workers and its holds; the highest `priority` that is due goes first, then the oldest.
    A job with a `key` replaces a queued one of the same kind and key; one that is yielded again gives way to a newer
    one. `tries` counts the starts, `deaths` the processes that ended while it ran.
    """

    kind: str
    payload: msgspec.Struct
    lane: str = ""
    key: str | None = None
    priority: float = 0.0
    item_id: str = ""
    not_before_ms: int = 0
    tries: int = 0
    id: int = 0
    deaths: int = 0

    def again(self, at_ms: int) -> Job:
        """The same job, to be started again at `at_ms`, keeping its count of tries."""
        return replace(self, not_before_ms=at_ms)


@dataclass(frozen=True, slots=True)
class Hold:
    """Yielded by a handler: no job of `lane` starts before `until_ms` (rate limits, breakers). Survives a restart.

    Holds only lengthen each other: what one part of the outside asked for is not ended by another that asks for less.
    """

    lane: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Yielded by a handler: the job of this kind and key that waits is taken back; one that has started is not."""

    kind: str
    key: str


Output = Message | Job | Hold | Cancel


@dataclass(frozen=True, slots=True)
class Every:
    """A timer: the method `name(db)` runs each `period_s`, on the monotonic clock; first at once if `at_start`."""

    name: str
    period_s: float
    at_start: bool = False


class Loop(Protocol):
    """What the process's loop offers to an actor that watches descriptors of its own."""

    def watch(self, source: Any, method: str) -> None:
        """Run the actor's method `method(db)`, like a timer, whenever `source` (descriptor or socket) is readable."""

    def unwatch(self, source: Any) -> None:
        """Watch it no longer."""

    def stop(self) -> None:
        """End the process in order, after this turn."""


@dataclass(slots=True)
class Counters:
    """What `statistics()` adds to the heartbeat: plain numbers by name, owned by the loop."""

    values: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, amount: float = 1) -> None:
        """Count `amount` more of `name`."""
        self.values[name] = self.values.get(name, 0) + amount


class Actor:
    """Base of all actors. A subclass states its contract in class attributes and handles each type of its inbox.

    Methods by name (all but `work_` run in the loop, inside a transaction, and may yield what is an Output):
      on_<message>(message, db)        one for each type of `inbox`; may raise Retry(after_s)
      <timer>(db)                      one for each row of `every`
      work_<job>(payload)              in a thread: no database, returns a result or raises CatalystError
      done_<job>(job, result, db)      the job's result; the job is over unless `job.again(...)` is yielded
      failed_<job>(job, error, db)     `work_` raised `error`; the job is over unless it is yielded again
      interrupted_<job>(job, db)       optional, at start: the process died while this job was under way;
                                       the job goes only where it is yielded. Without the method it is queued again
      on_start(db), on_reload()        optional: after opening; after the settings changed
      on_clock_jump(by_ms, db)         optional: the wall clock was set; the runtime has moved jobs, holds and deferred
                                       messages, the actor moves the short waits that are rows of its own
      after_loss(db)                   optional: rows that were committed are gone
      verb_<name>(arguments, db)       optional: answers `name` on the control socket with a plain dict
    """

    name: ClassVar[str] = ""
    inbox: ClassVar[tuple[type[Message], ...]] = ()
    outbox: ClassVar[tuple[type[Message], ...]] = ()
    tables: ClassVar[tuple[str, ...]] = ()  # schema steps: step N is never edited once released
    jobs: ClassVar[tuple[JobKind, ...]] = ()
    every: ClassVar[tuple[Every, ...]] = ()
    synchronous: ClassVar[str | None] = None  # "FULL" where a commit must survive a power cut
    niceness: ClassVar[int] = 0  # nice(2) of the process: above 0 where no alert waits for it
    outlasts_storage: ClassVar[bool] = False  # works on however long its disk fails: what it does matters more

    def __init__(self, settings: Settings, clock: Clock):
        self.settings = settings
        self.clock = clock
        self.time = Timekeeper(clock)
        self.now_ms = clock.now_ms()
        self.counters = Counters()
        self.storage: StorageKind = ""  # set by the loop: full or failing while the disk is
        self.reach: Reach = nothing  # points of faults on purpose (faults.py); the engine sets it
        self.reborn_ms: int | None = None  # when this database took the place of a lost one; known from on_start on
        self.set_aside = ""  # the folder of a damaged one, for a day

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.name:
            check_class(cls)

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Called once, in a transaction, before the first message."""
        return iter(())

    def on_clock_jump(self, by_ms: int, db: sqlite3.Connection) -> Iterator[Output]:
        """Called in a transaction when the wall clock jumped by `by_ms`; at start before `on_start`."""
        return iter(())

    def after_loss(self, db: sqlite3.Connection) -> Iterator[Output]:
        """Called when the database turns out to be of an earlier commit: a peer knows of messages that it does not.

        What was lost is sent and made again; it may have had its effects already.
        """
        return iter(())

    def attach(self, loop: Loop) -> None:
        """Called once before the loop begins; only the supervisor and the like keep `loop`."""

    def before_drain(self) -> None:
        """Called when the process was told to end, before anything is closed; outside a transaction."""

    def on_reload(self) -> None:
        """Called between transactions after `self.settings` was replaced."""

    def after_turn(self, *, stored: bool) -> None:
        """Called after each turn's transaction. Not `stored`: the disk refused it, no row that it wrote is there; what
        memory holds of them must not be believed."""

    def waiting(self) -> int:
        """Work of the actor's own that is not done yet, beside messages and jobs; counts against `idle`."""
        return 0

    def statistics(self) -> Mapping[str, float]:
        """Numbers worth watching; they travel in the heartbeat."""
        return self.counters.values


def snake(name: str) -> str:
    """`StoryFound` -> `story_found`."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def check_class(cls: type[Actor]) -> None:
    """Compare an actor's methods with its declarations and its module's header with both. Raises ContractError."""
    wanted = {f"on_{snake(kind.__name__)}" for kind in cls.inbox}
    wanted |= {timer.name for timer in cls.every}
    for job in cls.jobs:
        wanted |= {f"work_{job.name}", f"done_{job.name}", f"failed_{job.name}"}
    allowed = wanted | {"on_start", "on_reload", "on_clock_jump"} | {f"interrupted_{job.name}" for job in cls.jobs}
    own = {name for name in dir(cls) if re.match(r"(on|work|done|failed|interrupted)_", name)}
    if missing := sorted(name for name in wanted if not callable(getattr(cls, name, None))):
        raise ContractError(f"{cls.__name__} lacks {missing[0]}")
    if stray := sorted(own - allowed):
        raise ContractError(f"{cls.__name__}.{stray[0]} handles nothing that is declared")
    if wrong := [kind.__name__ for kind in cls.inbox if cls.name != kind.RECEIVER]:
        raise ContractError(f"{cls.__name__} receives {wrong[0]}, which goes to another actor")
    header = inspect.getdoc(inspect.getmodule(cls)) or ""
    if header and header.startswith(f"{cls.name}:"):
        compare_header(cls, header)


def header_contract(header: str) -> dict[str, set[str]]:
    """Names that an actor's header lists after `receives`, `sends` and `stores`, one a line."""
    found: dict[str, set[str]] = {"receives": set(), "sends": set(), "stores": set()}
    for line in header.splitlines():
        match = re.match(r"(receives|sends|stores)\s+(\w+)", line)
        if match and match[2] != "nothing":
            found[match[1]].add(match[2])
    return found


def compare_header(cls: type[Actor], header: str) -> None:
    """Raise ContractError where the header's lists differ from the class."""
    created = re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+)", "\n".join(cls.tables))
    declared = {"receives": {kind.__name__ for kind in cls.inbox},
                "sends": {kind.__name__ for kind in cls.outbox}, "stores": set(created)}
    for word, names in header_contract(header).items():
        if names != declared[word]:
            raise ContractError(f"header of {cls.__name__}: {word} {sorted(names ^ declared[word])} differ")


def application_id(name: str) -> int:
    """The positive 31-bit number that marks a database file as the actor's own."""
    return int.from_bytes(hashlib.blake2b(f"catalyst:{name}".encode(), digest_size=4).digest()) & 0x7FFFFFFF
