"""charter on its real database, with bars of a real trading day where they are at hand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from actors.charter import MOST_FAILURES, Charter
from catalyst.clock import from_iso
from catalyst.core.bars import new_york_day, read_bars
from catalyst.core.chart import describe_chart
from catalyst.core.watch import Blame
from catalyst.errors import UsageError
from catalyst.messages import Bar, ChartReady, ChartWanted, message_types
from catalyst.packing import pack, unpack
from catalyst.runtime.engine import MOST_DEATHS
from catalyst.testing import START_MS, Bench, same

DATA = Path(__file__).resolve().parents[2] / "../shared/data/bars"
BELL = from_iso("2026-03-03T14:30:00Z")
BARS = tuple(Bar(BELL + minute * 60_000, 5.0, 5.2, 4.9, 5.1, 1_000) for minute in range(30))
WANTED = ChartWanted(item_id="i1", alert_id="a1", ticker="ACME", bars=BARS, mark_ms=BELL + 600_000, score=0.5,
                     watched=False, simulated=False, provider="yahoo", sentiment=0.4)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with Bench(Charter, tmp_path) as charter:
        yield charter


def ready_of(bench: Bench) -> list[ChartReady]:
    found = [message for message in bench.sent if isinstance(message, ChartReady)]
    assert len(found) == len(bench.sent)
    return found


def test_a_chart_is_drawn_kept_and_sent(bench: Bench) -> None:
    """A picture and the same in words, on the way to the alerter and in the answer to a question."""
    assert bench.send(WANTED) == []
    (ready,) = bench.run_jobs()
    assert isinstance(ready, ChartReady)
    assert Image.open(io.BytesIO(ready.png)).size == (1200, 675)
    assert ready.alt.startswith("ACME: 1-minute chart of Tue 3 Mar 2026: last 5.10 USD")
    assert (ready.item_id, ready.alert_id, ready.ticker, ready.drawn_ms) == ("i1", "a1", "ACME", START_MS)
    assert bench.verb("chart", alert_id="a1") == {"png": ready.png, "alt": ready.alt, "drawn_ms": START_MS}
    assert bench.rows("SELECT ticker, bytes FROM charts") == [("ACME", len(ready.png))]


def test_one_chart_an_alert(bench: Bench) -> None:
    """The wish again, before, during and after the drawing, and after a restart, with other bars too: one chart."""
    bench.send(WANTED)
    bench.send(same(WANTED, item_id="i2"))
    assert len(bench.jobs()) == 1
    bench.interrupt_jobs()
    bench.send(same(WANTED, item_id="i3", bars=BARS[:5]))
    bench.restart()
    assert len(bench.run_jobs()) == 1
    bench.send(same(WANTED, item_id="i4"))
    assert bench.run_jobs() == []
    assert len(ready_of(bench)) == 1


def test_a_bar_of_no_year_is_left_out(bench: Bench) -> None:
    """A provider's time that no calendar has costs that bar, not the chart."""
    bench.send(same(WANTED, bars=(*BARS, Bar(10**15, 9.0, 9.0, 9.0, 9.0, 1))))
    (ready,) = bench.run_jobs()
    assert isinstance(ready, ChartReady)
    assert "last 5.10 USD" in ready.alt


def test_two_drawings_of_one_alert(bench: Bench) -> None:
    """Where the wish came again during the drawing, the chart that is ready first stays and the other is nothing."""
    bench.send(WANTED)
    bench.interrupt_jobs()
    bench.send(same(WANTED, item_id="i2"))
    (ready,) = bench.run_jobs()
    bench.restart()
    assert len(bench.jobs()) == 1
    bench.clock.advance(5)
    assert bench.run_jobs() == []
    assert isinstance(ready, ChartReady)
    assert bench.verb("chart", alert_id="a1")["drawn_ms"] == ready.drawn_ms


def test_killed_while_it_draws(bench: Bench) -> None:
    """The chart is drawn again by the next process, under the message id that the first one would have had."""
    bench.send(WANTED)
    assert len(bench.interrupt_jobs()) == 1
    bench.restart()
    (ready,) = bench.run_jobs()
    expected = ChartReady(item_id="i1", alert_id="a1", ticker="ACME", png=b"", alt="", drawn_ms=0)
    assert ready.message_id() == expected.message_id()


