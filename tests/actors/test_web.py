"""web with real actors behind it: what it asks, how rarely, and what it does while somebody is silent."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest

from actors import charter
from actors.tracker import Tracker
from actors.web import Web
from catalyst.clock import SystemClock
from catalyst.errors import UsageError
from catalyst.messages import OpsNotice
from catalyst.runtime.contract import Actor, Output
from catalyst.runtime.control import Control
from catalyst.testing import FakeClock, wait_until
from catalyst.web import facts, pulse
from catalyst.web.facts import Cache
from catalyst.web.pulse import Pulse
from tests.commands.tiny import DROPPED, Running, TinyFetcher, TinySupervisor, child
from tests.web.examples import raw_alert, raw_detail
from tests.web.still import get

PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)
ONE = "00000000000000000007"


class TinyAlerter(Actor):
    """Knows one alert; counts the questions; takes its time where a test wants it."""

    name = "alerter"
    inbox = (OpsNotice,)
    asked: ClassVar[list[str]] = []
    gate: ClassVar[threading.Event] = threading.Event()

    def on_ops_notice(self, notice: OpsNotice, db: sqlite3.Connection) -> Iterator[Output]:
        """Taken, told to nobody."""
        return iter(())

    def verb_alerts(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """One alert."""
        self.asked.append("alerts")
        self.gate.wait(5)
        return {"alerts": [raw_alert(7, item_id=DROPPED)][:arguments["limit"]]}

    def verb_alert(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """Everything about it."""
        if arguments["id"] != ONE:
            raise UsageError("unknown")
        answer: dict[str, Any] = raw_detail()
        return {**answer, "alert": {**answer["alert"], "item_id": DROPPED}}


class TinyCharter(Actor):
    """Has one picture, and one that is none."""

    name = "charter"
    tables = (charter.SCHEMA,)

    def on_start(self, db: sqlite3.Connection) -> Iterator[Output]:
        """The picture is in the table too, of which the page asks whether there is one."""
        db.execute("INSERT OR IGNORE INTO charts VALUES(?, 'ABCD', '', 0, 0, x'')", (ONE,))
        return iter(())

    def verb_chart(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """The picture."""
        png = {ONE: PNG, "ffff": b"<svg onload=alert(1)>", "eeee": PNG + bytes(300_000)}.get(arguments["alert_id"])
        return {"png": png, "alt": "up by a third"}


class TinyTracker(Tracker):
    """A tracker that also tells an outcome."""

    def verb_outcomes(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """One that is settled."""
        return {"outcomes": [{"horizon": "15m", "state": "settled", "price_usd": 4.5, "return_pct": 31.6,
                              "alert_id": arguments["alert_ids"][0]}]}


class TellingFetcher(TinyFetcher):
    """A fetcher that tells of its sources."""

    def verb_sources(self, arguments: dict[str, Any], db: sqlite3.Connection) -> dict[str, Any]:
        """One source, and a pause."""
        return {"sources": [{"name": "wire", "outcome": "new", "polls": 3, "not_modified": 1}],
                "paused_until_ms": None, "paused_by": "backlog"}


@pytest.fixture
def running(home: Path) -> Iterator[Running]:
    """A home whose page has any free port."""
    TinySupervisor.children, TinySupervisor.script = {}, []
    TinyAlerter.asked.clear()
    TinyAlerter.gate.set()
    with Running(home) as opened:
        opened.settings = opened.settings.but(web_port=0, actors=("alerter", "tracker", "web", "fetcher"))
        yield opened
        TinyAlerter.gate.set()


def port_of(running: Running) -> int:
    """Where the page is, as the actor says."""
    with Control(running.settings.run_folder) as control:
        wait_until(lambda: control.ask("web", "address")["url"], 5)
        return int(control.ask("web", "address")["url"].split(":")[2].strip("/"))


def web(running: Running) -> Web:
    """The actor itself."""
    actor = running.processes["web"].actor
    assert isinstance(actor, Web)
    return actor


def hears(running: Running, *names: str) -> None:
    """Wait until the page has heard these actors."""
    wait_until(lambda: set(names) <= web(running)._pulse.beating(), 5, f"{names} heard")


def all_of(running: Running) -> int:
    """Start a whole small house; the page's port."""
    TinySupervisor.children = {name: child(name) for name in ("alerter", "tracker", "charter", "web", "fetcher")}
    running.start(TinyAlerter, TinyTracker, TinyCharter, TellingFetcher, TinySupervisor, Web)
    port = port_of(running)
    hears(running, "alerter", "tracker", "charter", "fetcher", "supervisor", "web")
    return port


