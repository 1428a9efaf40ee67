"""Control socket and heartbeat of a running actor: what it answers, also while its loop is stuck."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from catalyst.errors import ConfigError, UnavailableError
from catalyst.packing import pack
from catalyst.runtime import wire
from catalyst.runtime.contract import Actor
from catalyst.runtime.control import Control
from catalyst.runtime.sockets import address, plain_socket, socket_folder
from catalyst.testing import wait_until
from tests.runtime.cast import Parcel, Taker
from tests.runtime.forked import Town, exit_code, town

BEAT = {"actor", "pid", "state", "loops", "current", "current_age_s", "current_limit_s", "rss_bytes", "cpu_s",
        "inbox", "outbox", "oldest_unsent_s", "handled", "failed", "dead", "rejected", "statistics"}


class Fed(Town):
    """A running taker, and a hand that gives it parcels."""

    def __init__(self, home: Path, *classes: type[Actor], **settings: Any):
        super().__init__(home, classes, **settings)
        self.context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.seq = 0

    def begin(self) -> None:
        """Start the taker and greet it as a giver."""
        self.start("taker")
        self.ready("taker")
        self.hand = plain_socket(self.context, zmq.DEALER)
        self.hand.setsockopt(zmq.IDENTITY, b"giver")
        self.hand.connect(address(socket_folder(self.settings.run_folder), "taker", "in"))
        self.hand.send(wire.pack_hello(b"e" * 8, b"l" * 8, 0, 1))
        assert self.hand.poll(5_000)

    def give(self, wish: str, number: int = 0) -> None:
        """Give a parcel."""
        self.seq += 1
        parcel = Parcel(item_id=f"item{self.seq}", number=number or self.seq, wish=wish)
        self.hand.send(wire.pack_data(b"l" * 8, (self.seq, parcel.message_id(), parcel.item_id, "Parcel", 1, 5,
                                                 pack(parcel))))

    def taken(self, count: int) -> None:
        """Wait until so many were written down."""
        wait_until(lambda: self.number("taker", "SELECT count(*) FROM seen") == count, 5, f"{count} taken")

    def asked(self, verb: str, timeout_s: float = 5.0, **arguments: Any) -> dict[str, Any]:
        """What the taker answers."""
        return self.ask("taker", verb, timeout_s, **arguments)

    def close(self) -> None:
        """End everything."""
        super().close()
        self.context.destroy(linger=0)


@pytest.fixture
def fed(home: Path) -> Iterator[Fed]:
    """A running taker with a giver's hand."""
    made = Fed(home, Taker, type("Giver", (Actor,), {"name": "giver"}), sqlite_synchronous="OFF")
    try:
        made.begin()
        yield made
    finally:
        made.close()


# -- ping, status, stacks


def test_ping_and_status(fed: Fed) -> None:
    """The pid is that of the process; the status has every field of a beat."""
    assert fed.asked("ping") == {"ok": True, "pid": fed.pids["taker"]}
    fed.give("")
    fed.taken(1)
    status = fed.asked("status")
    assert status.keys() >= BEAT
    assert (status["actor"], status["state"], status["handled"], status["current"]) == ("taker", "running", 1, "")
    assert 1e6 < status["rss_bytes"] < 1e9


def test_a_stuck_loop_can_be_looked_at(fed: Fed) -> None:
    """In an endless handler: ping, status with the age of the current message, and stacks that name the handler."""
    fed.give("spin")
    wait_until(lambda: fed.asked("status")["current"] == "Parcel item1", 5)
    wait_until(lambda: fed.asked("status")["current_age_s"] > 0.3, 5)
    assert fed.asked("ping")["pid"] == fed.pids["taker"]
    assert "in on_parcel" in fed.asked("stacks")["stacks"]
    assert fed.asked("status")["current_limit_s"] == 2.5
    with pytest.raises(UnavailableError, match="does not answer"):
        fed.asked("query", 0.2, sql="SELECT 1")


def test_a_beat_comes_each_second_also_while_the_loop_is_stuck(fed: Fed) -> None:
    """About a second apart, with a loop that stands still; the first ones of a process come closer together."""
    fed.give("spin")
    wait_until(lambda: fed.asked("status")["current"] == "Parcel item1", 5)
    listener = plain_socket(fed.context, zmq.SUB)
    listener.setsockopt(zmq.SUBSCRIBE, b"")
    listener.connect(address(socket_folder(fed.settings.run_folder), "taker", "beat"))
    gaps: list[float] = []
    loops: set[int] = set()
    before_s = None
    while len(gaps) < 3:
        assert listener.poll(10_000)
        beat = msgpack.unpackb(listener.recv())
        assert beat.keys() >= BEAT
        assert beat["current"] == "Parcel item1"
        loops.add(beat["loops"])
        now_s = beat["current_age_s"]  # by the beating thread's clock: when it came here depends on the machine too
        if before_s is not None and now_s - before_s > 0.5:
            gaps.append(now_s - before_s)
        before_s = now_s
        assert now_s < 30
    assert min(gaps) < 1.5  # a busy machine makes some of them longer, a wrong period all
    assert len(loops) == 1


