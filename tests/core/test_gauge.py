"""The sentiment gauge in a chart's head: where its hand stands, what its words say, and that nothing overlaps."""

from __future__ import annotations

from typing import Literal

import pytest

from catalyst.core.chart import describe_chart, draw_chart
from catalyst.core.gauge import sentiment_text
from catalyst.core.page import THEMES, mix
from tests.core.test_chart import colours, full_day, picture

ROW = (0, 96, 1200, 136)  # of the head


@pytest.mark.parametrize(("sentiment", "words"), [
    (0.4, "+0.40 positive"), (-0.1, "-0.10 negative"), (0.04, "+0.04 neutral"), (0.0, "+0.00 neutral"),
    (0.5, "+0.50 strongly positive"), (-7, "-1.00 strongly negative")])
def test_words(sentiment: float, words: str) -> None:
    """A sign, a number and a word: nobody needs the colour."""
    assert sentiment_text(sentiment) == words
    assert f"sentiment {words}" in describe_chart(full_day(), ticker="ARQX", sentiment=sentiment)


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("sentiment", [-1.0, -0.6, 0.0, 0.25, 1.0])
def test_the_hand_stands_at_the_value(sentiment: float, theme: Literal["dark", "light"]) -> None:
    """In the text's ink, the scale between it and the middle filled in that of its direction; two pixels may differ."""
    inks = THEMES[theme]
    image = picture(draw_chart(full_day(), ticker="ARQX", theme=theme, panes=("sentiment",), sentiment=sentiment))
    hand = [x for x in range(1200) if all(image.getpixel((x, y)) == inks.text for y in (103, 114, 126))]
    zero = 339
    assert sum(hand) / len(hand) == pytest.approx(zero + 160 * sentiment, abs=2)
    found = colours(image, ROW)
    filled = {name: found.get(mix(getattr(inks, name), inks.background, 0.55), 0) for name in ("up", "down")}
    wanted = 18 * 160 * abs(sentiment)
    assert filled["up" if sentiment > 0 else "down"] == pytest.approx(wanted, abs=0.08 * wanted + 150)
    assert filled["down" if sentiment > 0 else "up"] < 60


@pytest.mark.parametrize(("panes", "sentiment"), [((), 0.4), (("sentiment",), None)])
def test_no_gauge_where_none_is_wanted_or_known(panes: tuple[str, ...], sentiment: float | None) -> None:
    """Then the picture is the one without it, byte by byte."""
    with_it = draw_chart(full_day(), ticker="ARQX", panes=panes, sentiment=sentiment)
    assert with_it == draw_chart(full_day(), ticker="ARQX")


def test_a_small_picture_holds_it() -> None:
    """At 400 pixels' width it is still there, beside all panes."""
    image = picture(draw_chart(full_day(), ticker="ARQX", size=(400, 225), panes=("rsi", "macd", "sentiment"),
                               sentiment=0.9))
    assert colours(image, (0, 32, 400, 46)).get(THEMES["dark"].up, 0) > 40
