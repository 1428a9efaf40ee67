"""The sentiment gauge of a chart's head: a scale from -1 to 1, its hand, the number and the word for it."""

from __future__ import annotations

from catalyst.core.page import Colour, Page, mix

GAUGE = "sentiment"  # its name among the panes of a chart
HEIGHT = 40.0  # by which the head grows
WORD_FROM, STRONG_FROM = 0.1, 0.5  # strengths from which it is positive or negative, and strongly so
SCALE, HALF = 320.0, 9.0  # length of the scale and half of its thickness, in the page's units


def sentiment_text(sentiment: float) -> str:
    """`+0.40 positive`; below a tenth either way it is neutral."""
    shown = min(1.0, max(-1.0, sentiment))
    word = "positive" if shown > 0 else "negative"
    if abs(shown) >= STRONG_FROM:
        word = f"strongly {word}"
    return f"{shown:+.2f} {word if abs(shown) >= WORD_FROM else 'neutral'}"


def draw_gauge(page: Page, left: float, middle: float, sentiment: float) -> None:
    """A row of the head: the name, the scale filled from its zero to the hand, the number and the word."""
    shown, inks = min(1.0, max(-1.0, sentiment)), page.inks
    ink = inks.muted if abs(shown) < WORD_FROM else inks.up if shown > 0 else inks.down
    x = left + page.text((left, middle), GAUGE, 25, inks.muted, "lm") + 18
    x += page.text((x, middle), "-1", 22, inks.muted, "lm") + 10
    zero, hand = x + SCALE / 2, x + SCALE / 2 * (1 + shown)
    page.box(x, middle - HALF, x + SCALE, middle + HALF, inks.grid)
    page.box(min(zero, hand), middle - HALF, max(zero, hand), middle + HALF, _soft(ink, inks.background))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        tick = x + SCALE * share
        page.box(tick - 1, middle - (HALF + 4 if share == 0.5 else HALF), tick + 1,
                 middle + (HALF + 4 if share == 0.5 else HALF), inks.muted)
    page.box(hand - 4, middle - HALF - 5, hand + 4, middle + HALF + 5, inks.text)
    x += SCALE + 10
    x += page.text((x, middle), "+1", 22, inks.muted, "lm") + 22
    page.text((x, middle), sentiment_text(shown), 27, ink, "lm", bold=True)


def _soft(ink: Colour, ground: Colour) -> Colour:
    """The dimmed ink of volumes, which the palette of a page holds."""
    return mix(ink, ground, 0.55)
