"""Which sinks that want an alert have it and which still wait for it, in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from catalyst.core.delivery import ARRIVED, PENDING

WAITING = PENDING | {"waiting"}
UNWANTED = "filtered"


def waiting(states: Mapping[str, str]) -> tuple[str, ...]:
    """The sinks that still wait; `states`: of each sink's first delivery."""
    return tuple(sink for sink, state in states.items() if state in WAITING)


def reach(states: Mapping[str, str], took_ms: Mapping[str, int], say: Callable[[int], str]) -> str:
    """`webhook 72 ms, discord waiting`: each sink that wants the alert, where that are several; empty else, for one
    figure tells all of one sink. `took_ms`: from seen to the request to a sink that has it."""
    wanted = {sink: state for sink, state in states.items() if state != UNWANTED}
    if len(wanted) < 2:
        return ""
    words = []
    for sink in sorted(wanted, key=lambda name: (wanted[name] in WAITING, took_ms.get(name, 0))):
        state, took = wanted[sink], took_ms.get(sink)
        word = say(took) if state in ARRIVED and took is not None else "waiting" if state in WAITING else state
        words.append(f"{sink} {word}")
    return ", ".join(words)