@pytest.mark.parametrize("blame", ["", "message"])
def test_a_chart_is_not_blamed_for_what_hangs_beside_it(bench: Bench, blame: Blame) -> None:
    """However often processes end while it is drawn, by the fault of a message or from outside: it is drawn at last."""
    bench.send(WANTED)
    for _ in range(2 * MOST_DEATHS):
        assert len(bench.interrupt_jobs()) == 1
        bench.restart(suspect=blame)
    assert [message.alert_id for message in bench.run_jobs()] == ["a1"]


@pytest.mark.parametrize("blame", ["any", "job"])
def test_a_chart_that_kills_is_set_aside(bench: Bench, blame: Blame) -> None:
    """After three processes that ended by themselves under it the chart is a dead letter, and the next is drawn."""
    bench.send(WANTED)
    for _ in range(MOST_DEATHS):
        assert len(bench.interrupt_jobs()) == 1
        bench.restart(suspect=blame)
    assert bench.jobs() == []
    assert bench.rows("SELECT type, reason FROM dead") == [("job:draw", "killed:process")]
    bench.restart()
    bench.send(same(WANTED, item_id="i2", alert_id="a2"))
    assert [message.alert_id for message in bench.run_jobs()] == ["a2"]


def test_a_drawing_that_fails_is_tried_three_times(tmp_path: Path) -> None:
    """Then there is no chart: counted, and nothing waits."""
    with Bench(Charter, tmp_path, tz="Nowhere/Atall") as bench:
        bench.send(WANTED)
        for tries in range(1, MOST_FAILURES + 1):
            assert bench.actor.statistics() == {}
            assert [job.tries for job in bench.jobs()] == [tries - 1]
            assert bench.run_jobs() == []
            bench.clock.advance(1)
        assert bench.jobs() == []
        assert bench.actor.statistics() == {"not_drawn": 1}
        assert bench.verb("chart", alert_id="a1") == {"png": None, "alt": "", "drawn_ms": None}


def test_the_best_is_drawn_first(bench: Bench) -> None:
    """A watched ticker, then the score, also where the others came earlier."""
    for number, (score, watched) in enumerate([(0.3, False), (0.9, False), (0.2, True)]):
        bench.send(same(WANTED, item_id=f"i{number}", alert_id=f"a{number}", score=score, watched=watched))
    bench.run_jobs()
    assert [ready.alert_id for ready in ready_of(bench)] == ["a2", "a1", "a0"]


@pytest.mark.parametrize("bars", [(), (Bar(BELL, 0.0, 0.0, 0.0, 0.0, 0.0),)])
def test_bars_that_show_nothing(bench: Bench, bars: tuple[Bar, ...]) -> None:
    """No picture that only says there is none."""
    bench.send(same(WANTED, bars=bars))
    assert bench.run_jobs() == []
    assert bench.actor.statistics() == {"without_bars": 1}


def test_a_chart_that_shows_the_same_is_used_again(bench: Bench) -> None:
    """Another alert for the ticker at the same moment gets the picture at once for a minute, then a new one; another
    ticker or moment gets its own."""
    bench.send(WANTED)
    (first,) = bench.run_jobs()
    assert isinstance(first, ChartReady)
    bench.clock.advance(59)
    (again,) = bench.send(same(WANTED, item_id="i2", alert_id="a2"))
    assert isinstance(again, ChartReady)
    assert (again.alert_id, again.png, again.alt) == ("a2", first.png, first.alt)
    assert bench.send(same(WANTED, item_id="i3", alert_id="a3", mark_ms=BELL)) == []
    assert bench.send(same(WANTED, item_id="i4", alert_id="a4", ticker="BOLT")) == []
    bench.clock.advance(2)
    assert bench.send(same(WANTED, item_id="i5", alert_id="a5")) == []
    assert len(bench.run_jobs()) == 3
    assert bench.actor.statistics() == {"drawn": 4, "reused": 1}


def test_panes_by_setting(tmp_path: Path) -> None:
    """CATALYST_CHART_PANES changes the picture."""
    seen = set()
    for number, panes in enumerate([(), ("rsi",), ("rsi", "macd"), ("sentiment",)]):
        with Bench(Charter, tmp_path / str(number), chart_panes=panes) as bench:
            bench.send(WANTED)
            (ready,) = bench.run_jobs()
            assert isinstance(ready, ChartReady)
            seen.add(ready.png)
    assert len(seen) == 4


