"""When an actor that died is started again: at once the first time, then later and later, in the end parked. Pure.

State and `now` in, state out; who died and who starts is the supervisor's business.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.1
CAP_S = 10.0
STABLE_S = 1.0  # an actor that was ready for this long did not die of its start: it restarts at once
JITTER = 0.2
PARKED_AFTER = 8  # quick deaths in a row: some six seconds of trying
INTENSITY, PERIOD_S = 60, 60.0  # deaths within this time: whatever kills it, it is no single event
CALM_S = 30.0  # ready for so long: the trouble is over


@dataclass(frozen=True, slots=True)
class RestartState:
    """`quick` counts the deaths that followed quickly on one another, `deaths` are monotonic seconds."""

    quick: int = 0
    deaths: tuple[float, ...] = ()

    @property
    def is_parked(self) -> bool:
        """Whether the actor is tried at the cap only, until it stays up."""
        return self.quick >= PARKED_AFTER or len(self.deaths) >= INTENSITY


def after_death(state: RestartState, lived_s: float, now_s: float, chance: float) -> tuple[RestartState, float]:
    """(new state, seconds until the start) after an actor died that had lived `lived_s`.

    `chance` in [0, 1) spreads the delay by JITTER, so that actors which died together do not start together.
    """
    quick = 1 if lived_s >= STABLE_S else state.quick + 1
    deaths = (*(moment_s for moment_s in state.deaths if now_s - moment_s < PERIOD_S), now_s)[-INTENSITY:]
    after = RestartState(quick, deaths)
    if after.is_parked:
        return after, CAP_S * (1 + JITTER * (2 * chance - 1))
    if quick == 1:
        return after, 0.0
    delay_s = min(CAP_S, FIRST_DELAY_S * 2 ** min(quick - 2, 16))
    return after, delay_s * (1 + JITTER * (2 * chance - 1))
