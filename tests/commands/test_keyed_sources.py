"""`catalyst sources` over sources that ask for a key."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.fetcher import Fetcher
from catalyst.testing import wait_until
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires
from tests.actors.test_fetcher_keyed import KEYS, WRITTEN, listing, serve
from tests.commands.conftest import Catalyst
from tests.commands.tiny import Running

wires = base.wires


def test_the_commands(catalyst: Catalyst, running: Running, wires: Wires, tmp_path: Path,
                      monkeypatch: pytest.MonkeyPatch) -> None:
    """`catalyst sources` says no_key, --check names the setting; neither shows a key that is set."""
    serve(wires)
    path = listing(tmp_path, wires)
    running.settings = running.settings.but(sources=path, allow_hosts=("127.0.0.1",),
                                            **(KEYS | {"finnhub_api_key": ""}))
    running.start(Fetcher)
    wait_until(lambda: running.processes["fetcher"].actor.waiting() == 0)
    shown = catalyst("sources").out + catalyst("sources", "--json").out
    assert [line.split()[4] for line in shown.splitlines()[1:4]] == ["no_key", "ok", "ok"]
    for name, value in {"CATALYST_SOURCES": str(path), "CATALYST_ALLOW_HOSTS": "127.0.0.1",
                        "FINVIZ_AUTH_TOKEN": KEYS["finviz_auth_token"],
                        "BENZINGA_API_KEY": KEYS["benzinga_api_key"]}.items():
        monkeypatch.setenv(name, value)
    done = catalyst("sources", "--check", "--json")
    assert [row["outcome"] for row in done.lines] == ["not asked: FINNHUB_API_KEY is not set", "ok", "ok"]
    shown += done.out + done.err + catalyst("sources", "--check").out + catalyst("config", "show").out
    assert not [key for key in WRITTEN if key in shown]
