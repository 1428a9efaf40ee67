"""`catalyst mute`, `unmute`, `mutes` and `alerts --suppressed` on a running alerter."""

from __future__ import annotations

import shlex
from datetime import UTC
from pathlib import Path

import pytest

from actors.alerter import Alerter
from actors.tracker import Tracker
from catalyst.commands.alerts import held_words, render
from catalyst.commands.output import Local
from catalyst.core.funnel import ended, step_of
from catalyst.testing import same, wait_until
from tests.commands.conftest import Catalyst
from tests.commands.test_alerts import ALERT, listed, put
from tests.commands.tiny import Running


def test_mute_list_and_unmute(catalyst: Catalyst, running: Running) -> None:
    """Set with an end and a note, listed with the time left, ended; each also as JSON."""
    running.start(Alerter)
    done = catalyst("mute", "ticker", "acme", "--for", "2d", "--note", "until the\x1b results")
    assert done.code == 0
    assert done.out.startswith("alerts of ticker ACME are held until 20")
    assert catalyst("mute", "kind", "offering", "--json").json["left_s"] == pytest.approx(4 * 3_600, abs=60)
    kind, ticker = catalyst("mutes", "--json").lines
    assert (kind["what"], ticker["what"], ticker["value"]) == ("kind", "ticker", "ACME")
    assert (ticker["note"], ticker["held"]) == ("until the results", 0)
    shown = catalyst("mutes").out.splitlines()
    assert shown[0].split() == ["WHAT", "VALUE", "LEFT", "UNTIL", "HELD", "NOTE"]
    assert shown[2].startswith("ticker  ACME")
    assert catalyst("unmute", "ticker", "ACME", "--json").json == {"what": "ticker", "value": "ACME", "was_muted": True}
    assert catalyst("unmute", "ticker", "ACME").out == "ticker ACME was not muted\n"
    assert "no rule makes the kind 'ofering', did you mean offering?" in catalyst("mute", "kind", "ofering").err
    catalyst("unmute", "kind", "ofering")
    catalyst("unmute", "kind", "offering")
    assert catalyst("mutes").out.startswith("nothing is muted")


def test_the_examples_of_the_manual_hold_something(catalyst: Catalyst, running: Running) -> None:
    """Each mute that docs/operating.md shows is of a kind or source that comes with Catalyst: nothing is warned of."""
    running.start(Alerter)
    text = (Path(__file__).resolve().parents[2] / "docs" / "operating.md").read_text(encoding="utf-8")
    shown = [shlex.split(line, comments=True)[1:] for line in text.splitlines() if line.startswith("catalyst mute ")]
    assert {words[1] for words in shown} == {"ticker", "kind", "source"}
    for words in shown:
        done = catalyst(*words)
        assert (done.code, done.err) == (0, ""), words


def test_a_mute_of_nobody_is_warned_of(catalyst: Catalyst, running: Running) -> None:
    """With the nearest name, beside the answer; the exit code is 0, for a source or listing may be on its way."""
    (running.settings.home / "companies.json").write_text('{"0":{"cik_str":7,"ticker":"OCGN","title":"Ocugen, Inc."}}')
    running.start(Alerter)
    for what, value, says in (
            ("source", "PR Newswire", "'PR Newswire', did you mean prnewswire?; the mute holds nothing"),
            ("source", "#", "no source is named '#'; the mute holds nothing"), ("source", "PRNewswire", ""),
            ("ticker", "Ocugen", "the ticker OCUGEN, did you mean OCGN?; the mute holds only alerts that are named so"),
            ("ticker", "OCGM", "the ticker OCGM, did you mean OCGN?"), ("ticker", "ocgn", "")):
        done = catalyst("mute", what, value)
        assert (done.code, done.err.count("\n"), says in done.err) == (0, bool(says), True), value


@pytest.mark.parametrize(("words", "says"), [
    (("mute", "ticker", "../x"), "is no ticker"),
    (("mute", "ticker", "no ticker"), "is no ticker"), (("mute", "kind", "offering", "--for", "31d"), "to 30 d"),
    (("mute", "sink", "discord"), "invalid choice"), (("mute", "ticker", "ACME", "--for", "soon"), "no duration")])
def test_misuse_is_named(catalyst: Catalyst, running: Running, words: tuple[str, ...], says: str) -> None:
    """Exit code 64 and one line."""
    running.start(Alerter)
    done = catalyst(*words)
    assert (done.code, done.err.count("\n")) == (64, 1)
    assert says in done.err


def test_without_an_alerter(catalyst: Catalyst) -> None:
    """Nobody could keep the mute: exit code 69."""
    for words in (("mute", "ticker", "ACME"), ("unmute", "ticker", "ACME"), ("mutes",)):
        assert catalyst(*words).code == 69


def test_what_was_held_is_listed_and_explained(catalyst: Catalyst, running: Running) -> None:
    """Not among the alerts, but with --suppressed, with its reason; its item is dropped as muted at the step mute."""
    running.start(Alerter)
    catalyst("mute", "ticker", "ACME")
    running.stop("alerter")
    put(running, same(ALERT, ticker="ACME", alert_id="held", item_id="h" * 32))  # type: ignore[arg-type]
    running.start(Alerter, Tracker)
    wait_until(lambda: running.processes["tracker"].progress.handled == 1)
    assert catalyst("alerts", "--json").out == ""
    (alert,) = catalyst("alerts", "--suppressed", "--json").lines
    assert (alert["id"], alert["state"], alert["reason"]) == ("held", "suppressed", "muted:ticker ACME")
    assert "  held: muted, ticker ACME\n" in catalyst("alerts", "--suppressed").out
    assert catalyst("mutes", "--json").json["held"] == 1
    top = catalyst("top", "--json").json["silence"]
    assert (top["held_today"], [mute["value"] for mute in top["mutes"]]) == ({"muted": 1}, ["ACME"])
    assert "  muted: ticker ACME to " in catalyst("top", "--once").out
    found = catalyst("explain", "--ticker", "ACME", "--json").json
    assert [(item["step"], item["fate"], item["reason"]) for item in found["items"]] == [("mute", "dropped", "muted")]
    assert "catalyst alerts --suppressed" in catalyst("explain", "--ticker", "ACME").out


@pytest.mark.parametrize(("reason", "words"), [
    ("muted:kind offering", "muted, kind offering"), ("quiet", "quiet hours"),
    ("filtered:discord score", "filtered by every sink: discord score"),
    ("cooldown:a1", "told as an update of alert a1")])
def test_reasons_in_words(reason: str, words: str) -> None:
    """Each stored reason reads as a sentence's part, and the alert as not posted."""
    assert held_words(reason) == words
    text = render({**listed(None, "suppressed"), "reason": reason}, Local(UTC))
    assert f"held: {words}" in text
    assert "not posted" in text


@pytest.mark.parametrize("reason", ["muted", "quiet", "filtered", "cooldown", "digest"])
def test_the_funnel_knows_each_reason(reason: str) -> None:
    """All stop at the step mute, with words of their own."""
    fact = {"fate": "dropped", "reason": reason, "ticker": "ACME", "stage": "alerter", "alert_id": None}
    step, fate, _, words = ended("ACME", None, fact, None, 10.0, 0.1)
    assert (step, fate, step_of(reason, "alerter")) == ("mute", "dropped", "mute")
    assert len(words) > len(reason) + 10
