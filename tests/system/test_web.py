"""The page of a whole house: what it shows, its health and metrics, its death that nobody feels, and a real browser."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from catalyst.bench.house import House
from catalyst.runtime.control import Control
from catalyst.runtime.heartbeat import anonymous_bytes
from catalyst.testing import wait_until
from tests.web.browser import BROWSER, Browser
from tests.web.still import get

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
MEMORY_BYTES = 60_000_000


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house that has played a small day."""
    with House(tmp_path_factory.mktemp("web"), items=40, duration_s=5) as opened:
        opened.open_world()
        opened.up()
        opened.wait_until_settled()
        yield opened


def port_of(house: House) -> int:
    """Where the page of this house is now, as soon as it is ready."""
    found: list[int] = []

    def opened() -> bool:
        with Control(house.home / "run") as control:
            url = control.ask_all(["web"], "address", 0.5).get("web", {}).get("url")
        found[:] = [int(url.split(":")[2].strip("/"))] if url else []
        return bool(found) and get(found[0], "/readyz")[0] == 200

    wait_until(opened, 20, "the page is ready")
    return found[0]


def test_the_page_shows_what_was_alerted(house: House) -> None:
    """Every alert of the command line is on the page, and each has a page of its own with its way."""
    port = port_of(house)
    assert f"page: http://127.0.0.1:{port}/" in house.catalyst("status")
    alerts = [json.loads(line) for line in house.catalyst("alerts", "--json").splitlines()]
    assert len(alerts) > 5
    status, _, body = get(port, "/")
    page = body.decode()
    assert status == 200
    for alert in alerts:
        assert f'href="/alert/{alert["id"]}"' in page
        assert f'<b class="ticker">{alert["ticker"]}</b>' in page
    status, _, body = get(port, f"/alert/{alerts[0]['id']}")
    for part in ("StoryFound", "AlertReady", "market → alerter", "delivered"):
        assert part in body.decode(), part
    items = get(port, "/items")[2].decode()
    for fate in ("alerted", "dropped"):
        assert fate in items
    for path in ("/sources", "/actors", "/feed.json"):
        assert get(port, path)[0] == 200


def test_health_and_metrics(house: House) -> None:
    """A healthy house is 200 by actor, and its metrics say what the status says."""
    port = port_of(house)
    status, _, body = get(port, "/healthz")
    assert (status, json.loads(body)["status"]) == (200, "ok"), body
    families = {family.name: family for family in text_string_to_metric_families(get(port, "/metrics")[2].decode())}
    up = {sample.labels["actor"]: sample.value for sample in families["catalyst_actor_up"].samples}
    rows = house.status()["actors"]
    assert up == {row["name"]: 1 for row in rows}
    handled = {sample.labels["actor"]: sample.value for sample in families["catalyst_handled"].samples}
    assert handled["classifier"] == next(row["handled"] for row in rows if row["name"] == "classifier")
    latency = {sample.labels["quantile"]: sample.value
               for sample in families["catalyst_alert_latency_seconds"].samples}
    assert 0 < latency["0.5"] <= latency["0.99"] < 10
    assert sum(len(family.samples) for family in families.values()) <= 2_000


def test_a_killed_page_comes_back(house: House) -> None:
    """kill -9 of the page touches nobody else; a new one serves again and is ready."""
    port_of(house)
    before = {row["name"]: row["pid"] for row in house.status()["actors"]}
    assert house.kill("web") == before["web"]
    wait_until(lambda: house.pid("web") not in (None, before["web"]), 10, "a new page")
    port = port_of(house)
    assert get(port, "/")[0] == 200
    after = {row["name"]: row["pid"] for row in house.status()["actors"]}
    assert {name for name in before if before[name] != after[name]} == {"web"}


def test_a_stopped_actor_is_seen_and_holds_nobody(house: House) -> None:
    """SIGSTOP of the alerter: the page answers on, says hung within four seconds, healthz is 503, then all is well.

    The supervisor stands still too: it would replace the alerter before anybody had looked.
    """
    port = port_of(house)
    wait_until(lambda: b"<article" in get(port, "/")[2], 10, "a page that knows alerts")
    house.kill("supervisor", signal.SIGSTOP)
    house.kill("alerter", signal.SIGSTOP)
    try:
        wait_until(lambda: "actor_hung:alerter" in json.loads(get(port, "/healthz")[2])["reasons"], 5, "seen")
        assert get(port, "/healthz")[0] == 503
        began_s = time.monotonic()
        status, _, body = get(port, "/")
        assert (status, "✖ alerter is hung".encode() in body) == (200, True)
        assert b"<article" in body, "the alerts that it knew"
        assert time.monotonic() - began_s < 2
    finally:
        house.kill("alerter", signal.SIGCONT)
        house.kill("supervisor", signal.SIGCONT)
    wait_until(lambda: get(port, "/healthz")[0] == 200, 10, "well again")


def test_many_readers_cost_little(house: House) -> None:
    """Some hundreds of readers leave the page below its memory and every actor running."""
    port = port_of(house)
    paths = ("/", "/actors", "/items", "/metrics", "/healthz", "/?q=a")
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda n: get(port, paths[n % len(paths)]), range(600)))
    assert {status for status, _, _ in answers} == {200}
    pid = house.pid("web")
    assert pid is not None
    assert (anonymous_bytes(pid) or 0) < MEMORY_BYTES
    assert house.all_running()


@pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
@pytest.mark.parametrize("width", [1280, 390])
def test_a_real_browser(house: House, tmp_path: Path, width: int) -> None:
    """Chromium shows the alerts of a running house, finds no fault, and asks nobody else for anything."""
    address = f"http://127.0.0.1:{port_of(house)}/"
    with Browser(tmp_path) as browser:
        browser.open(address, width, 844, "dark")
        assert browser.value("document.querySelectorAll('article').length") > 5
        assert browser.value("document.querySelector('.banner.mild, main .banner') === null")
        assert not browser.complaints
        assert all(found.startswith((address, "data:")) for found in browser.requests)
        assert browser.picture().startswith(b"\x89PNG")