def test_a_request_that_is_none_is_counted_and_dropped(fed: Fed) -> None:
    """No answer, no harm: the next question is answered."""
    socket = plain_socket(fed.context, zmq.DEALER)
    socket.connect(address(socket_folder(fed.settings.run_folder), "taker", "ctl"))
    for request in (b"", b"\xc1", b"\x80", msgpack.packb([1, 2]), msgpack.packb({"v": 2, "verb": "ping"}),
                    msgpack.packb({"v": 1, "verb": 5}), msgpack.packb({"v": 1, "verb": "ping", "args": []}),
                    bytes(300_000)):
        socket.send(request)
    wait_until(lambda: fed.asked("status")["rejected"] == {"not_msgpack": 2, "wrong_request": 5, "too_big": 1}, 5)
    assert not socket.poll(0)
    assert fed.asked("query", sql="SELECT 1")["rows"] == [[1]]


def test_a_plain_req_socket_is_answered(fed: Fed) -> None:
    """The envelope of a REQ socket comes back as it went."""
    socket = plain_socket(fed.context, zmq.REQ)
    socket.connect(address(socket_folder(fed.settings.run_folder), "taker", "ctl"))
    socket.send(msgpack.packb({"v": 1, "verb": "query", "args": {"sql": "SELECT 7"}}))
    assert socket.poll(5_000)
    assert msgpack.unpackb(socket.recv())["rows"] == [[7]]


# -- query


def test_query_gives_columns_and_rows(fed: Fed) -> None:
    """Parameters are bound, bytes are shown as hex, unknown is null."""
    answer = fed.asked("query", sql="SELECT ? AS a, X'00ff' AS b, NULL AS c, 1.5 AS d", parameters=["it's"])
    assert (answer["columns"], answer["rows"], answer["more"]) == (["a", "b", "c", "d"], [["it's", "00ff", None, 1.5]],
                                                                   False)
    assert fed.asked("query", sql="PRAGMA user_version")["rows"][0][0] > 1000
    assert fed.asked("query", sql="PRAGMA table_info(seen)")["rows"][0][1] == "n"
    assert fed.asked("query", sql="EXPLAIN QUERY PLAN SELECT * FROM seen")["rows"]


def test_a_query_that_is_asked_for_ever_goes_on(fed: Fed) -> None:
    """The limit on a query's steps is one of each run: who asks the same thing all day is never cut off."""
    sql = ("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 20000) SELECT max(x) FROM n")
    assert all(fed.asked("query", sql=sql)["rows"] == [[20_000]] for _ in range(40))


@pytest.mark.parametrize("sql", [
    "INSERT INTO seen(item_id, number) VALUES('x', 1)", "DELETE FROM seen", "UPDATE seen SET number = 0",
    "DELETE FROM dead WHERE id = ?", "DROP TABLE seen", "CREATE TABLE t(x)", "CREATE TEMP TABLE t(x)",
    "ALTER TABLE seen ADD COLUMN z", "CREATE VIEW v AS SELECT 1", "REINDEX", "ANALYZE",
    "WITH x AS (SELECT 1) INSERT INTO seen(item_id, number) SELECT 'x', 1 FROM x",
    "ATTACH '/tmp/other.db' AS o", "DETACH main", "VACUUM", "VACUUM INTO '/tmp/copy.db'",
    "BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT s", "RELEASE handler",
    "PRAGMA user_version = 5", "PRAGMA journal_mode = DELETE", "PRAGMA mmap_size = 0", "PRAGMA synchronous = OFF",
    "PRAGMA wal_checkpoint", "PRAGMA writable_schema = 1", "PRAGMA locking_mode = NORMAL", "PRAGMA cache_size(5)",
    "PRAGMA query_only = 1", "PRAGMA optimize", "PRAGMA table_info(seen); DELETE FROM seen",
    "SELECT 1; DELETE FROM seen", "SELECT load_extension('/tmp/x.so')", "SELECT writefile('/tmp/x', 'y')",
    "no sql at all", "", "SELECT '\0'", "SELECT * FROM nowhere", "SELECT zeroblob(1500000000)",
    "SELECT randomblob(200000000)", "SELECT hex(zeroblob(60000000))"])
