"""Lists of feeds from another reader -> sources."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.opml import MOST_OUTLINES, Outline, add_feeds, read_opml
from catalyst.core.sources import NAME, read_sources
from catalyst.errors import ConfigError

OWN = '# mine\n[[source]]\nname = "wire"  # the best\nurl = "https://Wire.example/feed/"\nkind = "rss"'


def opml(body: str) -> bytes:
    """A list of feeds."""
    return f'<?xml version="1.0"?><opml version="2.0"><head/><body>{body}</body></opml>'.encode()


def test_read() -> None:
    """Feeds at any depth, in order; folders and links are none; the title is `title`, else `text`."""
    found = read_opml(opml(
        '<outline text="News"><outline text="A" title="Feed A" type="rss" xmlUrl="https://a.example/1"/>'
        '<outline text="Deep"><outline text="B &amp; C" type="atom" XMLURL=" https://b.example/ "/></outline></outline>'
        '<outline text="Page" type="link" url="https://c.example/"/><outline xmlUrl="ftp://d.example/"/>'))
    assert found == [Outline("Feed A", "https://a.example/1", "rss"), Outline("B & C", "https://b.example/", "atom"),
                     Outline("", "ftp://d.example/", "rss")]


@pytest.mark.parametrize(("body", "word"), [
    (b"", "no XML"), (b"hello", "no XML"), (b"<rss/>", "<rss>"), (opml("<outline"), "no XML"), (opml("&x;"), "no XML"),
    (b'<!DOCTYPE opml [<!ENTITY a "x">]><opml>&a;</opml>', "declares"),
    ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE opml SYSTEM "file:///etc/passwd"><opml/>'.encode("utf-16"),
     "declares"),
    (opml("<outline>" * 60 + "</outline>" * 60), "deep"), (opml("<outline/>" * MOST_OUTLINES), "parts"),
    (b" " * 5_000_001, "5 MB")])
def test_refused(body: bytes, word: str) -> None:
    """What is no list of feeds, declares entities in any encoding, or is too large, is refused in one line."""
    with pytest.raises(ConfigError, match=word) as caught:
        read_opml(body)
    assert "\n" not in str(caught.value)


def test_added() -> None:
    """New feeds come behind what is there, comments stay; names are made of titles and differ from all others."""
    imported = add_feeds(OWN, [
        Outline("Wire", "https://new.example/1", "rss"), Outline("WIRE", "https://new.example/2", "atom"),
        Outline("Ünïcode: News & More", "http://u.example/?a=1", "rss"),
        Outline("新聞", "https://www.cn.example/f", "rss"),
        Outline("Again", "http://wire.example/feed", "rss"), Outline("Twice", "https://new.example/1", "rss"),
        Outline("Odd", "feed://x.example/", "rss"), Outline('"\n[[source]]', 'https://e.example/"x', "json")])
    assert imported.text.startswith(OWN)
    assert [(source.name, source.kind, source.enabled, source.trust) for source in imported.added] == [
        ("wire-2", "rss", True, 0.7), ("wire-3", "atom", True, 0.7), ("unicode-news-more", "rss", True, 0.7),
        ("cn.example", "rss", True, 0.7), ("source", "json", True, 0.7)]
    assert [(outline.title, why) for outline, why in imported.skipped] == [
        ("Again", "is there already"), ("Twice", "is there already"), ("Odd", "has no http or https address")]
    assert len(read_sources(imported.text)) == 6
    assert "# Ünïcode: News & More\n" in imported.text


def test_nothing_new() -> None:
    """Where all is there already the text stays as it is, to the byte."""
    text = add_feeds("", [Outline("A", "https://a.example/", "rss")]).text
    again = add_feeds(text, [Outline("A", "https://a.example/", "rss")])
    assert (again.text, again.added, len(again.skipped)) == (text, (), 1)


def test_a_list_that_cannot_be_continued() -> None:
    """A file that is no list of sources is refused; so is one that ends where no table can follow."""
    for text in ("[[source]]\nname = 1", "source = []"):
        with pytest.raises(ConfigError):
            add_feeds(text, [Outline("A", "https://a.example/", "rss")])


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=30)), max_size=8))
def test_any_titles_and_addresses(rows: list[tuple[str, str]]) -> None:
    """Any titles and addresses give a valid list, in which every feed is added or skipped."""
    outlines = [Outline(title, f"https://e.example/{path}", "rss") for title, path in rows]
    imported = add_feeds(OWN, outlines)
    assert len(imported.added) + len(imported.skipped) == len(outlines)
    assert all(NAME.fullmatch(source.name) for source in imported.added)
    assert len(read_sources(imported.text)) == 1 + len(imported.added)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Any bytes are read or refused, nothing else."""
    try:
        found = read_opml(body)
    except ConfigError:
        found = []
    assert isinstance(found, list)
