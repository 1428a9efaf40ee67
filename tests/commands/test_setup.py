"""`catalyst config`, `version` and `send-test`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from catalyst.cli import COMMANDS, make_parser
from catalyst.commands import house, run
from catalyst.settings import load
from catalyst.world.discord import attachment_faults, body_faults, read_body
from catalyst.world.generate import generate
from tests.commands.conftest import Catalyst
from tests.receiver import Answer, Receiver


def test_config(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every setting with value, origin and meaning; a secret is only said to be set."""
    monkeypatch.setenv("CATALYST_WEBHOOK_SECRET", "hunter2")
    rows = {row["name"]: row for row in catalyst("config", "show", "--json").lines}
    assert rows["CATALYST_WEBHOOK_SECRET"]["value"] == "set"
    assert rows["CATALYST_WEBHOOK_SECRET"]["origin"] == "environment"
    assert rows["MIN_SCORE"]["origin"] == "default"
    assert "hunter2" not in catalyst("config", "show").out


def test_config_fault(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting ends every command with exit code 78 and its name."""
    monkeypatch.setenv("CATALYST_HOEM", "x")
    for words in (("config", "show"), ("status",), ("items",)):
        done = catalyst(*words)
        assert (done.code, "CATALYST_HOEM" in done.err) == (78, True)


@pytest.mark.parametrize("command", ["up", "actor", "run"])
def test_alert_backlog(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """What starts a fetcher takes --alert-backlog: above the environment, and with the same range."""
    monkeypatch.setenv("CATALYST_ALERT_BACKLOG", "3")
    parser = make_parser(COMMANDS[command])
    {"up": house.add_arguments_up, "actor": house.add_arguments_actor, "run": run.add_arguments}[command](parser)
    words = ["fetcher"] if command == "actor" else []
    house.export_backlog(parser.parse_args(words))
    assert load().alert_backlog == 3
    house.export_backlog(parser.parse_args([*words, "--alert-backlog", "5"]))
    assert load().alert_backlog == 5
    for text, code in (("x", 64), ("-1", 64), ("10001", 78)):
        done = catalyst(command, *words, "--alert-backlog", text)
        assert (done.code, "BACKLOG" in done.err.upper()) == (code, True)


def test_a_day_that_is_none(catalyst: Catalyst, home: Path) -> None:
    """A world without a day is a fault of the set-up, for the house that is to play it as for the world itself."""
    for words in (("up", "--world", str(home)), ("world", str(home))):
        done = catalyst(*words)
        assert (done.code, "day.toml" in done.err) == (78, True)


def test_a_home_that_cannot_be(catalyst: Catalyst, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What starts the house says in one line that its home is a file, or lies in one."""
    generate(1, 5, tmp_path / "day", duration_s=60)
    (tmp_path / "file").write_text("")
    for place in ("file", "file/home"):
        monkeypatch.setenv("CATALYST_HOME", str(tmp_path / place))
        for words in (("run",), ("up",), ("up", "--world", str(tmp_path / "day")), ("actor", "market")):
            done = catalyst(*words)
            assert (done.code, place in done.err, done.err.count("\n")) == (78, True, 1)


def test_version(catalyst: Catalyst) -> None:
    """The versions of what the system stands on."""
    versions = catalyst("version", "--json").json
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(versions) == {"version", "python", "sqlite", "libzmq"}
    assert catalyst("--version").out == catalyst("version").out
    assert versions["libzmq"] in catalyst("version").out


def test_send_test(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test card goes out and the outcome is shown; a preview sends nothing; a refusal is exit code 69."""
    with Receiver() as receiver:
        monkeypatch.setenv("DISCORD_WEBHOOK_URL", f"{receiver.url}/api/webhooks/1/token")
        preview = catalyst("send-test", "--preview")
        assert "allowed_mentions" in preview.lines[0]["payload"]
        assert receiver.got == []
        assert catalyst("send-test", "--json").lines[0]["outcome"] == "delivered"
        assert "delivered" in catalyst("send-test", "discord").out
        assert len(receiver.got) == 2
    with Receiver(lambda got: Answer(404)) as receiver:
        monkeypatch.setenv("DISCORD_WEBHOOK_URL", f"{receiver.url}/api/webhooks/1/token")
        assert catalyst("send-test").code == 69


def test_the_trial_carries_a_chart_where_alerts_do(catalyst: Catalyst, monkeypatch: pytest.MonkeyPatch) -> None:
    """With CATALYST_CHARTS a small picture that says it is simulated, within Discord's limits; without it none."""
    with Receiver() as receiver:
        monkeypatch.setenv("DISCORD_WEBHOOK_URL", f"{receiver.url}/api/webhooks/1/token")
        assert catalyst("send-test").code == 0
        card, uploads = read_body(receiver.got[0].headers["content-type"], receiver.got[0].body)
        assert card is not None
        assert "simulated prices" in card["attachments"][0]["description"]
        assert [upload.data[:4] for upload in uploads] == [b"\x89PNG"]
        assert body_faults(card, uploads, is_edit=False) + attachment_faults(card, uploads, []) == []
        assert catalyst("send-test", "--preview").lines[0]["payload"]["attachments"] == card["attachments"]
        monkeypatch.setenv("CATALYST_CHARTS", "0")
        assert catalyst("send-test").code == 0
        assert "attachments" not in receiver.got[1].json


def test_send_test_without_sinks(catalyst: Catalyst) -> None:
    """No address is a matter of configuration, an unknown sink one of usage."""
    assert catalyst("send-test").code == 78
    assert catalyst("send-test", "carrier-pigeon").code == 64
