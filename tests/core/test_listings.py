"""News lists in JSON and CSV."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import iso
from catalyst.core.listings import parse_csv, parse_document, parse_json_feed
from catalyst.errors import FeedError


def test_json_feed() -> None:
    """The fields of a JSON Feed item are read; a missing date stays unknown."""
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Wire", "items": [
        {"id": "1", "url": "/a/1", "title": "Acme &amp; Co", "content_html": "<p>Body</p>",
         "tags": ["Nasdaq:ACME", "M&A"],
         "date_published": "2025-08-26T02:15:00-04:00"}, {"id": 2, "title": "Second"}, "no item"]}).encode()
    first, second = parse_json_feed(body, "https://wire.example/feed.json").entries
    assert (first.id, first.link, first.title, first.summary) == ("1", "https://wire.example/a/1", "Acme & Co", "Body")
    assert (first.symbols, first.categories) == (("Nasdaq:ACME",), ("M&A",))
    assert iso(first.published_ms) == "2025-08-26T06:15:00.000Z"
    assert (second.id, second.published_ms) == ("2", None)


def test_json_feed_items_without_an_id() -> None:
    """Where the id is null the link is one, else the content: two items are never one by what they lack."""
    items = [{"id": None, "title": "One"}, {"title": "Two"}, {"id": None, "url": "https://e.example/3"}, {"id": 0}]
    one, two, three, four = parse_json_feed(json.dumps({"items": items}).encode()).entries
    assert one.id != two.id
    assert (three.id, four.id) == ("https://e.example/3", "0")


def test_csv() -> None:
    """Columns are found by name in any order; quotes, empty lines and short rows do no harm."""
    body = (b'\xef\xbb\xbfTitle,Source,Date,Url,Category\r\n"Acme, Inc. ""wins""",x,2025-08-26 02:15:00,'
            b"https://e.example/1,News\r\n\r\nShort\r\n")
    first, second = parse_csv(body).entries
    assert (first.id, first.title, first.categories) == ("https://e.example/1", 'Acme, Inc. "wins"', ("News",))
    assert iso(first.published_ms) == "2025-08-26T02:15:00.000Z"
    assert (second.title, second.link, second.published_ms) == ("Short", "", None)
    assert parse_csv(b"title,link\n").entries == ()


@pytest.mark.parametrize("kind", ["csv", "finviz"])
def test_a_row_with_an_open_quote_costs_itself(kind: str) -> None:
    """It is counted, no entry has its text, and a title over two lines is read."""
    body = (b'Title,Url,Date\n"Acme wins,https://e.example/1,2025-08-26\nBcme loses,https://e.example/2,2025-08-26\n'
            b'"Ccme\nsays ""no""",https://e.example/3,2025-08-26\n"Dcme,https://e.example/4\n')
    listing = parse_document(kind, body)
    assert [(entry.title, entry.link) for entry in listing.entries] == [
        ("Bcme loses", "https://e.example/2"), ('Ccme says "no"', "https://e.example/3")]
    assert listing.refused == 2


@pytest.mark.parametrize(("kind", "body", "reason"), [
    ("json", b"{", "no_feed"), ("json", b"[]", "no_feed"), ("json", b'{"items": 1}', "no_feed"),
    ("json", b"<html>", "html"), ("csv", b"", "no_feed"), ("csv", b"a,b\n1,2", "no_feed"), ("csv", b"<html>", "html"),
    ("csv", b'title,link\n"' + b"x" * 200_000, "no_feed"), ("rss", b"title,link", "not_xml"),
    ("atom", b"{}", "not_xml")])
def test_what_is_no_list(kind: str, body: bytes, reason: str) -> None:
    """What is no list of the source's kind is an error with its reason."""
    with pytest.raises(FeedError) as caught:
        parse_document(kind, body)
    assert caught.value.reason == reason


@given(st.binary(max_size=300), st.sampled_from(["json", "csv", "edgar"]))
def test_any_bytes(body: bytes, kind: str) -> None:
    """Any bytes give entries or a FeedError."""
    try:
        count = len(parse_document(kind, body).entries)
    except FeedError:
        count = 0
    assert count >= 0
