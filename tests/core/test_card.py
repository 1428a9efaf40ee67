"""Discord's cards: what a reader sees, and that no alert can break Discord's limits."""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.core.card import Moment, age, discord_card, kind_label, ops_card, trial_card
from catalyst.core.delivery import After, Correction, Followed, Source
from catalyst.core.dollars import money
from catalyst.core.doubts import against
from catalyst.core.outside import length, safe_link
from catalyst.messages import AlertReady, History, Kind, OpsNotice
from catalyst.testing import START_MS, same
from catalyst.world.discord import Upload, attachment_faults, body_faults

ZONE = ZoneInfo("America/New_York")
MOMENT = Moment(START_MS, ZONE)
KINDS = ("fda_approval", "offering_pricing", "offering_withdrawn", "trading_halt", "warrant_redemption")
ALERT = AlertReady(
    item_id="i1", alert_id="0123456789abcdef0123", source="PR Newswire", title="Acme wins FDA approval",
    link="https://news.example/acme", summary="", published_ms=START_MS - 2_900, seen_ms=START_MS - 1_100,
    ticker="ACME", company="Acme Inc", kinds=(Kind("fda_approval", "wins FDA approval", "up", 1.0),), direction="up",
    sentiment=0.8,
    score=0.87, why="wins FDA approval (title)", watched=False, price_usd=4.2, price_ms=START_MS - 12_000,
    previous_close_usd=4.0, simulated=False, provider="yahoo", ready_ms=START_MS - 500)


def fields(card: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["value"] for row in card["embeds"][0]["fields"]}


def test_card_of_an_ordinary_alert() -> None:
    """The whole payload, as a reader sees it."""
    assert discord_card(ALERT, (), MOMENT) == {
        "content": "ACME ▲ FDA approval · 87",
        "embeds": [{
            "author": {"name": "PR Newswire", "url": "https://news.example/acme"},
            "title": "▲ ACME · FDA approval · 87", "url": "https://news.example/acme", "color": 0x1B9E4B,
            "description": "**Acme wins FDA approval**\nwins FDA approval (title)",
            "timestamp": "2026-01-02T13:59:57.100Z",
            "fields": [
                {"name": "Price", "value": "$4.20 · +5.0 % · 12 s old · yahoo", "inline": True},
                {"name": "Source", "value": "[PR Newswire](https://news.example/acme)", "inline": True}],
            "footer": {"text": "id 0123456789abcdef0123 · pub 08:59:57 EST → seen +1.8 s → sent +1.1 s"}}],
        "allowed_mentions": {"parse": []}}


def test_what_is_unknown_is_said() -> None:
    """No price, no publication time, no previous close and no link are named, never zero or now."""
    card = discord_card(same(ALERT, price_usd=None, price_ms=None, published_ms=None, previous_close_usd=None,
                             link="javascript:x"), (), MOMENT)
    shown = fields(card)
    assert shown["Price"] == "no price"
    assert "⚠ Against: no price is known" in card["embeds"][0]["description"]
    assert "change unknown · age unknown" in fields(discord_card(same(
        ALERT, price_ms=None, previous_close_usd=None), (), MOMENT))["Price"]
    assert shown["Source"] == "PR Newswire"
    assert "url" not in card["embeds"][0]
    assert "timestamp" not in card["embeds"][0]
    assert "pub unknown → seen 08:59:58 EST → sent +1.1 s" in card["embeds"][0]["footer"]["text"]


def test_a_simulated_price_is_said_three_times() -> None:
    """In the notification, in the text and at the price itself."""
    card = discord_card(same(ALERT, simulated=True, provider="simulated"), (), MOMENT)
    assert card["content"].endswith("· simulated price")
    assert card["embeds"][0]["description"].startswith("**Simulated price")
    assert "Simulated price" in fields(card)
    assert "Price" not in fields(card)


def test_possible_repeat_and_sources() -> None:
    """A repeat is marked in the footer; further wires are listed in their order."""
    wires = [Source("Business Wire", "https://bw.example/1"), Source("GlobeNewswire", "")]
    card = discord_card(ALERT, wires, Moment(START_MS, ZONE, True))
    assert card["embeds"][0]["footer"]["text"].endswith(" · possible repeat")
    assert fields(card)["Sources"] == ("[PR Newswire](https://news.example/acme)\n"
                                       "[Business Wire](https://bw.example/1)\nGlobeNewswire")


def test_many_sources_are_counted() -> None:
    """What does not fit is a number."""
    wires = [Source(f"Wire {n}", f"https://w.example/{n}") for n in range(40)]
    assert fields(discord_card(ALERT, wires, MOMENT))["Sources"].endswith("\nand 35 more")


def test_a_filing_says_its_form() -> None:
    """Above the title and where the source is, after the source's name."""
    card = discord_card(same(ALERT, source="sec_8k", form="8-K/A"), (), MOMENT)
    assert card["embeds"][0]["author"] == {"name": "sec_8k · 8-K/A", "url": "https://news.example/acme"}
    assert fields(card)["Source"] == "[sec\\_8k · 8-K/A](https://news.example/acme)"
    unlinked = discord_card(same(ALERT, source="sec_8k", form="8-K", link=""), (), MOMENT)
    assert unlinked["embeds"][0]["author"] == {"name": "sec_8k · 8-K"}


