"""What the alerter holds back: mutes, the cooldown, quiet hours, filters; each is stored with its reason and listed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalyst.core.delivery import number_of
from catalyst.errors import ConfigError, UsageError
from catalyst.messages import AlertPosted, AlertReady, ItemDropped, Kind
from catalyst.testing import START_MS, Bench, same
from tests.alerting import ALERT, CHART, CORRECTED, JOINED, Outside, drain, states
from tests.receiver import Receiver

HOUR_S = 3_600
NIGHT = ("22:00-06:30",)


def another(number: int, **changes: Any) -> AlertReady:
    """A further alert, of an item of its own."""
    told = {"item_id": f"i{number}", "alert_id": f"a{number}", **changes}
    found = same(ALERT, **told)
    assert isinstance(found, AlertReady)
    return found


def held(bench: Bench) -> list[tuple[str, str]]:
    """Alert and reason of those that were held back, the newest first."""
    return [(row["id"], row["reason"]) for row in bench.verb("alerts", suppressed=True)["alerts"]]


def dropped(item_id: str, reason: str) -> ItemDropped:
    return ItemDropped(item_id=item_id, stage="alerter", reason=reason, ticker="ACME", kinds=("fda_approval",),
                       score=0.8, dropped_ms=START_MS)


# -- mutes


@pytest.mark.parametrize(("what", "value", "stored"), [
    ("ticker", "acme", "ticker ACME"), ("ticker", "$ACME", "ticker ACME"), ("kind", "fda", "kind fda"),
    ("kind", "FDA approval", "kind fda_approval"), ("source", "pr newswire", "source pr newswire")])
def test_a_mute_holds_an_alert_and_says_so(make: Callable[..., Bench], receiver: Receiver, what: str, value: str,
                                           stored: str) -> None:
    """Nothing is sent, the item is dropped as muted, the alert is stored with the mute's name and listed."""
    bench = make("discord", "hook")
    bench.verb("mute", what=what, value=value)
    assert bench.send(ALERT) == [dropped("i1", "muted")]
    assert drain(bench) == []
    assert receiver.got == []
    assert held(bench) == [("a1", f"muted:{stored}")]
    assert bench.verb("alerts")["alerts"] == []
    assert bench.verb("alert", id="a1")["alert"]["state"] == "suppressed"
    assert [mute["held"] for mute in bench.verb("mutes")["mutes"]] == [1]


@pytest.mark.parametrize(("what", "value"), [("ticker", "ACM"), ("kind", "fda_appr"), ("kind", "offering"),
                                             ("source", "Newswire")])
def test_a_mute_of_something_else_holds_nothing(make: Callable[..., Bench], what: str, value: str) -> None:
    """Only the whole ticker, the whole source, and first words of the lead kind count; no further kind does."""
    bench = make("discord")
    bench.verb("mute", what=what, value=value)
    bench.send(same(ALERT, kinds=(*ALERT.kinds, Kind("offering_pricing", "prices", "down", 1.0))))
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    assert held(bench) == []


def test_a_mute_ends_by_itself_also_after_a_kill(make: Callable[..., Bench]) -> None:
    """Four hours without a length, over a restart; then alerts go out again."""
    bench = make("discord")
    assert bench.verb("mute", what="ticker", value="ACME", note="too loud")["until_ms"] == START_MS + 4 * HOUR_S * 1000
    bench.restart()
    bench.clock.advance(4 * HOUR_S - 1)
    assert [type(message) for message in bench.send(ALERT)] == [ItemDropped]
    assert [(mute["note"], mute["left_s"]) for mute in bench.verb("mutes")["mutes"]] == [("too loud", 1.0)]
    bench.clock.advance(1)
    bench.send(another(2))
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    assert bench.verb("mutes")["mutes"] == []
    bench.tick("prune")
    assert bench.rows("SELECT * FROM mutes") == []


def test_unmute_ends_one(make: Callable[..., Bench]) -> None:
    """The others stay; a second time it says that nothing was muted."""
    bench = make("discord")
    bench.verb("mute", what="ticker", value="ACME")
    bench.verb("mute", what="kind", value="offering", for_s=60)
    assert bench.verb("unmute", what="ticker", value="acme")["was_muted"]
    assert not bench.verb("unmute", what="ticker", value="acme")["was_muted"]
    assert [mute["value"] for mute in bench.verb("mutes")["mutes"]] == ["offering"]
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]


