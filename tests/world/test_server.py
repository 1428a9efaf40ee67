import json
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalyst.clients.sinks import with_file
from catalyst.clock import from_iso
from catalyst.core.feeds import parse_feed
from catalyst.errors import ConfigError, UnavailableError
from catalyst.testing import FakeClock
from catalyst.world.server import World

QUIET = {"content": "a", "allowed_mentions": {"parse": []}}
ALERTS = "/api/webhooks/1/alerts"


def published(client, path="/feeds/prnewswire.xml"):
    return {entry.link: entry.published_ms for entry in parse_feed(client.get(path).body).entries}


def test_feeds_grow_and_answer_304_in_between(day, client):
    """The same tag until something new appears; dates are the real moments of appearing, never in the future."""
    clock = FakeClock()
    with World(day, clock=clock) as world:
        browser = client(world)
        first = browser.get("/feeds/prnewswire.xml")
        assert first.status == 200
        again = browser.get("/feeds/prnewswire.xml", **{"If-None-Match": first.headers["etag"]})
        assert (again.status, again.body) == (304, b"")
        before = published(browser)
        clock.advance(300)
        assert browser.get("/feeds/prnewswire.xml", **{"If-None-Match": first.headers["etag"]}).status == 200
        after = published(browser)
        assert set(before) < set(after)
        start = clock.now_ms() - 300_000
        new = [moment for link, moment in after.items() if link not in before and moment is not None]
        assert all(start - 1000 <= moment <= clock.now_ms() for moment in new)


def test_a_filing_counts_once(filed_day, filed, client):
    """However many parties it has; forms for which no list is asked do not count at all."""
    clock = FakeClock()
    with World(filed_day, clock=clock) as world:
        clock.advance(600)
        about = client(world).get("/_day").json
    listed = [line for line in filed if line["listed"]]
    assert about["published"] == about["items"] == 160 + len(listed)
    assert len(listed) < len(filed)


def test_speed_brings_items_earlier_with_true_dates(day, truth, client):
    """At speed 10 the day of 600 s is over after 60; backlog keeps its distance in real time."""
    clock = FakeClock()
    started = clock.now_ms()
    with World(day, speed=10, clock=clock) as world:
        clock.advance(60)
        browser = client(world)
        about = browser.get("/_day").json
        assert about["published"] == about["items"] == 120
        assert about["ends"] == about["now"]
        backlog = {line["link"]: from_iso(line["published"]) for line in truth if line["what"] == "backlog"}
        shown = {}
        for feed in day.feeds:
            shown |= published(browser, f"/feeds/{feed.name}.xml")
        for link, moment in backlog.items():
            assert shown[link] - started == pytest.approx(moment - day.starts_ms, abs=1000)
        assert all(moment <= clock.now_ms() for moment in shown.values() if moment is not None)


def test_a_restarted_world_goes_on_with_the_same_day(day, tmp_path, client):
    """Same dates, same webhook messages; another day or speed is refused by name."""
    clock = FakeClock()
    state, sent = tmp_path / "state.json", tmp_path / "sent.jsonl"
    with World(day, clock=clock, state=state, sent=sent) as world:
        browser = client(world)
        number = browser.send("POST", f"{ALERTS}?wait=true", QUIET).json["id"]
        browser.ask("POST", "/hook", b'{"id":"a"}', {"Idempotency-Key": "a"})
        clock.advance(100)
        before = published(browser)
    clock.advance(7)
    with World(day, clock=clock, state=state, sent=sent) as world:
        browser = client(world)
        after = published(browser)
        assert {link: after[link] for link in before} == before
        assert browser.send("PATCH", f"{ALERTS}/messages/{number}", {**QUIET, "content": "b"}).status == 200
        assert browser.ask("POST", "/hook", b'{"id":"a"}', {"Idempotency-Key": "a"}).json["repeated"] is True
        assert [record["method"] for record in browser.get("/_sent").json["messages"]] == ["POST", "PATCH"]
    with pytest.raises(ConfigError, match="belongs to day generated-11 at speed 1"):
        World(day, speed=2, clock=clock, state=state)
    assert len(sent.read_text().splitlines()) == 4


def test_serves_company_list_and_prices(day, truth, client):
    """The SEC's list with a tag, a chart for a company of the day, a 404 for a stranger."""
    ticker = next(line["ticker"] for line in truth if line["fate"] == "alerted")
    with World(day) as world:
        browser = client(world)
        companies = browser.get("/files/company_tickers.json")
        assert ticker in {row["ticker"] for row in companies.json.values()}
        tagged = browser.get("/files/company_tickers.json", **{"If-None-Match": companies.headers["etag"]})
        assert tagged.status == 304
        meta = browser.get(f"/v8/finance/chart/{ticker}?range=1d&interval=1m").json["chart"]["result"][0]["meta"]
        assert 0.1 < meta["regularMarketPrice"] < 10
        assert browser.get("/v8/finance/chart/NONE").status == 404


