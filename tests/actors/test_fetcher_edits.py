"""The fetcher and entries that their publishers edit in place: the same id and link under another title."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.alerter import Alerter
from catalyst.books import stories
from catalyst.core.edits import MOST_EDITS, edit_id
from catalyst.core.stories import story_id
from catalyst.messages import ItemDropped, Message, StoryCorrected, StoryFound
from catalyst.testing import Bench, FakeClock, same
from tests.actors.test_fetcher import Wires, bench_of, clock, found, item, poll, reasons, settled, wires
from tests.alerting import ALERT, Outside, drain
from tests.receiver import Receiver

__all__ = ["clock", "wires"]  # the fixtures

LINK, OTHER = "https://wire.example/a", "https://wire.example/b"
TITLE = "Acme Robotics Prices $12 Million Registered Direct Offering"
EDITED = "Acme Robotics Prices $15 Million Registered Direct Offering"
MARKED = "CORRECTION - " + EDITED
LATER = "Acme Robotics Prices $18 Million Registered Direct Offering"


def show(bench: Bench, wires: Wires, title: str, source: str = "one", link: str = LINK) -> list[Message]:
    """Let a source show the entry under this title; what a poll of it sends."""
    wires.feed(f"/{source}", item(title, link, bench.clock.now_ms()))
    return poll(bench)


def corrected(sent: list[Message]) -> list[tuple[str, str]]:
    """(story, title) of the corrections, of which each ends as a duplicate."""
    told = [message for message in sent if isinstance(message, StoryCorrected)]
    ends = {message.item_id: message.reason for message in sent if isinstance(message, ItemDropped)}
    assert ends == {message.joined_id: f"duplicate:{message.item_id}" for message in told}
    return [(message.item_id, message.title) for message in told]


@pytest.fixture
def bench(tmp_path: Path, wires: Wires, clock: FakeClock) -> Iterator[Bench]:
    """A fetcher of two sources that has handed on the story."""
    with bench_of(tmp_path, wires, clock, "one", "two") as bench:
        settled(bench, wires, "one", "two")
        assert found(show(bench, wires, TITLE)) == [TITLE]
        yield bench


@pytest.mark.parametrize("title", [EDITED, MARKED, "CORRECTION: " + TITLE])
def test_an_edit_is_a_correction(bench: Bench, wires: Wires, title: str) -> None:
    """It is told once, as an item of its own, however often it is shown and the process dies."""
    wires.feed("/one", item(title, LINK, bench.clock.now_ms() - 20_000))
    message, _ = sent = poll(bench)
    assert message == StoryCorrected(item_id=story_id(LINK), joined_id=edit_id(story_id(LINK), title), source="one",
                                     title=title, link=LINK, published_ms=message.published_ms,
                                     seen_ms=bench.clock.now_ms())
    assert corrected(sent) == [(story_id(LINK), title)]
    assert bench.actor.statistics()["items_corrected"] == 1
    for number in range(2):
        assert poll(bench) == []
        bench.restart()
        wires.feed("/one", item(f"Another {number}", ms=bench.clock.now_ms()), item(title, LINK, bench.clock.now_ms()))
        assert [type(message) for message in poll(bench)] == [StoryFound]


def test_a_death_in_mid_cycle(bench: Bench, wires: Wires) -> None:
    """A poll that the process dies in is made again, and tells the edit once."""
    wires.feed("/one", item(EDITED, LINK, bench.clock.now_ms()))
    bench.clock.advance(10)
    sent = bench.tick("poll_due")
    bench.interrupt_jobs()
    bench.restart()
    for _ in range(3):
        sent += poll(bench, 60)
    assert corrected(sent) == [(story_id(LINK), EDITED)]


def test_titles_that_come_back_are_not_told_again(bench: Bench, wires: Wires) -> None:
    """A feed that flips between two titles tells the other one once; one that changes for ever is left alone."""
    sent = [message for title in (EDITED, TITLE, EDITED, TITLE.upper(), "UPDATE: " + EDITED) * 2
            for message in show(bench, wires, title)]
    assert corrected(sent) == [(story_id(LINK), EDITED)]
    sent = [message for number in range(20, 30) for message in show(bench, wires, TITLE.replace("12", str(number)))]
    assert len(corrected(sent)) == MOST_EDITS - 1


@pytest.mark.parametrize(("titles", "told"), [
    (("Acme Robotics Wins an Order of Two Boats", "Acme Robotics Wins an Order of Three Boats"), []),
    ((TITLE + " | Some Site", MARKED), [MARKED]), ((MARKED, MARKED), []), ((EDITED, TITLE), [])])
def test_another_source_of_the_same_link(bench: Bench, wires: Wires, titles: tuple[str, str], told: list[str]) -> None:
    """Where it has another title from the beginning it corrects nothing, and neither does a new one without a mark."""
    sent = [message for title in titles for message in show(bench, wires, title, "two")]
    assert [title for _, title in corrected(sent)] == told
    if told:
        assert show(bench, wires, MARKED) == []  # the first source follows


def test_another_wires_copy(bench: Bench, wires: Wires) -> None:
    """A copy that joined the story corrects it with a mark only."""
    assert reasons(show(bench, wires, TITLE, "two", OTHER)) == [f"duplicate:{story_id(LINK)}"]
    assert show(bench, wires, EDITED, "two", OTHER) == []
    assert corrected(show(bench, wires, "CORRECTION: " + LATER, "two", OTHER)) == [
        (story_id(LINK), "CORRECTION: " + LATER)]
    assert corrected(show(bench, wires, EDITED)) == [(story_id(LINK), EDITED)]


def test_an_edited_correction(bench: Bench, wires: Wires) -> None:
    """A correction under a link of its own may be edited in turn; both are of the first story."""
    for title in ("CORRECTION: " + TITLE, MARKED):
        assert corrected(show(bench, wires, title, "one", OTHER)) == [(story_id(LINK), title)]


def test_what_is_too_old(bench: Bench, wires: Wires) -> None:
    """After the time in which a correction under a new link counts, an edit is nothing."""
    bench.clock.advance(stories.CORRECT_MS / 1000)
    assert show(bench, wires, MARKED) == []


def test_what_nobody_was_told_of(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """An edit of what a source's first document brought as backlog, or of what was stale, is nothing."""
    wires.feed("/one", item(TITLE, LINK, clock.now_ms() - 900_000))
    with bench_of(tmp_path, wires, clock, "one") as bench:
        assert reasons(poll(bench, 0)) == ["backlog"]
        assert show(bench, wires, MARKED) == []
        wires.feed("/one", item("Acme Robotics Wins 2 Orders", OTHER, clock.now_ms() - 90_000_000))
        assert reasons(poll(bench)) == ["stale"]
        wires.feed("/one", item("Acme Robotics Wins 3 Orders", OTHER, clock.now_ms() - 90_000_000))
        assert poll(bench) == []


