"""Feeds of every make, whole and broken, from examples, from properties and from recorded documents."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.clock import iso
from catalyst.core.feeds import Entry, parse_feed, plain_text, sort_tags, web_link
from catalyst.errors import FeedError

RECORDED = Path(__file__).resolve().parents[2] / "../shared/data/feeds"
needs_recordings = pytest.mark.skipif(not RECORDED.is_dir(), reason="the recorded feeds are not on this machine")

ITEM = """<item><title>Acme Robotics Announces $5 Million Offering</title><link>https://wire.example/a/1</link>
<guid isPermaLink="false">a-1</guid><description><![CDATA[<p>Acme &amp; Sons</p>]]></description>
<category domain="https://wire.example/rss/stock">Nasdaq:ACME</category><category>Offerings</category>
<pubDate>Tue, 26 Aug 2025 02:15:00 +0000</pubDate></item>"""


def rss(*items: str, head: str = '<?xml version="1.0" encoding="utf-8"?>') -> bytes:
    """An RSS 2.0 document."""
    return f'{head}<rss version="2.0"><channel><title>Wire</title>{"".join(items)}</channel></rss>'.encode()


def atom(*entries: str) -> bytes:
    """An Atom document."""
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>Wire</title>{"".join(entries)}</feed>'.encode()


def only(body: bytes, content_type: str = "", base: str = "") -> Entry:
    """The one entry of a document."""
    entries = parse_feed(body, content_type, base).entries
    assert len(entries) == 1
    return entries[0]


def test_rss_item() -> None:
    """All fields of an RSS item are read; the stock tag is a symbol, the other a category."""
    assert only(rss(ITEM)) == Entry("a-1", "Acme Robotics Announces $5 Million Offering", "https://wire.example/a/1",
                                    "Acme & Sons", 1756174500000, ("Nasdaq:ACME",), ("Offerings",))


def test_edgar_entry() -> None:
    """An EDGAR entry keeps the accession in its id, the index page as link and the form as category."""
    entry = only(b"""<?xml version="1.0" encoding="ISO-8859-1" ?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Latest Filings</title>
