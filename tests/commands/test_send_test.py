"""send-test against a real receiver: each sink that is set gets one card that is no alert."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.clients.files import load_rules
from catalyst.clients.notify import is_installed
from catalyst.clock import SystemClock
from catalyst.commands.send_test import preview, run
from catalyst.errors import ConfigError, UsageError
from catalyst.settings import defaults
from catalyst.testing import START_MS, FakeClock
from catalyst.world.discord import read_body
from catalyst.world.discord_rules import body_faults
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


def test_preview_writes_files(tmp_path: Path) -> None:
    """The payload and the chart of each sink, in a folder that is made; the card is the one that would go out."""
    settings = defaults(discord_webhook_url="http://127.0.0.1:1/x", webhook_url="http://127.0.0.1:1/y")
    rows = preview(settings, None, START_MS, folder=tmp_path / "new")
    assert [Path(file).name for row in rows for file in row["files"]] == ["discord.json", "discord.png", "webhook.json"]
    assert json.loads((tmp_path / "new" / "discord.json").read_text()) == rows[0]["payload"]
    assert (tmp_path / "new" / "discord.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(("sink", "names"), [(None, ["discord.json", "discord.png"]), ("webhook", ["webhook.json"])])
def test_a_preview_needs_no_address(tmp_path: Path, sink: str | None, names: list[str]) -> None:
    """In a fresh clone there is something to look at: the alert channel's card, or the one that is named."""
    rows = preview(defaults(), sink, START_MS, folder=tmp_path)
    assert [Path(file).name for row in rows for file in row["files"]] == names
    with pytest.raises(ConfigError, match="the sink notify has no address"):
        preview(defaults(), "notify", START_MS)


def test_a_sample_of_a_kind() -> None:
    """The alert's own card, marked as a test and as simulated; the webhook, where programs listen, gets a notice."""
    with Receiver() as receiver:
        settings = defaults(discord_webhook_url=receiver.url + "/a", webhook_url=receiver.url + "/hook", charts=False)
        rows = run(settings, None, SystemClock(), "fda_approval")
        assert [row["outcome"] for row in rows] == ["delivered", "delivered"]
        card, event = receiver.got[0].json, receiver.got[1].json
    assert card["content"].startswith("TEST ▲ FDA approval · 80")
    assert "simulated" in card["content"]
    assert "no alert" in card["embeds"][0]["description"]
    assert body_faults(card, (), is_edit=False) == []
    assert event["event"] == "ops"


def test_every_kind_has_a_sample() -> None:
    """All kinds of the bundled rules make a card within Discord's limits."""
    settings = defaults(discord_webhook_url="http://127.0.0.1:1/x", charts=False)
    kinds = [rule.name for rule in load_rules(settings).rules if not rule.noise]
    assert len(kinds) > 20
    for kind in kinds:
        (row,) = preview(settings, "discord", START_MS, kind)
        assert body_faults(row["payload"], (), is_edit=False) == []
    with pytest.raises(UsageError, match="fda_approval"):
        preview(settings, "discord", START_MS, "fda_aproval")


def test_addresses_of_notify() -> None:
    """Each address is a sink of its own; without apprise the setting's fault is said, without an address."""
    with Receiver() as receiver:
        settings = defaults(notify=f"json://{receiver.url.removeprefix('http://')}/topicSECRET")
        if not is_installed():
            with pytest.raises(ConfigError, match="apprise") as refused:
                run(settings, None)
            assert "SECRET" not in str(refused.value)
            return
        (row,) = run(settings, "notify", SystemClock())
        assert (row["sink"][:11], row["outcome"], row["status"]) == ("notify-json", "delivered", None)
        assert "no alert" in receiver.got[0].json["message"]


def test_what_cannot_be_tried() -> None:
    """An unknown name is a usage error, no address a configuration one."""
    with pytest.raises(UsageError, match="no sink telegram"):
        run(defaults(), "telegram")
    with pytest.raises(ConfigError, match="the sink ops has no address"):
        run(defaults(discord_webhook_url="http://127.0.0.1:1/"), "ops")
    with pytest.raises(ConfigError, match="no sink has an address"):
        run(defaults(), None)