def test_a_chart_is_shown_and_described() -> None:
    """The card with a chart is the one without it plus the picture and its words."""
    plain, card = discord_card(ALERT, (), MOMENT), discord_card(ALERT, (), MOMENT, "ACME: last @everyone " * 90)
    (file,) = card.pop("attachments")
    assert card["embeds"][0].pop("image") == {"url": "attachment://chart.png"}
    assert card == plain
    assert (file["id"], file["filename"]) == (0, "chart.png")
    assert 1_000 < len(file["description"]) <= 1_024
    assert "@everyone" not in file["description"]


@pytest.mark.parametrize(("direction", "score", "kind", "bar"), [
    ("up", 0.69, "fda", 0x7CC68D), ("up", 0.7, "fda", 0x1B9E4B), ("down", 0.5, "fda", 0xE08A87),
    ("down", 0.9, "fda", 0xC62F2D), ("neutral", 0.9, "fda", 0x8A8F98), ("down", 0.9, "offering_priced", 0xE0A100)])
def test_colour(direction: str, score: float, kind: str, bar: int) -> None:
    """By direction and strength; an offering has its own."""
    alert = same(ALERT, direction=direction, score=score, kinds=(Kind(kind, "x", "up", 1.0),))
    assert discord_card(alert, (), MOMENT)["embeds"][0]["color"] == bar


@pytest.mark.parametrize(("span_ms", "text"), [(0, "0 s"), (-5_000, "0 s"), (59_999, "59 s"), (60_000, "1 min"),
                                               (7_200_000, "2 h"), (200_000_000, "2 d")])
def test_age(span_ms: int, text: str) -> None:
    """Ages in the largest unit that fits."""
    assert age(span_ms) == text


@pytest.mark.parametrize(("price_usd", "text"), [(0.0412, "$0.0412"), (0.99999, "$1.00"), (1, "$1.00"),
                                                 (1234.5, "$1,234.50"), (0.00004, "$0.00004"), (0.0, "$0.0000"),
                                                 (0.005, "$0.0050"), (0.00012345, "$0.000123"), (5e-324, "$4.94e-324")])
def test_money(price_usd: float, text: str) -> None:
    """Below a dollar four places, below a cent three digits: no price that there is looks like none."""
    assert money(price_usd) == text


@pytest.mark.parametrize(("kind", "text"), [("fda_approval", "FDA approval"), ("offering_priced", "Offering priced"),
                                            ("merger", "Merger"), ("", "")])
def test_kind_label(kind: str, text: str) -> None:
    """A kind's name as words."""
    assert kind_label(kind) == text


def test_wrong_clocks_are_named() -> None:
    """An item seen before it was published shows no negative latency."""
    card = discord_card(same(ALERT, published_ms=START_MS + 60_000), (), MOMENT)
    assert "seen (clock)" in card["embeds"][0]["footer"]["text"]


outside = st.lists(st.sampled_from(["@everyone", "<@1>", "[x](http://evil.example)", "**", "`", "😀" * 40, "\u202e",
                                    "\n", "_" * 300, "https://evil.example", "a" * 300, "\x00"]) | st.text(max_size=30),
                   max_size=12).map(lambda parts: "".join(parts)[:2000])
moments = st.none() | st.integers(-(2**53), 2**53)
alerts = st.builds(
    AlertReady, item_id=st.just("i1"), alert_id=st.text(min_size=1, max_size=64), source=outside.map(lambda t: t[:200]),
    title=outside, link=outside.map(lambda t: "https://x.example/" + t) | outside, summary=st.just(""),
    published_ms=moments, seen_ms=st.integers(-(2**53), 2**53),
    ticker=st.from_regex(r"[A-Z0-9.\-]{1,10}", fullmatch=True),
    company=outside.map(lambda t: t[:200]),
    kinds=st.lists(st.builds(Kind, kind=outside.map(lambda t: t[:200]) | st.sampled_from(KINDS), phrase=outside,
                             direction=st.sampled_from(["up", "down", "neutral"]), weight=st.just(1.0)),
                   max_size=12).map(tuple),
    direction=st.sampled_from(["up", "down", "neutral"]), sentiment=st.floats(-1, 1), score=st.floats(0, 1),
    why=outside,
    watched=st.booleans(), price_usd=st.none() | st.floats(0, 1e12), price_ms=moments,
    previous_close_usd=st.none() | st.floats(0, 1e12), simulated=st.booleans(),
    provider=st.none() | outside.map(lambda t: t[:200]), ready_ms=st.just(0),
    form=outside.map(lambda t: t[:200]) | st.sampled_from(["8-K/A", "424B5"]), trust=st.none() | st.floats(0, 1),
    session=outside.map(lambda t: t[:200]) | st.sampled_from(["premarket", "closed"]),
    volume=st.none() | st.floats(0, 1e15), rvol=st.none() | st.floats(0, 1e9))