def test_query_refuses_whatever_writes(fed: Fed, sql: str) -> None:
    """Every way to write, to open another file, to change a pragma or to take much memory is refused."""
    parameters = [b"x"] if "?" in sql else []
    before_bytes = fed.asked("status")["rss_bytes"]  # much of it is the test run's own, from which the actor is forked
    try:
        answer = fed.control.ask_all(["taker"], "query", 5, sql=sql, parameters=parameters)["taker"]
    finally:
        fed.give("")
        fed.taken(1)
    assert answer["ok"] is False or answer["rows"] == []
    assert fed.asked("query", sql="PRAGMA journal_mode")["rows"] == [["wal"]]
    assert fed.asked("status")["rss_bytes"] - before_bytes < 50e6
    assert not Path("/tmp/copy.db").exists()
    assert not Path("/tmp/other.db").exists()


def test_an_endless_query_is_cut(fed: Fed) -> None:
    """About a second, then an error; the actor goes on."""
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT sum(x) FROM c"
    began_s = time.monotonic()
    with pytest.raises(UnavailableError, match="interrupted"):
        fed.asked("query", 20, sql=endless)
    assert time.monotonic() - began_s < 5
    fed.give("")
    fed.taken(1)


@pytest.mark.parametrize(("sql", "most"), [
    ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x FROM c", 1000),
    ("WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 500) SELECT printf('%.100000c', 'x') FROM c",
     100)])
def test_a_long_answer_is_cut_and_says_so(fed: Fed, sql: str, most: int) -> None:
    """At most 1,000 rows and about 8 MB."""
    answer = fed.asked("query", sql=sql)
    assert answer["more"] is True
    assert 0 < len(answer["rows"]) <= most


@pytest.mark.parametrize("arguments", [
    {}, {"sql": None}, {"sql": 5}, {"sql": "SELECT ?"}, {"sql": "SELECT 1", "parameters": [1]},
    {"sql": "SELECT ?", "parameters": 5}, {"sql": "SELECT ?", "parameters": [[1]]},
    {"sql": "SELECT ?", "parameters": [2**64 - 1]}, {"sql": "SELECT ?", "parameters": {"a": 1}}])
def test_wrong_arguments_are_an_answer_not_a_crash(fed: Fed, arguments: dict[str, Any]) -> None:
    """The actor is the same process afterwards."""
    answer = fed.control.ask_all(["taker"], "query", 5, **arguments)["taker"]
    assert answer["ok"] is False or arguments.get("parameters") == {"a": 1}
    assert fed.asked("ping")["pid"] == fed.pids["taker"]
    assert fed.asked("query", sql="SELECT 1")["rows"] == [[1]]


# -- the actor's own verbs


@pytest.mark.parametrize(("arguments", "words"), [
    ({"sql": "SELECT * FROM nowhere"}, "no such table"), ({"sql": "SELECT abs(-9223372036854775808)"}, "overflow"),
    ({"n": "many"}, "invalid literal"), ({"n": [1]}, "int"), ({"n": 0xD800}, "cannot be packed"),
    ({"n": -1, "sql": "SELECT 1; SELECT 2"}, "one statement")])
def test_a_failing_verb_is_an_answer_and_leaves_no_trace(fed: Fed, arguments: dict[str, Any], words: str) -> None:
    """Whatever it raised: refused with its words, its rows undone, the actor lives and is not stuck on it."""
    answer = fed.control.ask_all(["taker"], "count", 5, **arguments)["taker"]
    assert answer["ok"] is False
    assert words in answer["error"]
    fed.give("")
    left = 2 if "packed" in words else 1  # that one was done, only its answer could not be sent
    fed.taken(left)
    assert fed.asked("ping")["pid"] == fed.pids["taker"]


def test_a_verb_writes_in_its_transaction(fed: Fed) -> None:
    """What it wrote is there when the answer comes."""
    assert fed.asked("count")["count"] == 1
    assert fed.number("taker", "SELECT count(*) FROM seen") == 1


def test_an_unknown_verb_is_refused_by_name(fed: Fed) -> None:
    """The text says who does not know what."""
    with pytest.raises(UnavailableError, match="taker does not know 'dance'"):
        fed.asked("dance")
    for name in ("_query", "in_transaction", "outside", "on_start", "__init__"):
        with pytest.raises(UnavailableError, match="does not know"):
            fed.asked(name)


# -- dead letters


@pytest.fixture
def dead(fed: Fed) -> Fed:
    """The taker with two dead letters: a message and a job."""
    fed.give("fail", 11)
    fed.give("job:do=unappliable", 12)
    wait_until(lambda: fed.asked("status")["dead"] == 2, 10)
    return fed


