"""Services with a key: where it goes, that it goes nowhere else, and what their answers hold."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.clock import iso
from catalyst.core.feeds import Entry
from catalyst.core.keyed import SERVICES, fault_of, masked, masked_bytes, with_key
from catalyst.core.listings import parse_document
from catalyst.core.tickers import find_tickers
from catalyst.errors import FeedError

KEY = "s3cret+/key&=1"


def entries(kind: str, body: bytes) -> tuple[Entry, ...]:
    """The entries of a service's answer."""
    return parse_document(kind, body, base="https://service.example/news").entries


def test_where_the_key_goes() -> None:
    """Into a header, or into one parameter beside those of the address."""
    url, headers = with_key("finnhub", "https://finnhub.io/api/v1/news?category=general", KEY)
    assert (url, headers["X-Finnhub-Token"]) == ("https://finnhub.io/api/v1/news?category=general", KEY)
    for kind, name in (("finviz", "auth"), ("benzinga", "token")):
        url, headers = with_key(kind, "https://e.example/news?v=3#x", KEY)
        assert parse_qs(urlsplit(url).query) == {"v": ["3"], name: [KEY]}
        assert KEY not in str(headers)
    assert with_key("benzinga", "https://e.example/", "k")[1]["Accept"] == "application/json"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=6, max_size=40), st.sampled_from(
    sorted(SERVICES)))
def test_any_key(key: str, kind: str) -> None:
    """A key of any characters arrives as it is, and is masked in an address as in a text."""
    url, headers = with_key(kind, "https://e.example/news?v=3", key)
    service = SERVICES[kind]
    assert headers.get(service.header) == key if service.header else parse_qs(
        urlsplit(url).query, strict_parsing=True)[service.parameter] == [key]
    assert key not in masked(f"{url} {key}", key).replace("[key]", "")
    assert masked_bytes(b"nothing", "") == b"nothing"


@pytest.mark.parametrize(("kind", "url", "word"), [
    ("finviz", "https://e.example/?auth=1", "FINVIZ_AUTH_TOKEN"), ("finnhub", "https://e.example/?token=1", "FINNHUB"),
    ("benzinga", "http://e.example/", "https://"), ("benzinga", "http://127.0.0.1:8000/", ""),
    ("finviz", "https://e.example/?v=3", "")])
def test_addresses(kind: str, url: str, word: str) -> None:
    """No key in the address, none over plain http but to this machine."""
    assert fault_of(kind, url).count(word) >= 1 if word else fault_of(kind, url) == ""


def test_finnhub() -> None:
    """Unix seconds, `related` tickers or none, an id of 0 is none."""
    body = json.dumps([
        {"category": "company", "datetime": 1767362400, "headline": "Oric &amp; friends win", "id": 77,
         "image": "", "related": "ORIC,BRK.B", "source": "Wire", "summary": "Text", "url": "https://e.example/1"},
        {"category": "general", "datetime": 0, "headline": "No ticker", "id": 0, "related": "", "source": "Wire",
         "summary": "", "url": "https://e.example/2"}, None, 5]).encode()
    first, second = entries("finnhub", body)
    assert (first.id, first.title, first.link) == ("77", "Oric & friends win", "https://e.example/1")
    assert (first.symbols, first.categories, first.summary) == (("ORIC", "BRK.B"), ("company",), "Text")
    assert iso(first.published_ms) == "2026-01-02T14:00:00.000Z"
    assert (second.id, second.published_ms, second.symbols) == ("https://e.example/2", None, ())
    found = find_tickers(first.title, first.summary, first.symbols, None)
    assert [one.ticker for one in found if one.alertable] == ["ORIC", "BRK-B"]


