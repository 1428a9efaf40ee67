"""The pages as functions: hostile text, unknown values, an empty house, and what a reader must find."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest

from catalyst.core.silence import Muted, Silence
from catalyst.web import pages, views
from catalyst.web.alert_page import alert_page
from catalyst.web.layout import Frame, not_found
from catalyst.web.pages import Filter
from catalyst.web.views import Detail, Item, Items, Look
from tests.web.examples import HOSTILE, HOSTILE_TEXT, NOW_MS, actor, detail, look, raw_alert, raw_detail, source

ZONE = ZoneInfo("America/New_York")
HORIZONS = ("15m", "30m", "1h", "4h", "1d")
OURS = {"html", "head", "meta", "noscript", "title", "link", "script", "body", "header", "nav", "a", "p", "span", "i",
        "b", "main", "footer", "form", "label", "input", "button", "div", "article", "time", "small", "img", "table",
        "caption", "thead", "tbody", "tr", "th", "td", "h1", "h2", "section", "dl", "dt", "dd", "code", "q", "ul", "li",
        "figure", "figcaption", "meter", "details", "summary"}


class Reader(HTMLParser):
    """What a browser would make of a page: its elements and its words."""

    def __init__(self, page: bytes):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.depth: list[str] = []
        self.words = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input", "br"):
            self.depth.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile_alert(number: int = 0) -> views.Alert:
    """An alert all of whose words are hostile."""
    words = dict.fromkeys(("id", "item_id", "ticker", "company", "title", "link", "direction", "why", "state"),
                          HOSTILE_TEXT)
    return views.alert(raw_alert(number, **words, kinds=list(HOSTILE), sources=list(HOSTILE), price=1e9,
                                 sinks={word: word for word in HOSTILE}, published=HOSTILE_TEXT, seen="x", sent=7e99))


def hostile_look() -> Look:
    """A house all of whose words are hostile."""
    return look(alerts=tuple(hostile_alert(number) for number in range(3)), version=HOSTILE_TEXT,
                actors=tuple(actor(word, state=word, current=word, statistics={word: 1e300}, dead=3)
                             for word in HOSTILE), paused_by=HOSTILE_TEXT,
                sources=tuple(source(word, url=word, kind=word, outcome=word, outage=True) for word in HOSTILE),
                sinks=HOSTILE, silence=Silence(tuple(Muted("source", word, NOW_MS) for word in HOSTILE),
                                               dict.fromkeys(HOSTILE, 1)))


def hostile_detail() -> Detail:
    """An alert's page all of whose words are hostile."""
    kinds = [dict.fromkeys(("kind", "phrase", "direction"), word) for word in HOSTILE]
    body = raw_detail()["alert"] | {"kinds_found": kinds, "summary": HOSTILE_TEXT, "form": HOSTILE_TEXT,  # type: ignore[operator]
                                    "provider": HOSTILE_TEXT, "title": HOSTILE_TEXT, "link": HOSTILE_TEXT}
    rows = [dict.fromkeys(("sink", "what", "state", "reason", "sent", "name", "link"), word) for word in HOSTILE]
    found = detail(alert=body, deliveries=rows, sources=rows)
    return replace(found, chart_alt=HOSTILE_TEXT,
                   outcomes=tuple(views.outcome(dict.fromkeys(("horizon", "state", "reason"), w)) for w in HOSTILE),
                   hops=views.hops([dict.fromkeys(("sender", "actor", "message"), word) for word in HOSTILE]))


def hostile_items() -> Items:
    """Items all of whose words are hostile."""
    return Items(tuple(Item(w, w, w, w, None, w, w, w, w) for w in HOSTILE), tuple((w, w, 1) for w in HOSTILE))


def all_pages(shown: Look, one: Detail, items: Items, wanted: Filter) -> dict[str, bytes]:
    """Every page of the house."""
    frame = Frame(shown, ZONE)
    return {"alerts": pages.alerts_page(frame, shown.alerts, wanted, 1), "alert": alert_page(frame, one, HORIZONS),
            "items": pages.items_page(frame, items), "sources": pages.sources_page(frame),
            "actors": pages.actors_page(frame), "none": not_found(frame, "Nothing.")}