def test_a_feed_that_writes_all_titles_otherwise(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """Many titles that change at once are the feed's new form; a marked one among them counts."""
    titles = [f"{name} Robotics Wins Orders From {name} Builders" for name in ("Acme", "Beta", "Gamma", "Delta", "Eta")]
    with bench_of(tmp_path, wires, clock, "one") as bench:
        settled(bench, wires, "one")
        for changed, told in (("{}", []), ("{} of the Wharf", []), ("{} of the Quay of Ten Million", [0])):
            wires.feed("/one", *(item(("CORRECTION: " if told == [n] else "") + changed.format(title),
                                      f"https://wire.example/{n}", clock.now_ms()) for n, title in enumerate(titles)))
            sent = poll(bench)
            assert len(found(sent)) == (5 if changed == "{}" else 0)
            assert [story for story, _ in corrected(sent)] == [story_id(f"https://wire.example/{n}") for n in told]


def test_filings_are_never_edited(tmp_path: Path, wires: Wires, clock: FakeClock) -> None:
    """A filing's title is its form, also where a wire links it."""
    filing = "https://www.sec.gov/Archives/edgar/data/1/000000000125000001/0000000001-25-000001-index.htm"
    with bench_of(tmp_path, wires, clock, "one") as bench:
        settled(bench, wires, "one")
        assert found(show(bench, wires, TITLE, link=filing)) == [TITLE]
        assert show(bench, wires, MARKED, link=filing) == []


def test_rows_of_an_earlier_version(bench: Bench, wires: Wires) -> None:
    """Entries whose titles were not kept tell nothing until they were: within an hour."""
    with bench.store.transaction() as db:
        db.execute("UPDATE seen SET title_key = 0")
    assert show(bench, wires, EDITED) == []
    bench.clock.advance(stories.REFRESH_MS / 1000)
    assert show(bench, wires, EDITED) == []
    assert corrected(show(bench, wires, LATER)) == [(story_id(LINK), LATER)]


def test_what_did_not_change_costs_no_statement(bench: Bench, wires: Wires) -> None:
    """Only a changed title is looked up, once: what it costs is seen in the statements of a poll."""
    asked: list[str] = []
    bench.store.db.set_trace_callback(asked.append)
    counts = []
    for title in (TITLE, TITLE.upper(), EDITED, EDITED, EDITED.lower()):
        asked.clear()
        show(bench, wires, title)
        counts.append(sum("stories" in text or "seen" in text for text in asked))
    assert counts[0] == counts[1] == counts[3] == counts[4] < counts[2]


def test_the_alert_is_edited(bench: Bench, wires: Wires, tmp_path: Path) -> None:
    """The story's alert shows the edit as its publisher's correction, once, under the story's own link."""
    (message, _), outside = show(bench, wires, MARKED), Outside()
    with Receiver(outside) as receiver, Bench(
            Alerter, tmp_path / "alerter", clock=outside.clock, allow_hosts=("127.0.0.1",),
            discord_webhook_url=f"{receiver.url}/discord") as alerter:
        alerter.send(same(ALERT, item_id=story_id(LINK)))
        drain(alerter)
        for _ in range(2):
            alerter.send(message)
            drain(alerter)
        assert [got.method for got in receiver.got] == ["POST", "PATCH"]
        (field,) = [field for field in receiver.got[-1].json["embeds"][0]["fields"] if "Corrected" in field["name"]]
        assert EDITED in field["value"].replace("\\", "")
        assert LINK in field["value"]
