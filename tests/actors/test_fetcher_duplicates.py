"""The fetcher and stories that come more than once: edited copies, corrections, old texts under new links."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalyst.core.stories import story_id
from catalyst.messages import ItemDropped, StoryCorrected, StoryFound, StoryJoined
from catalyst.testing import FakeClock
from tests.actors.test_fetcher import Wires, bench_of, clock, found, item, poll, reasons, settled, wires

__all__ = ["clock", "wires"]  # the fixtures

TITLE = "Acme Robotics Announces Positive Phase 2 Results of Zolvex in Severe Asthma"
BODY = ("Acme Robotics, Inc. (Nasdaq: ACME), a maker of inhaled medicines, today announced positive results of its "
        "Phase 2 trial of Zolvex in severe asthma. The trial met its primary endpoint in 412 patients.")
ONE, TWO = "https://one.example/a", "https://two.example/b"


def told(title: str, link: str, ms: int | None, text: str = BODY, guid: str = "") -> str:
    """An entry with a text."""
    return item(title, link, ms, guid, f"<description>{text}</description>")


def test_a_copy_with_an_edited_title_joins(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Another wire's title says it otherwise; the text and the ticker show that it is the same story."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/one", told(TITLE, ONE, clock.now_ms()))
        poll(bench)
        wires.feed("/two", told("Zolvex of Acme Robotics Achieves Endpoint in Phase 2 Trial", TWO, clock.now_ms(),
                                "AUSTIN, Texas--(BUSINESS WIRE)--" + BODY))
        joined, dropped = poll(bench)
        assert isinstance(joined, StoryJoined)
        assert (joined.item_id, joined.joined_id) == (story_id(ONE), story_id(TWO))
        assert isinstance(dropped, ItemDropped)
        assert dropped.reason == f"duplicate:{story_id(ONE)}"


def test_one_text_with_other_numbers_does_not_join(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """The same title on another wire over the same text with another number is a story of its own."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/one", told(TITLE, ONE, clock.now_ms()))
        poll(bench)
        wires.feed("/two", told(TITLE, TWO, clock.now_ms(), BODY.replace("412", "380")))
        assert found(poll(bench)) == [TITLE]


@pytest.mark.parametrize("source", ["one", "two"])
@pytest.mark.parametrize("title", ["CORRECTION: " + TITLE, "UPDATE -- " + TITLE.replace("Phase 2", "Phase 2b"),
                                   "CORRECTING and REPLACING " + TITLE])
def test_a_correction_of_a_story_that_was_handed_on(tmp_path: Path, wires: Wires, clock: FakeClock, source: str,
                                                    title: str) -> None:
    """It is told to the alerter, from its own wire or another, and ends as a duplicate; a restart changes nothing."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/one", told(TITLE, ONE, clock.now_ms()))
        poll(bench)
        bench.restart()
        clock.advance(50 * 3_600)
        wires.feed(f"/{source}", told(title, TWO, clock.now_ms(), BODY.replace("412", "421")),
                   told(TITLE, ONE, clock.now_ms()) if source == "one" else "")
        corrected, dropped = poll(bench)
        assert corrected == StoryCorrected(item_id=story_id(ONE), joined_id=story_id(TWO), source=source, title=title,
                                           link=TWO, published_ms=corrected.published_ms, seen_ms=clock.now_ms())
        assert isinstance(dropped, ItemDropped)
        assert (dropped.item_id, dropped.reason) == (story_id(TWO), f"duplicate:{story_id(ONE)}")
        assert bench.actor.statistics()["items_corrected"] == 1
        assert poll(bench) == []


def test_a_correction_of_nothing_known_is_a_story(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """It is handed on as any other; the plain story that another wire brings later joins it."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        wires.feed("/one", told("CORRECTION: " + TITLE, ONE, clock.now_ms()))
        (message,) = poll(bench)
        assert isinstance(message, StoryFound)
        wires.feed("/two", told(TITLE, TWO, clock.now_ms()))
        assert reasons(poll(bench)) == [f"duplicate:{story_id(ONE)}"]


def test_a_correction_of_backlog_is_a_story(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Nobody was told of what was dropped as backlog, so its correction is news."""
    wires.feed("/one", told(TITLE, ONE, clock.now_ms() - 900_000))
    with bench_of(tmp_path, wires, clock, "one") as bench:
        assert reasons(poll(bench, 0)) == ["backlog"]
        wires.feed("/one", told("CORRECTION: " + TITLE, TWO, clock.now_ms()))
        assert found(poll(bench)) == ["CORRECTION: " + TITLE]


@pytest.mark.parametrize(("days", "text", "is_known"), [
    (0.1, BODY, True), (6, BODY, True), (6, BODY.upper(), True), (6, BODY.replace("412", "413"), False),
    (6, "Too short to tell", False), (8, BODY, False)])
def test_an_old_text_under_a_new_id(tmp_path: Path, wires: Wires, clock: FakeClock, days: float, text: str,
                                    is_known: bool) -> None:
    """Within SEEN_TTL_DAYS a source's text is known again under another guid, link and date; a changed one is news."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", told(TITLE, ONE, clock.now_ms(), text if text == "Too short to tell" else BODY, "g1"))
        assert found(poll(bench)) == [TITLE]
        wires.feed("/wire", item("Nothing", ms=clock.now_ms()))
        poll(bench)
        clock.advance(days * 86_400)
        wires.feed("/wire", told(TITLE, TWO, clock.now_ms(), text, "g2"))
        sent = poll(bench)
        assert found(sent) == ([] if is_known else [TITLE])
        assert reasons(sent) == ([f"duplicate:{story_id(ONE)}"] if is_known else [])


def test_prints_are_forgotten(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """After four days nothing of a print is left, while the story is still known."""
    with bench_of(tmp_path, wires, clock, "wire") as bench:
        settled(bench, wires, "wire")
        wires.feed("/wire", told(TITLE, ONE, clock.now_ms()))
        poll(bench)
        bench.tick("prune")
        assert bench.rows("SELECT count(*) FROM prints") == [(1,)]
        clock.advance(97 * 3_600)
        bench.tick("prune")
        assert bench.rows("SELECT (SELECT count(*) FROM prints), (SELECT count(*) FROM traits)") == [(0, 0)]
        assert bench.rows("SELECT count(*) FROM stories WHERE fate = 'sent'") == [(1,)]