@pytest.mark.parametrize("wanted", [Filter(), Filter(HOSTILE_TEXT[:100], HOSTILE[1], HOSTILE[4], HOSTILE[0])])
def test_hostile_words_stay_words(wanted: Filter) -> None:
    """On every page only our elements stand, none can run, and every address is ours or a web address."""
    for name, page in all_pages(hostile_look(), hostile_detail(), hostile_items(), wanted).items():
        read = Reader(page)
        assert not read.depth, name
        for tag, attributes in read.tags:
            assert tag in OURS, (name, tag)
            assert not {key for key in attributes if key.startswith("on") or key in ("style", "srcdoc")}, (name, tag)
            for key in ("href", "src", "action"):
                if key in attributes:
                    assert re.match(r"/(?!/)|https?://", attributes[key] or ""), (name, tag, attributes)
            if tag == "script":
                assert attributes["src"] == "/page.js"
        assert not set(page.decode()) & {"\x00", "\x1b", "\u202e", "\r", "\n"}, name


def test_hostile_words_are_shown() -> None:
    """They are shown as they are, so that a reader sees what came."""
    shown = all_pages(hostile_look(), hostile_detail(), hostile_items(), Filter())
    for name in ("alerts", "alert", "items", "sources", "actors"):
        assert "<script>alert(1)</script>" in Reader(shown[name]).words, name


ODD: tuple[object, ...] = (None, [], {}, "", "x", -1, float("nan"), float("inf"), 10**400, True, b"\xff", [1, None])


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_answer_is_an_unknown_one(odd: object) -> None:
    """Whatever an actor answers in place of a field, the pages are made."""
    names = [*raw_alert(), "kinds_found", "price_ms", "previous_close_usd"]
    raw = {"alert": dict.fromkeys(names, odd), "deliveries": odd, "sources": odd, "has_chart": odd}
    shown = look(alerts=(views.alert(dict.fromkeys(names, odd)),),
                 sources=(views.source(dict.fromkeys(("name", "last_ok_ms", "every_s", "next_due_ms", "polls"), odd)),))
    one = replace(views.detail(raw), outcomes=(views.outcome({"horizon": odd, "price_usd": odd, "due_ms": odd}),),
                  hops=views.hops([{"sender": odd, "queued": odd, "acked": odd}]))
    for page in all_pages(shown, one, Items(), Filter()).values():
        assert not Reader(page).depth
        assert "nan" not in page.decode().lower().replace("finance", "")


def test_an_empty_house() -> None:
    """Before anybody was heard the pages say so, and show no number that nobody knows."""
    empty = Look(NOW_MS, actors=tuple(views.Actor(name, "stopped") for name in ("alerter", "fetcher")))
    read = {name: Reader(page).words for name, page in all_pages(
        empty, Detail(views.Alert("abcd")), Items(), Filter()).items()}
    assert "The alerter has not answered yet" in read["alerts"]
    assert "The fetcher does not answer" in read["sources"]
    assert "The fetcher does not answer" in read["items"]
    assert "The tracker does not answer" in read["alert"]
    assert "✖ fetcher is stopped" in read["alerts"]
    assert "0 of 2 actors run" in read["actors"]


def test_the_list_says_what_a_trader_wants() -> None:
    """Arrow and word, ticker, score, price with age, why, sources, latency, local time with the zone's name."""
    page = all_pages(look(), detail(), Items(), Filter())["alerts"]
    words = Reader(page).words
    for part in ("▲", "ABCD", "87", "$3.42", "2.4 s old", "FDA approval", "Announces FDA Approval", "sent in 40 ms",
                 "globenewswire, newsfile", "09:29:58", "EST", "2 Jan"):
        assert part in words, part
    assert b'aria-label="up"' in page
    assert b'href="/alert/00000000000000000002"' in page
    assert "simulated" not in words