<link rel="alternate" href="/cgi-bin/browse-edgar?action=getcurrent"/><updated>2025-12-12T18:03:31-05:00</updated>
<entry><title>8-K - CAF\xc9 HOLDINGS INC (0000123456) (Filer)</title>
<link rel="alternate" type="text/html" href="https://www.sec.gov/Archives/edgar/data/1/2/0000000001-25-000004-index.htm"/>
<summary type="html"> &lt;b&gt;Filed:&lt;/b&gt; 2025-12-12 &lt;b&gt;Size:&lt;/b&gt; 4 KB</summary>
<updated>2025-12-12T18:02:43-05:00</updated><category scheme="https://www.sec.gov/" label="form type" term="8-K"/>
<id>urn:tag:sec.gov,2008:accession-number=0000000001-25-000004</id></entry></feed>""")
    assert entry.id.endswith("=0000000001-25-000004")
    assert entry.title == "8-K - CAFÉ HOLDINGS INC (0000123456) (Filer)"
    assert entry.link.endswith("0000000001-25-000004-index.htm")
    assert (entry.summary, entry.categories) == ("Filed: 2025-12-12 Size: 4 KB", ("8-K",))
    assert iso(entry.published_ms) == "2025-12-12T23:02:43.000Z"


@pytest.mark.parametrize("body", [
    b'<rss version="0.91"><channel><title>t</title><item><title>Name</title><link>https://e.example/1</link></item>'
    b"</channel></rss>",
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
    b'<channel rdf:about="https://e.example/"><title>t</title><items><rdf:Seq><rdf:li resource="x"/></rdf:Seq></items>'
    b'</channel><item rdf:about="https://e.example/1"><title>Name</title><link>https://e.example/1</link></item>'
    b"</rdf:RDF>",
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
    b"<channel><title>t</title></channel><item><title>Name</title><link>https://e.example/1</link></item></rdf:RDF>",
    b'<feed version="0.3" xmlns="http://purl.org/atom/ns#"><entry><title>Name</title>'
    b'<link rel="alternate" href="https://e.example/1"/><id>1</id></entry></feed>',
    b'<a:feed xmlns:a="http://www.w3.org/2005/Atom"><a:entry><a:title>Name</a:title>'
    b'<a:link href="https://e.example/1"/><a:id>1</a:id></a:entry></a:feed>'])
def test_every_make(body: bytes) -> None:
    """RSS 0.9x, RDF, old Atom and prefixed Atom give the same entry."""
    entry = only(body)
    assert (entry.title, entry.link, entry.published_ms) == ("Name", "https://e.example/1", None)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso-8859-1", "windows-1252", "utf-16", "utf-16-le",
                                      "utf-32", "shift_jis", "iso-2022-jp"])
def test_declared_encodings(encoding: str) -> None:
    """A document is read in the encoding that it declares."""
    title = "日本の会社" if "jp" in encoding or "jis" in encoding else "Café Société"
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?><rss><channel><item><title>{title}</title></item></channel></rss>'
    assert only(text.encode(encoding)).title == title


@pytest.mark.parametrize(("body", "content_type"), [
    (rss("<item><title>Café’s</title></item>", head='<?xml version="1.0" encoding="iso-8859-1"?>'), ""),
    (rss("<item><title>Caf\xe9’s</title></item>").decode().encode("cp1252"), ""),
    (rss("<item><title>Café’s</title></item>", head="").decode().encode("cp1252"), "text/xml; charset=windows-1252"),
    (rss("<item><title>Café’s</title></item>", head='<?xml version="1.0" encoding="no-such-thing"?>'), ""),
    (rss("<item><title>Caf&#233;&#146;s</title></item>"), ""),
    (rss("<item><title><![CDATA[Caf&eacute;&rsquo;s]]></title></item>"), "")])
def test_wrong_encodings(body: bytes, content_type: str) -> None:
    """A wrong, missing or unknown declaration and entities of Windows-1252 still give the right characters."""
    assert only(body, content_type).title == "Café’s"


@pytest.mark.parametrize(("before", "after"), [
    ("</channel></rss>", ""), ("Acme", "Ac&me & Sons"), ("Acme", "Ac\x0bme"), ("Acme", "Acme&nbsp;&unknown;"),
    ("<rss", "\n\n<b>Warning</b>: in feed.php on line 2<br />\n<rss"), ("<rss", "\ufeff<rss"),
    ("<guid", "<undeclared:x>y</undeclared:x><guid"), ("<link>", "<link>\n\t")])
def test_broken_documents(before: str, after: str) -> None:
    """Cut, unescaped, undeclared, unclosed or preceded by a warning: the items are still found."""
    body = rss(ITEM, ITEM.replace("a-1", "a-2"), head="").decode().replace(before, after).encode()
    entries = parse_feed(body).entries
    assert [entry.id for entry in entries] == ["a-1", "a-2"]
    assert {entry.link for entry in entries} == {"https://wire.example/a/1"}


@pytest.mark.parametrize(("title", "read"), [
    ("Acme&rsquo;s drug &ndash; approved", "Acme’s drug – approved"), ("Acme&nbsp;Labs&reg; wins", "Acme Labs® wins"),
    ("Johnson & Johnson, AT&T", "Johnson & Johnson, AT&T"), ("R&D; &unknown; &#8211;", "R&D; &unknown; –"),
    ("Acme <b>Labs</b> wins", "Acme Labs wins"), ("EPS <$5, up", "EPS <$5, up"), ("a &LT; b &AMP; c", "a < b & c"),
    ("<![CDATA[S&P cuts &amp; <i>Acme</i>]]> & more", "S&P cuts & Acme & more")])
def test_html_in_xml(title: str, read: str) -> None:
    """Names of characters that XML does not know, a bare ampersand and tags in a title cost none of its words."""
    body = f"<item><title>{title}</title><link>https://w.example/a?x=1&lang=en&b=2</link></item>"
    entry = only(rss(body))
    assert (entry.title, entry.link) == (read, "https://w.example/a?x=1&lang=en&b=2")


def test_xhtml_title() -> None:
    """A title of type xhtml, as Atom allows, is read by its text, and so is the next entry's."""
    entry = ('<entry><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">Acme <em>wins</em></div></title>'
             '<id>%s</id></entry>')
    body = f'<feed xmlns="http://www.w3.org/2005/Atom">{entry % "a"}{entry % "b"}</feed>'.encode()
    assert [(one.id, one.title) for one in parse_feed(body).entries] == [("a", "Acme wins"), ("b", "Acme wins")]