def test_keeps_what_discord_and_the_hook_were_sent(day, client):
    """In order, with arrival time, payload, file names and status; the hook's body stays as it came."""
    multipart = (b'--B\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'
                 + json.dumps(QUIET).encode() + b'\r\n--B\r\n'
                 b'Content-Disposition: form-data; name="files[0]"; filename="c.png"\r\n\r\n'
                 b'PNG\r\n--B--\r\n')
    with World(day, discord_limit=(1, 60.0)) as world:
        browser = client(world)
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
        posted = browser.ask("POST", f"{ALERTS}?wait=true", multipart, headers)
        assert posted.json["attachments"][0]["filename"] == "c.png"
        assert posted.headers["x-ratelimit-remaining"] == "0"
        assert browser.send("POST", ALERTS, QUIET).status == 429
        browser.ask("POST", "/hook", b'{"id": "x"}', {"X-Catalyst-Event": "alert"})
        sent = browser.get("/_sent").json
    assert [(record["status"], record["attachments"]) for record in sent["messages"]] == [(200, ["c.png"]), (429, [])]
    assert sent["messages"][0]["payload"] == QUIET
    assert sent["messages"][0]["webhook"] == "1/alerts"
    assert (sent["rate_limited"], sent["violations"]) == (1, [])
    assert sent["events"][0]["body"] == '{"id": "x"}'
    assert sent["events"][0]["headers"]["X-Catalyst-Event"] == "alert"


def test_a_picture_can_be_looked_at(day, client):
    """What an alert's edit attached is listed with its size and can be fetched from its address."""
    png = b"\x89PNG\r\n\x1a\n\x00\r\n--"
    card = {**QUIET, "attachments": [{"id": 0, "filename": "chart.png"}],
            "embeds": [{"title": "t", "image": {"url": "attachment://chart.png"}}]}
    body, content_type = with_file(json.dumps(card).encode(), "chart.png", png)
    with World(day) as world:
        browser = client(world)
        number = browser.send("POST", f"{ALERTS}?wait=true", QUIET).json["id"]
        edited = browser.ask("PATCH", f"{ALERTS}/messages/{number}", body, {"Content-Type": content_type})
        address = edited.json["attachments"][0]["url"]
        assert address.startswith(world.url)
        got = browser.get(address.removeprefix(world.url))
        assert (got.status, got.headers["content-type"], got.body) == (200, "image/png", png)
        assert browser.get("/attachments/5/chart.png").status == 404
        sent = browser.get("/_sent").json
    assert sent["messages"][1]["attachments"] == ["chart.png"]
    assert sent["messages"][1]["files"] == [{"part": "files[0]", "name": "chart.png", "size": len(png)}]
    assert [(file["name"], file["size"], file["url"]) for file in sent["messages"][1]["shown"]] == [
        ("chart.png", len(png), address)]
    assert sent["violations"] == []


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/nothing", 404), ("GET", "/feeds/none.xml", 404), ("POST", "/feeds/prnewswire.xml", 404),
    ("GET", "/hook", 404), ("PATCH", ALERTS, 405), ("POST", f"{ALERTS}/messages/1", 405),
    ("POST", "/api/webhooks/1", 404), ("GET", f"{ALERTS}/messages/1", 404), ("POST", ALERTS, 400),
    ("GET", "/feeds/..%2f..%2fday.toml", 404),
])
def test_refuses_in_json(day, client, method, path, status):
    """Unknown addresses and wrong methods get a status and a JSON body, and the connection goes on."""
    with World(day) as world:
        browser = client(world)
        answer = browser.ask(method, path)
        assert answer.status == status
        assert isinstance(answer.json, dict)
        assert browser.get("/_day").status == 200


def test_many_clients_at_once_lose_nothing(day, client):
    """Eight threads post at the same time; every message has its own id and is kept."""
    with World(day) as world:
        def post_some(_):
            browser = client(world)
            return [browser.send("POST", f"{ALERTS}?wait=true", QUIET).json["id"] for _ in range(25)]

        with ThreadPoolExecutor(8) as pool:
            ids = [number for numbers in pool.map(post_some, range(8)) for number in numbers]
        assert len(set(ids)) == 200
        assert {record["message_id"] for record in world.sent()["messages"]} == set(ids)


def test_half_a_request_has_not_arrived(day, client):
    """A sender that dies in the middle of its body leaves no trace: nothing is kept, nothing is held against it."""
    with World(day) as world:
        with socket.create_connection(("127.0.0.1", world.port)) as line:
            line.sendall(f"POST {ALERTS}?wait=true HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{{".encode())
            line.shutdown(socket.SHUT_WR)
            assert line.recv(1000) == b""
        sent = client(world).get("/_sent").json
        assert (sent["messages"], sent["violations"]) == ([], [])


def test_a_closed_world_cuts_its_connections(day, client):
    """A client that kept its connection notices that the world has ended."""
    world = World(day)
    browser = client(world)
    assert browser.get("/_day").status == 200
    world.close()
    world.close()
    with pytest.raises(OSError):
        browser.get("/_day")


def test_a_taken_port_is_a_plain_error(day):
    """The message names the port."""
    with World(day) as world, pytest.raises(UnavailableError, match=str(world.port)):
        World(day, world.port)
