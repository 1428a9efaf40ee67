"""The addresses of CATALYST_NOTIFY and the words that go to them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.card import Moment
from catalyst.core.delivery import Correction, Digest
from catalyst.core.notify import TITLE_LIMIT, addresses, alert_text, digest_text, is_gone, is_notify, meaning
from catalyst.testing import START_MS, same
from tests.alerting import ALERT

MOMENT = Moment(START_MS, ZoneInfo("America/New_York"))


def test_addresses_are_parted_and_named_by_their_service() -> None:
    """Commas and blanks part them, but not those inside; a name tells the service, not the address, and stays."""
    first, second = "tgram://123:SECRET/456,789", "ntfy://topicSECRET"
    found = addresses(f"{first}, {second}\n mailto://u:pSECRET@h.example")
    assert list(found.values()) == [first, second, "mailto://u:pSECRET@h.example"]
    assert [name.split("-")[1] for name in found] == ["tgram", "ntfy", "mailto"]
    assert not any("SECRET" in name for name in found)
    assert all(is_notify(name) for name in found)
    assert addresses(second) == {list(found)[1]: second}
    assert addresses("  ") == {}


def test_the_message_in_full() -> None:
    """The phone's line, why, price with change and age, the link alone on its line, source and id."""
    title, body = alert_text(ALERT, MOMENT)
    assert title == "ACME ▲ FDA approval · 80"
    assert body.splitlines() == ["Acme wins FDA approval", "Why: wins (title)", "Price: $4.20 · +5.0 % · 5 s old",
                                 "https://n.example/1", "PR Newswire · id a1"]


def test_a_digest_in_full() -> None:
    """What held them and how many, then a line each, then how many more."""
    assert digest_text(Digest("quiet", (ALERT,), 2)) == (
        "Quiet hours are over: 3 alerts held", "ACME ▲ FDA approval · 80\nand 2 more: catalyst alerts --suppressed")


def test_what_must_be_said_first() -> None:
    """Simulated, corrected and repeated are said; an unknown price is not a number; no link where none is safe."""
    _, body = alert_text(same(ALERT, simulated=True, price_usd=None, link="javascript:x"),
                         Moment(START_MS, MOMENT.zone, possible_repeat=True))
    assert body.splitlines()[0] == "SIMULATED PRICE: not from a market"
    assert "Price: unknown" in body
    assert "possible repeat" in body
    assert "javascript" not in body
    title, body = alert_text(ALERT, MOMENT, [Correction("w", "CORRECTION: no approval", "https://n.example/3")])
    assert title.startswith("Corrected: ACME")
    assert body.startswith("Corrected by its publisher: CORRECTION: no approval")
    assert "https://n.example/3" in body


HOSTILE = "@everyone [buy](https://evil.example) <https://evil.example|x> ```sh\u202egnp.exe\u200b http://evil.example/"


def test_hostile_words_stay_words() -> None:
    """No mention, no false link, no code, no direction control; one line each, the title within its limit."""
    title, body = alert_text(same(ALERT, title=HOSTILE, why=HOSTILE * 90, source=HOSTILE), MOMENT)
    assert len(title) <= TITLE_LIMIT
    assert len(body.splitlines()) == 5
    assert body.count("://") - body.count(" ://") == 1  # that of the alert itself
    for bad in ("@everyone", "](", "<", "```", "\u202e"):
        assert bad not in body


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_words_make_a_message(title: str, why: str) -> None:
    """Whatever a wire writes: bounded, without a mention, an angle bracket or an address that is alive."""
    head, body = alert_text(same(ALERT, title=title, why=why), MOMENT)
    assert 0 < len(head) <= TITLE_LIMIT
    assert len(body) < 1_000
    assert "@" not in body.replace("@\u200b", "")
    assert not set("<>") & set(body)
    assert body.count("https://") == 1


@pytest.mark.parametrize(("line", "expected"), [
    ("Failed to send JSON POST notification: Service Unavailable., error=503.", ("retry", 503, "status_503")),
    ("Failed to send ntfy notification: error=429.", ("retry", 429, "status_429")),
    ("Failed to send Telegram notification: error=404.", ("refused", 404, "status_404")),
    ("Socket Exception: HTTPSConnectionPool(host='SECRET'): NewConnectionError('refused')", ("retry", None, "refused")),
    ("Socket Exception: Read timed out.", ("ambiguous", None, "failed")),
    ("", ("ambiguous", None, "failed")),
])
def test_what_a_failure_means(line: str, expected: tuple[str, int | None, str]) -> None:
    """The status as for other sinks; no connection is tried again; anything else may have arrived."""
    assert meaning([line]) == expected


def test_what_ends_an_address() -> None:
    """A wrong token, a topic that is gone, an address that nobody understands; not a bad message, not Discord's."""
    assert is_gone("notify-ntfy-1", "status_404")
    assert is_gone("notify-ntfy-1", "bad_address")
    assert not is_gone("notify-ntfy-1", "status_400")
    assert not is_gone("discord", "status_404")
