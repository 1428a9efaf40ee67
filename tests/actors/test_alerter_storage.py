"""The alerter on a full disk: what went out stays under way until its result is stored, and goes out once."""

from __future__ import annotations

from pathlib import Path

from actors.alerter import Alerter
from catalyst.errors import StoreError
from catalyst.packing import pack
from catalyst.runtime.bus import Arrivals
from catalyst.runtime.engine import Received
from catalyst.runtime.process import Process
from catalyst.settings import defaults
from catalyst.testing import wait_until
from tests.alerting import ALERT, Outside
from tests.receiver import Receiver


def test_a_result_that_cannot_be_stored_posts_nothing_twice(home: Path, receiver: Receiver, outside: Outside) -> None:
    """Ten minutes on a full disk after the request: the delivery stays executing, is not late, then is delivered."""
    settings = defaults(home=home, webhook_url=f"{receiver.url}/hook", discord_webhook_url=f"{receiver.url}/discord")
    process = Process(Alerter, settings, ("market",), clock=outside.clock)
    store, jobs = process.store, process.engine.jobs
    try:
        process.actor.now_ms = outside.clock.now_ms()
        with store.transaction() as db:
            process.engine.receive(db, Received(ALERT.message_id(), ALERT.item_id, "market", "AlertReady",
                                                ALERT.VERSION, pack(ALERT), 0, 0))
        process._work(Arrivals(), [])
        finished = []
        wait_until(lambda: finished.extend(jobs.finished()) or len(finished) == 2, 10, "both requests are answered")
        store.db.execute(f"PRAGMA max_page_count = {store.db.execute('PRAGMA page_count').fetchone()[0]}")
        process.storage.refused(StoreError(store.path, "database or disk is full", "full"))
        for _ in range(20):
            outside.clock.advance(30)
            late, process._late = process._late or finished, []
            process._work(Arrivals(), late)
            assert store.db.execute("SELECT DISTINCT state FROM jobs").fetchall() == [("running",)]
            assert store.db.execute("SELECT DISTINCT state FROM deliveries").fetchall() == [("queued",)]
            assert jobs.oldest_running() is None
        store.db.execute("PRAGMA max_page_count = 1000000")
        outside.clock.advance(1)
        late, process._late = process._late, []
        process._work(Arrivals(), late)
        assert store.db.execute("SELECT DISTINCT state FROM deliveries").fetchall() == [("delivered",)]
        assert store.db.execute("SELECT count(*) FROM jobs").fetchone() == (0,)
        assert len(receiver.got) == 2
    finally:
        process.bus.close()
        store.close()
