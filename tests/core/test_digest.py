"""Digests as Discord and the webhook get them, and what cards say of updates and delays."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.card import Moment, discord_card
from catalyst.core.delivery import Correction, Deliver, Digest, Repeat, Source
from catalyst.core.digest import MOST, digest_card, late_words, spoken
from catalyst.core.event import webhook_event
from catalyst.messages import AlertReady, Kind
from catalyst.testing import START_MS, same
from catalyst.world.discord import body_faults
from tests.alerting import ALERT

MOMENT = Moment(START_MS, ZoneInfo("America/New_York"))
odd = st.lists(st.sampled_from(["@everyone", "<@1>", "[x](http://evil.example)", "**", "`", "😀" * 40, "\u202e", "\n",
                                "_" * 300, "https://evil.example", "a" * 300, "\x00"]) | st.text(max_size=30),
               max_size=12).map(lambda parts: "".join(parts)[:2000])
ALERTS = st.builds(
    lambda ticker, **changes: same(ALERT, ticker=ticker, kinds=(Kind(changes.pop("kind")[:200], "", "up", 1.0),),
                                   **changes),
    st.from_regex(r"[A-Z0-9.\-]{1,10}", fullmatch=True), kind=odd, title=odd, why=odd, score=st.floats(0, 1),
    link=odd.map(lambda text: f"https://x.example/{text}"), price_usd=st.none() | st.floats(0, 1e12),
    simulated=st.booleans(), ready_ms=st.integers(-(2**53), 2**53))


def test_digest_of_two() -> None:
    """A line that counts and names, an embed an alert with why, price and lateness, the id at the end."""
    late = same(ALERT, ticker="WXYZ", direction="down", price_usd=None, ready_ms=START_MS - 180_000, score=0.4)
    assert isinstance(late, AlertReady)
    card = digest_card("dg-a1", Digest("waiting", (ALERT, late)), MOMENT)
    assert card["content"] == ("2 alerts in one message: too many were waiting · ACME ▲ FDA approval · 80, "
                               "WXYZ ▼ negative: FDA approval · 40")
    assert [embed["description"].splitlines()[1:] for embed in card["embeds"]] == [
        ["wins (title)", "$4.20"], ["wins (title)", "no price · late by 3 min"]]
    assert [embed.get("footer") for embed in card["embeds"]] == [
        {"text": f"id {ALERT.alert_id}"}, {"text": f"id {late.alert_id} · digest dg-a1"}]
    assert card["embeds"][0]["url"] == ALERT.link


def test_digest_of_one_after_quiet_hours() -> None:
    """It says so in the singular, and nothing of more."""
    card = digest_card("qt-a1", Digest("quiet", (ALERT,)), MOMENT)
    assert card["content"].startswith("Quiet hours are over: 1 alert held · ACME")
    assert card["embeds"][-1]["footer"]["text"] == f"id {ALERT.alert_id} · digest qt-a1"


@given(st.lists(ALERTS, min_size=1, max_size=MOST), st.integers(0, 10**6), st.booleans(), st.lists(odd, max_size=3))
def test_every_digest_is_valid(alerts: list[AlertReady], more: int, repeat: bool, later: list[str]) -> None:
    """Within Discord's limits, all embeds together, with no mention, whatever followed; the event is JSON."""
    link = "https://x.example/"
    digest = Digest("quiet" if more else "waiting", tuple(alerts), more,
                    {alert.alert_id: tuple(Source(text, link) for text in later) for alert in alerts},
                    {one.alert_id: tuple(Correction("wire", text, link + text) for text in later) for one in alerts})
    card = digest_card("dg-" + "a" * 20, digest, Moment(START_MS, MOMENT.zone, repeat))
    assert body_faults(card, (), is_edit=False) == []
    assert card["allowed_mentions"] == {"parse": []}
    text = msgspec.json.encode(card).decode()
    assert not re.search("@(?!\u200b)", text)
    assert not {"\u202e", "\x00"} & set(text)
    told = webhook_event(Deliver(id="dg-x", sink="webhook", event="digest", digest=digest), START_MS)
    assert told["event"] == "ops"
    assert msgspec.json.encode(told)


@pytest.mark.parametrize(("waited_ms", "words"), [
    (0, ""), (60_000, ""), (61_000, "late by 1 min"), (150_000, "late by 2 min"), (7_200_000, "late by 2 h"), (-5, "")])
def test_late_words(waited_ms: int, words: str) -> None:
    """Over a minute after it was ready."""
    assert late_words(ALERT, ALERT.ready_ms + waited_ms) == words


def test_spoken_is_for_discord_only() -> None:
    """There the updates come first among the sources, the newest first, and lateness before the reason."""
    repeats = (Repeat(2, "Again", "Business Wire", "https://b.example/2"), Repeat(3, "More", "GNW", ""))
    payload = Deliver(id="a1", sink="discord", event="update", n=1, alert=ALERT, repeats=repeats,
                      sources=(Source("Other", "https://o.example/"),), sent_ms=START_MS + 120_000)
    told = spoken(payload, START_MS + 10_000_000)
    assert [source.name for source in told.sources] == [
        "update 3: GNW · More", "update 2: Business Wire · Again", "Other"]
    assert told.alert is not None
    assert told.alert.why == "late by 2 min · wins (title)"
    other = msgspec.structs.replace(payload, sink="webhook")
    assert spoken(other, START_MS) is other


def test_the_reason_of_a_late_alert_is_as_short_as_ever() -> None:
    """Kind and score stand in the card's title, so its reason goes without them, late or not."""
    alert = same(ALERT, why="fda_approval (up): “wins” in the title, score 0.80")
    told = spoken(Deliver(id="a1", sink="discord", event="alert", alert=alert), ALERT.ready_ms + 120_000)
    assert told.alert is not None
    card = discord_card(told.alert, (), MOMENT)
    assert card["embeds"][0]["description"].split("\n")[1] == "late by 2 min · “wins” in the title"
