"""What is wrong with a sink of the world just now, for `catalyst chaos`: asked for by `POST /_trouble`, over by itself.

    429, 500, 503   it answers so and has done nothing
    reset_before    it takes the request, does nothing and closes the connection
    reset_after     it does what was asked and closes the connection without an answer
    truncated       it does what was asked and breaks off in the middle of the answer
    slow            it does what was asked and answers SLOW_S later
"""

from __future__ import annotations

import threading
from typing import Any

KINDS = ("429", "500", "503", "reset_before", "reset_after", "truncated", "slow")
SINKS = ("discord", "hook")
SLOW_S = 1.5
LONGEST_S = 3600.0


class Trouble:
    """The troubles of all sinks, one at a time each; times are monotonic seconds. Safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now: dict[str, tuple[str, float]] = {}  # sink -> kind and end
        self._met: dict[str, int] = {}

    def begin(self, wanted: Any, now_s: float) -> dict[str, Any]:
        """Begin what `{"what", "sink", "for_s"}` asks for, in place of what is wrong with the sink. Raises ValueError.

        `for_s` 0 ends it.
        """
        if not isinstance(wanted, dict) or wanted.get("what") not in KINDS or wanted.get("sink") not in SINKS:
            raise ValueError(f"what is one of {', '.join(KINDS)}, sink one of {', '.join(SINKS)}")
        for_s = wanted.get("for_s")
        if isinstance(for_s, bool) or not isinstance(for_s, int | float) or not 0 <= for_s <= LONGEST_S:
            raise ValueError(f"for_s is a number of seconds from 0 to {LONGEST_S:g}")
        with self._lock:
            self._now[wanted["sink"]] = (wanted["what"], now_s + for_s)
        return {"what": wanted["what"], "sink": wanted["sink"], "for_s": for_s}

    def at(self, sink: str, now_s: float) -> str:
        """The trouble that a request to the sink meets now, empty where there is none; it is counted."""
        with self._lock:
            what, end_s = self._now.get(sink, ("", 0.0))
            if not what or now_s >= end_s:
                return ""
            self._met[f"{sink} {what}"] = self._met.get(f"{sink} {what}", 0) + 1
            return what

    def met(self) -> dict[str, int]:
        """`SINK KIND` -> how many requests have met it."""
        with self._lock:
            return dict(self._met)