def test_a_whole_house(running: Running) -> None:
    """Every page shows what the actors told."""
    port = all_of(running)
    wait_until(lambda: get(port, "/readyz")[0] == 200, 5, "ready")
    assert b"Abcedo Pharma Announces FDA Approval" in get(port, "/")[2]
    assert f'src="/chart/{ONE}.png"' in get(port, "/")[2].decode()
    alert = get(port, f"/alert/{ONE}")[2].decode()
    for part in ("+31.6 %", "up by a third", "ItemDropped", "fetcher → tracker", "n/a"):
        assert part in alert, part
    assert get(port, f"/chart/{ONE}.png")[2] == PNG
    assert [get(port, f"/chart/{name}.png")[0] for name in ("ffff", "eeee", "dddd")] == [404] * 3
    assert get(port, "/alert/ffff")[0] == 404
    assert b"Fund notice" in get(port, "/items")[2]
    assert b"backlog" in get(port, "/items?fate=dropped")[2]
    assert b"wire" in get(port, "/sources")[2]
    health = json.loads(get(port, "/healthz")[2])
    assert health["reasons"] == ["no_sink", "fetcher_paused:backlog"]
    assert b'catalyst_feed_polls_total{outcome="not_modified",source="wire"} 1.0' in get(port, "/metrics")[2]


def test_no_picture_that_is_not_there(running: Running) -> None:
    """Without a charter, who has the pictures, neither list nor alert ask for one."""
    all_of(running)
    running.stop("charter")
    port = port_of(running)
    wait_until(lambda: b"charter is stopped" in get(port, "/")[2], 5)
    for path in ("/", f"/alert/{ONE}"):
        status, _, body = get(port, path)
        assert (status, b"Abcedo" in body, b"<img" in body) == (200, True, False)


def test_a_hundred_readers_are_one_question(running: Running) -> None:
    """However many ask at once, the actors are asked once in half a second."""
    port = all_of(running)
    get(port, "/")
    TinyAlerter.asked.clear()
    began_s = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        assert {answer[0] for answer in pool.map(lambda _: get(port, "/"), range(100))} == {200}
    assert len(TinyAlerter.asked) <= (time.monotonic() - began_s) / facts.FRESH_S + 1


def test_a_stuck_actor_does_not_hold_the_page(running: Running) -> None:
    """While the alerter's loop stands still the page answers, with the alerts that it knew."""
    port = all_of(running)
    assert b"Abcedo" in get(port, "/")[2]
    TinyAlerter.gate.clear()
    for _ in range(3):
        began_s = time.monotonic()
        status, _, body = get(port, "/")
        assert (status, b"Abcedo" in body) == (200, True)
        assert time.monotonic() - began_s < 3 * facts.ANSWER_S
    status, _, body = get(port, f"/alert/{ONE}")
    assert (status, b"FDA approval" in body, b"+31.6 %" in body) == (200, True, True)
    assert get(port, "/livez")[0] == 200


def test_who_is_gone_is_not_asked(running: Running) -> None:
    """After the alerter's end the page says so at once and waits for nobody."""
    port = all_of(running)
    running.stop("alerter")
    wait_until(lambda: "actor_stopped:alerter" in json.loads(get(port, "/healthz")[2])["reasons"], 5)
    began_s = time.monotonic()
    status, _, body = get(port, "/")
    assert status == 200
    assert "✖ alerter is stopped".encode() in body
    assert time.monotonic() - began_s < facts.ANSWER_S
    assert get(port, "/readyz")[0] == 503


