"""`catalyst sources`, `pause` and `resume`, against a real fetcher that polls a real server, and without one."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from actors.fetcher import Fetcher
from catalyst.clock import from_iso
from catalyst.commands.output import Local
from catalyst.commands.pause import pause_line, paused_until_ms
from catalyst.commands.sources import as_text, state
from catalyst.testing import START_MS, wait_until
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires, item, listing
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running

wires = base.wires


@pytest.fixture
def fetcher(running: Running, wires: Wires, tmp_path: Path) -> Running:
    """A fetcher of two sources, one of them broken, after its first polls."""
    wires.feed("/good", item("Acme", ms=START_MS))
    wires.status["/bad"] = 404
    running.settings = running.settings.but(sources=listing(tmp_path, wires, "good", "bad"),
                                            allow_hosts=("127.0.0.1",))
    running.start(Fetcher)
    wait_until(lambda: running.processes["fetcher"].actor.waiting() == 0)
    return running


def test_table(catalyst: Catalyst, fetcher: Running) -> None:
    """A line a source: how it does and what was wrong last."""
    lines = catalyst("sources").out.splitlines()
    assert lines[0].split() == ["SOURCE", "KIND", "EVERY", "STATE", "LAST", "OK", "ITEMS", "304", "LAG", "LAST",
                                "ERROR", "PACE"]
    assert lines[1].split()[:5] == ["good", "rss", "10", "s", "ok"]
    assert lines[2].split() == ["bad", "rss", "10", "s", "failing", "-", "0", "0%", "-", "status_404", "as", "listed"]
    good, bad = catalyst("sources", "--json").lines
    assert (good["state"], good["items"], good["polls"], good["not_modified_share"]) == ("ok", 1, 1, 0.0)
    assert good["last_ok"].endswith("Z")
    assert (bad["state"], bad["last_ok"], bad["outcome"]) == ("failing", None, "status_404")


def test_pause_and_resume(catalyst: Catalyst, fetcher: Running) -> None:
    """A person sees what is paused until when: in the answer, in status, in top and in the list of sources."""
    assert from_iso(catalyst("pause", "--for", "10m", "--json").json["paused_until"]) > START_MS
    assert "no source is asked until 20" in catalyst("pause", "--for", "10m").out
    assert catalyst("sources").out.splitlines()[-1].startswith("paused until 20")
    wait_until(lambda: "paused by a person until" in catalyst("status").out)
    assert set(catalyst("status", "--json").json) == {"actors", "idle"}
    assert "PAUSED to " in catalyst("top", "--once").out
    assert "are asked again" in catalyst("resume").out
    assert catalyst("resume", "--json").json == {"was_paused": False, "paused_by": None}
    wait_until(lambda: "paused" not in catalyst("status").out)


def test_an_hour_is_the_default(catalyst: Catalyst, fetcher: Running) -> None:
    """Without a length a pause lasts an hour; one that is too long is refused in one line."""
    catalyst("pause")
    sql = "SELECT until_ms - began_ms FROM pauses WHERE ended_ms IS NULL"
    (length,) = catalyst("query", "fetcher", sql, "--json").json.values()
    assert length == 3_600_000
    done = catalyst("pause", "--for", "30d")
    assert (done.code, "84 h" in done.err) == (64, True)
    assert catalyst("pause", "--for", "soon").code == 64


@pytest.mark.parametrize("words", [("sources",), ("pause",), ("resume",)])
def test_without_a_fetcher(catalyst: Catalyst, words: tuple[str, ...]) -> None:
    """69, in one line."""
    done = catalyst(*words)
    assert (done.code, done.out, done.err.count("\n")) == (69, "", 1)
    assert "fetcher is not running" in done.err


def test_check(catalyst: Catalyst, wires: Wires, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address is asked once, disabled ones too, without any actor; 69 where an enabled one gives nothing."""
    wires.feed("/off", item("Off", ms=START_MS))
    wires.feed("/good", item("Old", ms=START_MS - 60_000), item("New", ms=START_MS))
    wires.feed("/empty")
    wires.documents["/page"] = b"<html><body>no</body></html>"
    wires.status["/gone"] = 410
    path = listing(tmp_path, wires, "good", "empty", "page", "gone", "off")
    path.write_text(path.read_text() + "enabled = false\n")
    monkeypatch.setenv("CATALYST_SOURCES", str(path))
    monkeypatch.setenv("CATALYST_ALLOW_HOSTS", "127.0.0.1")
    done = catalyst("sources", "--check", "--json")
    assert done.code == 69
    good, *others = done.lines
    assert list(good) == ["name", "enabled", "outcome", "status", "type", "entries", "newest_age_s", "time_ms"]
    assert (good["name"], good["outcome"], good["status"], good["entries"]) == ("good", "ok", 200, 2)
    assert good["newest_age_s"] > 1_000
    assert [(row["name"], row["outcome"], row["status"], row["entries"]) for row in others] == [
        ("empty", "empty", 200, 0), ("page", "html", 200, None), ("gone", "status_410", 410, None),
        ("off", "ok", 200, 1)]
    assert [row["enabled"] for row in others] == [True, True, True, False]
    assert sorted(asked for asked, _ in wires.asked) == ["/empty", "/gone", "/good", "/off", "/page"]
    done = catalyst("sources", "--check", "off", "good")
    assert (done.code, [line.split()[:4] for line in done.out.splitlines()[1:]]) == (
        0, [["good", "enabled", "ok", "200"], ["off", "disabled", "ok", "200"]])
    wires.status["/off"] = 404
    assert catalyst("sources", "--check", "off").code == 0
    assert catalyst("sources", "--check", "of").code == 64
    assert catalyst("sources", "good").code == 64


def test_check_does_not_ask_the_sec_anonymously(catalyst: Catalyst, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a contact EDGAR is left alone, and the line says why."""
    path = tmp_path / "own.toml"
    path.write_text('[[source]]\nname = "sec"\nurl = "https://www.sec.gov/cgi-bin/browse-edgar"\nkind = "edgar"\n')
    monkeypatch.setenv("CATALYST_SOURCES", str(path))
    row = catalyst("sources", "--check", "--json").json
    assert row["outcome"] == "not asked: SEC_USER_AGENT is not set"


@pytest.mark.parametrize(("row", "word"), [
    ({"enabled": False, "outcome": "ok"}, "disabled"), ({"outcome": None}, "never"), ({"outcome": "ok"}, "ok"),
    ({"outcome": "not_modified"}, "ok"), ({"outcome": "empty"}, "failing"), ({"outcome": "timeout"}, "failing"),
    ({"outcome": "empty", "outage": True}, "outage")])
def test_state(row: dict[str, object], word: str) -> None:
    """One word a source."""
    assert state({"enabled": True, "outage": False, **row}) == word


def test_lines_of_a_pause() -> None:
    """A person's pause has an end and the time left; the backlog's has none; without a fetcher nothing is said."""
    assert pause_line({"statistics": {"paused_until_ms": float(START_MS + 600_000)}}, Local(UTC), START_MS) == (
        "paused by a person until 2026-01-02 14:10:00 UTC, 10 m from now: catalyst resume ends it")
    assert "backlog" in pause_line({"statistics": {"paused_backlog": 1}}, Local(UTC), START_MS)
    assert [pause_line(said, Local(UTC)) for said in (None, {"statistics": {}}, {})] == [""] * 3
    assert paused_until_ms({"statistics": {"paused_until_ms": 5.0}}) == 5
    assert "backlog" in as_text({"sources": [], "paused_by": "backlog", "paused_until_ms": None}, START_MS, Local(UTC))
