"""One hostile headline through everything that shows it: card, signed webhook, page, top and log."""

from __future__ import annotations

import json
import re
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from catalyst import log
from catalyst.core.card import Moment, discord_card
from catalyst.core.delivery import Deliver
from catalyst.core.event import event_bytes, listed_alert, webhook_event
from catalyst.messages import Kind
from catalyst.testing import START_MS, same
from catalyst.top import Alert, Snapshot, View, frame
from catalyst.web import pages, views
from catalyst.web.alert_page import alert_page
from catalyst.web.layout import Frame
from catalyst.web.pages import Filter
from catalyst.world.discord import body_faults
from tests.core.cards import BASE
from tests.web.examples import detail, look, raw_detail
from tests.web.test_pages import HORIZONS, Reader

HEADLINES = {
    "mention": "@everyone @here <@1> <@&2> <#3> Acme wins",
    "markdown": "# **Acme** __wins__ ~~it~~ ||all|| `x` ```y``` > z [Buy](https://evil.example) <https://evil.example>",
    "button": "Acme wins [ BUY NOW ](https://evil.example) <t:1:R> :rocket: </buy:1> <a:x:1>",
    "ansi": "Acme \x1b[31mwins\x1b[0m \x1b]8;;https://evil.example\x07all\x1b]8;;\x07 \x9b2J \x7f\x08",
    "endless": "Acme wins " * 1_000,
    "direction": "Acme \u202eGNP.exe\u202c \u2066wins\u2069 \u200f\u061c\u200bit",
    "page": "<script>alert(1)</script> \"'><img src=x onerror=alert(1)> &lt;b&gt;",
    "lines": "Acme\r\nSet-Cookie: x=1\n\u2028event: alert\u2029\x00{\"event\":\"alert\"}",
}
STEERING = re.compile("[\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]")


@pytest.mark.parametrize("name", HEADLINES)
def test_a_hostile_headline_is_harmless_everywhere(name: str, tmp_path: Path) -> None:
    """It mentions nobody, links nowhere, formats nothing, steers no terminal and starts no line of its own."""
    words = HEADLINES[name][:2_000]  # what a message carries
    alert = same(BASE, title=words, why=f"contract (up): “{words}” in the title, score 0.87"[:2_000],
                 kinds=(Kind("contract", words, "up", 1.0),))

    card = discord_card(alert, (), Moment(START_MS, ZoneInfo("UTC")))  # type: ignore[arg-type]
    assert body_faults(card, (), is_edit=False) == []
    description = card["embeds"][0]["description"]
    assert not STEERING.search(description.replace("\n", ""))
    assert not re.search("@(?!\u200b)", json.dumps(card, ensure_ascii=False))
    bare = re.sub(r"\\[^0-9A-Za-z\s]", "", description).replace("**", "", 2)
    assert not re.search(r"[*_~|`<\[\]]|https?://|^[#>-]", bare)
    assert description.count("\n") == 1

    event = webhook_event(Deliver(id="a", sink="webhook", event="alert", alert=alert), START_MS)  # type: ignore[arg-type]
    body = event_bytes(event).decode()
    assert not STEERING.search(body)
    assert json.loads(body)["event"] == "alert"

    listed = listed_alert(alert, "posted", (), {}, START_MS)  # type: ignore[arg-type]
    shown = look(alerts=(views.alert(listed),))
    one = detail(**raw_detail(alert={**listed, "kinds_found": [], "summary": words}))
    framed = Frame(shown, ZoneInfo("UTC"))
    for page in (pages.alerts_page(framed, shown.alerts, Filter(), 1), alert_page(framed, one, HORIZONS)):
        read = Reader(page)
        assert not STEERING.search(page.decode().replace("\n", ""))
        assert not [given for tag, given in read.tags if tag == "script" and given.get("src") != "/page.js"]
        assert not [given for _, given in read.tags if any(key.startswith("on") for key in given)]
        assert not [given for _, given in read.tags if "evil" in (given.get("href") or "")]

    top = Alert(START_MS, "ACME", "up", (words,), 0.8, 3.2, False, 38, "posted", words)
    for line in frame(Snapshot("/h", START_MS, 9.0, (), (top,), START_MS, ()), 200, 30, View("market", "keys"), UTC):
        assert line.text.isprintable()

    log.configure("actor", tmp_path)
    log.info("alert", title=words)
    log.configure("nobody", tmp_path / "end")
    (line_bytes, nothing) = (tmp_path / "actor.jsonl").read_bytes().split(b"\n")
    assert nothing == b""
    assert not STEERING.search(line_bytes.decode())
    assert json.loads(line_bytes)["title"] == words
