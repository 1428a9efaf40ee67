"""A sink that the alerter has closed, for a person: named by doctor and status, opened by send-test and reload."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from actors.alerter import Alerter
from catalyst.settings import load
from catalyst.testing import Bench
from tests.alerting import ALERT, drain
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running
from tests.receiver import Answer, Receiver


@pytest.fixture
def receiver(running: Running, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """Discord, which has said that the webhook is gone to an alerter that runs now."""
    with Receiver(lambda got: Answer(404, {"message": "Unknown Webhook", "code": 10015})) as discord:
        monkeypatch.setenv("DISCORD_WEBHOOK_URL", f"{discord.url}/api/webhooks/1/t")
        monkeypatch.setenv("CATALYST_CHARTS", "false")
        running.settings = load()
        with Bench(Alerter, running.settings.home,
                   discord_webhook_url=running.settings.discord_webhook_url) as bench:
            bench.send(ALERT)
            drain(bench)
        running.start(Alerter)
        yield discord


def closed(catalyst: Catalyst) -> list[str]:
    """The sinks that the status names as closed."""
    return [row["sink"] for row in catalyst("status", "--json").json.get("closed_sinks", [])]


def test_it_is_named(catalyst: Catalyst, receiver: Receiver) -> None:
    """Since when and why, as a failure; nothing that fails to take a card opens it."""
    words = "closed since 2026-01-02T14:00:00.000Z: unknown_webhook; no alert goes there"
    checks = catalyst("doctor", "--json").lines
    (row,) = [row for row in checks if row["name"] == "sink discord" and row["state"] != "ok"]
    assert (row["state"], row["said"]) == ("fail", words)
    assert f"failure: sink discord is {words}" in catalyst("status").out
    assert catalyst("send-test", "discord").code == 69
    assert closed(catalyst) == ["discord"]


def test_a_good_test_opens_it(catalyst: Catalyst, receiver: Receiver) -> None:
    """The running alerter is told at once."""
    receiver.answer = lambda got: Answer(200, {"id": "1"})
    assert "discord was closed; alerts go there again" in catalyst("send-test", "discord").out
    assert closed(catalyst) == []
    assert catalyst("send-test", "discord", "--json").json["opened"] is False


def test_a_reload_opens_it(catalyst: Catalyst, receiver: Receiver) -> None:
    """Also where nothing changed."""
    assert "used again: discord" in catalyst("reload").out
    assert closed(catalyst) == []
