"""The alerter in bot mode: the channel can be asked, so that nothing is posted twice and nothing is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.alerter import Alerter
from catalyst.bench.house import SECRET
from catalyst.clients.sinks import address, fingerprint
from catalyst.settings import defaults
from catalyst.testing import Bench, FakeClock
from catalyst.world.day import Day
from catalyst.world.server import World
from tests.alerting import ALERT, CHART, drain

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
