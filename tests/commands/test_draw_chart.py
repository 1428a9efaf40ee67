"""`catalyst draw-chart`: a file of bars in, a picture and a sentence out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalyst.cli import main

BARS = "time,open,high,low,close,volume\n2026-03-03T14:30:00Z,5,6,5,6,100\n2026-03-03T14:31:00Z,6,7,6,7,100\n"


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    """A file of two bars."""
    file = tmp_path / "arqx.csv"
    file.write_text(BARS)
    return file


def test_writes_the_picture_and_says_what_it_shows(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The ticker is the file's name; --json gives the picture's size."""
    out = bars.with_suffix(".png")
    assert main(["draw-chart", str(bars), str(out), "--mark", "2026-03-03T14:31:10Z", "--simulated", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["bars"], answer["bytes"]) == (2, out.stat().st_size)
    assert answer["text"].startswith("ARQX: simulated prices, 1-minute chart of Tue 3 Mar 2026: last 7.00 USD, +16.7%")
    dark = out.read_bytes()
    assert dark.startswith(b"\x89PNG")
    assert main(["draw-chart", str(bars), str(out), "--ticker", "qq", "--light", "--mark", "2026-03-03"]) == 0
    assert "QQ: 1-minute" in capsys.readouterr().out
    assert out.read_bytes() != dark


def test_timeframe_and_panes(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The last days of the file, or its sessions in bars of days."""
    rows = [f"2026-03-{day:02d}T14:{minute}:00Z,5,6,5,6,100" for day in range(2, 7) for minute in range(30, 59)]
    bars.write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    out = bars.with_suffix(".png")
    for name, words in (("1D", "1-minute chart of Fri 6 Mar"), ("5D", "1-minute chart of 2 Mar to 6 Mar"),
                        ("1M", "daily chart of 2 Mar to 6 Mar")):
        assert main(["draw-chart", str(bars), str(out), "--timeframe", name, "--panes", "rsi,macd"]) == 0
        assert words in capsys.readouterr().out


def test_sentiment(bars: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A gauge in the picture and its words in the sentence."""
    out = bars.with_suffix(".png")
    assert main(["draw-chart", str(bars), str(out)]) == 0
    without = out.read_bytes()
    assert main(["draw-chart", str(bars), str(out), "--sentiment", "0.4"]) == 0
    assert "sentiment +0.40 positive" in capsys.readouterr().out
    assert out.read_bytes() != without


@pytest.mark.parametrize(("content", "words", "complaint"), [
    (BARS.encode(), ["--sentiment", "1.1"], "'1.1' is no number from -1 to 1"),
    (BARS.encode(), ["--panes", "rsi,stars"], "no pane 'stars'"),
    (b"time,open\n", [], "arqx.csv: no column"), (b"\xff\xfe", [], "not UTF-8"),
    (BARS.encode(), ["--mark", "noon"], "'noon' is no time"), (BARS.encode(), ["--mark", "9999-01-01"], "is no time"),
])
def test_misuse_is_one_line(bars: Path, capsys: pytest.CaptureFixture[str], content: bytes, words: list[str],
                            complaint: str) -> None:
    """Exit code 64, nothing written."""
    bars.write_bytes(content)
    assert main(["draw-chart", str(bars), str(bars.with_suffix(".png")), *words]) == 64
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not bars.with_suffix(".png").exists()
