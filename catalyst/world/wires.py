"""How five wires write their feeds: four RSS dialects and one Atom, modelled on the real ones, with `.example` hosts.

GlobeNewswire tags stocks in a category, the others name the ticker in the text only, after the company's name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalyst.world.stories import Story


@dataclass(frozen=True, slots=True)
class Wire:
    """A news wire: `name` in sources.toml, the format of its feed, and how far its items are trusted."""

    name: str
    kind: str
    trust: float
    title: str
    link: str


WIRES = (
    Wire("globenewswire", "rss", 0.9, "GlobeNewswire - News about Public Companies", "https://www.globenewswire.example"),
    Wire("prnewswire", "rss", 0.9, "PR Newswire: all news releases", "https://www.prnewswire.example"),
    Wire("businesswire", "rss", 0.9, "Business Wire - All News", "https://www.businesswire.example"),
    Wire("accesswire", "rss", 0.8, "ACCESS Newswire - Newsroom", "https://www.accessnewswire.example"),
    Wire("newsfile", "atom", 0.8, "Newsfile Corp. - Latest Releases", "https://www.newsfilecorp.example"),
)
ATOM_WIRES = frozenset(wire.name for wire in WIRES if wire.kind == "atom")
_DC = "http://dublincore.org/documents/dcmi-namespace/"
_NOT_SLUG = re.compile(r"[^A-Za-z0-9]+")


def document(wire: Wire, items: list[str], starts_ms: int) -> str:
    """The whole feed document around rendered items, newest first."""
    moment = datetime.fromtimestamp(starts_ms // 1000, UTC)
    if wire.kind == "atom":
        head = (f'<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
                f"<title>{escape(wire.title)}</title><id>{wire.link}/</id><link href=\"{wire.link}/\"/>"
                f"<updated>{moment:%Y-%m-%dT%H:%M:%SZ}</updated>\n")
        return head + "\n".join(items) + "\n</feed>\n"
    spaces = f' xmlns:dc="{_DC}"' if wire.name == "globenewswire" else ""
    head = (f'<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"{spaces}><channel>\n'
            f"<title>{escape(wire.title)}</title><link>{wire.link}/</link>"
            f"<description>{escape(wire.title)}</description><language>en</language>"
            f"<lastBuildDate>{_rfc822(moment, wire.name)}</lastBuildDate>\n")
    return head + "\n".join(items) + "\n</channel></rss>\n"


def link(story: Story, day: datetime) -> str:
    """The story's address on the date of `day`; it holds the wire's release number, so no two stories share one."""
    slug = _NOT_SLUG.sub("-", story.title)[:120].strip("-")
    host = next(wire.link for wire in WIRES if wire.name == story.wire)
    match story.wire:
        case "globenewswire":
            path = f"news-release/{day:%Y/%m/%d}/{story.number + 3_000_000}/0/en/{slug}.html"
        case "prnewswire":
            path = f"news-releases/{slug.lower()}-{story.number + 302_000_000}.html"
        case "businesswire":
            path = f"news/home/{day:%Y%m%d}{story.number}/en/{slug}"
        case "accesswire":
            path = f"newsroom/en/business-and-professional-services/{slug.lower()}-{story.number + 1_000_000}"
        case _:
            path = f"release/{story.number}/{slug}"
    return f"{host}/{path}{story.query}"


def paragraph(story: Story, moment: datetime) -> str:
    """The first paragraph as the wire prints it, with its dateline; plain text."""
    company = story.company
    city = company.city if company else "NEW YORK"
    day = f"{moment:%B} {moment.day}, {moment.year}"
    dateline = {
        "globenewswire": f"{city}, {moment:%B} {moment:%d}, {moment.year} (GLOBE NEWSWIRE) -- ",
        "prnewswire": f"{city}, {day} /PRNewswire/ -- ",
        "businesswire": f"{city}--(BUSINESS WIRE)--",
        "accesswire": f"{city} / ACCESS Newswire / {day} / ",
        "newsfile": f"{city.title()}--(Newsfile Corp. - {day}) - ",
    }[story.wire]
    if company is None or not story.lead[0].islower():
        return dateline + story.lead
    return f"{dateline}{company.legal} ({company.listing}), {company.about}, {story.lead}"


def item(story: Story, moment: datetime, at: str) -> str:
    """The story, whose link is `at`, as an element of its wire's feed; an undated one does not show its `moment`."""
    address, text = escape(at), paragraph(story, moment)
    date = f"<pubDate>{_rfc822(moment, story.wire)}</pubDate>" if story.is_dated else ""
    title = escape(story.title, quote=False)
    match story.wire:
        case "globenewswire":
            return _globenewswire(story, address, title, text, date)
        case "prnewswire":
            paragraph_html = escape(f"<p>{escape(text, quote=False)}</p>")
            return (f'<item><guid isPermaLink="true">{address}</guid><link>{address}</link><title>{title}</title>'
                    f"<description>{paragraph_html}</description>{date}</item>")
        case "businesswire":
            return (f"<item><title>{title}</title><link>{address}</link><description>{escape(text, quote=False)}"
                    f'</description>{date}<guid isPermaLink="false">{story.number}</guid></item>')
        case "accesswire":
            return (f"<item>\n  <title><![CDATA[{story.title}]]></title>\n  <link>{address}</link>\n"
                    f"  <description><![CDATA[{text}]]></description>\n  {date}\n  <guid>{address}</guid>\n</item>")
        case _:
            return (f"<entry><id>{address}</id><title type=\"text\">{title}</title><link rel=\"alternate\" "
                    f'href="{address}"/><published>{moment:%Y-%m-%dT%H:%M:%SZ}</published>'
                    f'<updated>{moment:%Y-%m-%dT%H:%M:%SZ}</updated><summary type="html">'
                    f"{escape(f'<p>{escape(text, quote=False)}</p>')}</summary></entry>")


def _globenewswire(story: Story, address: str, title: str, text: str, date: str) -> str:
    company = story.company
    stock = contributor = ""
    if company is not None:
        tag = f"{company.exchange}:{company.ticker}"
        stock = f'<category domain="https://www.globenewswire.example/rss/stock">{tag}</category>'
        contributor = f"\n<dc:contributor>{escape(company.legal)}</dc:contributor>"
    body = escape(text, quote=False)
    return (f'<item>\n<guid isPermaLink="true">{address}</guid>\n<link>{address}</link>\n{stock}\n'
            f"<title>{title}</title>\n<description><![CDATA[<p>{body}</p>]]></description>\n{date}\n"
            f"<dc:identifier>{story.number}</dc:identifier>\n<dc:language>en</dc:language>\n"
            f"<dc:publisher>GlobeNewswire Inc.</dc:publisher>{contributor}\n</item>")


def _rfc822(moment: datetime, wire: str) -> str:
    """PR Newswire writes the offset in digits, the others the word GMT."""
    return format_datetime(moment, usegmt=wire != "prnewswire")
