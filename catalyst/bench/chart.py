"""Bench of a chart: ours beside mplfinance and beside matplotlib with a figure that is kept, the same bars and panes.

Each side draws candles, volume, VWAP, RSI and MACD to a PNG of 1200 x 675. Figures are of CPU time on all cores; ours
begins with the minutes' bars, the peers with the slots made of them. It also tells how large the picture is and what
memory the charter holds after HUNDRED charts. The peers are the extra `bench`: without them our side is measured beside
the yardstick only, plain Python's additions of squares, which tells how fast the core is.
"""

from __future__ import annotations

import importlib.util
import io
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

from catalyst.bench.measure import ADDITIONS, Report, additions, cpu_rate, progress
from catalyst.clock import from_iso
from catalyst.core.bars import Series, gather, in_timeframe, read_bars
from catalyst.core.chart import draw_chart
from catalyst.core.indicators import macd, rsi
from catalyst.core.page import THEMES
from catalyst.messages import Bar, ChartWanted
from catalyst.runtime.roster import load_actor
from catalyst.testing import Bench

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "bars" / "minute_SPY.csv"
PANES = ("rsi", "macd")
HUNDRED = 100
CHILD = "from catalyst.bench.chart import hold; hold()"


def run(*, quick: bool) -> Report:
    """Charts a second of CPU time, three rounds, each side once a round."""
    bars = day_of_bars()
    series = gather(bars)
    assert series is not None
    ours_png = draw_chart(bars, ticker="BENCH", mark_ms=bars[len(bars) // 2].start_ms, panes=PANES)
    report = Report(f"chart: {len(bars)} bars in {len(series.slots)} slots, candles, volume, VWAP, RSI, MACD, 1200x675")
    missing = [name for name in ("mplfinance", "matplotlib") if importlib.util.find_spec(name) is None]
    sides: dict[str, Callable[[], bytes]] = {
        "ours": lambda: draw_chart(bars, ticker="BENCH", mark_ms=bars[len(bars) // 2].start_ms, panes=PANES)}
    if not missing:
        sides["matplotlib, figure kept"] = Kept(series).png
        sides["mplfinance"] = lambda: plotted(series)
    sizes = {name: len(draw()) for name, draw in sides.items()}  # also imports and font caches, outside the figures
    for number in range(3):
        progress(f"chart: round {number + 1} of 3")
        report.add({"yardstick": cpu_rate(additions) / ADDITIONS}, "million additions/CPU s")
        report.add({name: cpu_rate(_times(draw, often(name, quick=quick))) for name, draw in sides.items()},
                   "charts/CPU s")
    report.ratio("chart.yardstick", "ours", "yardstick")
    if missing:
        why = f"not installed: {', '.join(missing)}; the extra `bench` of setup.cfg has them"
        report.notes.append(why)
        report.skipped |= {"chart.mplfinance": why, "chart.kept_figure": why}
    else:
        report.ratio("chart.mplfinance", "ours", "mplfinance", 10)
        report.ratio("chart.kept_figure", "ours", "matplotlib, figure kept", 3)
    report.notes.append("picture, KB: " + ", ".join(f"{name} {size / 1024:.0f}" for name, size in sizes.items())
                        + f"; ours at most 120: {'yes' if len(ours_png) <= 120 * 1024 else 'NO'}")
    if quick:
        return report
    held_mb = float(subprocess.run([sys.executable, "-c", CHILD],  # noqa: S603 - this very module
                                   capture_output=True, text=True, check=True, timeout=300).stdout)
    report.notes.append(f"charter after {HUNDRED} charts: {held_mb:.1f} MB anonymous; at most 60: "
                        f"{'yes' if held_mb <= 60 else 'NO'}")
    return report


def often(side: str, *, quick: bool) -> int:
    """How many charts a side draws in a round."""
    if side == "mplfinance":
        return 1 if quick else 3
    return 3 if quick else 10


def day_of_bars() -> list[Bar]:
    """A recorded day of SPY where it is at hand, else a generated one."""
    if RECORDED.is_file():
        return in_timeframe(read_bars(RECORDED.read_text()), "1D")
    start_ms = from_iso("2026-03-03T09:00:00Z") or 0
    closes = [5 + (number * 7919 % 101) / 500 + number / 900 for number in range(841)]
    return [Bar(start_ms + number * 60_000, was, max(was, close) + 0.02, min(was, close) - 0.02, close,
                1_000.0 + number * 104_729 % 9_973) for number, (was, close) in enumerate(pairwise(closes))]


def hold() -> None:
    """Print the anonymous memory in MB of a process whose charter draws in a thread of its own, as it always does."""
    drawing = threading.Thread(target=_draw_a_hundred)
    drawing.start()
    drawing.join()
    (line,) = [row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("RssAnon")]
    sys.stdout.write(str(int(line.split()[1]) / 1024))


def _draw_a_hundred() -> None:
    bars = tuple(day_of_bars())
    with tempfile.TemporaryDirectory(prefix="cat-") as folder, Bench(load_actor("charter"), Path(folder)) as bench:
        for number in range(HUNDRED):
            bench.send(ChartWanted(item_id=f"i{number}", alert_id=f"a{number}", ticker="BENCH", bars=bars,
                                   mark_ms=bars[number].start_ms, score=0.5, watched=False, simulated=False,
                                   provider="bench"))
            bench.run_jobs()
        drawn = bench.rows("SELECT count(*) FROM charts")[0][0]
        assert drawn == HUNDRED, drawn


def _times(draw: Callable[[], bytes], often: int) -> Callable[[], int]:
    def run_all() -> int:
        for _ in range(often):
            draw()
        return often

    return run_all


def _ink(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


class Kept:
    """matplotlib's best: the figure, its axes and collections stay, a chart only changes their data."""

    def __init__(self, series: Series):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.collections import LineCollection, PolyCollection
        from matplotlib.figure import Figure

        dark = THEMES["dark"]
        self._series, self._up, self._down = series, _ink(dark.up), _ink(dark.down)
        self._figure = Figure(figsize=(12, 6.75), dpi=100, facecolor=_ink(dark.background))
        self._canvas = FigureCanvasAgg(self._figure)
        grid = self._figure.add_gridspec(4, 1, height_ratios=(5, 1.3, 1, 1), hspace=0.05)
        self._axes = [self._figure.add_subplot(grid[row]) for row in range(4)]
        for axes in self._axes:
            axes.set_facecolor(_ink(dark.background))
            axes.tick_params(colors=_ink(dark.muted))
            axes.grid(color=_ink(dark.grid), linewidth=0.5)
        self._wicks = self._axes[0].add_collection(LineCollection([], linewidths=1))
        self._bodies = self._axes[0].add_collection(PolyCollection([]))
        self._volumes = self._axes[1].add_collection(PolyCollection([]))
        self._columns = self._axes[3].add_collection(PolyCollection([]))
        self._vwap, = self._axes[0].plot([], [], color=_ink(dark.vwap))
        self._rsi, = self._axes[2].plot([], [], color=_ink(dark.vwap))
        self._macd, = self._axes[3].plot([], [], color=_ink(dark.vwap))
        self._signal, = self._axes[3].plot([], [], color=_ink(dark.mark))

    def png(self) -> bytes:
        """The chart of the series as bytes."""
        shown = [(place, slot.bar) for place, slot in enumerate(self._series.slots) if slot.bar is not None]
        places, bars = [place for place, _ in shown], [bar for _, bar in shown]
        colours = [self._up if bar.close >= bar.open else self._down for bar in bars]
        self._wicks.set_segments([[(x, bar.low), (x, bar.high)] for x, bar in shown])
        self._wicks.set_color(colours)
        self._bodies.set_verts([_box(x, bar.open, bar.close) for x, bar in shown])
        self._volumes.set_verts([_box(x, 0, bar.volume) for x, bar in shown])
        pairs, closes = macd([bar.close for bar in bars]), [bar.close for bar in bars]
        told = [(x, line, signal) for x, (line, signal) in zip(places, pairs, strict=True)
                if line is not None and signal is not None]
        self._columns.set_verts([_box(x, 0, line - signal) for x, line, signal in told])
        for collection in (self._bodies, self._volumes):
            collection.set_facecolor(colours)
        self._columns.set_facecolor([self._up if line >= signal else self._down for _, line, signal in told])
        self._vwap.set_data(range(len(self._series.slots)), [slot.vwap for slot in self._series.slots])
        self._rsi.set_data(places, rsi(closes))
        self._macd.set_data(places, [line for line, _ in pairs])
        self._signal.set_data(places, [signal for _, signal in pairs])
        for axes, low, high in ((self._axes[0], min(bar.low for bar in bars), max(bar.high for bar in bars)),
                                (self._axes[1], 0, max(bar.volume for bar in bars)), (self._axes[2], 0, 100)):
            axes.set_ylim(low, high)
        most = max(abs(line) for _, line, _ in told)
        self._axes[3].set_ylim(-most, most)
        ticks = range(0, len(self._series.slots), 36)
        for axes in self._axes:
            axes.set_xlim(-1, len(self._series.slots))
            axes.set_xticks(ticks, [str(self._series.slots[tick].start_ms // 60_000 % 1440) for tick in ticks])
        body = io.BytesIO()
        self._canvas.print_png(body)
        return body.getvalue()


def _box(middle: float, low: float, high: float) -> list[tuple[float, float]]:
    return [(middle - 0.4, low), (middle - 0.4, high), (middle + 0.4, high), (middle + 0.4, low)]


def plotted(series: Series) -> bytes:
    """The same by mplfinance's `plot`, as its documentation shows it."""
    import matplotlib
    import mplfinance
    import pandas

    matplotlib.use("Agg")
    shown = [slot for slot in series.slots if slot.bar is not None]
    bars = series.bars
    frame = pandas.DataFrame({"Open": [bar.open for bar in bars], "High": [bar.high for bar in bars],
                              "Low": [bar.low for bar in bars], "Close": [bar.close for bar in bars],
                              "Volume": [bar.volume for bar in bars]},
                             index=pandas.to_datetime([bar.start_ms for bar in bars], unit="ms"))
    closes = [bar.close for bar in bars]
    pairs = macd(closes)
    more: list[Any] = [
        mplfinance.make_addplot(_numbers([slot.vwap for slot in shown])),
        mplfinance.make_addplot(_numbers(rsi(closes)), panel=2),
        mplfinance.make_addplot(_numbers([line for line, _ in pairs]), panel=3),
        mplfinance.make_addplot(_numbers([signal for _, signal in pairs]), panel=3),
        mplfinance.make_addplot(_numbers([None if line is None or signal is None else line - signal
                                          for line, signal in pairs]), panel=3, type="bar")]
    body = io.BytesIO()
    mplfinance.plot(frame, type="candle", volume=True, addplot=more, figsize=(12, 6.75), style="nightclouds",
                    savefig={"fname": body, "dpi": 100})
    return body.getvalue()


def _numbers(values: list[float | None]) -> list[float]:
    return [float("nan") if value is None else value for value in values]