def test_a_second_mute_moves_the_end(make: Callable[..., Bench]) -> None:
    """One row, whatever the case of its name, with the note that it had."""
    bench = make("discord")
    bench.verb("mute", what="source", value="PR Newswire", for_s=60, note="noisy")
    bench.verb("mute", what="source", value="pr newswire", for_s=600)
    (mute,) = bench.verb("mutes")["mutes"]
    assert (mute["value"], mute["left_s"], mute["note"]) == ("PR Newswire", 600.0, "noisy")


def test_what_is_held_today_is_counted(make: Callable[..., Bench]) -> None:
    """By the first word of the reason, since local midnight; with the end of the quiet hours that run."""
    bench = make("discord", quiet_hours=("13:00-20:00",), tz="UTC")
    bench.verb("mute", what="ticker", value="ACME")
    bench.send(ALERT)
    bench.send(another(2, ticker="BETA"))
    bench.send(another(3, ticker="BETA", kinds=()))
    found = bench.verb("mutes")
    assert (found["held_today"], found["quiet_until_ms"]) == ({"quiet": 2, "muted": 1}, START_MS + 6 * HOUR_S * 1000)
    bench.clock.advance(10 * HOUR_S)
    found = bench.verb("mutes")
    assert (found["held_today"], found["quiet_until_ms"]) == ({}, None)


@pytest.mark.parametrize("arguments", [
    {"what": "ticker", "value": "not a ticker"}, {"what": "ticker", "value": ""}, {"what": "kind", "value": "../x"},
    {"what": "source", "value": "\x1b[31m"}, {"what": "sink", "value": "discord"}, {"what": "ticker", "value": 7},
    {"what": "ticker", "value": "ACME", "for_s": 0}, {"what": "ticker", "value": "ACME", "for_s": 31 * 24 * HOUR_S},
    {"what": "ticker", "value": "ACME", "for_s": float("nan")}, {"what": "ticker", "value": "ACME", "for_s": "4h"}])
def test_what_cannot_be_muted_is_refused(make: Callable[..., Bench], arguments: dict[str, Any]) -> None:
    """A word that is none, and a length under a second or over 30 days."""
    bench = make("discord")
    with pytest.raises(UsageError):
        bench.verb("mute", **arguments)


def test_a_mute_lasts_as_long_though_the_clock_is_set(make: Callable[..., Bench]) -> None:
    """The wall clock goes on by a day: the mute has as much time left as before."""
    bench = make("discord")
    bench.verb("mute", what="ticker", value="ACME", for_s=60)
    bench.clock.jump(86_400)
    bench.tick("prune")
    assert [round(mute["left_s"]) for mute in bench.verb("mutes")["mutes"]] == [60]


