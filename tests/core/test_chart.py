"""Charts: what stands where in the picture, its limits, and its words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from catalyst.clock import from_iso
from catalyst.core.chart import describe_chart, draw_chart
from catalyst.core.page import LIMIT_BYTES, QUIET, THEMES, WATERMARK, mix
from catalyst.messages import Bar

BELL = from_iso("2026-03-03T14:30:00Z")
DARK = THEMES["dark"]
SLOT, LEFT, TOP, BOTTOM = 1060 / 192, 16, 100, 503  # a day of 192 slots of five minutes


def full_day() -> list[Bar]:
    """960 minutes that rise until noon and fall after it."""
    def price(minute: int) -> float:
        return 5 + (minute if minute < 480 else 960 - minute) / 100

    return [Bar(BELL + (minute - 330) * 60_000, price(minute), max(price(minute), price(minute + 1)),
                min(price(minute), price(minute + 1)), price(minute + 1), 1000) for minute in range(960)]


def few(count: int) -> list[Bar]:
    """So many bars after the bell, alternately up and down by a dollar."""
    return [Bar(BELL + place * 60_000, 5 + place % 2, 6, 5, 6 - place % 2, 100) for place in range(count)]


def picture(body: bytes) -> Image.Image:
    """The decoded picture."""
    assert len(body) <= LIMIT_BYTES
    image = Image.open(io.BytesIO(body))
    assert (image.format, image.mode) == ("PNG", "P")
    return image.convert("RGB")


def colours(image: Image.Image, box: tuple[int, int, int, int] | None = None) -> dict[tuple[int, ...], int]:
    """How many pixels of each colour are in a box."""
    part = image.crop(box) if box else image
    found: Sequence[tuple[int, tuple[int, ...]]] = part.getcolors(1 << 24) or []  # type: ignore[assignment]
    return {colour: count for count, colour in found}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_a_day_has_its_sessions_shaded(theme: str) -> None:
    """Pre-market to 9:30 and after hours from 16:00 have their grounds, the day between has none."""
    image = picture(draw_chart(full_day(), ticker="ARQX", theme=theme))  # type: ignore[arg-type]
    looks = THEMES[theme]
    assert image.size == (1200, 675)
    for slot, ground in ((60, looks.premarket), (70, looks.background), (140, looks.background),
                         (146, looks.after_hours), (190, looks.after_hours)):
        assert image.getpixel((round(LEFT + SLOT * slot), TOP + 3)) == ground, slot
    assert image.getpixel((3, 300)) == looks.background


def test_candles_rise_in_one_colour_and_fall_in_the_other() -> None:
    """The morning rises, the afternoon falls; no candle of the other colour stands there."""
    image = picture(draw_chart(full_day(), ticker="ARQX", mark_ms=None))
    last_y = 480  # above the dotted line of the last price, which is the lowest
    morning = colours(image, (LEFT, TOP, round(LEFT + SLOT * 95), last_y - 60))
    afternoon = colours(image, (round(LEFT + SLOT * 97), TOP, 1070, last_y - 60))
    assert morning[DARK.up] > 500
    assert DARK.down not in morning
    assert afternoon[DARK.down] > 500
    assert DARK.up not in afternoon


def test_few_candles_stand_where_they_should() -> None:
    """Two bars in the middle of the pane, the first up, the second down, volumes below."""
    image = picture(draw_chart(few(2), ticker="ARQX"))
    middle = LEFT + 530
    assert image.getpixel((middle - 12, 200)) == DARK.up
    assert image.getpixel((middle + 12, 200)) == DARK.down
    assert image.getpixel((middle - 17, 600)) == mix(DARK.up, DARK.background, 0.55)
    assert image.getpixel((middle + 17, 600)) == mix(DARK.down, DARK.background, 0.55)


def test_last_price_and_vwap_are_tags_that_never_overlap() -> None:
    """Both at the right axis in their colours, one above the other even where the prices are the same."""
    same = [Bar(BELL, 5, 5, 5, 5, 100)]
    for bars in (few(3), same):
        image = picture(draw_chart(bars, ticker="ARQX"))
        column = [image.getpixel((1084, y)) for y in range(TOP, BOTTOM + 20)]
        assert column.count(DARK.vwap) >= 33
        assert column.count(DARK.up) >= 33
    without = picture(draw_chart([Bar(BELL, 5, 5, 5, 5, 0)], ticker="ARQX"))
    assert DARK.vwap not in colours(without)


@pytest.mark.parametrize(("minutes", "x"), [(5, LEFT + SLOT * 67), (-331, LEFT), (9999, 1076)])
def test_the_catalyst_is_marked(minutes: int, x: float) -> None:
    """An upright line at its time, at the edge where it lies outside; without a catalyst there is none."""
    image = picture(draw_chart(full_day(), ticker="ARQX", mark_ms=BELL + minutes * 60_000))
    strip = colours(image, (round(x) - 2, TOP, round(x) + 2, 460))
    assert strip.get(DARK.mark, 0) > 150
    assert DARK.mark not in colours(picture(draw_chart(full_day(), ticker="ARQX")))


def test_thin_data_and_simulated_prices_are_said_in_the_picture() -> None:
    """A warning's colour stands in the head only where there is something to warn of; SIMULATED goes right across."""
    head, body = (600, 0, 1200, 95), (100, 140, 1060, 480)
    assert DARK.warning not in colours(picture(draw_chart(full_day(), ticker="ARQX")), head)
    assert DARK.warning in colours(picture(draw_chart(few(19), ticker="ARQX")), head)
    assert DARK.warning not in colours(picture(draw_chart(few(20), ticker="ARQX")), head)
    water = mix(DARK.warning, DARK.background, WATERMARK)
    for bars in (full_day(), few(2), []):
        assert colours(picture(draw_chart(bars, ticker="ARQX", simulated=True)), body)[water] > 500
        assert colours(picture(draw_chart(bars, ticker="ARQX")), body).get(water, 0) == 0


