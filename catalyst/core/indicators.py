"""RSI and MACD of closing prices, as charting programs draw them. Pure.

RSI as in J. Welles Wilder, "New Concepts in Technical Trading Systems" (1978): 14 bars, his smoothing. MACD after
Gerald Appel: exponential averages of 12 and 26 bars, the signal over 9, each begun with a plain average.
"""

from __future__ import annotations

from collections.abc import Sequence

RSI_BARS, FAST, SLOW, SIGNAL = 14, 12, 26, 9


def rsi(closes: Sequence[float], bars: int = RSI_BARS) -> list[float | None]:
    """For each close the relative strength, 0 to 100; None for the first `bars`. Prices that stand still are 50."""
    found: list[float | None] = [None] * min(bars, len(closes))
    gain = loss = 0.0
    for place in range(1, len(closes)):
        change = closes[place] - closes[place - 1]
        if place <= bars:
            gain, loss = gain + max(change, 0.0) / bars, loss + max(-change, 0.0) / bars
        else:
            gain = (gain * (bars - 1) + max(change, 0.0)) / bars
            loss = (loss * (bars - 1) + max(-change, 0.0)) / bars
        if place >= bars:
            found.append(100 * gain / (gain + loss) if gain + loss > 0 else 50.0)
    return found


def macd(closes: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """For each close the MACD line and its signal, None while there are too few closes."""
    lines = [fast - slow if fast is not None and slow is not None else None
             for fast, slow in zip(average(closes, FAST), average(closes, SLOW), strict=True)]
    known = [line for line in lines if line is not None]
    signals = [None] * (len(lines) - len(known)) + average(known, SIGNAL)
    return list(zip(lines, signals, strict=True))


def average(values: Sequence[float], bars: int) -> list[float | None]:
    """The exponential average over `bars`; the first is the plain one of as many values."""
    found: list[float | None] = [None] * min(bars - 1, len(values))
    if len(values) < bars:
        return found
    mean = sum(values[:bars]) / bars
    found.append(mean)
    for value in values[bars:]:
        mean += (value - mean) * 2 / (bars + 1)
        found.append(mean)
    return found
