"""What a person is told of what is held back, and that an odd answer is an unknown one."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

from catalyst.core.silence import Silence, end_words, mute_words, silence_of, today_words
from catalyst.testing import START_MS

ANSWER: dict[str, Any] = {
    "ok": True, "mutes": [{"what": "ticker", "value": "ABCD", "until_ms": START_MS + 60_000, "held": 8, "note": "x"}],
    "held_today": {"muted": 8, "quiet": 3, "another": 1}, "quiet_until_ms": START_MS + 86_400_000}


def test_words() -> None:
    """Mutes with their ends, of another day with its date; the alerts of today by reason, an unknown one as it is."""
    silence = silence_of(ANSWER)
    assert silence is not None
    assert today_words(silence) == "12 held back today: 8 muted, 3 in quiet hours, 1 another"
    assert list(mute_words(silence, START_MS, UTC)) == ["ticker ABCD to 14:01"]
    assert end_words(START_MS + 86_400_000, START_MS, UTC) == "3 Jan 14:00"


def test_nothing_is_said_of_nothing() -> None:
    """A house that holds nothing back has no words for it."""
    silence = silence_of({"mutes": [], "held_today": {}, "quiet_until_ms": None})
    assert silence == Silence()
    assert not silence
    assert today_words(silence) == ""


@pytest.mark.parametrize("odd", [{"mutes": 5}, {"mutes": [{"what": 1}]}, {"held_today": {"x": "y"}},
                                 {"quiet_until_ms": 10**30}, {"quiet_until_ms": True}])
def test_an_odd_answer_is_unknown(odd: dict[str, Any]) -> None:
    """Another version's answer, or a broken one, is no answer."""
    assert silence_of({**ANSWER, **odd}) is None
    assert silence_of(None) is None
