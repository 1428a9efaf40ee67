from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import from_iso
from catalyst.core.feeds import parse_feed
from catalyst.errors import ConfigError
from catalyst.world.feeds import Tape, item_moment, moments, parse_date, read_document, with_date

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
RSS = b"""<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>T</title><lastBuildDate>Tue, 03 Mar 2026 14:00:00 GMT</lastBuildDate>
<item><title>new</title><link>http://a/3</link><pubDate>Tue, 03 Mar 2026 14:32 GMT</pubDate></item>
<item><title><![CDATA[no date </item> <pubDate>Tue, 03 Mar 2026 01:00:00 GMT</pubDate>]]></title><link>http://a/2</link></item>
<item><title>old</title><link>http://a/1</link><pubDate>Tue, 03 Mar 2026 14:31:00 +0000</pubDate></item>
</channel></rss>"""
MINUTE = 60_000
T31 = from_iso("2026-03-03T14:31:00Z")


def test_takes_a_document_apart_and_keeps_its_text():
    """Items are cut at their tags, not inside CDATA; together with head and tail they are the document."""
    document = read_document(RSS)
    assert len(document.items) == 3
    assert "no date </item>" in document.items[1].text
    assert "\n".join([document.head.rstrip(), *(item.text for item in document.items), document.tail.lstrip()]) \
        == RSS.decode()


def test_an_undated_item_appears_with_its_older_neighbour():
    """Feeds list the newest first, so the next dated one below decides; a date inside CDATA is not the item's."""
    document = read_document(RSS)
    assert [item.moment_ms for item in document.items] == [T31 + MINUTE, None, T31]
    assert moments(document.items, 0) == [T31 + MINUTE, T31, T31]
    assert moments(document.items[1:2], 77) == [77]


@pytest.mark.parametrize(("text", "expected"), [
    ("Tue, 03 Mar 2026 14:31 GMT", T31), ("Tue, 03 Mar 2026 14:31:00 +0000", T31),
    ("Tue, 03 Mar 2026 09:31:00 EST", T31), ("2026-03-03T14:31:00Z", T31), ("2026-03-03T09:31:00-05:00", T31),
    ("2026-03-03 14:31", T31), ("yesterday", None), ("", None), ("0000-99-99", None), ("Tue, 99 Foo", None),
])
def test_reads_dates_as_feeds_write_them(text, expected):
    """RFC 822 and ISO in their usual forms; anything else is unknown."""
    assert parse_date(text) == expected


def test_rewrites_dates_in_their_own_style():
    """Digits stay digits, GMT stays GMT, ISO stays ISO; what is unreadable and what is in CDATA stays as it is."""
    text = ("<item><pubDate>Tue, 03 Mar 2026 14:31:00 +0000</pubDate><published>2020-01-01</published><updated>soon"
            "</updated><![CDATA[<pubDate>Tue, 03 Mar 2026 14:31:00 GMT</pubDate>]]></item>")
    assert with_date(text, T31 + 59_999) == (
        "<item><pubDate>Tue, 03 Mar 2026 14:31:59 +0000</pubDate><published>2026-03-03T14:31:59Z</published><updated>"
        "soon</updated><![CDATA[<pubDate>Tue, 03 Mar 2026 14:31:00 GMT</pubDate>]]></item>")


def tape(window=10, at=(100, 50, 50)):
    return Tape(read_document(RSS), at, window)


def titles(body):
    return [entry.title for entry in parse_feed(body).entries]


def test_grows_as_time_passes():
    """An item is shown from its own moment on, the newest first."""
    assert titles(tape().at(49)[0]) == []
    assert len(titles(tape().at(50)[0])) == 2
    assert titles(tape().at(100)[0])[0] == "new"


def test_shows_no_more_than_its_window():
    """The newest items of the window; those that left it still count as published."""
    small = tape(window=1)
    assert titles(small.at(100)[0]) == ["new"]
    assert small.visible(100) == 3


def test_the_etag_changes_with_the_content_only():
    """Same items, same bytes and tag; another item, another tag."""
    one = tape()
    assert one.at(50) == one.at(99)
    assert one.at(99)[1] != one.at(100)[1]
    assert tape().at(60) == one.at(60)


def test_keeps_the_encoding_of_the_document():
    """A Latin-1 document stays one."""
    latin = RSS.replace(b"utf-8", b"ISO-8859-1").replace(b"old", b"caf\xe9")
    document = read_document(latin)
    assert "café" in document.items[2].text
    assert b"caf\xe9" in Tape(document, (1, 1, 1), 9).at(1)[0]


def test_bytes_in_no_encoding_are_a_plain_error():
    """The message names the document."""
    with pytest.raises(ConfigError, match=r"wire\.xml is not text"):
        read_document(b"<rss>\xff\xfe</rss>", "wire.xml")


@given(st.lists(st.integers(0, 500), max_size=20), st.integers(1, 30), st.integers(0, 500))
def test_a_feed_shows_exactly_what_has_appeared(appear, window, now):
    """For any moments: the number of items is that of the past ones, cut to the window, in order of time."""
    items = "".join(f"<item><title>t{moment}</title><pubDate>Tue, 03 Mar 2026 14:31:00 GMT</pubDate></item>"
                    for moment in appear)
    played = Tape(read_document(f"<rss><channel>{items}</channel></rss>".encode()), appear, window)
    shown = [int(item.text.split("<title>t")[1].split("<")[0])
             for item in read_document(played.at(now)[0]).items]
    assert shown == sorted((moment for moment in appear if moment <= now), reverse=True)[:window]


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded data is not beside the project")
def test_recorded_documents_are_played_whole():
    """Every item of every recorded document comes out again, with its new date where it had one."""
    files = sorted([*DATA.glob("feeds/**/*.xml"), *DATA.glob("feeds/**/*.atom")])
    assert len(files) > 50
    for file in files:
        document = read_document(file.read_bytes(), str(file))
        body, _ = Tape(document, [T31] * len(document.items), 10_000).at(T31)
        again = read_document(body)
        assert len(again.items) == len(document.items)
        for before, after in zip(document.items, reversed(again.items), strict=True):
            assert (item_moment(after.text) == T31) == (before.moment_ms is not None), file
