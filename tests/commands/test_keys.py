"""`catalyst keys`: makes, shows, imports and forgets keys, and prints no private one."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.runtime.keys import OPERATOR, Keys
from catalyst.runtime.roster import WORKERS
from tests.commands.conftest import Catalyst


def secrets(folder: Path) -> list[str]:
    """The private keys in a folder."""
    return [path.read_text().strip() for path in folder.glob("*.secret")]


def test_none_are_needed_on_one_host(catalyst: Catalyst, home: Path) -> None:
    """Without keys it says what they are for, and makes none."""
    done = catalyst("keys")
    assert (done.code, "catalyst keys --init" in done.out) == (0, True)
    assert not (home / "keys").exists()


def test_init_makes_those_of_this_hosts_actors(catalyst: Catalyst, home: Path,
                                               monkeypatch: pytest.MonkeyPatch) -> None:
    """All actors, or those of CATALYST_ACTORS, and the operator; a second time nothing changes."""
    monkeypatch.setenv("CATALYST_ACTORS", "market,alerter")
    rows = catalyst("keys", "--init", "--json").lines
    assert {row["name"] for row in rows} == {"market", "alerter", OPERATOR}
    assert {row["from"] for row in rows} == {"this host"}
    monkeypatch.delenv("CATALYST_ACTORS")
    again = catalyst("keys", "--init", "--json").lines
    assert {row["name"] for row in again} == {*WORKERS, OPERATOR}
    assert all(row in again for row in rows)
    shown = catalyst("keys").out + catalyst("keys", "--json").out + (home / "keys" / "public.txt").read_text()
    assert len(secrets(home / "keys")) == len(WORKERS) + 1
    assert not [secret for secret in secrets(home / "keys") if secret in shown]


def test_import_and_forget(catalyst: Catalyst, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other host's list is trusted until a key of it is forgotten; a second key of an actor is refused."""
    monkeypatch.setenv("CATALYST_ACTORS", "market")
    catalyst("keys", "--init")
    there = Keys(tmp_path / "there")
    there.make(["fetcher", OPERATOR])
    rows = catalyst("keys", "--import", str(there.folder / "public.txt"), "--json").lines
    assert {(row["name"], row["from"]) for row in rows} == {
        ("market", "this host"), (OPERATOR, "this host"), ("fetcher", "another host"), (OPERATOR, "another host")}
    other = Keys(tmp_path / "other")
    other.make(["fetcher"])
    refused = catalyst("keys", "--import", str(other.folder / "public.txt"))
    assert (refused.code, "--replace" in refused.err) == (64, True)
    assert catalyst("keys", "--import", str(other.folder / "public.txt"), "--replace").code == 0
    assert Keys(home / "keys").public("fetcher") == other.pair("fetcher").public
    fingerprint = other.own[0].fingerprint
    assert fingerprint not in catalyst("keys", "--forget", fingerprint).out
    assert catalyst("keys", "--forget", fingerprint).code == 64


@pytest.mark.parametrize(("words", "code"), [
    (("--import", "nowhere.txt"), 64), (("--init", "--forget", "x"), 64), (("--forget", "zz"), 64)])
def test_a_mistake_is_one_line(catalyst: Catalyst, words: tuple[str, ...], code: int) -> None:
    """A file that is not there, two wishes at once, a fingerprint that nobody has."""
    done = catalyst("keys", *words)
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)


def test_endpoints_without_keys_end_a_command_with_the_cure(catalyst: Catalyst,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong endpoint, and one of another host without keys: 78 and what to do."""
    monkeypatch.setenv("CATALYST_ENDPOINTS", "market=tcp://*:9100")
    done = catalyst("status")
    assert (done.code, "CATALYST_ENDPOINTS" in done.err) == (78, True)
    monkeypatch.setenv("CATALYST_ENDPOINTS", "market=tcp://127.0.0.1:9100")
    monkeypatch.setenv("CATALYST_ACTORS", "fetcher")
    done = catalyst("query", "market", "SELECT 1")
    assert (done.code, "catalyst keys --init" in done.err) == (78, True)
