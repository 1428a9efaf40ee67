"""HTML, XML and plain text of SEC documents -> lines."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.filing_text import LIMIT_DEPTH, SOURCE_CHARS, decode, is_deep, plain_text

TABLE = ("<html><body><table><tr><td>Offering price</td><td>$</td><td>2.41</td></tr><tr><td>Fees</td><td>$</td>"
         "<td>0.02</td></tr></table></body></html>")


@pytest.mark.parametrize(("source", "lines"), [
    ("<html><body><p>One&nbsp;two</p><div>three<br>four</div></body></html>", ["One two", "three", "four"]),
    (TABLE, ["Offering price $ 2.41", "Fees $ 0.02"]),
    ("<html><p><b>Item\n5.</b><i>02</i> Departure</p></html>", ["Item 5.02 Departure"]),
    ("<html><p>a</p><script>bad()</script><style>p{}</style><!-- no --><title>t</title><p>b</html>", ["a", "b"]),
    ("<html><ix:header><p>hidden</p></ix:header><p>seen</p></html>", ["seen"]),
    ("<html><p>zero\u200bwidth\u00ad</p></html>", ["zerowidth"]),
    ("<html><p>5 < 6 and 7 > 3</p></html>", ["5 < 6 and 7 > 3"]),
])
def test_lines_of_html(source: str, lines: list[str]) -> None:
    """A line a block or table row; what no reader sees is gone."""
    assert plain_text(source).split("\n") == lines


def test_wrapped_lines_of_plain_text_are_joined() -> None:
    """A long line of a text document goes on in the next; a heading begins a new one."""
    source = ("The registrant announced on this day that it will hold a meeting with\nits holders.\n\nItem 7. "
              "Exhibits\n"
              "A list of no further interest, which is long enough to be taken for\nItem 9. Other\n")
    assert plain_text(source).split("\n") == [
        "The registrant announced on this day that it will hold a meeting with its holders.", "Item 7. Exhibits",
        "A list of no further interest, which is long enough to be taken for", "Item 9. Other"]


def test_deep_nesting_takes_another_way_to_the_same_words() -> None:
    """Over the depth the parser is not used; the lines are the same, unclosed paragraphs and cells count as well."""
    shallow = "<html><p>one</p><p>two &amp; three</p><script>x</script></html>"
    deep = "<html>" + "<span>" * (LIMIT_DEPTH + 1) + shallow
    assert not is_deep(shallow)
    assert is_deep(deep)
    for tag in ("p", "td", "tr", "li", "font"):
        assert is_deep(f"<{tag}>" * (LIMIT_DEPTH + 1))
    assert plain_text(deep) == plain_text(shallow) == "one\ntwo & three"


@pytest.mark.parametrize("unit", ["<div>", "<p>", "<td><tr>", "<table><tr><td>", "<", "<a", "&amp", "<!--", "<script>",
                                  "<b>" * 390 + "x" + "</b>" * 390, "<p a=1 ", "\n", "<ix:header>"])
def test_time_is_bounded(unit: str) -> None:
    """Ten million characters of anything take less than two seconds of the processor."""
    source = "<html>" + unit * (10_000_000 // len(unit))
    began = time.process_time()
    plain_text(source)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(("body", "text"), [
    ("\ufeffcafé".encode(), "café"), ("“café”".encode("cp1252"), "“café”"), (b"\x81\x8d", "\ufffd\ufffd"), (b"", ""),
])
def test_decode(body: bytes, text: str) -> None:
    """UTF-8 with or without a mark, else the Windows code page."""
    assert decode(body) == text


def test_decode_cuts_between_characters() -> None:
    """A cut through the middle of a character does not turn the rest into another code page."""
    assert decode("é".encode() * 9, 4) == "éééé"
    assert decode(("a" + "€" * 9).encode(), 3) == "a€€"
    assert len(decode(b"x" * (5 * SOURCE_CHARS))) == SOURCE_CHARS


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400) | st.lists(st.sampled_from(
    ["<html>", "<p>", "</p>", "<div", ">", "<", "&lt;", "&#0;", "&#x110000;", "\0", "<!--", "-->", "<script>", "words",
     "<table>", "<td>", "\n", "<pre>", "<PAGE>", "<ix:header>", "</ix:header>", "\u2028"]), max_size=60).map("".join))
def test_any_text_gives_tidy_lines(source: str) -> None:
    """No empty line, no double blank, whatever comes in."""
    for line in plain_text(source).split("\n"):
        assert line == " ".join(line.split())
