"""The Discord limiter against answers in every form, and against a Discord that enforces its limit."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.limiter import (
    BLIND_WAIT_MS,
    LONGEST_WAIT_MS,
    MARGIN_MS,
    Limits,
    after_response,
    after_silence,
    is_global,
    is_old_edit,
    moved,
    open_at_ms,
    room_at_ms,
)
from catalyst.world.discord import Desk, Request

NOW = 1_767_362_400_000


def headers(remaining: object, after_s: object) -> dict[str, str]:
    return {"x-ratelimit-remaining": str(remaining), "x-ratelimit-reset-after": str(after_s)}


@pytest.mark.parametrize(("status", "given_headers", "body", "wait_ms"), [
    (200, {}, b"", 0),
    (200, headers(1, 2), b"", 0),
    (200, headers(0, 1.5), b"", 1500 + MARGIN_MS),
    (200, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW / 1000 + 3:.3f}"}, b"", 3000 + MARGIN_MS),
    (200, headers("1e308", "1e308"), b"", 0), (200, headers(0, "1e308"), b"", LONGEST_WAIT_MS),
    (200, headers("nan", 2), b"", 0), (200, headers(0, "inf"), b"", 0), (200, headers(0, -3), b"", 0),
    (200, headers(0, "soon"), b"", 0),
    (429, {"retry-after": "2"}, b"", 2000 + MARGIN_MS),
    (429, {}, b'{"retry_after": 0.6}', 600 + MARGIN_MS),
    (429, {"retry-after": "1"}, b'{"retry_after": 1.2, "global": true}', 1200 + MARGIN_MS),
    (429, {"retry-after": "3", **headers(0, 0.5)}, b'{"retry_after": 0.5}', 3000 + MARGIN_MS),
    (429, {}, b"<html>error 1015</html>", BLIND_WAIT_MS),
    (429, {"retry-after": "Fri, 02 Jan 2026 14:05:00 GMT"}, b"", 300_000 + MARGIN_MS),
    (429, {"retry-after": "Fri, 02 Jan 2026 14:05:00 GMT", "date": "Fri, 02 Jan 2026 14:04:00 GMT"}, b"",
     60_000 + MARGIN_MS),
    (429, {"retry-after": "Fri, 02 Jan 2026 13:00:00 GMT"}, b"", BLIND_WAIT_MS),
    (429, {"retry-after": "2.5"}, b"", 2_500 + MARGIN_MS), (429, {"retry-after": "-1"}, b"", BLIND_WAIT_MS),
    (429, {"retry-after": "1e12"}, b"", LONGEST_WAIT_MS),
    (429, {}, b'{"retry_after": true}', BLIND_WAIT_MS), (429, {}, b'{"a": "\xff"}', BLIND_WAIT_MS),
])
def test_wait_after_an_answer(status: int, given_headers: dict[str, str], body: bytes, wait_ms: int) -> None:
    """The longest wait that the answer names anywhere is kept; odd values count as not said."""
    limits = after_response(Limits(), status, given_headers, body, NOW)
    assert open_at_ms(limits, 0, NOW) == NOW + wait_ms


def test_own_cap_slides() -> None:
    """With a cap of three a minute the fourth request waits for the first to be a minute old."""
    limits = Limits()
    for at in (0, 10_000, 20_000):
        assert open_at_ms(limits, 3, NOW + at) == NOW + at
        limits = after_response(limits, 200, {}, b"", NOW + at)
    assert open_at_ms(limits, 3, NOW + 21_000) == NOW + 60_000
    assert open_at_ms(limits, 0, NOW + 21_000) == NOW + 21_000
    assert open_at_ms(limits, 3, NOW + 60_000) == NOW + 60_000


def test_a_request_that_nobody_saw_end_counts() -> None:
    """After the last request of a window is lost the next waits for the window."""
    limits = after_response(Limits(), 200, headers(1, 2), b"", NOW)
    assert open_at_ms(limits, 0, NOW) == NOW
    assert open_at_ms(after_silence(limits, NOW + 1), 0, NOW + 1) == NOW + 2000 + MARGIN_MS


def test_an_answer_without_headers_keeps_what_was_known() -> None:
    """An error page between two answers does not open a shut window, and its own request counts."""
    limits = after_response(Limits(), 200, headers(1, 2), b"", NOW)
    limits = after_response(limits, 502, {}, b"bad gateway", NOW + 100)
    assert open_at_ms(limits, 0, NOW + 100) == NOW + 2000 + MARGIN_MS
    limits = after_response(limits, 502, {}, b"bad gateway", NOW + 3000)
    assert open_at_ms(limits, 0, NOW + 3000) == NOW + 3000


def test_clock_set_back() -> None:
    """Requests from a future that is no more hold the own cap for a minute, not for an hour."""
    limits = after_response(Limits(), 200, {}, b"", NOW + 3_600_000)
    assert open_at_ms(limits, 1, NOW) == NOW + 60_000


@pytest.mark.parametrize(("status", "given_headers", "body", "answer"), [
    (429, {"x-ratelimit-global": "true"}, b"", True), (429, {"x-ratelimit-scope": "global"}, b"", True),
    (429, {}, b'{"global": true}', True), (429, {"x-ratelimit-scope": "shared"}, b'{"global": false}', False),
    (200, {"x-ratelimit-global": "true"}, b"", False), (429, {}, b"[" * 50_000, False),
])
def test_global(status: int, given_headers: dict[str, str], body: bytes, answer: bool) -> None:
    """A global limit is read from header or body, only of a 429."""
    assert is_global(status, given_headers, body) is answer


@pytest.mark.parametrize(("most", "seconds"), [(5, 2.0), (1, 0.5), (30, 60.0)])
def test_against_an_enforced_limit(most: int, seconds: float) -> None:
    """300 requests pass at 95 % of the allowed rate or more without one being refused."""
    desk, limits, now_ms = Desk((most, seconds)), Limits(), NOW
    for _ in range(300):
        now_ms = open_at_ms(limits, 0, now_ms)
        reply = desk.handle(Request("1/t", "POST", None, {"content": "x"}, (), 10, True), now_ms)
        now_ms += 7  # the answer's way back
        assert reply.status == 200
        limits = after_response(limits, reply.status, {name.lower(): value for name, value in reply.headers.items()},
                                json.dumps(reply.body).encode(), now_ms)
    fastest_ms = (300 / most - 1) * seconds * 1000
    assert (now_ms - NOW) * 0.95 <= fastest_ms + most * 7 + 7


texts = st.none() | st.text(max_size=12) | st.floats().map(str) | st.integers(-10, 10**6).map(str)


@given(st.sampled_from([200, 204, 400, 429, 500]), texts, texts, texts, texts,
       st.binary(max_size=20) | st.dictionaries(st.sampled_from(["retry_after", "global"]),
                                                st.none() | st.floats() | st.text(max_size=4)).map(
                                                    lambda fields: json.dumps(fields).encode()))
def test_any_answer_gives_a_sane_moment(status: int, remaining: Any, after: Any, reset: Any, retry: Any,
                                        body: bytes) -> None:
    """Whatever a server says, the next moment is not in the past and not beyond a day."""
    names = ("x-ratelimit-remaining", "x-ratelimit-reset-after", "x-ratelimit-reset", "retry-after")
    told = {name: value for name, value in zip(names, (remaining, after, reset, retry), strict=True)
            if value is not None}
    limits = after_response(Limits(), status, told, body, NOW)
    assert msgspec.json.decode(msgspec.json.encode(limits), type=Limits) == limits
    assert NOW <= open_at_ms(limits, 30, NOW) <= NOW + LONGEST_WAIT_MS
    if status == 429:
        assert open_at_ms(limits, 0, NOW) > NOW


@pytest.mark.parametrize("by_ms", [3_600_000, -3_600_000, 172_800_000])
def test_a_jump_of_the_clock_moves_every_wait(by_ms: int) -> None:
    """The end of a 429, of a bucket and of the minute are as far away as before."""
    for limits in (Limits(0, NOW + 3_000), Limits(blocked_ms=NOW + 5_000), Limits(sent_ms=(NOW - 40_000,))):
        assert open_at_ms(moved(limits, by_ms), 1, NOW + by_ms) == open_at_ms(limits, 1, NOW) + by_ms


@pytest.mark.parametrize("skew_ms", [0, 3_600_000, -172_800_000])
def test_the_epoch_of_a_bucket_is_by_discords_clock(skew_ms: int) -> None:
    """Where the answer is dated, our own clock may be wrong by days."""
    said = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(NOW // 1000 + 3),
            "date": "Fri, 02 Jan 2026 14:00:00 GMT"}
    assert after_response(Limits(), 200, said, b"", NOW + skew_ms).reset_ms == NOW + skew_ms + 3_000 + MARGIN_MS


def test_too_many_edits_of_old_messages_block_nothing() -> None:
    """Code 30046 is about those messages alone; the bucket's own words still count, and no other code is taken so."""
    body = b'{"message": "Maximum number of edits", "code": 30046}'
    assert is_old_edit(429, body)
    assert after_response(Limits(), 429, {}, body, NOW).blocked_ms == 0
    assert after_response(Limits(), 429, headers(0, 2), body, NOW).remaining == 0
    for status, other in ((429, b'{"code": 0}'), (429, b"30046"), (400, body)):
        assert not is_old_edit(status, other)


@pytest.mark.parametrize(("made", "per_minute", "wait_ms"), [
    (19, 30, 0), (20, 30, 10_000), (25, 30, 15_000), (99, 0, 0), (1, 1, 10_000), (1, 2, 0)])
def test_a_part_of_the_minute_is_for_texts(made: int, per_minute: int, wait_ms: int) -> None:
    """An edit waits until two thirds of our own cap are not used up; without a cap of our own it never does."""
    limits = Limits(sent_ms=tuple(NOW - 50_000 + 1_000 * number for number in range(made)))
    assert room_at_ms(limits, per_minute, NOW) == NOW + wait_ms
