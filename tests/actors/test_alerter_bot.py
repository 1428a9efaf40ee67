"""The alerter in bot mode: the channel can be asked, so that nothing is posted twice and nothing is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.alerter import Alerter
from catalyst.bench.house import SECRET
from catalyst.clients.sinks import ASK_S, DEADLINE_S, address, fingerprint
from catalyst.settings import defaults
from catalyst.testing import START_MS, Bench, FakeClock, same
from catalyst.world.day import Day
from catalyst.world.server import World
from tests.alerting import ALERT, CHART, JOINED, drain
from tests.receiver import Answer, Receiver

MINUTES_S = 600


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A world in which nothing happens; its Discord goes by the clock of the bench."""
    day = Day(tmp_path, "empty", None, 0, 60.0, (), None, None, 60)
    clock = FakeClock()
    with World(day, clock=clock) as running:
        yield running


@pytest.fixture
def bench(tmp_path: Path, world: World) -> Iterator[Bench]:
    """An alerter whose alerts go out by the bot; the webhook that is also set gets none."""
    assert isinstance(world.clock, FakeClock)
    with Bench(Alerter, tmp_path / "home", clock=world.clock, discord_base_url=f"{world.url}/",
               discord_bot_token=SECRET, discord_channel_id="7",
               discord_webhook_url=f"{world.url}/api/webhooks/1/alerts") as opened:
        yield opened


def posts(world: World) -> list[tuple[str, int, bool]]:
    """Channel, status and whether it was known, of every post."""
    return [(message["webhook"], message["status"], message["repeated"]) for message in world.sent()["messages"]
            if message["method"] == "POST"]


def footers(world: World) -> list[str]:
    """The footer of each message of the channel."""
    return [message["embeds"][0]["footer"]["text"] for message in world.desk.channel("channels/7")]


def test_an_alert_and_its_chart_go_into_the_channel(bench: Bench, world: World) -> None:
    """A post with the alert's id as nonce, then an edit of that message."""
    bench.send(ALERT)
    bench.send(CHART)
    drain(bench)
    assert posts(world) == [("channels/7", 200, False)]
    first, edit = world.sent()["messages"]
    assert (first["payload"]["nonce"], first["payload"]["enforce_nonce"]) == ("a1", True)
    assert (edit["method"], edit["message_id"], edit["attachments"]) == ("PATCH", first["message_id"], ["chart.png"])
    assert "nonce" not in edit["payload"]
    assert world.sent()["violations"] == []


@pytest.mark.parametrize("later_s", [0, MINUTES_S])
def test_killed_after_the_post(bench: Bench, world: World, later_s: float) -> None:
    """Whether Discord still knows the nonce or not, the message that is there is taken for the alert's."""
    bench.send(ALERT)
    (job,) = bench.interrupt_jobs()
    bench.engine.jobs.run_one(job)  # the request is made, its end is not written down
    bench.clock.advance(later_s)
    bench.restart()
    drain(bench)
    assert posts(world) == [("channels/7", 200, False)]
    assert ["repeat" in text for text in footers(world)] == [False]
    assert bench.rows("SELECT state, message_id, possible_repeat FROM deliveries") == [
        ("delivered", world.sent()["messages"][0]["message_id"], 0)]


def test_killed_before_the_post(bench: Bench, world: World) -> None:
    """The channel does not have it: it is posted, and nothing is marked."""
    bench.send(ALERT)
    bench.interrupt_jobs()
    bench.restart()
    drain(bench)
    assert posts(world) == [("channels/7", 200, False)]
    assert ["repeat" in text for text in footers(world)] == [False]


@pytest.mark.parametrize("what", ["reset_after", "truncated", "500", "reset_before"])
def test_answers_that_do_not_come(bench: Bench, world: World, what: str) -> None:
    """However often, in the end there is one message without a mark."""
    bench.send(ALERT)
    for _ in range(3):
        world.trouble.begin({"what": what, "sink": "discord", "for_s": 1_000}, bench.clock.monotonic_s())
        bench.run_jobs()
        world.trouble.begin({"what": what, "sink": "discord", "for_s": 0}, bench.clock.monotonic_s())
        bench.clock.advance(90)
    drain(bench)
    assert len(footers(world)) == 1
    assert "repeat" not in footers(world)[0]
    assert bench.rows("SELECT state, possible_repeat FROM deliveries") == [("delivered", 0)]


