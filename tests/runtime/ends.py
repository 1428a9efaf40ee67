"""Both ends of a link without sockets, for tests: real databases, real taking of frames, a network made of lists."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from catalyst.errors import Damaged, StoreError
from catalyst.packing import pack
from catalyst.runtime import wire
from catalyst.runtime.bus import Arrivals
from catalyst.runtime.contract import Actor
from catalyst.runtime.engine import Engine
from catalyst.runtime.links import Links
from catalyst.runtime.process import Process
from catalyst.runtime.progress import Progress
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from catalyst.testing import FakeClock
from tests.runtime.cast import Giver, Parcel, Taker


class End:
    """One actor's database, links and engine. `out` are frames on their way to the peer."""

    def __init__(self, cls: type[Actor], folder: Path, clock: FakeClock):
        self.cls, self.folder, self.clock = cls, folder, clock
        self.settings = defaults(home=folder, sqlite_synchronous="OFF")
        self.out: list[bytes] = []
        self.open()

    def open(self) -> None:
        """Open as a new process does."""
        self.store = Store(self.cls, self.settings)
        self.actor = self.cls(self.settings, self.clock)
        self.links = Links(self.store.db, self.store.epoch, {kind.RECEIVER for kind in self.cls.outbox}, self.clock)
        self.engine = Engine(self.actor, self.store.db, self.links, Progress(self.clock))
        self.turn(self.engine.start)

    def turn(self, work: Any, *, fail: bool = False) -> None:
        """A transaction; `fail`: the disk refuses its commit, as Process deals with it."""
        try:
            with self.store.transaction() as db:
                self.engine.look_at_clock(db)
                work(db)
                self.links.flush(db)
                if fail:
                    raise StoreError(self.store.path, "told to fail")
        except Damaged:
            raise
        except StoreError:
            self.links.reload(self.store.db)
            self.engine.reload(self.store.db)

    def kill(self) -> None:
        """kill -9: what is not committed and what is on its way is gone."""
        self.store.abandon()
        self.out.clear()

    def copy_to(self, path: Path) -> None:
        """A copy of the database as it is now."""
        self.store.db.execute("VACUUM INTO ?", (str(path),))

    def replace(self, copy: Path | None) -> None:
        """Kill, put the copy in place of the database (None: set it aside), start again."""
        self.kill()
        path = self.store.path
        for ending in ("-wal", ""):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        if copy is not None:
            path.write_bytes(copy.read_bytes())
        self.open()

    def hear(self, frames: Iterable[bytes], *, fail: bool = False) -> None:
        """Take frames of the peer in one turn; answers go out if it commits."""
        arrivals = Arrivals()
        for data in frames:
            frame = wire.unpack_frame(data)
            if isinstance(frame, (wire.Data, wire.Hello)):
                arrivals.frames.append(("giver", frame))
            else:
                arrivals.answers.append((self.links.out["taker"], frame))
        answers: list[tuple[str, bytes]] = []
        self.turn(lambda db: Process._take(self, db, arrivals, answers, self.clock.now_ms()), fail=fail)  # type: ignore[arg-type]
        if not fail:
            self.out += [data for _, data in answers]

    def incidents(self) -> list[str]:
        """Details of the incidents stored here."""
        return [row[0] for row in self.store.db.execute("SELECT detail FROM incidents ORDER BY n")]


class Sender(End):
    """The giver's end."""

    def __init__(self, folder: Path, clock: FakeClock):
        super().__init__(Giver, folder, clock)

    @property
    def link(self) -> Any:
        """The link to the taker."""
        return self.links.out["taker"]

    def give(self, count: int, *, fail: bool = False, commits: int = 1) -> None:
        """Queue `count` new parcels, numbered on from the last, in each of so many commits."""
        def queue(db: Any) -> None:
            for _ in range(count):
                number = db.execute("INSERT INTO given(number) VALUES(NULL) RETURNING number").fetchone()[0]
                parcel = Parcel(item_id=f"item{number}", number=number)
                self.links.queue(db, parcel, pack(parcel), self.clock.now_ms())

        for _ in range(commits):
            self.turn(queue, fail=fail)

    def given(self) -> int:
        """How many were given, as this database knows."""
        return self.store.db.execute("SELECT count(*) FROM given").fetchone()[0]

    def pump(self) -> None:
        """Send what is due."""
        if self.links.hello_due(self.link):
            self.out.append(self.links.hello(self.link))
        for seq, frame in self.links.to_send(self.store.db, self.link):
            self.out.append(frame)
            self.links.sent(self.link, seq, self.clock.now_ms())


class Receiver(End):
    """The taker's end."""

    def __init__(self, folder: Path, clock: FakeClock):
        super().__init__(Taker, folder, clock)

    def seen(self) -> list[int]:
        """Numbers of the parcels handled, in order."""
        return [row[0] for row in self.store.db.execute("SELECT number FROM seen ORDER BY n")]


class Pair:
    """A sender and a receiver with a network between them."""

    def __init__(self, folder: Path):
        self.clock = FakeClock()
        self.folder = folder
        self.sender = Sender(folder / "sender", self.clock)
        self.receiver = Receiver(folder / "receiver", self.clock)
        self.connect()

    def connect(self) -> None:
        """A new connection; what was on its way is gone."""
        self.sender.out.clear()
        self.receiver.out.clear()
        self.sender.links.connected(self.sender.link)

    def there(self) -> list[bytes]:
        """Take the frames that are on their way to the receiver."""
        frames, self.sender.out = self.sender.out, []
        return frames

    def back(self) -> list[bytes]:
        """Take the frames that are on their way to the sender."""
        frames, self.receiver.out = self.receiver.out, []
        return frames

    def round(self) -> None:
        """Send what is due, deliver it, deliver the answers."""
        self.sender.pump()
        self.receiver.hear(self.there())
        self.sender.hear(self.back())

    def agree(self) -> bool:
        """Whether everything is acknowledged and both ends have the same hash."""
        link, end = self.sender.link, self.receiver.links.inn.get("giver")
        return link.unacked == 0 and end is not None and end.hash == link.hash == link.acked_hash

    def settle(self, rounds: int = 60) -> None:
        """Let time pass on a network without faults until both ends agree."""
        for _ in range(rounds):
            self.round()
            if self.sender.link.live and self.agree():
                return
            self.clock.advance(0.3)
        raise AssertionError(f"no agreement: {self.sender.link}")

    def close(self) -> None:
        """Close both ends."""
        self.sender.store.close()
        self.receiver.store.close()
