"""Times in HTTP headers."""

from __future__ import annotations

import pytest

from catalyst.core.headers import retry_after_s, server_ms

NOW_MS = 1_445_412_480_000  # Wed, 21 Oct 2015 07:28:00 GMT


@pytest.mark.parametrize(("text", "expected"), [
    ("120", 120), ("0", 0), ("-5", 0), ("1.5", 1.5), ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
    ("Wed, 21 Oct 2015 07:27:00 GMT", 0), ("soon", None), ("", None), ("nan", None), ("1e12", 86_400),
    ("inf", 86_400)])
def test_retry_after(text: str, expected: float | None) -> None:
    """Retry-After is seconds or a date; nonsense is no wish."""
    assert retry_after_s({"retry-after": text}, NOW_MS) == expected


@pytest.mark.parametrize("skew_ms", [0, 3_600_000, -3_600_000, 172_800_000])
def test_a_date_to_wait_for_is_by_the_servers_clock(skew_ms: int) -> None:
    """Whatever our own clock shows, the wait is from the answer's Date."""
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:30 GMT", "date": "Wed, 21 Oct 2015 07:28:00 GMT"}
    assert retry_after_s(headers, NOW_MS + skew_ms) == 30


@pytest.mark.parametrize(("headers", "expected"), [
    ({}, None), ({"date": ""}, None), ({"date": "yesterday"}, None),
    ({"date": "Wed, 21 Oct 2015 07:28:00 GMT"}, NOW_MS), ({"date": "Wed, 21 Oct 2015 07:28:00 GMT", "age": "90"},
                                                          NOW_MS + 90_000),
    ({"date": "Wed, 21 Oct 2015 07:28:00 GMT", "age": "-9"}, NOW_MS),
    ({"date": "Wed, 21 Oct 2015 07:28:00 GMT", "age": "9" * 40}, NOW_MS + 999_999_999_000)])
def test_the_servers_clock(headers: dict[str, str], expected: int | None) -> None:
    """Date, older by Age where a cache kept the answer; None where it does not say."""
    assert server_ms(headers) == expected
