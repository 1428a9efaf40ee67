"""The actors while the wall clock is set on and back: nothing comes twice, nothing is stale, waits stay as long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest

from actors.supervisor import Supervisor
from actors.tracker import Tracker
from catalyst.clock import from_iso
from catalyst.messages import AlertReady, OpsNotice, PriceSeen, StoryJoined
from catalyst.testing import START_MS, Bench, FakeClock, same
from tests.actors import test_fetcher, test_market, test_sec
from tests.actors.test_fetcher import Wires, bench_of, found, item, poll, reasons, settled
from tests.actors.test_market import SCORED
from tests.actors.test_sec import filing, reads, wait
from tests.actors.test_tracker import POSTED, seen
from tests.alerting import ALERT, CHART, JOINED, drain, states
from tests.edgar_server import EdgarServer
from tests.receiver import Answer, Receiver

make_market = test_market.make
wires, clock = test_fetcher.wires, test_fetcher.clock
server, sec = test_sec.server, test_sec.bench

HOUR_S, DAY_S = 3_600, 86_400
JUMPS_S = pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S, 2 * DAY_S, 20 * DAY_S, -20 * DAY_S])


# -- fetcher


@JUMPS_S
def test_sources_keep_their_rhythm(tmp_path: Path, wires: Wires, clock: FakeClock, jump_s: int) -> None:
    """Polled ten seconds after the last time, not at once and not in an hour; what it showed before stays known."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        clock.advance(5)
        clock.jump(jump_s)
        assert poll(bench, 4.8) == []
        assert wires.count("/wire") == 1
        wires.feed("/wire", item("Old story of wire", ms=START_MS - 3_600_000), item("Acme Wins", ms=START_MS + 9_000))
        assert found(poll(bench, 0.3)) == ["Acme Wins"]
        bench.tick("prune")
        assert poll(bench) == []


@JUMPS_S
def test_another_wire_joins_a_story_of_before_the_jump(tmp_path: Path, wires: Wires, clock: FakeClock,
                                                       jump_s: int) -> None:
    """It is not alerted a second time because the first one looks old, also not after pruning."""
    with bench_of(tmp_path, wires, clock, "wire", "other") as bench:
        settled(bench, wires, "wire", "other")
        title = "Acme Robotics Wins Contract From Zenith Motors Worth 40 Million"
        wires.feed("/wire", item(title, "https://wire.example/1", START_MS + 9_000))
        assert found(poll(bench)) == [title]
        clock.jump(jump_s)
        bench.tick("prune")
        wires.feed("/other", item(title, "https://other.example/1", START_MS + 9_500))
        sent = poll(bench)
        assert [type(message) for message in sent if isinstance(message, StoryJoined)] == [StoryJoined]
        assert found(sent) == []


@JUMPS_S
def test_a_first_document_is_judged_by_the_sources_clock(tmp_path: Path, wires: Wires, clock: FakeClock,
                                                         jump_s: int) -> None:
    """What was published minutes ago by the source's own clock is news, what was published hours ago is not."""
    wires.date = format_datetime(datetime.fromtimestamp(START_MS / 1000, UTC))
    clock.jump(jump_s)
    wires.feed("/wire", item("News", ms=START_MS - 300_000), item("Old", ms=START_MS - 660_000))
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        sent = poll(bench, 0)
        assert found(sent) == ["News"]
        assert reasons(sent) == ["backlog"]


