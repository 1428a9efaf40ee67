"""No job waits for the outside world until the supervisor ends its process: each client gives up before."""

from __future__ import annotations

import inspect

from actors.alerter import ANSWER_S as ALERTER_ANSWER_S
from actors.tracker import ANSWER_S as TRACKER_ANSWER_S
from catalyst.clients import edgar, notify, polls, prices, sinks
from catalyst.runtime.children import STACKS_ANSWER_S
from catalyst.runtime.contract import JobKind
from catalyst.runtime.roster import ALL, load_actor

POST_S = max(sinks.ASK_S + sinks.DEADLINE_S, notify.DEADLINE_S)
# Seconds that the requests of a job take at most, all of them together; what is computed is not counted.
WORST_S = {
    ("fetcher", "poll"): polls.POLL_S,
    ("fetcher", "companies"): polls.LARGE_S,
    ("fetcher", "reconcile"): polls.LARGE_S,
    ("sec", "read"): edgar.FILING_S,
    ("market", "quote"): prices.TOTAL_S,
    ("market", "history"): inspect.signature(prices.PriceChain.history).parameters["total_s"].default,
    ("market", "look"): inspect.signature(prices.PriceChain.bars).parameters["total_s"].default,
    ("charter", "draw"): 0.0,
    ("alerter", "deliver"): POST_S,
    ("alerter", "ask"): ALERTER_ANSWER_S,
    ("tracker", "look"): 2 * TRACKER_ANSWER_S,
    ("supervisor", "stacks"): STACKS_ANSWER_S,
    ("supervisor", "post"): POST_S,
}


def test_every_job_gives_up_before_its_limit() -> None:
    """Each kind of job of each actor is in the list above, and its waiting ends a second before the limit."""
    kinds: dict[tuple[str, str], JobKind] = {(name, kind.name): kind for name in ALL for kind in load_actor(name).jobs}
    assert kinds.keys() == WORST_S.keys()
    assert {key: WORST_S[key] for key, kind in kinds.items() if WORST_S[key] > kind.limit_s - 1} == {}
