"""send-test against a real receiver: each sink that is set gets one card that is no alert."""

from __future__ import annotations

import pytest

from catalyst.clock import SystemClock
from catalyst.commands.send_test import preview, run
from catalyst.errors import ConfigError, UsageError
from catalyst.settings import defaults
from catalyst.testing import START_MS, FakeClock
from catalyst.world.discord import read_body
from tests.receiver import Answer, Receiver


def test_each_sink_that_is_set() -> None:
    """Outcome, status and time of each; what went out says that it is a test."""
    with Receiver(lambda got: Answer(404 if "admin" in got.path else 200, {"id": "1"})) as receiver:
        settings = defaults(discord_webhook_url=receiver.url + "/alerts", discord_admin_webhook=receiver.url + "/admin",
                            webhook_url=receiver.url + "/hook", webhook_secret="s")
        rows = run(settings, None, SystemClock())
    assert [(row["sink"], row["outcome"], row["status"]) for row in rows] == [
        ("discord", "delivered", 200), ("ops", "refused", 404), ("webhook", "delivered", 200)]
    assert all(row["time_ms"] >= 0 for row in rows)
    card, _ = read_body(receiver.got[0].headers["content-type"], receiver.got[0].body)
    assert card is not None
    assert "no alert" in card["content"]
    assert "no alert" in receiver.got[1].json["content"]
    assert receiver.got[2].json["event"] == "ops"
    assert receiver.got[2].headers["x-catalyst-signature"].startswith("sha256=")


def test_one_sink() -> None:
    """Only the named one is asked."""
    with Receiver() as receiver:
        settings = defaults(discord_webhook_url=receiver.url + "/a", webhook_url=receiver.url + "/hook")
        assert [row["sink"] for row in run(settings, "webhook", FakeClock())] == ["webhook"]
        assert [got.path for got in receiver.got] == ["/hook"]


def test_preview_sends_nothing() -> None:
    """The payloads, and no request."""
    with Receiver() as receiver:
        settings = defaults(discord_webhook_url=receiver.url, webhook_url=receiver.url)
        rows = preview(settings, None, START_MS)
        assert [row["sink"] for row in rows] == ["discord", "webhook"]
        assert rows[0]["payload"]["allowed_mentions"] == {"parse": []}
        assert receiver.got == []


def test_what_cannot_be_tried() -> None:
    """An unknown name is a usage error, no address a configuration one."""
    with pytest.raises(UsageError, match="no sink telegram"):
        run(defaults(), "telegram")
    with pytest.raises(ConfigError, match="the sink ops has no address"):
        run(defaults(discord_webhook_url="http://127.0.0.1:1/"), "ops")
    with pytest.raises(ConfigError, match="no sink has an address"):
        run(defaults(), None)
