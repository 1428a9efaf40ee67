"""Sources with a key: the service gets it, nothing else ever holds it."""

from __future__ import annotations

import json
import logging
import logging.handlers
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from actors.fetcher import Fetcher
from catalyst.clients.http import Http
from catalyst.clients.polls import Poll, ask
from catalyst.testing import START_MS, Bench, FakeClock
from tests.actors import test_fetcher as base
from tests.actors.test_fetcher import Wires, found

wires, clock = base.wires, base.clock
KEYS = {"finnhub_api_key": "finnhub-secret-1", "finviz_auth_token": "finviz/secret+2",
        "benzinga_api_key": "bz-secret-3"}
WRITTEN = (*KEYS.values(), "finviz%2Fsecret%2B2", "finviz/secret%2B2")
PATHS = {"finnhub": "/fh?category=general", "finviz": "/fv?v=3", "benzinga": "/bz?pageSize=9"}
ASKED = {"finnhub": "/fh?category=general", "finviz": "/fv?v=3&auth=finviz%2Fsecret%2B2",
         "benzinga": "/bz?pageSize=9&token=bz-secret-3"}


def listing(folder: Path, wires: Wires) -> Path:
    """A source of each service."""
    path = folder / "sources.toml"
    path.write_text("".join(f'[[source]]\nname = "{kind}"\nurl = "{wires.base}{place}"\nkind = "{kind}"\nevery = 1\n'
                            for kind, place in PATHS.items()))
    return path


def serve(wires: Wires) -> None:
    """Let each service answer with one item, and repeat the key that it was asked with, in body and headers."""
    fh, fv, bz = (f"{wires.base}{ASKED[kind]}" for kind in PATHS)
    wires.documents[ASKED["finnhub"]] = json.dumps([{
        "category": "company", "datetime": START_MS // 1000, "headline": "Finnhub item finnhub-secret-1", "id": 7,
        "related": "ORIC", "summary": "", "url": f"https://e.example/fh?token=finnhub-secret-1&from={fh}"}]).encode()
    wires.documents[ASKED["finviz"]] = (
        f'Title,Source,Date,Url,Category,Ticker\nFinviz item,S,2026-01-02 09:00:00,{fv},Stock,"ORIC"').encode()
    wires.documents[ASKED["benzinga"]] = json.dumps([{
        "id": 5, "created": "Fri, 02 Jan 2026 09:00:00 -0500", "title": "Benzinga item", "teaser": f"see {bz}",
        "url": "#top", "stocks": [{"name": "ORIC"}]}]).encode()
    for kind, path in ASKED.items():
        key = dict(zip(PATHS, KEYS.values(), strict=True))[kind]
        wires.headers[path] = {"Last-Modified": key, "Content-Type": f"text/x; was={key}"}


def bench_of(folder: Path, wires: Wires, clock: FakeClock, **keys: str) -> Bench:
    """A fetcher of the three services."""
    return Bench(Fetcher, folder, clock=clock, sources=listing(folder, wires), allow_hosts=("127.0.0.1",), **keys)


def test_each_is_asked_with_its_key(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Header or parameter; the items go on with their tickers."""
    serve(wires)
    with bench_of(tmp_path, wires, clock, **KEYS) as bench:
        sent = bench.tick("poll_due") + bench.run_jobs()
        assert sorted(found(sent)) == ["Benzinga item", "Finnhub item [key]", "Finviz item"]
        assert {message.symbols for message in sent} == {("ORIC",)}  # type: ignore[attr-defined]
    asked = dict(wires.asked)
    assert sorted(asked) == sorted(ASKED.values())
    assert asked[ASKED["finnhub"]]["x-finnhub-token"] == KEYS["finnhub_api_key"]
    assert parse_qs(urlsplit(ASKED["finviz"]).query)["auth"] == [KEYS["finviz_auth_token"]]
    assert asked[ASKED["benzinga"]]["accept"] == "application/json"
    assert not [name for path in (ASKED["finviz"], ASKED["benzinga"]) for name in asked[path] if name.startswith("x-")]


@pytest.mark.parametrize("state", ["good", "refused", "torn"])
def test_the_key_is_nowhere_else(tmp_path: Path, wires: Wires, clock: FakeClock, caplog: pytest.LogCaptureFixture,
                                 state: str) -> None:
    """Whatever a service answers, its key is in no row, job, message, log or file of the house."""
    caplog.set_level(logging.DEBUG)
    serve(wires)
    for path in ASKED.values():
        if state == "refused":
            wires.status[path] = 401
        elif state == "torn":
            wires.headers[path] = {"Location": f"gopher://x/?token={'-'.join(KEYS.values())}"}
            wires.status[path] = 302
    with bench_of(tmp_path, wires, clock, **KEYS, alert_consecutive_empty_cycles=1) as bench:
        bench.tick("poll_due")
        jobs = repr(bench.jobs())
        sent = bench.run_jobs()
        clock.advance(2)
        bench.tick("poll_due")
        told = json.dumps(bench.verb("sources"))
        dump = "\n".join(bench.store.db.iterdump())
        assert len(wires.asked) == 3
        assert "finnhub" in dump
        for text in (jobs, repr(sent), repr(bench.sent), told, dump):
            assert not [key for key in WRITTEN if key in text]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in files:
        assert not [key for key in WRITTEN if key.encode() in path.read_bytes()], path
    ours = [record for record in caplog.records if record.name.startswith("catalyst")]
    assert not [key for key in WRITTEN for record in ours if key in repr(vars(record))]


def test_without_a_key(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """It is not asked, is no outage and keeps nobody waiting; with the key it is asked at the next reload."""
    serve(wires)
    with bench_of(tmp_path, wires, clock, benzinga_api_key="bz-secret-3", alert_consecutive_empty_cycles=1) as bench:
        sent = bench.tick("poll_due") + bench.run_jobs()
        clock.advance(5)
        bench.tick("poll_due")
        assert found(sent) == ["Benzinga item"]
        assert bench.actor.waiting() == 0
        rows = {row["name"]: row for row in bench.verb("sources")["sources"]}
        assert {name: row["no_key"] for name, row in rows.items()} == {"finnhub": True, "finviz": True,
                                                                        "benzinga": False}
        assert (rows["finviz"]["polls"], rows["finviz"]["outage"], rows["finviz"]["next_due_ms"]) == (0, False, None)
        assert {urlsplit(path).path for path, _ in wires.asked} == {"/bz"}
        bench.actor.settings = bench.settings.but(**KEYS)
        bench.actor.on_reload()
        bench.tick("poll_due")
        assert sorted(found(bench.run_jobs())) == ["Finnhub item [key]", "Finviz item"]


def test_a_row_that_cannot_be_read_is_counted(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """An open quote costs its own row and is among the counters; the news after it comes."""
    serve(wires)
    head, rest = wires.documents[ASKED["finviz"]].split(b"\n", 1)
    wires.documents[ASKED["finviz"]] = head + b'\n"Torn,https://n.example/torn\n' + rest
    with bench_of(tmp_path, wires, clock, **KEYS) as bench:
        sent = bench.tick("poll_due") + bench.run_jobs()
        assert "Finviz item" in found(sent)
        assert bench.actor.statistics()["rows_refused"] == 1


def test_a_key_that_was_taken_away(wires: Wires, clock: FakeClock) -> None:
    """A poll that was queued before its key went is not asked."""
    polled = ask(Http(clock, allow_hosts=("127.0.0.1",)), Poll("finnhub", f"{wires.base}/fh", "finnhub"), "")
    assert (polled.outcome, polled.failed, wires.asked) == ("no_key", True, [])
