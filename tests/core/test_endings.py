"""What the ends of deliveries mean for the alert, and what the operator is told of them."""

from __future__ import annotations

import pytest

from catalyst.core.delivery import Deliver, Digest
from catalyst.core.endings import complaint, notice_id, overall
from tests.core.test_delivery import EDIT, POST, sent


def test_the_operator_hears_of_lost_alerts_only() -> None:
    """A refused chart or update is no notice, a lost alert and a closed sink are one each."""
    assert complaint(EDIT, sent("refused", 400, reason="status_400"), "", 5) is None
    assert complaint(POST, sent("refused", reason="sink_closed"), "", 5) is None
    lost = complaint(POST, sent("refused", 400, reason="status_400"), "", 5)
    closed = complaint(EDIT, sent("refused", 404), "unknown_webhook", 5)
    assert lost is not None
    assert closed is not None
    assert (lost.title, lost.episode) == ("An alert was not delivered", "a1")
    assert (closed.title, closed.episode) == ("Sink discord is closed", "unknown_webhook 5")
    assert notice_id(lost) != notice_id(closed)


@pytest.mark.parametrize(("states", "state"), [
    ((), "posted"), (("queued", "waiting"), "new"), (("queued", "delivered"), "posted"), (("queued", "refused"), "new"),
    (("refused", "ambiguous"), "dead"), (("refused", "delivered"), "posted")])
def test_overall(states: tuple[str, ...], state: str) -> None:
    """Out with the first sink, dead when none is left; without any sink it is only kept."""
    assert overall(states) == state


def test_what_is_told_of_a_digest_that_is_refused() -> None:
    """One whose alerts go on is a warning; one that ended quiet hours, or that the sink refuses, is lost."""
    waiting = Deliver(id="dg-a1", sink="discord", event="digest", digest=Digest("waiting", ()))
    quiet = Deliver(id="qt-a1", sink="discord", event="digest", digest=Digest("quiet", ()))
    answers = [(waiting, 400), (waiting, 403), (quiet, 400)]
    told = [complaint(one, sent("refused", status, reason=f"status_{status}"), "", 5) for one, status in answers]
    assert [(one.severity, one.title) for one in told if one is not None] == [
        ("warning", "A digest was refused: its alerts go out one by one"), ("critical", "A digest was not delivered"),
        ("critical", "A digest was not delivered")]