@pytest.mark.parametrize(("body", "reason"), [
    (b"", "not_xml"), (b"  \n", "not_xml"), (b"Service unavailable", "not_xml"), (b'{"a": 1}', "not_xml"),
    (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not_xml"), (gzip.compress(b"<rss/>", mtime=0), "not_xml"),
    (b"<!DOCTYPE html><html><body><p>maintenance</p></body></html>", "html"), (b"\n<HTML><body>x", "html"),
    (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0//EN" "x"><html/>', "html"),
    ("<!doctype html><title>x".encode("utf-16"), "html"),
    (b"<html><body>rss of items: &lt;item></body></html>", "html"),
    (b'<?xml version="1.0"?><urlset><url><loc>https://e.example/</loc></url></urlset>', "no_feed"),
    (b"<rss/>", "no_feed"), (b"<error><code>AccessDenied</code></error>", "no_feed"),
    (b"<opml version='2.0'><body/></opml>", "no_feed")])
def test_no_feed(body: bytes, reason: str) -> None:
    """What is no feed is an error with its reason, never an empty feed."""
    with pytest.raises(FeedError) as caught:
        parse_feed(body)
    assert caught.value.reason == reason


@pytest.mark.parametrize("body", [rss(), atom(), b"<rss version='2.0'><channel/></rss>",
                                  b"<rss><channel><title>t</title>"])
def test_empty_feed(body: bytes) -> None:
    """A feed without entries is valid and empty."""
    assert parse_feed(body).entries == ()


@pytest.mark.parametrize("fields", [
    "<guid>163958</guid>", "<guid>20240131</guid>", "<guid>12</guid>", "<pubDate>10:30</pubDate>",
    "<pubDate>Friday</pubDate>", "<pubDate></pubDate>", "<pubDate>soon</pubDate>", "<dateline>x</dateline>",
    "<description><![CDATA[<pubDate>Tue, 26 Aug 2025 02:15:00 GMT</pubDate>]]></description>",
    "<!-- <pubDate>Tue, 26 Aug 2025 02:15:00 GMT</pubDate> -->"])
def test_unknown_time_stays_unknown(fields: str) -> None:
    """Half a date, a number in the guid or a date in the text is no publication time."""
    assert only(rss(f"<item><title>x</title>{fields}</item>")).published_ms is None


@pytest.mark.parametrize("fields", [
    "<pubDate>Tue, 26 Aug 2025 02:15:00 GMT</pubDate>", "<pubDate><![CDATA[Tue, 26 Aug 2025 02:15 GMT]]></pubDate>",
    "<pubdate>2025-08-26T02:15:00Z</pubdate>", "<dc:date>2025-08-25T22:15:00-04:00</dc:date>",
    "<pubDate>nonsense</pubDate><dc:date>2025-08-26T02:15:00Z</dc:date>",
    "<updated>2026-01-01T00:00:00Z</updated><pubDate>Tue, 26 Aug 2025 02:15:00 GMT</pubDate>"])
def test_time_of_an_item(fields: str) -> None:
    """The publication time is read wherever it stands, before any time of update."""
    assert iso(only(rss(f"<item>{fields}<title>x</title></item>")).published_ms) == "2025-08-26T02:15:00.000Z"


def test_dates_belong_to_their_items() -> None:
    """A missing date in the middle does not shift the others, and the channel's own date is nobody's."""
    dated = "<item><title>{0}</title><pubDate>Tue, {0} Aug 2025 00:00:00 GMT</pubDate></item>"
    body = rss("<pubDate>Mon, 01 Sep 2025 00:00:00 GMT</pubDate>", dated.format("05"),
               "<item><title>none</title><description><![CDATA[<item>]]></description></item>", dated.format("12"))
    found = [(entry.title, iso(entry.published_ms)) for entry in parse_feed(body).entries]
    assert found == [("05", "2025-08-05T00:00:00.000Z"), ("none", None), ("12", "2025-08-12T00:00:00.000Z")]


def test_order_is_the_documents() -> None:
    """Entries come in the order of the document."""
    entries = parse_feed(rss(*(f"<item><title>{number}</title></item>" for number in (3, 1, 2)))).entries
    assert [entry.title for entry in entries] == ["3", "1", "2"]


def test_atom_link_and_content() -> None:
    """The alternate link counts, not the one to the feed; content stands in for a missing summary."""
    entry = only(atom("""<entry><title type="html">A &amp;amp; B &lt;i&gt;C&lt;/i&gt;</title><id>tag:e,1</id>
        <link rel="self" href="https://e.example/feed/1"/><link rel="alternate" href="https://e.example/1"/>
        <content type="html">&lt;p&gt;Body&lt;/p&gt;</content><updated>2025-01-02T03:04:05Z</updated></entry>"""))
    assert (entry.title, entry.link, entry.summary) == ("A & B C", "https://e.example/1", "Body")


def test_relative_and_missing_links() -> None:
    """A relative link is read against the document's address; an address in the guid stands in for a missing link."""
    base = "https://e.example/news/feed.xml"
    assert only(rss("<item><title>x</title><link>/a/1</link></item>"), base=base).link == "https://e.example/a/1"
    assert only(rss("<item><title>x</title><guid>https://e.example/2</guid></item>")).link == "https://e.example/2"
    assert only(rss("<item><title>x</title><link>javascript:alert(1)</link></item>"), base=base).link == ""


def test_entries_without_any_name_differ_by_content() -> None:
    """Without guid and link the id comes from the content, the same at each reading."""
    body = rss("<item><title>ROCC</title><description>halted 19:50</description></item>",
               "<item><title>ROCC</title><description>halted 20:50</description></item>")
    first, second = parse_feed(body).entries
    assert first.id != second.id
    assert parse_feed(body).entries[0].id == first.id


@pytest.mark.parametrize(("text", "expected"), [
    ("Acme&nbsp;<b>wins</b>", "Acme wins"), ("P&amp;L &lt;b&gt;", "P&L <b>"), ("EPS <$5 and >$3", "EPS <$5 and >$3"),
    ("a\u200b\u202eb\ufeff", "ab"), ("<script>x</script>a<style>b{}</style> c<!-- d -->", "a c"),
    ("a<script>never closed", "a"), ("<p>One</p><p>Two</p>", "One Two"), ("  a \n\t b  ", "a b"),
    ("\x91quoted\x92", "‘quoted’"), ("&#x1F680;", "🚀"), ("&#55357;", "\ufffd"), ("", "")])
def test_plain_text(text: str, expected: str) -> None:
    """Tags become blanks, entities characters, once; invisible characters go."""
    assert plain_text(text, 100) == expected


def test_long_texts_are_cut() -> None:
    """A text over its limit is cut and says so."""
    assert plain_text("word " * 1000, 50) == "word " * 9 + "word…"


@given(st.text(max_size=300))
def test_plain_text_of_anything(text: str) -> None:
    """Any text gives one printable line within the limit that can be stored as UTF-8."""
    line = plain_text(text, 100)
    assert len(line) <= 100
    assert "\n" not in line
    assert line.encode().decode() == line


@pytest.mark.parametrize(("term", "scheme", "is_symbol"), [
    ("Nasdaq:ORIC", "https://www.globenewswire.com/rss/stock", True), ("NYSE American: ABC", "", True),
    ("TSX-V:ABC.V", "", True), ("OTC Markets:ABCD", "", True), ("Frankfurt:9X1", "https://e.example/rss/stock", True),
    ("ORIC", "https://www.globenewswire.com/rss/stock", False), ("Topic: Oil", "", False), ("nasdaq", "", False),
    ("Nasdaq: a long sentence", "", False)])
def test_symbols(term: str, scheme: str, is_symbol: bool) -> None:
    """A tag with an exchange before the ticker is a symbol, any other a category."""
    assert sort_tags([(term, scheme)]) == (((term,), ()) if is_symbol else ((), (term,)))


@pytest.mark.parametrize("text", ["", "javascript:x", "ftp://e.example/", "http://", "https://[x/", "data:,x",
                                  "mailto:a@b"])
def test_no_web_link(text: str) -> None:
    """Only http and https addresses are links."""
    assert web_link(text, "") == ""


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400), st.integers(0, 60))
def test_damage_never_raises_anything_else(noise: bytes, at: int, cut: int) -> None:
    """A damaged document gives a feed or a FeedError, nothing else."""
    good = rss(ITEM, ITEM)
    for body in (noise, good[:at] + noise + good[at + cut:]):
        try:
            outcome = str(parse_feed(body).entries)
        except FeedError as error:
            outcome = error.reason
        assert outcome in ("html", "not_xml", "no_feed") or outcome.startswith("(")


