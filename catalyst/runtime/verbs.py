"""What every actor answers on its control socket, beside the verbs of its own (`verb_<name>`).

The command line, the page and the supervisor ask through these; nobody opens an actor's database from outside.
"""

from __future__ import annotations

import sqlite3
from itertools import count
from typing import TYPE_CHECKING, Any

import msgpack

from catalyst import log
from catalyst.errors import CatalystError, ConfigError, StoreError
from catalyst.messages import id_prefix
from catalyst.runtime.damage import is_damage
from catalyst.runtime.heartbeat import Command
from catalyst.runtime.jobs import FAR_MS
from catalyst.runtime.store import read_only, storage_failed
from catalyst.settings import load

if TYPE_CHECKING:
    from catalyst.runtime.process import Process

OUTSIDE = frozenset({"drain", "reload", "log-level", "query", "trace", "integrity", "backup"})
QUERY_ROWS = 1_000
QUERY_STEPS = 2_000_000  # of SQLite's virtual machine: about a second
QUERY_PARTS = 20
QUERY_BYTES = 8_000_000
COMMANDS_PER_TURN = 32  # whoever asks fast must not keep the messages waiting
TOLD_S = 60.0


class Verbs:
    """Answers commands for one process. An answer is a plain dict with `ok`."""

    def __init__(self, process: Process):
        self._process = process
        self.pending: list[Command] = []  # those that want a transaction
        self._told: dict[str, float] = {}  # verb -> when its failure was logged last

    def read(self) -> None:
        """Answer what came and needs no transaction; the rest is pending."""
        for command in self._process.heartbeat.take(COMMANDS_PER_TURN):
            answer = self.outside(command)
            if answer is None:
                self.pending.append(command)
            else:
                self.reply(command, answer)

    def answer_alone(self) -> None:
        """What is pending while the disk refuses, each in a transaction of its own: who only asks gets an answer."""
        pending, self.pending = self.pending, []
        for command in pending:
            try:
                with self._process.store.transaction() as db:
                    answer = self.in_transaction(command, db)
            except StoreError as error:
                self._process.read_again()
                answer = {"ok": False, "error": f"cannot be stored: {error}"}
            self.reply(command, answer)

    def reply(self, command: Command, answer: dict[str, Any]) -> None:
        """Answer a command; who has the answer may ask for the status next, so that is refreshed before."""
        self._process.vitals.refresh()
        self._process.heartbeat.answer(command, answer)

    def outside(self, command: Command) -> dict[str, Any] | None:
        """The answer to a verb that must run between transactions; None where it belongs into one."""
        run = getattr(self, f"_{command.verb.replace('-', '_')}", None)
        if command.verb not in OUTSIDE or run is None:
            return None
        try:
            answer: dict[str, Any] = run(command.arguments)
        except (CatalystError, sqlite3.Error, ValueError, TypeError, KeyError, OverflowError) as error:
            if is_damage(error):
                self._process.checkup.accuse(f"{command.verb}: {error}")
            return {"ok": False, "error": str(error) or type(error).__name__}
        return {"ok": True, **answer}

    def in_transaction(self, command: Command, db: sqlite3.Connection) -> dict[str, Any]:
        """The answer to a verb that reads or changes rows; a refused one leaves no trace."""
        own = getattr(self._process.actor, f"verb_{command.verb.replace('-', '_')}", None)
        run = own or (self._dead if command.verb == "dead" else None)
        if run is None:
            return {"ok": False, "error": f"{self._process.actor.name} does not know {command.verb!r}"}
        db.execute("SAVEPOINT verb")
        try:
            answer: dict[str, Any] = {"ok": True, **run(command.arguments, db)}
        except Exception as error:  # boundary: what somebody asks must not end the actor
            if storage_failed(error):
                raise
            db.execute("ROLLBACK TO verb")
            self._process.engine.reload(db)
            if not isinstance(error, CatalystError):
                self._tell(command.verb, error)
            answer = {"ok": False, "error": str(error) or type(error).__name__}
        db.execute("RELEASE verb")
        return answer

    def _tell(self, verb: str, error: Exception) -> None:
        """Log what a verb raised, once a minute: who asks nonsense may ask it fast."""
        now_s = self._process.clock.monotonic_s()
        if now_s - self._told.get(verb, -TOLD_S) >= TOLD_S:
            self._told[verb] = now_s
            log.error("verb_failed", exc_info=error, verb=verb)

    def _drain(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self._process.stop()
        return {"pid": self._pid()}

    def _pid(self) -> Any:
        return self._process.heartbeat.status()["pid"]

    def _reload(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Read the settings again and let the actor apply them; a fault leaves the old ones in force."""
        process = self._process
        fresh, old = load(), process.actor.settings
        changed = sorted(name for name in fresh.values if fresh.values[name] != old.values[name])
        process.actor.settings = process.settings = fresh
        try:
            process.actor.on_reload()
        except ConfigError:
            process.actor.settings = process.settings = old
            raise
        log.set_level(fresh.log_level)
        log.info("reloaded", changed=" ".join(changed))
        return {"changed": changed}

    def _log_level(self, arguments: dict[str, Any]) -> dict[str, Any]:
        level = str(arguments["level"])
        if level not in ("debug", "info", "warning", "error"):
            raise ConfigError(f"{level!r} is no log level")
        log.set_level(level)
        return {"level": level}

    def _query(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Rows of a read-only statement, bounded in rows, bytes and time."""
        db = self._process.store.db
        db.set_authorizer(read_only)
        parts = count(1)  # SQLite counts the steps of a kept statement over all its runs: one alarm means nothing
        db.set_progress_handler(lambda: next(parts) > QUERY_PARTS, QUERY_STEPS // QUERY_PARTS)
        longest = db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, QUERY_BYTES)  # of one value: zeroblob(1e9) is one step
        try:
            cursor = db.execute(str(arguments["sql"]), tuple(arguments.get("parameters", ())))
            columns = [column[0] for column in cursor.description or ()]
            rows: list[list[Any]] = []
            size = 0
            for row in cursor:
                if len(rows) >= QUERY_ROWS or size > QUERY_BYTES:
                    return {"columns": columns, "rows": rows, "more": True}
                rows.append([value.hex() if isinstance(value, bytes) else value for value in row])
                size += sum(len(value) for value in row if isinstance(value, (str, bytes)))
            return {"columns": columns, "rows": rows, "more": False}
        finally:
            db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, longest)
            db.set_progress_handler(None, 0)
            db.set_authorizer(None)

    def _integrity(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """SQLite's own check of the whole database and the state of every link; what it finds begins the usual end."""
        links = self._process.links
        found = self._process.store.db.execute("PRAGMA integrity_check").fetchone()[0]
        if found != "ok":
            self._process.checkup.accuse(f"integrity: {found}")
        return {"integrity": found,
                "out": {name: {"epoch": link.link_epoch.hex(), "acked": link.acked_seq, "next": link.next_seq,
                               "hash": link.hash.hex()} for name, link in links.out.items()},
                "in": {name: {"epoch": link.link_epoch.hex(), "last": link.last_seq, "hash": link.hash.hex()}
                       for name, link in links.inn.items()}}

    def _backup(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return self._process.copier.ask(arguments)

    def _trace(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """What this actor knows of an item's way: received, sent, waiting, dead. Times are told in the clock of now, so
        that a jump of the clock does not show as a step of the way; the rows keep what was stamped."""
        db, item, present = self._process.store.db, str(arguments["item"]), self._process.actor.time.present_ms
        first = id_prefix(item)
        received = db.execute("SELECT id, type, sender, received_ms, committed_ms FROM inbox WHERE id BETWEEN ? AND ?"
                              " AND item_id = ? ORDER BY n", (first, first + b"\xff" * 8, item)).fetchall()
        # No index: it would cost every commit a page, and the retention bounds what is read here.
        sent = db.execute("SELECT id, type, receiver, queued_ms, sent_ms, acked_ms FROM outbox WHERE item_id = ?"
                          " ORDER BY queued_ms, n", (item,)).fetchall()
        dead = db.execute("SELECT type, reason FROM dead WHERE item_id = ?", (item,)).fetchall()

        def told(row: tuple[Any, ...]) -> list[Any]:
            return [row[0].hex(), *row[1:3], *(None if stamp is None else present(stamp) for stamp in row[3:])]

        return {"received": [told(row) for row in received], "sent": [told(row) for row in sent],
                "dead": [list(row) for row in dead]}

    def _dead(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """`do`: list, show, retry or drop; `id`: hex of a letter, or all for retry and drop; of those that died from
        `from_ms` to `until_ms`."""
        do, wanted = str(arguments.get("do", "list")), str(arguments.get("id", "all")).lower()
        if (wanted != "all" and not set(wanted) <= set("0123456789abcdef")) or not wanted:
            raise ConfigError(f"{wanted!r} is not the id of a dead letter")
        rows = db.execute("SELECT id, item_id, sender, type, reason, traceback, dead_ms, body FROM dead"
                          " WHERE (?1 = 'all' OR lower(hex(id)) LIKE ?1 || '%') AND dead_ms BETWEEN ?2 AND ?3"
                          " ORDER BY n LIMIT 500",
                          (wanted, int(arguments.get("from_ms", 0)), int(arguments.get("until_ms", FAR_MS)))).fetchall()
        if do in ("list", "show"):
            names = ("id", "item_id", "sender", "type", "reason", "traceback", "dead_ms")
            letters = [dict(zip(names, (row[0].hex(), *row[1:7]), strict=True)) for row in rows]
            for letter, row in zip(letters, rows, strict=True):
                letter["body"] = _readable(row[7]) if do == "show" else None
            return {"letters": letters}
        if do not in ("retry", "drop"):
            raise ConfigError(f"dead {do!r} is none of list, show, retry, drop")
        for row in rows:
            if do == "retry":
                self._process.engine.revive(db, row[0])
            else:
                db.execute("DELETE FROM dead WHERE id = ?", (row[0],))
                self._process.engine.dead -= 1
            log.info("dead_letter_settled", msg=row[0].hex(), item=row[1], by=do)
        return {"count": len(rows)}


def _readable(body: bytes) -> Any:
    try:
        return msgpack.unpackb(body, raw=False)
    except (ValueError, msgpack.exceptions.UnpackException):
        return body.hex()
