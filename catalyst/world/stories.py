"""The stories of a generated day: what is announced, when, on which wire, and what should become of it.

Pure: randomness is an argument, nothing is read or written. A story's `fate` follows the design: with the default
settings a catalyst of a company under the price ceiling is alerted, everything else is dropped with a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from catalyst.world.companies import Company
from catalyst.world.day import BACKLOG_AGE_S
from catalyst.world.facts import Facts
from catalyst.world.phrases import CATALYSTS, ELSEWHERE, NOISE, WEAK, Phrases
from catalyst.world.wires import ATOM_WIRES, WIRES

NOISE_SHARE = 0.24
ELSEWHERE_SHARE = 0.09
WEAK_SHARE = 0.08  # of the noise
BACKLOG_SHARE = 0.02
SAME_LINK_SHARE = 0.02
UNDATED_SHARE = 0.005
WIRE_SUFFIX = "MarketWatch"
CAMPAIGNS = ("?utm_source=rss&utm_medium=feed", "?utm_campaign=news&utm_source=x", "?utm_source=a&utm_content=7")
ODD_TITLES = ("everyone", "markdown", "bidi", "quotes", "entities", "long", "tags", "mention")


@dataclass(frozen=True, slots=True)
class Story:
    """One item of one wire. `offset_s`: seconds after the day's start (negative: before); `odd`: what is unusual."""

    what: str  # catalyst, weak, noise, duplicate, correction, same_link, backlog, no_ticker, dear, foreign
    kind: str
    direction: str
    fate: str
    reason: str | None
    wire: str
    number: int  # the wire's own release number, part of the link
    title: str
    lead: str
    offset_s: int
    company: Company | None = None
    odd: str | None = None
    query: str = ""  # what a second appearance of the same link carries behind it
    of: int | None = None  # number of the story that this one repeats

    @property
    def is_dated(self) -> bool:
        return self.odd != "undated"


@dataclass(frozen=True, slots=True)
class Mix:
    """How many items of each sort a day has."""

    catalysts: int
    noise: int
    elsewhere: int
    backlog: int
    duplicates: int
    same_links: int
    undated: int


def mix(items: int, duplicates: float) -> Mix:
    """The sorts of a day of `items` entries, of which the share `duplicates` repeats another wire's story."""
    again = round(items * duplicates)
    same = round(items * SAME_LINK_SHARE)
    firsts = items - again - same
    noise, elsewhere = round(firsts * NOISE_SHARE), round(firsts * ELSEWHERE_SHARE)
    backlog = min(max(2, round(firsts * BACKLOG_SHARE)), max(0, firsts - noise - elsewhere - 1))
    catalysts = firsts - noise - elsewhere - backlog
    undated = max(1, round(items * UNDATED_SHARE)) if items >= 20 else 0
    return Mix(catalysts, noise, elsewhere, backlog, again, same, undated)