def test_a_halt_is_a_gap_with_a_ground_of_its_own() -> None:
    """An hour without trades in the regular session keeps its place, is shaded and named; a traded hour is not."""
    ground = mix(DARK.muted, DARK.background, QUIET)
    traded = full_day()
    halted = [bar for bar in traded if not BELL + 3_600_000 <= bar.start_ms < BELL + 7_200_000]
    place = round(LEFT + SLOT * (66 + 18))
    shaded = picture(draw_chart(halted, ticker="ARQX")).getpixel((place, 300))
    assert isinstance(shaded, tuple)
    assert all(abs(here - there) <= 4 for here, there in zip(shaded, ground, strict=True)), shaded
    assert picture(draw_chart(traded, ticker="ARQX")).getpixel((place, 150)) == DARK.background


def test_a_stray_trade_leaves_the_candles_tall() -> None:
    """One print at three times the price: the candles stay as they were, and a warning says what is off the scale."""
    bars = full_day()
    odd = bars[500]
    bars[500] = Bar(odd.start_ms, odd.open, odd.high * 3, odd.low, odd.close, odd.volume)
    image, plain = picture(draw_chart(bars, ticker="ARQX")), picture(draw_chart(full_day(), ticker="ARQX"))
    assert DARK.warning in colours(image, (16, 100, 1076, 140))
    assert DARK.warning not in colours(plain, (16, 100, 1076, 140))
    assert colours(image)[DARK.up] > colours(plain)[DARK.up] / 2


@pytest.mark.parametrize("panes", [(), ("rsi",), ("macd",), ("rsi", "macd")])
def test_panes(panes: tuple[str, ...]) -> None:
    """Each pane takes its height from the others, has its line and, of MACD, the signal's colour; times stay below."""
    image = picture(draw_chart(full_day(), ticker="ARQX", panes=panes))
    bottom = colours(image, (16, 675 - 50 - 92, 1076, 675 - 52))
    assert (DARK.vwap in bottom) == bool(panes)
    assert (DARK.mark in bottom) == ("macd" in panes)
    assert DARK.muted in colours(image, (16, 630, 1076, 675))


def test_a_jump_like_a_split_is_said() -> None:
    """In the picture's head and in its words."""
    def days(after: float) -> list[Bar]:
        prices = [40.0] * 30 + [after] * 30
        return [Bar(BELL + day * 86_400_000, price, price, price, price, 1) for day, price in enumerate(prices)]

    assert "a jump of 10:1 between days: a split?" in describe_chart(days(4.0), ticker="ARQX")
    assert DARK.warning in colours(picture(draw_chart(days(4.0), ticker="ARQX")), (600, 0, 1200, 95))
    assert "split" not in describe_chart(days(16.0), ticker="ARQX")


