"""The supervisor's own way to the operator, for the time in which the alerter, whose task that is, does not stay up.

A notice goes either this way or to the alerter, never both: one that waits here is tried until it is out or refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from catalyst import log
from catalyst.clients.http import Http
from catalyst.clients.sinks import address, deliver
from catalyst.clock import Clock
from catalyst.core.delivery import OPS, WEBHOOK, Deliver, Sent, settle, wait_ms, wish_ms
from catalyst.core.endings import notice_id
from catalyst.messages import OpsNotice
from catalyst.runtime.contract import Job, JobKind, Output
from catalyst.settings import Settings

POST = JobKind("post", Deliver, limit_s=15.0, background=True)
LONGEST_WAIT_S = 60.0
AWAY = ("parked", "stopped")  # states of the alerter in which it will not tell of anything soon


class Operator:
    """Posts notices to the operator's channel and to the signed webhook, where they are set."""

    def __init__(self, settings: Settings, clock: Clock):
        self._settings = settings
        self._clock = clock
        self._http = Http(clock)

    def tell(self, notice: OpsNotice, alerter: str) -> Iterator[Output]:
        """The notice itself, for the alerter; in a state in which that one is away a job for each sink that is set."""
        sinks = [sink for sink in (OPS, WEBHOOK) if address(self._settings, sink)]
        if alerter not in AWAY or not sinks:
            yield notice
            return
        for sink in sinks:
            yield Job(POST.name, Deliver(id=notice_id(notice), sink=sink, event="ops", notice=notice), sink)

    def post(self, payload: Deliver) -> Sent:
        """One request."""
        return deliver(self._http, self._clock, self._settings, payload)

    def after(self, job: Job, sent: Sent, now_ms: int) -> Iterator[Job]:
        """The next try, if there is to be one: later each time, and not before the sink allows it."""
        assert isinstance(job.payload, Deliver)
        verdict = settle(job.payload, sent, job.tries, job.tries)
        if verdict.state is None:
            own_ms = wait_ms(job.tries, LONGEST_WAIT_S, verdict.payload.key)
            wait = max(own_ms, wish_ms(sent))
            yield replace(job, payload=verdict.payload, not_before_ms=max(verdict.again_ms, now_ms + wait))
        else:
            log.info("told", notice=job.payload.id, sink=job.payload.sink, state=verdict.state, reason=sent.reason)