def test_what_follows_a_muted_alert_shares_its_fate(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Further wires, corrections and the chart of a held alert go nowhere; each item has its reason."""
    bench = make("discord")
    bench.send(CHART)
    bench.verb("mute", what="ticker", value="ACME")
    bench.send(ALERT)
    assert bench.send(JOINED) == [dropped("j1", "muted")]
    assert bench.send(CORRECTED) == [dropped("c1", "muted")]
    bench.send(same(CHART, alert_id="a1", item_id="i9"))
    assert drain(bench) == []
    assert (receiver.got, bench.rows("SELECT * FROM charts")) == ([], [])


# -- cooldown


def test_a_repeat_edits_the_first_alert(make: Callable[..., Bench], outside: Outside, receiver: Receiver) -> None:
    """Same ticker and lead kind within the cooldown: one message that says "update 2" with title and source; the
    webhook is told of it as an update; the item is alerted, folded; the alert is listed with its reason."""
    bench = make("discord", "hook", alert_cooldown_minutes=30)
    bench.send(ALERT)
    drain(bench)
    bench.clock.advance(60)
    (fate,) = bench.send(another(2, title="Acme has won again", source="Business Wire", link="https://b.example/9"))
    assert isinstance(fate, AlertPosted)
    assert (fate.item_id, fate.alert_id, fate.folded) == ("i2", "a1", True)
    assert drain(bench) == []
    bench.clock.advance(1)
    bench.send(another(3, title="And again"))
    drain(bench)
    (message,) = {got["message_id"]: got for got in outside.desk.snapshot()["messages"]}.values()
    fields = {field["name"]: field["value"] for field in message["payload"]["embeds"][0]["fields"]}
    assert "[update 2: Business Wire · Acme has won again](https://b.example/9)" in fields["Sources"]
    assert fields["Sources"].index("update 3: PR Newswire · And again") < fields["Sources"].index("update 2:")
    events = [got.json for got in receiver.got if got.path == "/hook"]
    assert [(event["event"], event["item_id"]) for event in events] == [
        ("alert", "i1"), ("update", "i2"), ("update", "i3")]
    assert held(bench) == [("a3", "cooldown:a1"), ("a2", "cooldown:a1")]


@pytest.mark.parametrize(("changes", "posts"), [
    ({}, 1), ({"score": 0.5}, 1), ({"direction": "down"}, 2), ({"score": 1.0}, 2), ({"score": 0.99}, 1),
    ({"ticker": "WXYZ"}, 2), ({"kinds": (Kind("offering_pricing", "prices", "down", 1.0), *ALERT.kinds)}, 2)])
def test_what_is_no_repeat_is_posted_anew(make: Callable[..., Bench], outside: Outside, changes: dict[str, Any],
                                          posts: int) -> None:
    """Another direction, a score higher by 0.2, another ticker or lead kind."""
    bench = make("discord", alert_cooldown_minutes=30)
    bench.send(ALERT)
    drain(bench)
    bench.clock.advance(60)
    bench.send(another(2, **changes))
    drain(bench)
    assert len({got["message_id"] for got in outside.desk.snapshot()["messages"]}) == posts


@pytest.mark.parametrize(("minutes", "after_s"), [(0, 1), (30, 30 * 60 + 1)])
def test_after_the_cooldown_it_is_posted(make: Callable[..., Bench], minutes: float, after_s: float) -> None:
    """Also where there is none, as by default."""
    bench = make("discord", alert_cooldown_minutes=minutes)
    bench.send(ALERT)
    drain(bench)
    bench.clock.advance(after_s)
    bench.send(another(2))
    assert [message.folded for message in drain(bench) if isinstance(message, AlertPosted)] == [False]


def test_a_repeat_before_the_first_is_out(make: Callable[..., Bench]) -> None:
    """It waits for the first one's fate and shares it, over a kill too; wires of its own story are edited in."""
    bench = make("discord", alert_cooldown_minutes=30)
    bench.send(ALERT)
    assert bench.send(another(2)) == []
    bench.interrupt_jobs()
    bench.restart()
    assert bench.send(same(JOINED, item_id="i2")) == []
    fates = [(message.item_id, message.alert_id, message.folded) for message in drain(bench)
             if isinstance(message, AlertPosted)]
    assert fates == [("i1", "a1", False), ("j1", "a1", True), ("i2", "a1", True)]
    assert bench.rows("SELECT alert_id, n, state FROM deliveries ORDER BY n") == [
        ("a1", 0, "delivered"), ("a1", 1, "folded"), ("a1", 2, "delivered")]


def test_a_mute_holds_a_repeat_too(make: Callable[..., Bench]) -> None:
    """What a person silenced is not edited in."""
    bench = make("discord", alert_cooldown_minutes=30)
    bench.send(ALERT)
    drain(bench)
    bench.verb("mute", what="ticker", value="ACME")
    bench.send(another(2))
    assert held(bench) == [("a2", "muted:ticker ACME")]


# -- quiet hours; START_MS is Friday, 9:00 in New York


def test_quiet_hours_hold_and_one_digest_ends_them(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Held with the reason `quiet`; at their end one message lists the ten best and counts the rest, once."""
    bench = make("discord", "hook", quiet_hours=("08:00-10:00",))
    for number in range(14):
        assert bench.send(another(number, ticker=f"T{number}", score=number / 20)) == [
            same(dropped(f"i{number}", "quiet"), ticker=f"T{number}", score=number / 20)]
    assert bench.tick("end_quiet") == []
    assert (drain(bench), receiver.got) == ([], [])
    assert len(held(bench)) == 14
    bench.clock.advance(HOUR_S)
    bench.tick("end_quiet")
    bench.interrupt_jobs()
    bench.restart()
    bench.tick("end_quiet")
    assert drain(bench) == []
    event, card = sorted((got.json for got in receiver.got), key=lambda body: "embeds" in body)
    shown = [embed["description"].split()[0] for embed in card["embeds"]]
    assert shown == [f"T{number}" for number in range(13, 3, -1)]
    assert "14 alerts held" in card["content"]
    assert "and 4 more" in card["embeds"][-1]["footer"]["text"]
    assert "possible repeat" in card["embeds"][-1]["footer"]["text"]
    assert (event["event"], event["title"]) == ("ops", "Quiet hours are over: 14 alerts held")
    assert event["why"].startswith("T13 a13, T12 a12")
    assert event["why"].endswith("and 4 more")
    assert bench.rows("SELECT DISTINCT state, told_in FROM alerts") == [("suppressed", "qt-a13")]


def test_a_correction_reaches_the_digest_of_quiet_hours(make: Callable[..., Bench], receiver: Receiver) -> None:
    """Edited into Discord's message for an alert that is listed there, nothing for one that is only counted; the alerts
    stay suppressed and the webhook hears no more."""
    bench = make("discord", "hook", quiet_hours=("08:00-10:00",))
    for number in range(11):
        bench.send(another(number, ticker=f"T{number}", score=(number + 1) / 20))
    bench.clock.advance(HOUR_S)
    bench.tick("end_quiet")
    drain(bench)
    assert len(receiver.got) == 2
    assert [type(one) for one in bench.send(same(CORRECTED, item_id="i0"))] == [ItemDropped]
    assert drain(bench) == []
    assert len(receiver.got) == 2
    bench.send(same(CORRECTED, item_id="i4", joined_id="c4"))
    drain(bench)
    assert (receiver.got[-1].method, len(receiver.got)) == ("PATCH", 3)
    card = receiver.got[-1].json
    corrected = [embed["description"].split()[0] for embed in card["embeds"] if "✎" in embed["description"]]
    assert (corrected, "and 1 more" in card["embeds"][-1]["footer"]["text"]) == (["T4"], True)
    assert "11 alerts held" in card["content"]
    assert len(held(bench)) == 11


@pytest.mark.parametrize("changes", [{"score": 0.9}, {"watched": True}])
def test_what_matters_passes_quiet_hours(make: Callable[..., Bench], changes: dict[str, Any]) -> None:
    """A high score, or a watched ticker."""
    bench = make("discord", quiet_hours=("08:00-10:00",))
    bench.send(same(ALERT, **changes))
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    bench.clock.advance(HOUR_S)
    bench.tick("end_quiet")
    assert bench.jobs() == []


def test_quiet_hours_are_read_again(make: Callable[..., Bench]) -> None:
    """A reload applies others at once; wrong ones are refused and the old ones stay."""
    bench = make("discord", quiet_hours=NIGHT)
    bench.actor.settings = bench.settings.but(quiet_hours=("Fri 08:00-10:00",))
    bench.actor.on_reload()
    assert [type(message) for message in bench.send(ALERT)] == [ItemDropped]
    bench.actor.settings = bench.settings.but(quiet_hours=("at night",))
    with pytest.raises(ConfigError):
        bench.actor.on_reload()
    assert [type(message) for message in bench.send(another(2))] == [ItemDropped]


# -- filters


@pytest.mark.parametrize(("settings", "why"), [
    ({"discord_kinds": ("offering",)}, "kinds"), ({"discord_min_score": 0.81}, "score"),
    ({"discord_watched_only": True}, "watched")])
def test_a_filter_of_one_sink_leaves_the_other(make: Callable[..., Bench], receiver: Receiver,
                                               settings: dict[str, Any], why: str) -> None:
    """Discord does not want it, which is stored; the webhook has it and its updates, the item is alerted."""
    bench = make("discord", "hook", **settings)
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]
    bench.send(JOINED)
    bench.send(CHART)
    drain(bench)
    assert {got.path for got in receiver.got} == {"/hook"}
    assert states(bench) == [("discord", 0, "filtered"), ("webhook", 0, "delivered"),
                             ("webhook", number_of("j1", START_MS, 0), "delivered")]
    assert bench.rows("SELECT reason FROM deliveries WHERE sink = 'discord'") == [(f"filtered:{why}",)]


def test_what_every_sink_filters_is_dropped_with_its_reasons(make: Callable[..., Bench]) -> None:
    """Held, listed, and the item's reason is `filtered`."""
    bench = make("discord", "hook", discord_min_score=0.9, webhook_kinds=("offering",))
    assert bench.send(ALERT) == [dropped("i1", "filtered")]
    assert held(bench) == [("a1", "filtered:discord score, webhook kinds")]
    assert states(bench) == []


@pytest.mark.parametrize("settings", [{"discord_kinds": ("FDA",)}, {"discord_kinds": ("offering_", "fda_approval")},
                                      {"discord_min_score": 0.8}])
def test_what_a_sink_wants_passes(make: Callable[..., Bench], settings: dict[str, Any]) -> None:
    """Kinds by name or first words, a score that is just enough."""
    bench = make("discord", **settings)
    bench.send(ALERT)
    assert [type(message) for message in drain(bench)] == [AlertPosted]