def test_the_list_says_what_is_held_back() -> None:
    """Quiet hours that run and each mute with its end in local time, how many alerts were held today and why; a house
    that holds nothing back says nothing of it."""
    words = Reader(pages.alerts_page(Frame(look(), ZONE), (), Filter(), 1)).words
    for part in ("quiet hours to 10:00", "ticker WXYZ to 10:30 8 held", "kind offering to 3 Jan 10:30",
                 "10 held back today: 8 muted, 2 told as updates"):
        assert part in words, part
    for silence in (None, Silence()):
        shown = look(silence=silence)
        assert "Held back" not in Reader(pages.alerts_page(Frame(shown, ZONE), (), Filter(), 1)).words


@pytest.mark.parametrize(("changes", "word"), [
    ({"simulated": True}, "simulated"), ({"price": None}, "price unknown"), ({"state": "dead", "sent": None},
                                                                              "not delivered"),
    ({"state": "new", "sent": None, "sinks": {"discord": "queued", "webhook": "filtered"}}, "sending"),
    ({"sinks": {"discord": "queued", "webhook": "delivered"}, "took_ms": {"webhook": 72}},
     "webhook 72 ms, discord waiting"), ({"state": "posted", "sent": None}, "no sink is set"),
    ({"price": 0.0431}, "$0.0431"), ({"sent": "2026-01-02T14:29:57.000Z"}, "clock?"), ({"seen": None}, "time unknown")])
def test_states_are_words(changes: dict[str, object], word: str) -> None:
    """What is not usual is said in words, not in colour only."""
    shown = look(alerts=(views.alert(raw_alert(1, **changes)),))
    assert word in Reader(pages.alerts_page(Frame(shown, ZONE), shown.alerts, Filter(), 1)).words


def test_the_page_of_an_alert() -> None:
    """Chart, phrases, price and its change, sources with links, hops, deliveries, outcomes with n/a where open."""
    page = alert_page(Frame(look(), ZONE), detail(), HORIZONS)
    words = Reader(page).words
    for part in ("Announces FDA Approval", "The agency approved", "+17.9 %", "yahoo", "8-K",
                 "58.1 s after it was published", "possible repeat", "status_400", "fetcher → classifier",
                 "StoryFound", "simulated", "▲ +14.0 %", "▼ -6.4 %", "no price", "n/a", "1d"):
        assert part in words, part
    assert b'src="/chart/00000000000000000007.png"' in page
    assert b'href="https://wire.example/a"' in page
    assert b"ftp://" not in page


def test_charts_are_shown_where_they_are_drawn() -> None:
    """Of the alerts in the list only one that has a chart has a picture, and asks for it."""
    frame = Frame(look(actors=(actor("charter"),)), ZONE)
    assert b"<img" not in pages.alerts_page(frame, frame.look.alerts, Filter(), 1)
    frame = Frame(replace(frame.look, charts=frozenset({frame.look.alerts[1].id, "another"})), ZONE)
    page = pages.alerts_page(frame, frame.look.alerts, Filter(), 1)
    assert re.findall(rb'<img[^>]*src="([^"]*)"', page) == [f"/chart/{frame.look.alerts[1].id}.png".encode()]


@pytest.mark.parametrize(("wanted", "found"), [
    (Filter(ticker="$wxyz"), ["WXYZ"]), (Filter(kind="offering pricing"), ["WXYZ"]), (Filter(source="NEWSF"), ["ABCD"]),
    (Filter(q="migraine"), ["ABCD"]), (Filter(ticker="abcd", q="merger"), []), (Filter(q="pharma"), ["ABCD", "WXYZ"])])
def test_the_filter(wanted: Filter, found: list[str]) -> None:
    """The ticker is exact, the rest may be part of the words, in any case."""
    alerts = [views.alert(raw_alert(1)), views.alert(raw_alert(2, ticker="WXYZ", title="Other Pharma Prices Offering",
                                                               kinds=["offering_pricing"], sources=["sec"]))]
    assert [alert.ticker for alert in alerts if wanted.takes(alert)] == found
    page = pages.alerts_page(Frame(look(), ZONE), alerts, wanted, 1)
    assert page.count(b"<article") == len(found)