class Writer:
    """Draws the stories of one day."""

    def __init__(self, random: Random, companies: Sequence[Company], duration_s: float, burst_s: float | None):
        self._random = random
        self._companies = companies
        self._last_s = max(0, int(duration_s) - 1)
        self._burst_s = burst_s
        self._facts = Facts(random)
        self._number = 100_000
        self._told: set[tuple[str, str]] = set()

    def stories(self, wanted: Mix) -> list[Story]:
        """All stories, in the order in which they appear."""
        firsts = self._made_odd([self._catalyst() for _ in range(wanted.catalysts)], wanted.undated)
        firsts += [self._noise() for _ in range(wanted.noise)]
        firsts += [self._elsewhere() for _ in range(wanted.elsewhere)]
        backlog = [self._backlog() for _ in range(wanted.backlog)]
        again = [self._duplicate(story) for story in self._picked(firsts, wanted.duplicates)]
        same = [self._same_link(story) for story in self._picked(firsts, wanted.same_links)]
        return sorted([*firsts, *backlog, *again, *same], key=lambda story: (story.offset_s, story.number))

    def _picked(self, stories: list[Story], count: int) -> list[Story]:
        """`count` stories to repeat; odd ones appear once."""
        return self._random.sample([story for story in stories if story.odd is None], count)

    def _catalyst(self) -> Story:
        company, phrases = self._subject()
        what, fate, reason = ("dear", "dropped", "price_ceiling") if company.is_dear else ("catalyst", "alerted", None)
        return self._story(what, phrases, fate, reason, company)

    def _noise(self) -> Story:
        """What no trader waits for; now and then a real but weak catalyst, which stays under the score gate."""
        if self._random.random() < WEAK_SHARE:
            phrases = self._drawn(WEAK)
            return self._story("weak", phrases, "dropped", "low_score", self._unused_company(phrases.kind))
        phrases = self._drawn(NOISE)
        company = None if phrases.kind in ("market_report", "fund_notice") else self._unused_company(phrases.kind)
        return self._story("noise", phrases, "dropped", f"noise:{phrases.kind}", company)

    def _elsewhere(self) -> Story:
        phrases = self._drawn(ELSEWHERE)
        what, reason = ("foreign", "foreign_listing") if phrases.kind == "foreign" else ("no_ticker", "no_ticker")
        return self._story(what, phrases, "dropped", reason, None)

    def _backlog(self) -> Story:
        age_s = self._random.randint(BACKLOG_AGE_S + 300, 6 * 3600)
        return replace(self._catalyst(), what="backlog", fate="dropped", reason="backlog", offset_s=-age_s)

    def _drawn(self, table: Sequence[Phrases]) -> Phrases:
        return self._random.choices(table, [phrases.weight for phrases in table])[0]

    def _subject(self) -> tuple[Company, Phrases]:
        """A company and a kind of story that it has not told yet; a company tells each family of kinds once."""
        for _ in range(400):
            company, phrases = self._random.choice(self._companies), self._drawn(CATALYSTS)
            key = (company.ticker, phrases.kind.split("_")[0])
            if key not in self._told and (not phrases.sectors or company.sector in phrases.sectors):
                self._told.add(key)
                return company, phrases
        raise ValueError("too many stories for so few companies")

    def _unused_company(self, kind: str) -> Company:
        for _ in range(400):
            company = self._random.choice(self._companies)
            if (company.ticker, kind) not in self._told:
                self._told.add((company.ticker, kind))
                return company
        raise ValueError("too many stories for so few companies")

    def _story(self, what: str, phrases: Phrases, fate: str, reason: str | None, company: Company | None) -> Story:
        slots = self._facts.for_company(company) if company else self._facts.general()
        self._number += self._random.randint(1, 9)
        return Story(what=what, kind=phrases.kind, direction=phrases.direction, fate=fate, reason=reason,
                     wire=self._random.choice(WIRES).name, number=self._number,
                     title=self._random.choice(phrases.titles).format_map(slots),
                     lead=self._random.choice(phrases.leads).format_map(slots),
                     offset_s=self._moment(), company=company)

    def _moment(self) -> int:
        if self._burst_s is not None:
            return int(self._burst_s)
        return self._random.randint(0, self._last_s)

    def _later(self, story: Story, low_s: int, high_s: int) -> int:
        if self._burst_s is not None:
            return story.offset_s
        return min(story.offset_s + self._random.randint(low_s, high_s), max(self._last_s, story.offset_s))

    def _duplicate(self, story: Story) -> Story:
        """The same story on another wire, its title slightly different."""
        wire = self._random.choice([wire.name for wire in WIRES if wire.name != story.wire])
        self._number += self._random.randint(1, 9)
        reason = None if story.fate == "alerted" else "duplicate"
        return replace(story, what="duplicate", reason=reason, wire=wire, number=self._number, of=story.number,
                       title=self._retitled(story), offset_s=self._later(story, 2, 60))

    def _retitled(self, story: Story) -> str:
        title, company = story.title, story.company
        ways = [title.replace(" and ", " & ").replace("’", "'"), title.replace(" Million", "M"),
                f"{title} - {WIRE_SUFFIX}"]
        if company is not None:
            small = " ".join(word if word[1:] != word[1:].lower() else word.lower() for word in title.split())
            ways += [f"{title} ({company.listing})", small.replace(company.name.lower(), company.name)]
            if "Holdings" not in company.legal and f"{company.name}’" not in title:
                ways.append(title.replace(company.name, company.legal, 1))
        different = [way for way in ways if way != title]
        return self._random.choice(different)

    def _same_link(self, story: Story) -> Story:
        """The same link once more, with what campaigns put behind it."""
        query = self._random.choice(CAMPAIGNS)
        reason = None if story.fate == "alerted" else story.reason
        return replace(story, what="same_link", reason=reason, query=query, of=story.number,
                       offset_s=self._later(story, 5, 300))

    def _made_odd(self, catalysts: list[Story], undated: int) -> list[Story]:
        """Give some alerted stories an odd title or no date; those without one come in the day's second half."""
        indexes = [index for index, story in enumerate(catalysts) if story.fate == "alerted"]
        self._random.shuffle(indexes)
        hostile = min(len(indexes) // 4, max(len(ODD_TITLES), len(catalysts) // 100))
        for position, index in enumerate(indexes[:hostile]):
            way = ODD_TITLES[position % len(ODD_TITLES)]
            catalysts[index] = replace(catalysts[index], odd=way, title=odd_title(way, catalysts[index].title))
        for index in indexes[hostile : hostile + undated]:
            offset_s = catalysts[index].offset_s
            if self._burst_s is None:
                offset_s = self._last_s // 2 + offset_s // 2
            catalysts[index] = replace(catalysts[index], odd="undated", offset_s=offset_s, wire=self._dateless_wire())
        return catalysts

    def _dateless_wire(self) -> str:
        """Atom asks for a date in every entry, RSS does not."""
        return self._random.choice([wire.name for wire in WIRES if wire.name not in ATOM_WIRES])


def odd_title(way: str, title: str) -> str:
    """`title` as somebody would write it who wants to break the reader, or does not know better."""
    match way:
        case "everyone":
            return f"@everyone {title} @here"
        case "markdown":
            return f"**{title}** [free shares](https://click.example/?a=1&b=2) `x` ~~y~~ ||z|| __u__"
        case "bidi":
            return f"\u202e{title}\u202c\u200b\u2066!\u2069"
        case "quotes":
            return f"“{title}” – ‘a first’…"
        case "entities":
            return f"{title} &amp; More&#8217;s &lt;to&gt; Come&nbsp;&hellip;"
        case "long":
            return title + "".join(f"; Further Detail Number {number} of the Same Announcement" for number in range(50))
        case "tags":
            return f"<b>{title}</b>\n\t<script>alert('x')</script>"
        case "mention":
            return f"{title} <@123456789012345678> <#42> <:moon:99> http://a.example/x_y_z"
    raise ValueError(way)
