"""Bench of reading feeds: `core.feeds.parse_feed` beside feedparser and beside the bare fastfeedparser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from catalyst.bench.measure import Report, cpu_rates, progress
from catalyst.core import pieces
from catalyst.core.feeds import parse_feed

RECORDED = Path(__file__).resolve().parents[3] / "shared" / "data" / "feeds"
QUICK_DOCUMENTS = 12
TURN = 25    # documents after which it is the next peer's turn
ROUNDS = 5
ITEM = """<item><title>Example Corp. {n} Announces Closing of $12 Million Registered Direct Offering</title>
<link>https://www.example.com/news-release/2026/01/02/{n}/0/en/example-announces.html</link><guid>{n}</guid>
<pubDate>Fri, 02 Jan 2026 14:{m:02}:00 GMT</pubDate><category domain="https://www.example.com/rss/stock">Nasdaq:EXMP
</category><description><![CDATA[<p>NEW YORK &mdash; Example Corp. {n} said that it closed its offering.</p>]]>
</description></item>"""


def run(*, quick: bool) -> Report:
    """Entries a second of CPU time."""
    import fastfeedparser  # type: ignore[import-untyped]  # it ships no types
    import feedparser  # type: ignore[import-untyped]  # it ships no types

    def bare(bodies: list[bytes]) -> int:
        return sum([len(fastfeedparser.parse(body, include_media=False, include_enclosures=False)["entries"])
                    for body in bodies])

    found = documents(quick=quick)
    bodies = [body for body in found if _readable(bare, body)]
    report = Report(f"feeds: {len(bodies)} documents, {sum(map(len, bodies)) / 1e6:.1f} MB")
    if len(bodies) < len(found):
        report.notes.append(f"{len(found) - len(bodies)} documents are left out: the bare fastfeedparser refuses them")

    def ours(bodies: list[bytes]) -> int:
        count = 0
        for body in bodies:
            pieces.forget()  # as if no entry had been shown before
            count += len(parse_feed(body).entries)
        return count

    def thorough(bodies: list[bytes]) -> int:
        return sum([len(feedparser.parse(body)["entries"]) for body in bodies])

    turns = [bodies[place:place + TURN] for place in range(0, len(bodies), TURN)]
    for number in range(ROUNDS):
        progress(f"feeds: round {number + 1} of {ROUNDS}")
        report.add(cpu_rates({"parse_feed": ours, "bare fastfeedparser": bare, "feedparser": thorough}, turns),
                   "entries/CPU s")
    report.ratio("feeds.feedparser", "parse_feed", "feedparser", 20)
    report.ratio("feeds.bare", "parse_feed", "bare fastfeedparser", 0.7)
    return report


def documents(*, quick: bool) -> list[bytes]:
    """Recorded documents where they are at hand, else generated ones."""
    files = sorted(file for file in RECORDED.rglob("*") if file.suffix in (".xml", ".atom", ".rss"))
    if not files:
        return [generated(20 + 10 * size) for size in range(QUICK_DOCUMENTS)]
    step = max(1, len(files) // QUICK_DOCUMENTS) if quick else 1
    return [file.read_bytes() for file in files[::step]]


def generated(count: int) -> bytes:
    """An RSS document of `count` items in the shape of a news wire's."""
    items = "\n".join(ITEM.format(n=number, m=number % 60) for number in range(count))
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title>{items}</channel></rss>'.encode()


def _readable(parse: Callable[[list[bytes]], int], body: bytes) -> bool:
    try:
        return parse([body]) > 0
    except (ValueError, LookupError, TypeError, AttributeError):  # what it raises for a document that it cannot read
        return False