@pytest.mark.parametrize(("days", "fresh_s", "words"), [(5, 300, "-minute chart of"), (22, 900, "daily chart"),
                                                        (252, 3_600, "daily chart")])
def test_a_chart_of_days_is_new_for_longer(bench: Bench, days: int, fresh_s: int, words: str) -> None:
    """Its words name the days; a picture of the same is used again for as long as its timeframe says."""
    minutes = (0, 5, 10) if days == 5 else (0,)
    bars = tuple(Bar(BELL - day * 86_400_000 + minute * 60_000, 5.0, 5.2, 4.9, 5.1, 1_000)
                 for day in reversed(range(days)) for minute in minutes)
    bench.send(same(WANTED, bars=bars))
    bench.run_jobs()
    assert words in ready_of(bench)[0].alt
    for number, wait_s in enumerate((fresh_s - 1, 2)):
        bench.clock.advance(wait_s)
        bench.send(same(WANTED, bars=bars, alert_id=f"b{number}"))
        bench.run_jobs()
    assert bench.actor.statistics() == {"drawn": 2, "reused": 1}


def test_theme_zone_and_simulation(tmp_path: Path) -> None:
    """The picture is in the set colours, times in the set zone, and simulated prices are called so."""
    seen = {}
    for theme, tz in (("dark", "America/New_York"), ("light", "Europe/Berlin")):
        with Bench(Charter, tmp_path / theme, chart_theme=theme, tz=tz) as bench:
            bench.send(same(WANTED, simulated=True))
            (ready,) = bench.run_jobs()
            assert isinstance(ready, ChartReady)
            corner = Image.open(io.BytesIO(ready.png)).convert("RGB").getpixel((2, 670))
            seen[theme] = (corner, "simulated prices" in ready.alt, ready.alt.rpartition("catalyst at ")[2])
    assert seen == {"dark": ((18, 18, 18), True, "09:40."), "light": ((255, 255, 255), True, "15:40.")}


def test_old_charts_are_forgotten(bench: Bench) -> None:
    """After seven days, not before."""
    bench.send(WANTED)
    bench.run_jobs()
    for days, left in ((6.9, 1), (0.2, 0)):
        bench.clock.advance(days * 86_400)
        bench.tick("prune")
        assert bench.rows("SELECT count(*) FROM charts") == [(left,)]


@pytest.mark.parametrize("arguments", [{}, {"alert_id": ""}, {"alert_id": 5}])
def test_a_question_without_an_alert(bench: Bench, arguments: dict[str, object]) -> None:
    """Is the asker's mistake."""
    with pytest.raises(UsageError):
        bench.verb("chart", **arguments)


@pytest.mark.skipif(not DATA.is_dir(), reason="no recorded bars at hand")
@pytest.mark.parametrize(("file", "ticker"), [("minute_BAC.csv", "BAC"), ("minute_AIG.csv", "AIG"),
                                              ("daily_biotech_2024.csv", "VIR")])
def test_recorded_bars(bench: Bench, file: str, ticker: str) -> None:
    """A real day, and a real year, make a chart that fits into a message and says what its words say."""
    bars = read_bars((DATA / file).read_text(), ticker)
    if file.startswith("minute"):
        last = new_york_day(bars[-1].start_ms)
        bars = [bar for bar in bars if new_york_day(bar.start_ms) == last]
    wanted = same(WANTED, ticker=ticker, bars=tuple(bars), mark_ms=bars[len(bars) // 2].start_ms)
    assert isinstance(wanted, ChartWanted)
    bench.send(wanted)
    (ready,) = bench.run_jobs()
    assert isinstance(ready, ChartReady)
    assert unpack("ChartReady", 1, pack(ready), message_types()) == ready
    assert ready.alt == describe_chart(bars, ticker=ticker, mark_ms=wanted.mark_ms)
    picture = Image.open(io.BytesIO(ready.png)).convert("RGB")
    assert len(picture.getcolors(maxcolors=1200 * 675) or ()) > 20