def test_dead_letters_are_listed_and_shown(dead: Fed) -> None:
    """With reason and traceback; `show` has the body too."""
    letters = {letter["type"]: letter for letter in dead.asked("dead")["letters"]}
    assert letters.keys() == {"Parcel", "job:errand"}
    assert letters["Parcel"]["reason"] == "failed:ZeroDivisionError"
    assert "told to fail 11" in letters["Parcel"]["traceback"]
    assert letters["Parcel"]["body"] is None
    (shown,) = dead.asked("dead", do="show", id=letters["Parcel"]["id"][:8])["letters"]
    assert shown["body"]["number"] == 11
    assert dead.asked("dead", do="show", id="ffff")["letters"] == []


def test_dead_letters_are_tried_again(dead: Fed) -> None:
    """Once the cause is gone both kinds come to their end."""
    dead.asked("mend")
    assert dead.asked("dead", do="retry")["count"] == 2
    wait_until(lambda: dead.rows("taker", "SELECT word, number FROM results") == [["done", 12]], 5)
    wait_until(lambda: dead.number("taker", "SELECT count(*) FROM seen") == 2, 5)
    wait_until(lambda: dead.asked("status")["dead"] == 0, 5)


def test_dead_letters_are_dropped(dead: Fed) -> None:
    """One by the beginning of its id, then all."""
    (first, _) = dead.asked("dead")["letters"]
    assert dead.asked("dead", do="drop", id=first["id"])["count"] == 1
    wait_until(lambda: dead.asked("status")["dead"] == 1, 5)
    assert dead.asked("dead", do="drop", id="all")["count"] == 1
    wait_until(lambda: dead.asked("status")["dead"] == 0, 5)


def test_a_letter_that_cannot_be_tried_again_stays(dead: Fed) -> None:
    """The job kind of another version: refused, nothing changed, the actor lives."""
    (job,) = [letter for letter in dead.asked("dead")["letters"] if letter["type"] != "Parcel"]
    dead.asked("count", sql="UPDATE dead SET type = 'job:gone' WHERE sender = ''")
    with pytest.raises(UnavailableError, match="declares no job gone"):
        dead.asked("dead", do="retry")
    assert len(dead.asked("dead")["letters"]) == 2
    assert dead.asked("status")["dead"] == 2
    with pytest.raises(UnavailableError, match="none of list, show, retry, drop"):
        dead.asked("dead", do="bury", id=job["id"])


# -- drain, reload, log level


def test_drain_by_command_is_a_clean_end(fed: Fed) -> None:
    """The answer names the pid; the process ends with 0."""
    pid = fed.pids.pop("taker")
    assert fed.asked("drain") == {"ok": True, "pid": pid}
    assert exit_code(pid) == 0


def test_the_log_level_changes_at_once(fed: Fed) -> None:
    """Debug lines appear; a wrong level is refused."""
    file = fed.settings.log_folder / "taker.jsonl"
    with pytest.raises(UnavailableError, match="'loud' is no log level"):
        fed.asked("log-level", level="loud")
    fed.asked("log-level", level="debug")
    fed.hand.send(b"\xc1")
    wait_until(lambda: "frame_rejected" in file.read_text(), 5)


class Watchful(Actor):
    """Remembers the score after each reload and refuses one of 0.5."""

    name = "watchful"
    tables = ("CREATE TABLE loads(score REAL);",)

    def on_reload(self) -> None:
        """Apply, or refuse."""
        if self.settings.min_score == 0.5:
            raise ConfigError("0.5 is refused")
        self.counters.values["score"] = self.settings.min_score


def test_reload_applies_or_leaves_all_as_it_was(home: Path) -> None:
    """Settings are read again from environment and file; a fault anywhere leaves the old ones in force."""
    made = Town(home, [Watchful], sqlite_synchronous="OFF")
    before = Path.cwd()
    os.chdir(home)
    try:
        made.start()
        made.ready()
        (home / ".env").write_text("MIN_SCORE=0.75\n")
        assert "min_score" in made.ask("watchful", "reload")["changed"]
        assert made.ask("watchful", "status")["statistics"] == {"score": 0.75}
        for text, words in (("MIN_SCORE=2\n", "not between"), ("MIN_SCORE=0.5\n", "0.5 is refused")):
            (home / ".env").write_text(text)
            with pytest.raises(UnavailableError, match=words):
                made.ask("watchful", "reload")
        (home / ".env").write_text("MIN_SCORE=0.75\n")
        assert "min_score" not in made.ask("watchful", "reload")["changed"]
    finally:
        os.chdir(before)
        made.close()


def test_all_actors_are_asked_at_once(home: Path) -> None:
    """Those that answer are there, the others are not; the time-out is that of one."""
    with town(home, Taker) as made:
        made.start()
        made.ready()
        with Control(made.settings.run_folder) as control:
            began_s = time.monotonic()
            answers = control.ask_all(["taker", "nobody", "noone"], "ping", 0.3)
            assert answers.keys() == {"taker"}
            assert time.monotonic() - began_s < 1