@pytest.mark.parametrize(("date", "expected"), [
    ("2026-01-02 09:30:00", "2026-01-02T14:30:00.000Z"), ("2026-07-02 09:30:00", "2026-07-02T13:30:00.000Z"),
    ("1/2/2026 9:30:00 AM", "2026-01-02T14:30:00.000Z"), ("2026-03-08 03:30:00", "2026-03-08T07:30:00.000Z"),
    ("2026-01-02T14:30:00Z", "2026-01-02T14:30:00.000Z"), ("2026-01-02 09:30:00 -05:00", "2026-01-02T14:30:00.000Z"),
    ("2026-01-02 09:30 ET", "2026-01-02T14:30:00.000Z"), ("soon", None), ("", None)])
def test_finviz_dates(date: str, expected: str | None) -> None:
    """New York's time, winter and summer, unless the text names a zone; what is no date is none."""
    body = f'"Title","Source","Date","Url","Category","Ticker"\r\n"T","S","{date}","https://e.example/1","Stock","AB"'
    (entry,) = entries("finviz", body.encode())
    assert (entry.published_ms and iso(entry.published_ms)) == expected


def test_finviz() -> None:
    """One ticker or several, bare; the same column of another CSV counts with an exchange only."""
    body = (b'Title,Source,Date,Url,Category,Ticker\r\n"Two, inc.",S,2026-01-02 09:30:00,https://e.example/1,Stock,'
            b'"ORIC,ABC"\r\nNone,S,,https://e.example/2,Market,\r\n')
    first, second = entries("finviz", body)
    assert (first.title, first.symbols, first.categories) == ("Two, inc.", ("ORIC", "ABC"), ("Stock",))
    assert second.symbols == ()
    assert [entry.symbols for entry in entries("csv", body)] == [(), ()]


def test_benzinga() -> None:
    """RFC 822 times, names in lists, the body as text; a currency's dollar sign makes no ticker."""
    body = json.dumps([{
        "id": 55, "created": "Fri, 02 Jan 2026 09:30:00 -0500", "updated": "Fri, 02 Jan 2026 09:31:00 -0500",
        "title": "Oric gets approval", "teaser": "Short", "body": "<p>Long <b>text</b></p>",
        "url": "https://e.example/55", "channels": [{"name": "FDA"}, {"name": 3}, 4],
        "stocks": [{"name": "ORIC"}, {"name": "$BTC"}, {"name": "TSX:ABC"}, {"name": "ORIC"}], "tags": [{"name": "x"}]},
        {"id": None, "title": "Bare", "url": "/b", "created": "?", "stocks": None}]).encode()
    first, second = entries("benzinga", body)
    assert (first.id, first.summary, first.link) == ("55", "Long text", "https://e.example/55")
    assert (first.symbols, first.categories) == (("ORIC", "TSX:ABC"), ("FDA", "x"))
    assert iso(first.published_ms) == "2026-01-02T14:30:00.000Z"
    assert (second.id, second.link, second.published_ms) == ("https://service.example/b",) * 2 + (None,)


@pytest.mark.parametrize("kind", ["finnhub", "benzinga"])
@pytest.mark.parametrize(("body", "reason"), [
    (b'{"error": "Invalid API key"}', "no_feed"), (b"<html>", "html"), (b"", "no_feed"), (b"[", "no_feed")])
def test_what_is_no_list_of_news(kind: str, body: bytes, reason: str) -> None:
    """An error in place of a list is a failure with a reason; an empty list is an empty feed."""
    with pytest.raises(FeedError) as caught:
        entries(kind, body)
    assert caught.value.reason == reason
    assert entries(kind, b"[]") == ()


ODD = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda inner: st.lists(
    inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "title", "headline", "stocks", "name", "related",
                                                          "datetime", "created", "channels", "url", "body"]), inner))


@given(st.lists(ODD, max_size=4), st.sampled_from(["finnhub", "benzinga"]))
def test_odd_answers(items: list[object], kind: str) -> None:
    """Whatever the fields hold, every object is an entry and nothing else is raised."""
    found = entries(kind, json.dumps(items).encode())
    assert len(found) == sum(isinstance(item, dict) for item in items)