def test_without_both_halves_there_is_no_bot() -> None:
    """Token and channel make the bot; its address holds no secret, its fingerprint tells another token."""
    webhook = "https://discord.example/api/webhooks/1/x"
    assert address(defaults(discord_bot_token="t", discord_webhook_url=webhook), "discord") == webhook
    one, two = (defaults(discord_bot_token=token, discord_channel_id="7", discord_webhook_url=webhook)
                for token in ("secret1", "secret2"))
    assert address(one, "discord") == "https://discord.com/api/v10/channels/7"
    assert fingerprint(one, "discord") != fingerprint(two, "discord")
    assert address(one, "ops") == ""


def take(bench: Bench) -> None:
    """One request, and what came of it."""
    (job,) = bench.interrupt_jobs()
    finished = bench.engine.jobs.run_one(job)
    bench._turn(lambda db: bench.engine.finish(db, finished))


@pytest.mark.parametrize("later_s", [0, MINUTES_S])
def test_a_digest_killed_after_its_post(bench: Bench, world: World, later_s: float) -> None:
    """It is known by its own id: posted once, and what follows is edited into it."""
    bench.settings = bench.settings.but(digest_from=1)
    bench.restart()
    for number in range(3):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", score=0.9 - number / 10))
    take(bench)
    (job,) = bench.interrupt_jobs()
    bench.engine.jobs.run_one(job)
    bench.clock.advance(later_s)
    bench.restart()
    drain(bench)
    assert len(posts(world)) == 2
    bench.send(same(JOINED, item_id="i2"))
    drain(bench)
    last = world.sent()["messages"][-1]
    assert (last["method"], len(last["payload"]["embeds"])) == ("PATCH", 2)


def test_an_alert_that_a_digest_has_told(bench: Bench, world: World) -> None:
    """The digest came to nothing as far as we know, but stands in the channel: its alerts are not posted again, and
    none of them edits it away."""
    bench.settings = bench.settings.but(digest_from=1)
    bench.restart()
    for number in range(3):
        bench.send(same(ALERT, item_id=f"i{number}", alert_id=f"a{number}", score=0.9 - number / 10))
    take(bench)
    for _ in range(2):
        (job,) = bench.interrupt_jobs()
        bench.engine.jobs.run_one(job)
        bench.clock.advance(MINUTES_S)
        bench.restart(suspect="job")
    drain(bench)
    bench.send(same(JOINED, item_id="i2"))
    drain(bench)
    assert len(posts(world)) == 2
    assert [message["method"] for message in world.sent()["messages"]] == ["POST", "POST"]
    assert bench.rows("SELECT DISTINCT state FROM alerts") == [("posted",)]


def test_question_and_post_fit_into_one_job() -> None:
    """However slow Discord is, a post that is asked for first is not taken for one that hangs."""
    (kind,) = [kind for kind in Alerter.jobs if kind.name == "deliver"]
    assert kind.limit_s > ASK_S + DEADLINE_S


def test_what_a_lost_database_may_have_posted_is_asked_for(bench: Bench, world: World) -> None:
    """The tracker does not know of it, the channel does: it is not posted again."""
    old = same(ALERT, published_ms=START_MS - 400_000, seen_ms=START_MS - 300_000, ready_ms=START_MS - 299_000)
    bench.send(old)
    drain(bench)
    bench.clock.advance(MINUTES_S)
    bench.store.abandon()
    Path(bench.store.path).unlink()
    bench.restart()
    bench.send(old)
    drain(bench)
    assert posts(world) == [("channels/7", 200, False)]
    bench.send(JOINED)
    drain(bench)
    assert world.sent()["messages"][-1]["method"] == "PATCH"


@pytest.mark.parametrize("answer", [Answer(200, b"<html>sign in</html>"), Answer(200, {"message": "?"}),
                                    Answer(200, b"?", {"Content-Encoding": "br"})])
def test_an_answer_that_is_no_list_is_not_an_absence(tmp_path: Path, answer: Answer) -> None:
    """What stands in the channel is not known then: it is asked again before anything is posted."""
    clock, asked = FakeClock(), [answer]
    with Receiver(lambda got: (asked.pop(0) if asked else Answer(200, [])) if got.method == "GET"
                  else Answer(200, {"id": "7"})) as receiver, \
            Bench(Alerter, tmp_path, clock=clock, discord_base_url=receiver.url, discord_bot_token=SECRET,
                  discord_channel_id="7") as bench:
        bench.send(ALERT)
        bench.interrupt_jobs()
        bench.restart()
        bench.run_jobs()
        assert [got.method for got in receiver.got] == ["GET"]
        drain(bench)
        assert [got.method for got in receiver.got] == ["GET", "GET", "POST"]