@pytest.mark.parametrize("body", [
    b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY %c "%s">' % (97 + number, b"&%c;" % (96 + number) * 10) for number in range(1, 9)) +
    b"]><rss><channel><item><title>&i;</title></item></channel></rss>",
    b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>',
    b"<rss><channel>" + b"<item>" * 20_000, b"<rss>" + b"<a>" * 100_000, b"<rss><channel>" + b"<![CDATA[" * 50_000,
    b"<rss><channel><item><description>" + b"&lt;script" * 50_000])
@pytest.mark.timeout(20)
def test_hostile_documents(body: bytes) -> None:
    """Entity bombs, files as entities, deep nesting and unclosed sections end soon and leak nothing."""
    try:
        text = str(parse_feed(body).entries[:3])
    except FeedError as error:
        text = error.reason
    assert "root:" not in text
    assert len(text) < 200_000


def recorded() -> list[dict[str, object]]:
    """The rows of the manifest of recorded documents."""
    if not RECORDED.is_dir():
        return []
    return [json.loads(line) for line in (RECORDED / "manifest.jsonl").read_text().splitlines()]


@needs_recordings
@pytest.mark.parametrize("row", recorded(), ids=lambda row: str(row["file"]))
def test_recorded_documents(row: dict[str, object]) -> None:
    """Each recorded document gives as many entries as counted, each with a title, an id and its true time."""
    entries = parse_feed((RECORDED / str(row["file"])).read_bytes()).entries
    assert len(entries) == row["entries"]
    assert all(entry.title and entry.id for entry in entries)
    assert all(entry.published_ms is not None for entry in entries)
    days = sorted(str(iso(entry.published_ms))[:10] for entry in entries)
    if row["first"] and not str(row["file"]).startswith("edgar"):
        assert (days[0], days[-1]) == (row["first"], row["last"])


@needs_recordings
def test_no_fewer_entries_than_feedparser() -> None:
    """On the recorded documents of each make feedparser finds no entry more."""
    import feedparser

    for row in recorded():
        if row["kind"] != "raw" or str(row["file"]).endswith(("page_00.atom", ".rss", ".xml")):
            path = RECORDED / str(row["file"])
            if path.stat().st_size < 100_000:
                body = path.read_bytes()
                assert len(parse_feed(body).entries) >= len(feedparser.parse(body)["entries"])


@needs_recordings
def test_recorded_symbols() -> None:
    """Every release of the recorded GlobeNewswire days keeps its stock tag."""
    for path in sorted((RECORDED / "reconstructed").glob("globenewswire_biotech_*.xml")):
        assert all(entry.symbols for entry in parse_feed(path.read_bytes()).entries)
