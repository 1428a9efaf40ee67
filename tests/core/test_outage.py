"""Outages of sources: counted in polls, told once."""

from __future__ import annotations

import pytest

from catalyst.core.outage import (
    Mark,
    Notice,
    Standing,
    after_poll,
    began_together,
    blackout,
    blackout_over,
    is_over,
)


def run(outcomes: str, limit: int = 3, *, had_items: bool = True) -> tuple[Standing, list[tuple[int, str]]]:
    """The standing after a row of polls (o ok, n not modified, e empty, f failed) and (number, severity) of notices."""
    words = {"o": "ok", "n": "not_modified", "e": "empty", "f": "timeout"}
    standing, told = Standing(), []
    for number, letter in enumerate(outcomes):
        had_items |= letter == "o"
        standing, notice = after_poll(standing, "wire", words[letter], failed=letter == "f", had_items=had_items,
                                      now_ms=1_000 * number, limit=limit)
        if notice is not None:
            told.append((number, notice.severity))
    return standing, told


@pytest.mark.parametrize(("outcomes", "told"), [
    ("ooo", []), ("ffo", []), ("fff", [(2, "warning")]), ("eee", [(2, "warning")]), ("fef", [(2, "warning")]),
    ("ffffff", [(2, "warning")]), ("ffnff", []), ("fffo", [(2, "warning"), (3, "info")]),
    ("fffnfff", [(2, "warning"), (3, "info"), (6, "warning")]), ("", [])])
def test_told_once(outcomes: str, told: list[tuple[int, str]]) -> None:
    """The operator hears once of each outage and once of its end; success in between starts the count anew."""
    assert run(outcomes)[1] == told


@pytest.mark.parametrize(("outcomes", "told"), [
    ("eeeeeeee", []), ("fff", [(2, "warning")]), ("ffeff", []), ("fffe", [(2, "warning"), (3, "info")]),
    ("eeeoeee", [(6, "warning")]), ("eeeoeen", []), ("eefff", [(4, "warning")])])
def test_a_wire_that_has_published_nothing_yet(outcomes: str, told: list[tuple[int, str]]) -> None:
    """Empty answers of a source that never had an item are no outage; its failures are, and so is empty afterwards."""
    assert run(outcomes, had_items=False)[1] == told


def test_counts() -> None:
    """The streak counts failed and empty polls, the failures only failed ones in a row."""
    assert run("offef")[0] == Standing(4, 1, 1_000, True)
    assert run("fffo")[0] == Standing()


def test_episodes_and_texts() -> None:
    """A notice names the source, the count, the reason and the length; its episode is the outage's beginning."""
    down = Standing(2, 2, 5_000)
    after, notice = after_poll(down, "wire", "status_503", failed=True, had_items=True, now_ms=9_000,
                               limit=3)
    assert notice == Notice("5000", "warning", "wire gives nothing",
                            "3 failed or empty polls in a row, the last one: status_503")
    _, over = after_poll(after, "wire", "ok", failed=False, had_items=True, now_ms=65_000, limit=3)
    assert over == Notice("5000:over", "info", "wire is back", "after 3 failed or empty polls in 60 s")


def test_an_outage_may_begin_at_time_zero() -> None:
    """A beginning at zero is a beginning, not an unknown one."""
    after, _ = after_poll(Standing(1, 1, 0), "wire", "empty", failed=False, had_items=True, now_ms=9_000, limit=2)
    assert after.outage_ms == 0


def marks(states: str) -> list[Mark]:
    """Sources in a row since moment 100: d down, u up, x not asked since, n never answered and down."""
    made = {"d": (3, "dns", 150, 90), "u": (0, "ok", 150, 150), "x": (0, "ok", 90, 90), "n": (3, "timeout", 150, 0)}
    return [Mark(f"s{number}", *made[letter]) for number, letter in enumerate(states)]


@pytest.mark.parametrize(("states", "together"), [
    ("dd", True), ("d", False), ("du", False), ("ddddddddd", True), ("ddddddddu", False), ("dddddddddu", True),
    ("dddddddduu", False), ("dn", True), ("dx", False), ("ddx", True), ("ddxx", True), ("ddxxx", False), ("", False)])
def test_down_together(states: str, together: bool) -> None:
    """All but one in ten of those that were asked since are down, and those are two, and half of all, at least."""
    assert began_together(marks(states), 100) is together


@pytest.mark.parametrize(("states", "over"), [
    ("ddd", False), ("ddu", True), ("dddddddddu", False), ("dddddddduu", True), ("uu", True), ("", True)])
def test_together_is_over(states: str, over: bool) -> None:
    """As soon as more answer than may while the rest counts as all; and where no source is left."""
    assert is_over(marks(states)) is over


def test_texts_of_a_blackout() -> None:
    """They say how many fail, what they have in common, how long it lasted and how many are still silent."""
    assert blackout(marks("ddn"), 100) == Notice(
        "100", "warning", "No source answers", "3 of 3 sources fail together, 2 of them with: dns")
    assert blackout(marks("dddddddddu"), 100).title == "Hardly any source answers"
    assert blackout_over(marks("duu"), 100, 60_100) == Notice(
        "100:over", "info", "Sources answer again", "after 60 s; 1 of 3 have not answered yet")
    assert blackout_over(marks("uu"), 100, 60_100).text == "after 60 s"