def test_the_change_since_the_catalyst_counts_the_jump_that_it_made() -> None:
    """A stock that opens 40 % higher on the news is up 40 % since, not by what it did after its first trade."""
    bars = [Bar(BELL + minute * 60_000, price, price, price, price, 10)
            for minute, price in enumerate([5.0] * 30 + [7.0] * 30)]
    assert "+40.0% since catalyst" in describe_chart(bars, ticker="ARQX", mark_ms=BELL + 30 * 60_000)
    assert "+40.0% since catalyst" in describe_chart(bars, ticker="ARQX", mark_ms=BELL + 30 * 60_000 + 30_000)


def test_no_bars_give_a_plain_picture() -> None:
    """Words in the middle, no pane."""
    image = picture(draw_chart([], ticker="ARQX"))
    assert DARK.muted in colours(image, (400, 300, 800, 380))
    assert len(colours(image, (0, 400, 1200, 675))) == 1


def test_the_same_bars_give_the_same_bytes() -> None:
    """In any order, however often."""
    bars = full_day()
    first = draw_chart(bars, ticker="ARQX", mark_ms=BELL, simulated=True)
    assert draw_chart(reversed(bars), ticker="ARQX", mark_ms=BELL, simulated=True) == first
    assert draw_chart(bars, ticker="ARQX", mark_ms=BELL + 3_600_000, simulated=True) != first


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_busiest_picture_is_small(theme: str) -> None:
    """Under 120 KB with everything that a chart may show."""
    body = draw_chart(full_day(), ticker="ARQX", mark_ms=BELL, simulated=True, theme=theme,  # type: ignore[arg-type]
                      panes=("rsi", "macd"))
    assert len(body) <= 120 * 1024


@pytest.mark.parametrize("size", [(320, 180), (1600, 900), (400, 900)])
def test_other_sizes(size: tuple[int, int]) -> None:
    """The picture has the size asked for."""
    assert picture(draw_chart(full_day(), ticker="ARQX", size=size, simulated=True)).size == size


@pytest.mark.parametrize("size", [(319, 675), (1200, 901), (0, 0)])
def test_a_size_outside_is_refused(size: tuple[int, int]) -> None:
    """Neither unreadable nor over the limit."""
    with pytest.raises(ValueError, match="outside"):
        draw_chart([], ticker="ARQX", size=size)


def test_the_words_say_the_same_as_the_picture() -> None:
    """One sentence with the change since the catalyst, the VWAP, thinness and simulation."""
    assert describe_chart(few(3), ticker="ARQX", mark_ms=BELL + 70_000, simulated=True) == (
        "ARQX: simulated prices, 1-minute chart of Tue 3 Mar 2026: last 6.00 USD, 0.0% since catalyst, low 5.00, "
        "high 6.00, VWAP 5.56, catalyst at 09:31, thin data: 3 bars.")
    assert "+20.0% on this chart" in describe_chart(few(3), ticker="ARQX", mark_ms=BELL - 1)
    assert "catalyst at 14:31" in describe_chart(few(3), ticker="ARQX", mark_ms=BELL + 70_000, tz=ZoneInfo("UTC"))
    assert describe_chart([], ticker="ARQX") == "ARQX: no price bars to draw."


anything = st.builds(Bar, st.integers(-10**14, 10**14), *[st.floats()] * 5)
likely = st.builds(Bar, st.integers(BELL - 10**9, BELL + 10**9), *[st.floats(1e-9, 1e12)] * 4, st.floats(0, 1e15))


@settings(max_examples=40)
@given(st.lists(anything | likely, max_size=30), st.text(max_size=20), st.none() | st.integers(0, 7 * 10**12),
       st.booleans(), st.sampled_from(["dark", "light"]), st.sampled_from([(), ("rsi", "macd")]))
def test_any_bars_give_a_picture(bars: list[Bar], ticker: str, mark_ms: int | None, simulated: bool,
                                 theme: str, panes: tuple[str, ...]) -> None:
    """Never an error, never over the limit, always with words."""
    body = draw_chart(bars, ticker=ticker, mark_ms=mark_ms, simulated=simulated, theme=theme,  # type: ignore[arg-type]
                      panes=panes)
    assert picture(body).size == (1200, 675)
    assert describe_chart(bars, ticker=ticker, mark_ms=mark_ms, simulated=simulated).endswith(".")