def test_many_alerts_have_pages_of_a_bounded_weight() -> None:
    """500 alerts are ten pages, each under 150 KB; a number beyond the end is the last page."""
    alerts = tuple(views.alert(raw_alert(n, title="A" * 400, why="B" * 400, sources=["globenewswire"] * 6))
                   for n in range(500))
    frame = Frame(look(alerts=alerts, charts=frozenset(alert.id for alert in alerts)), ZONE)
    for number in (1, 10, 999):
        page = pages.alerts_page(frame, alerts, Filter(q="a"), number)
        assert page.count(b"<article") == 50
        assert len(page) < 150_000
    assert b"page 10 of 10" in page
    assert b'href="/?q=a&amp;page=9"' in page


def test_items_say_where_they_ended() -> None:
    """Fate and reason of each item, a link to its alert, and the numbers of the last day."""
    items = Items((Item("i1", "sec", "First story", "https://a.example/", NOW_MS, "alerted", "", "ABCD", "aaaa1111"),
                   Item("i2", "sec", "Other", "", NOW_MS, "dropped", "noise:law_firm", "", "")),
                  (("dropped", "noise", 30), ("alerted", "", 10)))
    page = pages.items_page(Frame(look(), ZONE), items)
    words = Reader(page).words
    assert "75.0 %" in words
    assert "noise:law firm" in words
    assert b'href="/alert/aaaa1111"' in page
    assert b"First story" not in pages.items_page(Frame(look(), ZONE), items, "dropped")


SOURCES: list[tuple[dict[str, object], str]] = [
    ({}, "● not modified"), ({"outage": True, "outcome": "timeout", "failures": 9}, "✖ outage: timeout"),
    ({"enabled": False}, "○ off"), ({"outcome": ""}, "○ not polled yet"),
    ({"failures": 2, "outcome": "reset"}, "◐ reset")]


@pytest.mark.parametrize(("changes", "words"), SOURCES)
def test_a_source_says_how_it_does(changes: dict[str, object], words: str) -> None:
    """The state of a feed is a sign and words."""
    assert words in Reader(pages.sources_page(Frame(look(sources=(source(**changes),)), ZONE))).words


def test_an_actor_says_how_it_does() -> None:
    """State, figures, beats of the last minute, what is in hand."""
    shown = look(actors=(actor("market", state="hung", current="CatalystScored 0123456789abcdef0123", current_age_s=7.0,
                               dead=2, beat_age_s=8.0),))
    words = Reader(pages.actors_page(Frame(shown, ZONE))).words
    for part in ("✖ hung", "4242", "1 h", "1.5 %", "29.3 MB", "12,345", "CatalystScored 0123456789abcdef 7.0 s", "▮",
                 "▯", "market has 2 dead letters"):
        assert part in words, part


BANNERS: list[tuple[Callable[[], Look], str]] = [
    (lambda: look(actors=(actor("fetcher", state="stopped"),)), "✖ fetcher is stopped"),
    (lambda: look(paused_by="person"), "◐ the fetcher is paused: a person asked for it"),
    (lambda: look(alerts=(views.alert(raw_alert(1, state="dead", sent=None)),)), "✖ an alert is not delivered"),
    (lambda: look(alerts_ms=NOW_MS - 60_000), "✖ the alerter does not answer"),
]


@pytest.mark.parametrize(("make", "words"), BANNERS)
def test_banners_say_what_is_wrong(make: Callable[[], Look], words: str) -> None:
    """Each page begins with what is wrong; a healthy house has no banner."""
    for page in all_pages(make(), detail(), Items(), Filter()).values():
        assert words in Reader(page).words
    assert b'class="banner mild"' not in pages.actors_page(Frame(look(), ZONE))
