"""The supervisor's own way to the operator: which notices take it, and what follows a request."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.core.delivery import OPS, WEBHOOK, Deliver, Sent
from catalyst.core.notices import parked_notice
from catalyst.runtime.contract import Job
from catalyst.runtime.operator import POST, Operator
from catalyst.settings import load
from catalyst.testing import FakeClock

NOTICE = parked_notice("alerter", "6 quick ends in a row", 1_000)
SINKS = {"DISCORD_ADMIN_WEBHOOK": "http://127.0.0.1:1/api/webhooks/2/ops",
         "CATALYST_WEBHOOK_URL": "http://127.0.0.1:1/hook"}


def operator(home: Path, **settings: str) -> Operator:
    """One with these sinks."""
    return Operator(load({"CATALYST_HOME": str(home), **settings}), FakeClock())


@pytest.mark.parametrize(("state", "sinks"), [("running", set()), ("backoff", set()), ("parked", {OPS, WEBHOOK}),
                                              ("stopped", {OPS, WEBHOOK})])
def test_only_an_alerter_that_is_away_is_passed_by(tmp_path: Path, state: str, sinks: set[str]) -> None:
    """A notice goes to the alerter or, while it is parked or stopped, to each sink by a job; never both."""
    found = list(operator(tmp_path, **SINKS).tell(NOTICE, state))
    assert {job.lane for job in found if isinstance(job, Job)} == sinks
    assert (NOTICE in found) is not bool(sinks)


def test_without_a_sink_the_alerter_gets_it(tmp_path: Path) -> None:
    """It keeps the notice until it is back, as always."""
    assert list(operator(tmp_path).tell(NOTICE, "parked")) == [NOTICE]


@pytest.mark.parametrize(("sent", "wait_ms"), [
    (Sent("delivered", 0, 0, 200), None), (Sent("refused", 0, 0, 403), None),
    (Sent("retry", 0, 5_000, 429, headers={"retry-after": "7"}), 7_000), (Sent("ambiguous", 0, 5_000), 1_500)])
def test_a_notice_is_tried_until_it_is_out_or_refused(tmp_path: Path, sent: Sent, wait_ms: int | None) -> None:
    """The next try waits longer each time and for as long as the sink asks."""
    job = Job(POST.name, Deliver(id="ops-1", sink=OPS, event="ops", notice=NOTICE), OPS, tries=3)
    again = list(operator(tmp_path, **SINKS).after(job, sent, 5_000))
    assert [job.not_before_ms >= 5_000 + (wait_ms or 0) for job in again] == [True] * (wait_ms is not None)