def test_a_taken_port_is_waited_for(running: Running) -> None:
    """Somebody else's port: no crash; the reason is told, and the page opens when the port is free."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        running.settings = running.settings.but(web_port=port)
        running.start(Web)
        with Control(running.settings.run_folder) as control:
            answer = control.ask("web", "address")
            assert (answer["url"], answer["reason"]) == (None, "Address already in use")
            wait_until(lambda: control.ask("web", "status")["statistics"].get("port_taken") == 1, 5)
    assert [timer.period_s for timer in Web.every if timer.name == "open_page"] == [5.0]
    running.processes["web"]._timers["open_page"] = 0.0  # due now
    assert port_of(running) == port
    assert get(port, "/livez")[0] == 200


def test_another_port_after_a_reload(running: Running) -> None:
    """A new port takes effect at once; the old one is free."""
    running.start(Web)
    old = port_of(running)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        fresh = probe.getsockname()[1]
    actor = web(running)
    actor.settings = actor.settings.but(web_port=fresh)
    actor.on_reload()
    assert get(fresh, "/livez")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        get(old, "/livez")


def test_of_several_who_want_the_same_one_works() -> None:
    """Whoever asks while the answer is made waits for it; it is made anew when it is old; a failure blocks nobody."""
    clock, made = FakeClock(), list[int]()
    cache = Cache(clock, 2)

    def make() -> int:
        made.append(1)
        threading.Event().wait(0.05)
        return len(made)

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: cache.get("a", 1.0, make), range(8))) == {1}
    clock.advance(1.5)
    assert cache.get("a", 1.0, make) == 2
    with pytest.raises(ZeroDivisionError):
        cache.get("b", 1.0, lambda: 1 // 0)
    assert [cache.get(key, 1.0, lambda: 5) for key in "bcd"] == [5, 5, 5]
    assert cache.get("a", 1.0, make) == 3, "the oldest of three was forgotten"


RUNS = {"state": "running", "current_limit_s": 0.0, "current_age_s": 0.0}
STATES: list[tuple[str, dict[str, Any], float, bool, str]] = [
    ("running", RUNS, 0.5, True, "running"), ("", RUNS, 0.5, True, "running"), ("running", RUNS, 3.0, True, "hung"),
    ("running", {**RUNS, "current_limit_s": 2.5, "current_age_s": 2.6}, 0.5, True, "hung"),
    ("running", {**RUNS, "state": "draining"}, 0.5, True, "draining"), ("running", {}, 0.5, True, "starting"),
    ("starting", {}, 60.0, True, "starting"), ("running", {}, 60.0, True, "hung"), ("", {}, 60.0, True, "hung"),
    ("running", RUNS, 0.1, False, "stopped"), ("", {}, 60.0, False, "stopped"), ("backoff", {}, 9.0, False, "backoff"),
    ("parked", {}, 9.0, False, "parked")]


@pytest.mark.parametrize(("said", "beat", "silent_s", "held", "word"), STATES)
def test_the_word_for_an_actor(said: str, beat: dict[str, Any], silent_s: float, held: bool, word: str) -> None:
    """From the supervisor's word, the last beat and the lock."""
    assert pulse.state(said, beat, silent_s, held=held) == word


def test_ticks_of_the_last_minute(tmp_path: Path) -> None:
    """Each second with a beat, or with one in the next, is a whole tick; the silence between is not."""
    clock = FakeClock()
    heard = Pulse(tmp_path, clock)
    for second in range(100):
        if not 80 <= second < 90:
            heard.hear({"actor": "market", "pid": 1, "cpu_s": second * 0.02})
        clock.advance(1.0)
    ticks = heard.actor("market", {}).pulse
    assert len(ticks) == pulse.PULSE_S
    assert ticks.count(False) == 9
    assert heard.actor("nobody", {}).beat_age_s is None
    assert heard.answered() == {"market"}
    assert heard.beating() == frozenset(), "nobody holds its lock"


def test_the_system_clock_is_used_for_ages() -> None:
    """The real clock goes with the record as well as a test's."""
    assert Pulse(Path("/nonexistent"), SystemClock()).actor("market", {}).state == "stopped"
