"""`catalyst draw-chart`: a file of bars in, a picture out."""

from __future__ import annotations

import argparse
from pathlib import Path

from catalyst.commands.output import plain, print_json

LIMIT_BYTES = 50_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst draw-chart BARS.csv OUT.png [--ticker X] [--mark TIME] [--timeframe 5D] [--sentiment 0.4] ...`."""
    parser.description = "Draw the bars of a CSV file (a time, open, high, low, close, volume) as a PNG."
    parser.add_argument("bars", type=Path, metavar="BARS.csv", help="the bars; a column `ticker` is heeded")
    parser.add_argument("out", type=Path, metavar="OUT.png", help="the picture to write")
    parser.add_argument("--ticker", help="the ticker to show and to choose (default: the file's name)")
    parser.add_argument("--mark", type=moment, metavar="TIME", help="the catalyst's time, ISO; UTC without a zone")
    parser.add_argument("--timeframe", choices=("1D", "5D", "1M", "3M", "1Y"),
                        help="the last trading day, 5, 22, 63 or 252 of them (default: all bars)")
    parser.add_argument("--panes", default="", metavar="rsi,macd", help="panes below the volume")
    parser.add_argument("--sentiment", type=share, metavar="S", help="a gauge of the sentiment, from -1 to 1")
    parser.add_argument("--light", action="store_true", help="dark on white instead of light on black")
    parser.add_argument("--simulated", action="store_true", help="write SIMULATED across the picture")


def moment(text: str) -> int:
    """UTC milliseconds of an ISO time from 1970 to 2199; a date is its midnight in New York.

    Raises ArgumentTypeError.
    """
    from datetime import date

    from catalyst.clock import from_iso
    from catalyst.core.bars import FIRST_MS, LAST_MS, midnight_ms

    try:
        found = from_iso(text) if ":" in text else midnight_ms(date.fromisoformat(text))
    except (ValueError, OverflowError):
        found = -1
    if not FIRST_MS <= found < LAST_MS:
        raise argparse.ArgumentTypeError(f"{plain(text)!r} is no time; write 2026-03-03T14:30:00Z")
    return found


def share(text: str) -> float:
    """A number from -1 to 1. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = float("nan")
    if not -1 <= found <= 1:
        raise argparse.ArgumentTypeError(f"{plain(text)!r} is no number from -1 to 1")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Write the picture and print what it shows. Raises BarsError for a file that holds no table of bars."""
    from catalyst.core.bars import in_timeframe, read_bars
    from catalyst.core.chart import PANES, describe_chart, draw_chart
    from catalyst.core.gauge import GAUGE
    from catalyst.errors import BarsError, UsageError

    panes = [name for name in arguments.panes.lower().split(",") if name]
    if unknown := [name for name in panes if name not in PANES]:
        raise UsageError(f"there is no pane {plain(unknown[0])!r}; there are {', '.join(PANES)}")

    panes += [] if arguments.sentiment is None else [GAUGE]
    with arguments.bars.open("rb") as stream:
        body = stream.read(LIMIT_BYTES + 1)
    try:
        if len(body) > LIMIT_BYTES:
            raise BarsError(f"over {LIMIT_BYTES // 1_000_000} MB")
        bars = read_bars(body.decode(), arguments.ticker or "")
    except UnicodeDecodeError as error:
        raise BarsError(f"{arguments.bars}: not UTF-8") from error
    except BarsError as error:
        raise BarsError(f"{arguments.bars}: {error}") from error
    bars = in_timeframe(bars, arguments.timeframe) if arguments.timeframe else bars
    ticker = (arguments.ticker or arguments.bars.stem).upper()
    picture = draw_chart(bars, ticker=ticker, mark_ms=arguments.mark, simulated=arguments.simulated,
                         theme="light" if arguments.light else "dark", panes=panes,
                         sentiment=arguments.sentiment)
    arguments.out.write_bytes(picture)
    text = describe_chart(bars, ticker=ticker, mark_ms=arguments.mark, simulated=arguments.simulated,
                          sentiment=arguments.sentiment)
    if arguments.json:
        print_json({"file": str(arguments.out), "bytes": len(picture), "bars": len(bars), "text": text})
    else:
        print(plain(f"{arguments.out}: {text}"))
    return 0
