"""Entries that a document showed before are not read again, and it makes no difference to what is read."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.core import pieces
from catalyst.core.feed_bytes import as_utf8
from catalyst.core.feeds import Entry, parse_feed
from catalyst.core.intake import items_of
from catalyst.errors import FeedError

DATA = Path(__file__).resolve().parents[2] / "../shared/data/feeds"
HEAD, TAIL = "<rss version='2.0'><channel><title>T</title><lastBuildDate>{}</lastBuildDate>", "</channel></rss>"
ODD = ("<title>plain {}</title>", "<title><![CDATA[a </item> in {}]]></title>", "<title>open {}",
       "<title>{}</title><!-- <item> -->", "<description>&nbsp;{} <b>x</description>", "<title>]]> {}</title>",
       "<title>{}</title></item><item>", "<title>{}</title></item><image/><item>",
       "<title>{}</title><pubDate>Fri, 02 Jan 2026 15:00:00 GMT</pubDate>", "<title>{}</title><item/>")


def document(items: list[str], built: str = "now", head: str = HEAD) -> bytes:
    return (head.format(built) + "\n".join(f"<item>{item}<guid>{n}</guid></item>" for n, item in enumerate(items))
            + TAIL).encode()


def entries(body: bytes, base: str = "") -> tuple[Entry, ...] | str:
    try:
        return parse_feed(body, base=base).entries
    except FeedError as error:
        return str(error.reason)


def learn(body: bytes, base: str = "") -> None:
    """Read a document for the second time: only then its entries are known."""
    pieces.forget()
    entries(body, base)
    entries(body, base)


def anew(body: bytes, base: str = "") -> tuple[Entry, ...] | str:
    """What is read where nothing was read before."""
    pieces.forget()
    return entries(body, base)


@pytest.mark.parametrize("path", sorted(DATA.rglob("*.xml")) or [None])
def test_recorded_documents(path: Path | None) -> None:
    """A recorded document of which a part was read before is read as if it were new."""
    if path is None:
        pytest.skip("there are no recorded feeds")
    body = path.read_bytes()
    expected = anew(body)
    found = pieces.cut(as_utf8(body, ""), "")
    assert found is not None, "a document of its kind is to be cut"
    learn(found.only(range(0, len(found.entries), 2)))
    assert entries(body) == expected


@given(st.lists(st.sampled_from(ODD), max_size=6), st.lists(st.sampled_from(ODD), max_size=6))
@settings(max_examples=40, deadline=None)
def test_broken_entries(first: list[str], then: list[str]) -> None:
    """However broken its entries are, a document is read as if none of them had been seen."""
    before = [odd.format(number) for number, odd in enumerate(first)]
    body = document([odd.format(number) for number, odd in enumerate(then)])
    expected = anew(body)
    learn(document(before))
    assert entries(body) == expected


def test_what_an_entry_stands_in() -> None:
    """The same bytes are read anew where other namespaces are declared around them, or for another address; not where
    only the time of the document differs."""
    item = "<title>t</title><link>/n/1</link><dc:date>2026-01-02T15:00:00Z</dc:date>"
    own = HEAD.replace("<rss", "<rss xmlns:dc='http://purl.org/dc/elements/1.1/'")
    bodies = [(document([item]), "https://a.example/"), (document([item]), "https://b.example/"),
              (document([item], head=own), "https://a.example/")]
    expected = [anew(*body) for body in bodies]
    pieces.forget()
    for _ in range(3):
        assert [entries(*body) for body in bodies] == expected
    later = entries(document([item], "later"), "https://a.example/")
    again = entries(document([item]), "https://a.example/")
    assert later[0] is again[0]


@pytest.mark.parametrize("part", ["head", "guid", "description"])
def test_memory(part: str) -> None:
    """What a source sends that never sends the same is not kept, wherever its bulk stands."""
    def sent(number: int) -> bytes:
        bulk = f"{number:08}" * 40_000
        return {"head": document(["<title>t</title>"], head=HEAD.replace("<rss", f"<rss xmlns:x='{bulk}'")),
                "guid": document([f"<title>t</title><guid>{bulk}</guid>"]),
                "description": document([f"<title>{bulk}</title><description>{bulk}</description>"])}[part]

    learn(document(["<title>t</title>"]))
    tracemalloc.start()
    try:
        for number in range(20):
            items_of(parse_feed(sent(number)).entries, "wire")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 300_000
