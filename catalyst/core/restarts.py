"""When an actor that died is started again: at once the first time, then later and later. Pure.

State and `now` in, state out; who died and who starts is the supervisor's business.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.1
CAP_S = 10.0
STABLE_S = 1.0  # an actor that was ready for this long did not die of its start: it restarts at once
JITTER = 0.2


@dataclass(frozen=True, slots=True)
class RestartState:
    """`quick` counts the deaths that followed quickly on one another."""

    quick: int = 0


def after_death(state: RestartState, lived_s: float, chance: float) -> tuple[RestartState, float]:
    """(new state, seconds until the start) after an actor died that had lived `lived_s`.

    `chance` in [0, 1) spreads the delay by JITTER, so that actors which died together do not start together.
    """
    quick = 1 if lived_s >= STABLE_S else state.quick + 1
    if quick == 1:
        return RestartState(quick), 0.0
    delay_s = min(CAP_S, FIRST_DELAY_S * 2 ** min(quick - 2, 16))
    return RestartState(quick), delay_s * (1 + JITTER * (2 * chance - 1))