@JUMPS_S
def test_a_pause_lasts_as_long_as_it_would_have(tmp_path: Path, wires: Wires, clock: FakeClock, jump_s: int) -> None:
    """Half an hour is half an hour; its end is told in whole seconds that passed."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        bench.verb("pause", for_s=1_800)
        poll(bench, 1)
        clock.jump(jump_s)
        poll(bench, 1_700)
        assert wires.count("/wire") == 0
        texts = [message.text for message in poll(bench, 100) if isinstance(message, OpsNotice)]
        assert texts == ["after a pause of 1801 s; what was published meanwhile is read now"]
        assert wires.count("/wire") == 1


# -- alerter


@JUMPS_S
def test_a_limit_of_discord_lasts_as_long_as_it_would_have(make: Callable[..., Bench], receiver: Receiver,
                                                          outside: object, jump_s: int) -> None:
    """A 429 that asks for five seconds is obeyed for five seconds, also where the jump comes with the answer."""
    bench = make("discord")
    outside.script["discord"] = [Answer(429, {"retry_after": 5}, {"retry-after": "5"})]  # type: ignore[attr-defined]
    bench.send(ALERT)
    (job,) = bench.interrupt_jobs()
    finished = bench.engine.jobs.run_one(job)
    bench.clock.jump(jump_s)
    bench._turn(lambda db: bench.engine.finish(db, finished))
    bench.clock.jump(jump_s)
    bench.clock.advance(4.9)
    assert bench.run_jobs() == []
    assert len(receiver.got) == 1
    bench.clock.advance(0.2)
    bench.run_jobs()
    assert [got.path.split("?")[0] for got in receiver.got] == ["/discord"] * 2
    assert states(bench) == [("discord", 0, "delivered")]


@JUMPS_S
def test_no_latency_shows_a_jump(make: Callable[..., Bench], receiver: Receiver, jump_s: int) -> None:
    """A second from seen to sent stays a second: in the event, in the list, in the card and its later edits."""
    bench = make("discord", "hook")
    bench.send(ALERT)
    bench.clock.jump(jump_s)
    bench.run_jobs()
    bench.send(JOINED)
    drain(bench)
    events = [got.json for got in receiver.got if got.path.startswith("/hook")]
    rows = [*events[:1], *bench.verb("alerts")["alerts"]]
    assert [from_iso(row["sent"]) - from_iso(row["seen"]) for row in rows] == [1_000, 1_000]
    assert from_iso(rows[0]["sent"]) == START_MS + jump_s * 1000
    assert from_iso(events[1]["sent"]) >= from_iso(events[1]["seen"])
    feet = [got.json["embeds"][0]["footer"]["text"] for got in receiver.got if got.path.startswith("/discord")]
    assert len(feet) == 2
    assert all(foot.endswith("→ sent +1.0 s") for foot in feet), feet


@pytest.mark.parametrize(("made_ms", "age_s"), [(-5_000, 5.0), (4_000, 0.0), (6_000, None), (HOUR_S * 1000, None)])
def test_a_price_of_the_future_has_no_age(make: Callable[..., Bench], receiver: Receiver, made_ms: int,
                                          age_s: float | None) -> None:
    """Clocks differ by seconds; beyond that the age is not known, and never negative."""
    bench = make("discord", "hook")
    bench.send(same(ALERT, price_ms=START_MS + made_ms))
    bench.run_jobs()
    card, event = sorted(receiver.got, key=lambda got: got.path)
    assert event.json["price_age_s"] == age_s
    price = card.json["embeds"][0]["fields"][0]["value"]
    assert ("age unknown" in price) is (age_s is None)


@JUMPS_S
def test_what_waits_for_its_alert_is_not_thrown_away(make: Callable[..., Bench], receiver: Receiver,
                                                     jump_s: int) -> None:
    """A chart and a further wire that came before the jump are in the alert that comes after it, unmarked."""
    bench = make("discord")
    bench.clock.advance(1)
    bench.send(CHART)
    bench.send(JOINED)
    bench.clock.jump(jump_s)
    bench.tick("prune")
    bench.send(same(ALERT, ready_ms=bench.clock.now_ms()))
    drain(bench)
    post, edit = receiver.got
    assert "Business Wire" in str(post.json)
    assert "possible repeat" not in str(post.json)
    assert b"PNG drawn" in edit.body


# -- market, tracker, sec


def test_a_quote_grows_old_although_the_clock_was_set_back(make_market: Callable[..., Bench],
                                                           provider: Receiver) -> None:
    """An hour after the clock was set back by an hour, the stamps are equal and the quote is not fresh."""
    bench = make_market(quote_ttl_s=15.0)
    bench.send(SCORED)
    bench.run_jobs()
    bench.clock.jump(-HOUR_S)
    bench.clock.advance(10)
    (ready,) = bench.send(same(SCORED, item_id="i2"))
    assert isinstance(ready, AlertReady)
    bench.clock.advance(HOUR_S - 10)
    assert bench.send(same(SCORED, item_id="i3")) == []
    assert len(provider.got) == 1


@pytest.mark.parametrize(("jumps_s", "reason"), [
    ((2 * DAY_S,), "clock_jumped"), ((-HOUR_S,), "clock_jumped"), ((HOUR_S, -HOUR_S), None), ((40,), None),
    ((40, 40), "clock_jumped")])
def test_an_outcome_over_a_jump_is_not_known(tmp_path: Path, jumps_s: tuple[int, ...], reason: str | None) -> None:
    """The price is not of the time after the alert that is wanted, unless the jumps undo one another."""
    with Bench(Tracker, tmp_path) as bench:
        bench.send(POSTED)
        for by_s in jumps_s:
            bench.clock.advance(1)
            bench.clock.jump(by_s)
            bench.tick("prune")
        bench.clock.advance(900)
        bench.send(seen())
        row = bench.verb("outcomes", item_id="i1")["outcomes"][0]
        assert (row["state"], row["reason"]) == ("unknown" if reason else "settled", reason)
        assert (row["price_usd"] is None) is (reason is not None)


@pytest.mark.parametrize("jump_s", [2 * DAY_S, -HOUR_S])
def test_an_outcome_of_an_alert_that_was_on_its_way(tmp_path: Path, jump_s: int) -> None:
    """Posted before the jump and told of after it; one that is posted after it is settled as ever."""
    with Bench(Tracker, tmp_path) as bench:
        bench.clock.advance(5)
        bench.clock.jump(jump_s)
        bench.send(POSTED)
        bench.clock.advance(5)
        posted_ms = bench.clock.now_ms()
        bench.send(same(POSTED, item_id="i2", alert_id="a2", posted_ms=posted_ms))
        price = seen(due_ms=posted_ms + 900_000, price_ms=posted_ms + 840_000)
        assert isinstance(price, PriceSeen)
        bench.send(price)
        bench.send(same(price, item_id="i2"))
        assert bench.rows("SELECT item_id, state, reason FROM outcomes WHERE state != 'open' ORDER BY item_id") == [
            ("i1", "unknown", "clock_jumped"), ("i2", "settled", None)]


@pytest.mark.parametrize("jump_s", [2 * DAY_S, -HOUR_S])
@pytest.mark.parametrize("noticed", [True, False])
def test_a_filing_is_not_given_up_for_a_jump(sec: Bench, server: EdgarServer, jump_s: int, noticed: bool) -> None:
    """It waits its fifteen minutes, also where the thread begins before the loop has seen the jump."""
    sec.send(filing())
    (job,) = sec.interrupt_jobs()
    sec.clock.jump(jump_s)
    if noticed:
        assert reads(sec.tick("give_up")) == []
    finished = sec.engine.jobs.run_one(job)
    assert finished.error is None
    (read,) = reads(sec._turn(lambda db: sec.engine.finish(db, finished)))
    assert read.unread == ""


def test_a_filing_is_given_up_in_time_after_a_jump(sec: Bench, server: EdgarServer) -> None:
    """The time that passed counts, whatever the clock shows."""
    sec.send(filing())
    sec.interrupt_jobs()
    sec.clock.jump(-HOUR_S)
    assert reads(wait(sec, 890)) == []
    assert [read.unread for read in reads(wait(sec, 20))] == ["late"]


# -- supervisor


@pytest.mark.parametrize(("jump_s", "told"), [(2 * DAY_S, 1), (-HOUR_S, 1), (30, 0)])
def test_the_operator_is_told_once(tmp_path: Path, jump_s: int, told: int) -> None:
    """One notice from the supervisor for all actors, of a jump of a minute or more."""
    with Bench(Supervisor, tmp_path) as bench:
        bench.clock.jump(jump_s)
        bench.retry()
        bench.retry()
        notices = [message for message in bench.sent if isinstance(message, OpsNotice)]
        assert [notice.title for notice in notices] == ["The machine's clock jumped"] * told
        assert all(f"by {jump_s:+d} s" in notice.text for notice in notices)
