"""The watch list as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.market_values import DAY_MS, MarketValue
from catalyst.core.watchlist import NOTE_CHARS, Watched, add, read, remove, ticker_of, to_csv

FINVIZ = (
    '"No.","Ticker","Company","Sector","Industry","Country","Market Cap","P/E","Price","Change","Volume"\r\n'
    '1,"AAPX","Alpha, Inc.","Technology","Semiconductors","USA",123.4,,4.21,-1.20%,1234567\r\n'
    '2,"BRK-B","Berk ""B""","Financial","Insurance","USA",99,10,400.1,0.1%,1\r\n'
    '3,"","Nameless","","","",,,,,\r\n'
    '4,"AAPX","Alpha again","","","",,,,,\r\n')


@pytest.mark.parametrize(("text", "tickers", "refused", "is_ours"), [
    ("", [], [], True), ("\ufeff", [], [], True), ("ticker,added,note\n", [], [], True),
    ("ticker,added,note,market_value_usd,market_value_date\nACME,,,5,\n", ["ACME"], [], True),
    ("\ufeffSymbol,Note\nabcd,mine\n\n# EFGH\n$WXYZ,\n", ["ABCD", "WXYZ"], [], False),
    ("ticker,added,note\nACME,2026-01-02T14:00:00.000Z,mine\n", ["ACME"], [], True),
    ("ACME\nBCME\n", ["ACME", "BCME"], [], False),
    ("# mine\n$acme\n\n brk.b \nBRK/B\n", ["ACME", "BRK-B"], [], False),
    ("ACME, BCME,CCME\n", ["ACME", "BCME", "CCME"], [], False),
    ("ACME,Acme Therapeutics Inc\n", ["ACME"], [], False),
    ("Symbol;Name\n", [], [1], False),
    ("Symbol\nACME\nnot a ticker\n123\n", ["ACME"], [3, 4], False),
    ("ticker,added,note\nACME,,\n,,nothing\n", ["ACME"], [3], False),
    (FINVIZ, ["AAPX", "BRK-B"], [4], False),
    ('ticker,added,note\nACME,,"mine\nBCME,,x\nCCME,,"a ""b"""\n', ["BCME", "CCME"], [2], False),
    ('ticker,added,"note\nACME,,x\n', ["ACME"], [1], False), ('ACME\r\n"BCME\r\nCCME', ["ACME", "CCME"], [2], False),
    ('"Ticker","Company"\r\n"AAPX","Alpha\r\n"BRK-B","Berk, B"\r\n', ["BRK-B"], [2], False)])
def test_read(text: str, tickers: list[str], refused: list[int], is_ours: bool) -> None:
    """Our own CSV, a plain list and a screener's export are read; a line without a ticker is refused by its number, one
    with an open quote too, and it costs no other line."""
    listed = read(text)
    assert [row.ticker for row in listed.rows] == tickers
    assert [one.line for one in listed.refused] == refused
    assert all(one.why for one in listed.refused)
    assert all((one.why == "a quote is not closed") == (text.splitlines()[one.line - 1].count('"') % 2 == 1)
               for one in listed.refused)
    assert listed.is_ours is is_ours


def test_notes_are_kept() -> None:
    """A screener's company becomes the note, our own time and note stay."""
    assert read(FINVIZ).rows == (Watched("AAPX", "", "Alpha, Inc."), Watched("BRK-B", "", 'Berk "B"'))
    assert read('ticker,added,note\nX,2026,"a, b"\n').rows == (Watched("X", "2026", "a, b"),)


@pytest.mark.parametrize(("text", "ticker"), [
    ("acme", "ACME"), (" $brk.b ", "BRK-B"), ("BRK/B", "BRK-B"), ("A", "A"), ("C3", "C3"), ("", ""), ("123", ""),
    ("a b", ""), ("TOOLONGTICKER", ""), ("ACME!", ""), ("ａｃｍｅ", "")])
def test_ticker_of(text: str, ticker: str) -> None:
    """Any case and any mark of a class; what is no ticker is none."""
    assert ticker_of(text) == ticker


def test_changes() -> None:
    """What is on the list stays as it was, what is not there cannot be removed; order is that of adding."""
    first = add((), [Watched("ACME", note="x"), Watched("BCME")], "now")
    assert first.rows == (Watched("ACME", "now", "x"), Watched("BCME", "now"))
    second = add(first.rows, [Watched("ACME", note="other"), Watched("CCME", "then"), Watched("CCME")], "later")
    assert (second.done, second.idle) == (("CCME",), ("ACME", "CCME"))
    assert second.rows == (*first.rows, Watched("CCME", "then"))
    third = remove(second.rows, ["BCME", "ZZZ", "BCME"])
    assert (third.done, third.idle, [row.ticker for row in third.rows]) == (("BCME",), ("ZZZ",), ["ACME", "CCME"])


def test_market_values() -> None:
    """A Finviz export states millions of US dollars, the reader names their day; other screeners' units are unknown."""
    day = MarketValue(123_400_000.0, 20 * DAY_MS)
    assert [row.market_value for row in read(FINVIZ, 20 * DAY_MS + 5).rows] == [day, day._replace(usd=99e6)]
    assert [row.market_value for row in read(FINVIZ).rows] == [None, None]
    assert [row.market_value for row in read("Symbol,Market Cap\nACME,5000000\nBCME,1.5B\n", 0).rows] == [
        None, MarketValue(1.5e9, 0)]
    own = to_csv([Watched("AAPX", "", "x", day), Watched("BCME")])
    assert own.splitlines()[1:] == ["AAPX,,x,123400000,1970-01-21", "BCME,,,,"]
    assert read(own).rows[0].market_value == day
    assert read(own.replace("1970-01-21", "someday")).rows[0].market_value is None


def test_market_values_are_renewed() -> None:
    """A ticker on the list takes a value that is no older than its own, and keeps all else."""
    old, new = MarketValue(1e6, 0), MarketValue(2e6, DAY_MS)
    first = add((), [Watched("ACME", "then", "mine", old)], "now")
    assert (first.rows, first.valued) == ((Watched("ACME", "then", "mine", old),), ("ACME",))
    second = add(first.rows, [Watched("ACME", "", "theirs", new)], "now")
    assert (second.rows, second.done, second.valued) == ((Watched("ACME", "then", "mine", new),), (), ("ACME",))
    for other in (None, old, new):
        third = add(second.rows, [Watched("ACME", market_value=other)], "now")
        assert (third.rows, third.valued) == (second.rows, ())


VALUES = st.none() | st.builds(MarketValue.of_day, st.floats(1e4, 2e13), st.integers(0, 4_000_000_000_000))


@given(st.lists(st.tuples(st.from_regex(r"\A[A-Z]{1,5}(-[A-Z])?\Z"), st.text(max_size=30), st.text(max_size=300),
                          VALUES), unique_by=lambda row: row[0]))
def test_round_trip(rows: list[tuple[str, str, str, MarketValue | None]]) -> None:
    """What is written is read again, whatever the notes hold."""
    text = to_csv(Watched(*row) for row in rows)
    listed = read(text)
    assert listed.is_ours
    assert [(row.ticker, row.market_value) for row in listed.rows] == [(row[0], row[3]) for row in rows]
    assert all(len(row.note) <= NOTE_CHARS and row.note.isprintable() for row in listed.rows)
    assert to_csv(listed.rows) == text


@given(st.text())
def test_any_text(text: str) -> None:
    """No text raises; every line that counts is a row, known already or refused."""
    listed = read(text)
    assert len({row.ticker for row in listed.rows}) == len(listed.rows)