corrected = st.lists(st.builds(Correction, name=outside, title=outside, link=outside | st.just("https://x.example/c")),
                     max_size=4)
changes = st.floats(-100, 1e300) | st.floats(-100, 300)
histories = st.none() | st.builds(History, kind=outside, n=st.integers(1, 10**6), horizon=outside, median_pct=changes,
                                  low_pct=st.none() | changes, high_pct=changes, down_share=st.floats(0, 1))
followed = st.builds(Followed, history=histories, after=st.lists(st.builds(
    After, horizon=st.sampled_from(["15m", "9999999s", "@everyone **x**"]) | st.text(max_size=30), return_pct=changes,
    price_usd=st.just(1.0), price_ms=st.just(0), simulated=st.booleans(), known_ms=st.just(0)), max_size=20).map(tuple))
wires = st.lists(st.builds(Source, name=outside.map(lambda t: t[:200]),
                           link=outside.map(lambda t: "https://x.example/" + t)), max_size=12)


def check(alert: AlertReady, sources: list[Source], repeat: bool, alt: str | None, corrections: list[Correction],
          later: Followed) -> None:
    """All promises of a card: within Discord's limits, no mention, no link but checked ones, no control or direction
    character, six fields at most, quoted words that are literally the item's."""
    card = discord_card(alert, sources, Moment(START_MS, ZONE, repeat), alt, corrections, later)
    embed = card["embeds"][0]
    uploads = () if alt is None else (Upload("files[0]", "chart.png", 9),)
    assert body_faults(card, uploads, is_edit=False) == []
    assert attachment_faults(card, uploads, []) == []
    assert card["allowed_mentions"] == {"parse": []}
    assert len(embed["fields"]) <= 6
    assert len(card["content"]) <= 140
    assert len(embed["title"]) <= 110
    assert ("possible repeat" in embed["footer"]["text"]) >= repeat
    texts = [card["content"], embed["title"], embed["description"], embed["footer"]["text"],
             embed["author"]["name"], *(row["value"] for row in embed["fields"])]
    for text in texts:
        assert not re.search("@(?!\u200b)", text)
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\x00-\x09\x0b-\x1f\x7f-\x9f]", text)
    lines = embed["description"].split("\n")
    told = [line for line in lines if not line.startswith(("⚠ Against: ", "**Simulated price"))]
    assert len(told) <= 2
    assert length("\n".join(told)) <= 220
    assert sum(line.startswith("⚠ Against: ") for line in lines) <= 1
    shown = re.sub(r"\\[^0-9A-Za-z\s]", "", "\n".join([card["content"], embed["title"], embed["description"],
                                                       *(row["value"] for row in embed["fields"])]))
    links = (alert.link, *(one.link for one in sources), *(one.link for one in corrections))
    assert set(re.findall(r"https?://[^\s)]+", shown)) <= {safe_link(link) for link in links}
    literal = [" ".join(text.split()) for text in (alert.title, *(kind.phrase for kind in alert.kinds))]
    for words in re.findall("“([^“”]*?)…?”", " · ".join(against(alert, START_MS))):
        assert any(words in text for text in literal)


CASES = (alerts, wires, st.booleans(), st.none() | outside, corrected, followed)


@settings(max_examples=200)
@given(*CASES)
def test_every_alert_is_a_valid_card(alert: AlertReady, sources: list[Source], repeat: bool, alt: str | None,
                                     corrections: list[Correction], later: Followed) -> None:
    """Whatever an alert holds, its card keeps every promise."""
    check(alert, sources, repeat, alt, corrections, later)


@pytest.mark.long
@pytest.mark.timeout(1800)
@settings(max_examples=10_000)
@given(*CASES)
def test_ten_thousand_alerts_are_valid_cards(alert: AlertReady, sources: list[Source], repeat: bool, alt: str | None,
                                             corrections: list[Correction], later: Followed) -> None:
    """The same over ten thousand cases."""
    check(alert, sources, repeat, alt, corrections, later)


@given(outside, outside, st.sampled_from(["info", "warning", "critical"]), st.booleans())
def test_every_notice_is_a_valid_card(title: str, text: str, severity: Any, repeat: bool) -> None:
    """A notice of any text keeps Discord's limits and mentions nobody."""
    notice = OpsNotice(item_id="feed:x", episode="1", severity=severity, title=title, text=text, made_ms=START_MS)
    card = ops_card(notice, Moment(START_MS, ZONE, repeat))
    assert body_faults(card, (), is_edit=False) == []
    assert card["allowed_mentions"] == {"parse": []}
    assert severity in card["content"]


def test_trial_card_is_valid_and_says_so() -> None:
    """Nobody can take a test for an alert."""
    card = trial_card("discord", MOMENT)
    assert body_faults(card, (), is_edit=False) == []
    assert "no alert" in card["content"]
    assert card["allowed_mentions"] == {"parse": []}
