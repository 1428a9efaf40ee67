"""Stories as three wires tell them: edited titles, texts cut at other places, and stories that only look alike.

What the search for duplicates is measured with. Pure: randomness is an argument. A telling's `story` is the truth:
tellings of one number are one story, and the first of them in time is the one that the others repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from catalyst.world.companies import Company, make_companies
from catalyst.world.facts import Facts
from catalyst.world.phrases import CATALYSTS, ELSEWHERE, NOISE, WEAK, Phrases
from catalyst.world.retitling import retitled

WIRES = ("globenewswire", "prnewswire", "businesswire")
LOOKALIKES = ("numbers", "same_day", "law_firm", "fund", "boilerplate", "steps", "subject")
LOOKALIKE_SHARE = 0.45  # of the stories, that stand beside one that looks like them
ON_WIRES = (1, 2, 2, 3, 3)  # how many wires carry a story
NO_TEXT, ONLY_SUBTITLE = 0.03, 0.02  # shares of tellings without the text that could prove them
DAY_S = 86_400

DETAILS = (
    "The company expects to record about {amtl} from the arrangement over the next {count} months.",
    "Under the terms, {partner} will provide up to {amtl}, of which {price} per unit is payable at signing.",
    "A conference call will be held on {month} {day} and a replay will be available for {digit} days.",
    "The program enrolled {count} participants at {digit} sites, and a further report is planned for {month} {day}.",
    "As of the end of the quarter the company had {shares} shares outstanding and cash of {amtl}.",
    "Work will be carried out with {partner} and is expected to be complete within {count} months.",
    "The decision follows a review by {partner}, which began in {month} and covered {count} locations.")
QUOTES = (
    "“We are very pleased with this step, which reflects years of work by our team,” said {person}, Chief Executive "
    "Officer of {short}.",
    "“This is an important milestone for {short} and for the people whom we serve,” said {person}, President.",
    "“We look forward to working with {partner} in the coming months,” {person} said in a statement.")
SUBTITLES = ("{person} to lead the work with {partner}", "Company to host conference call on {month} {day}",
             "Cash runway extends by {count} months", "Further data expected in {month}",
             "{partner} to support the next step")
REPORTS = Phrases("results", "neutral", 1, (), (
    "{name} Reports {quarter} Financial Results, Revenue of {amt}",
    "{name} Announces {quarter} Results and Provides Business Update",
), ("today reported financial results for the {quarterl}. Revenue was {amtl}, compared with {bn} million a year ago, "
    "and the net loss per share was {price}.",))
STEPS: tuple[tuple[str, str], ...] = (
    ("{name} Announces Proposed Public Offering of Common Stock",
     "today announced that it intends to offer and sell shares of its common stock in an underwritten public offering. "
     "All of the shares in the proposed offering will be sold by the company."),
    ("{name} Announces Pricing of {amt} Public Offering of Common Stock",
     "today announced the pricing of its underwritten public offering of {shares} shares of its common stock at a "
     "public offering price of {price} per share. The gross proceeds are expected to be {amtl}."),
    ("{name} Announces Closing of {amt} Public Offering of Common Stock",
     "today announced the closing of its underwritten public offering of {shares} shares of its common stock at a "
     "public offering price of {price} per share. The gross proceeds were {amtl}."))
BOILERPLATE: tuple[tuple[str, str], ...] = (
    ("Transaction in Own Shares", "announces that on {month} {day} it purchased {shares} of its ordinary shares at an "
     "average price of {price} per share for cancellation under its buyback program."),
    ("Holding(s) in Company", "has been notified that on {month} {day} the voting rights held by {partner} passed the "
     "threshold and are now {pct}% of the total."),
    ("Director/PDMR Shareholding", "was informed on {month} {day} that {person} bought {shares} shares at {price}."),
    ("{name} Provides Business Update", "today said that {partner} has taken delivery and that {count} orders are open "
     "for {month}."))


@dataclass(frozen=True, slots=True)
class Telling:
    """One entry of one wire. `look`: what the story was made to be mistaken for, empty for a plain one."""

    story: int
    wire: str
    offset_s: int
    title: str
    summary: str
    symbols: tuple[str, ...]
    look: str
    edits: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """An address of the wire's own."""
        return f"https://www.{self.wire}.example/release/{self.story}-{self.offset_s}"


@dataclass(frozen=True, slots=True)
class _Release:
    title: str
    subtitle: str
    text: str  # without its dateline
    company: Company | None
    look: str
    offset_s: int


def tellings(seed: int, stories: int) -> list[Telling]:
    """All tellings of `stories` stories in order of time; the same seed gives the same ones."""
    random = Random(seed)  # noqa: S311 - a reproducible set, not a secret
    writer = _Writer(random, make_companies(random, min(max(stories // 2, 20), 1_500)))
    releases: list[_Release] = []
    while len(releases) < stories:
        releases += writer.lookalikes() if random.random() < LOOKALIKE_SHARE / 2 else [writer.plain()]
    told = [telling for number, release in enumerate(releases[:stories]) for telling in writer.told(number, release)]
    return sorted(told, key=lambda telling: (telling.offset_s, telling.story, telling.wire))


class _Writer:
    def __init__(self, random: Random, companies: Sequence[Company]):
        self._random = random
        self._companies = companies
        self._facts = Facts(random)

    def plain(self) -> _Release:
        table = self._random.choice((CATALYSTS, CATALYSTS, CATALYSTS, NOISE, ELSEWHERE, WEAK, (REPORTS,)))
        phrases = self._random.choice(table)
        company = None if phrases.kind in ("market_report", "fund_notice", "private", "foreign") else self._company()
        return self._release(phrases, company, self._slots(company), "", self._random.randint(0, DAY_S))

    def lookalikes(self) -> list[_Release]:
        """Two or three stories that are easily taken for one."""
        random, look = self._random, self._random.choice(LOOKALIKES)
        at_s, company = random.randint(0, DAY_S), self._company()
        slots = self._slots(company)
        if look == "steps":
            chosen = random.sample(STEPS, 2)
            return [self._written(title, lead, company, slots, look, at_s + place * random.randint(600, 40_000))
                    for place, (title, lead) in enumerate(chosen)]
        if look == "boilerplate":
            title, lead = random.choice(BOILERPLATE)
            other = company if random.random() < 0.5 else self._company()
            return [self._written(title, lead, one, self._slots(one), look, at_s + place * random.randint(600, 90_000))
                    for place, one in enumerate((company, other))]
        if look == "law_firm":
            phrases = next(phrases for phrases in NOISE if phrases.kind == "law_firm")
            firm = {key: slots[key] for key in ("firm", "month", "day")}
            title = random.choice(phrases.titles)
            return [self._release(replace(phrases, titles=(title,)), one, {**self._slots(one), **firm}, look,
                                  at_s + random.randint(0, 3_600)) for one in (company, self._company())]
        if look == "fund":
            phrases = next(phrases for phrases in NOISE if phrases.kind == "fund_notice")
            general = self._facts.general()
            title = random.choice(phrases.titles)
            return [self._release(replace(phrases, titles=(title,)), None, values, look, at_s + place * DAY_S)
                    for place, values in enumerate((general, self._other_numbers(general)))]
        table = (*CATALYSTS, REPORTS, *WEAK)
        phrases = random.choice(table)
        if look == "same_day":
            other_kind = random.choice([one for one in table if one.kind != phrases.kind])
            return [self._release(one, company, self._slots(company), look, at_s + random.randint(0, 20_000))
                    for one in (phrases, other_kind)]
        phrases = replace(phrases, titles=(random.choice(phrases.titles),), leads=(random.choice(phrases.leads),))
        twin = self._other_numbers(slots) if look == "numbers" else self._other_subject(slots)
        pair = [self._release(phrases, company, values, look, at_s + random.randint(0, 40_000))
                for values in (slots, twin)]
        return pair if pair[0].title != pair[1].title else pair[:1]

    def told(self, number: int, release: _Release) -> list[Telling]:
        """The story on one to three wires, the first as its publisher wrote it."""
        random = self._random
        wires = random.sample(WIRES, random.choice(ON_WIRES))
        found, at_s = [], release.offset_s
        for place, wire in enumerate(wires):
            title, edits = (release.title, ()) if place == 0 else retitled(
                random, release.title, release.subtitle, release.company)
            symbols = ((f"{release.company.exchange}:{release.company.ticker}",)
                       if release.company is not None and wire == "globenewswire" else ())
            found.append(Telling(number, wire, at_s, title, self._summary(release, wire), symbols, release.look, edits))
            at_s += random.randint(2, 900) if random.random() < 0.9 else random.randint(3_600, 60_000)
        return found

    def _summary(self, release: _Release, wire: str) -> str:
        """The text as a wire's feed shows it: whole, a paragraph, or cut anywhere; with a dateline of its own."""
        random = self._random
        luck = random.random()
        if luck < NO_TEXT:
            return ""
        if luck < NO_TEXT + ONLY_SUBTITLE:
            return release.subtitle
        city = release.company.city if release.company else "NEW YORK"
        dateline = {"globenewswire": f"{city}, March 03, 2026 (GLOBE NEWSWIRE) -- ",
                    "prnewswire": f"{city}, March 3, 2026 /PRNewswire/ -- ",
                    "businesswire": f"{city}--(BUSINESS WIRE)--"}[wire]
        text = (dateline if random.random() < 0.8 else "") + release.text
        way = random.choice(("whole", "paragraph", "cut", "cut"))
        if way == "paragraph":
            return text.split("\n")[0]
        if way == "cut":
            length = random.randint(200, 520)
            return text if len(text) <= length else text[:length].rsplit(" ", 1)[0].replace("\n", " ") + random.choice(
                ("...", "…", " [...]", ""))
        return text.replace("\n", " ")

    def _release(self, phrases: Phrases, company: Company | None, slots: dict[str, str], look: str,
                 at_s: int) -> _Release:
        return self._written(self._random.choice(phrases.titles), self._random.choice(phrases.leads), company, slots,
                             look, at_s)

    def _written(self, title: str, lead: str, company: Company | None, slots: dict[str, str], look: str,
                 at_s: int) -> _Release:
        random = self._random
        head = f"{company.legal} ({company.listing}), {company.about}, " if company and lead[0].islower() else ""
        parts = [*random.sample(DETAILS, 2), random.choice(QUOTES)]
        text = "\n".join([head + lead, " ".join(parts[:1]), " ".join(parts[1:])])
        values = {"short": "the company", "price": f"${random.uniform(0.3, 9):.2f}", **slots}
        return _Release(title.format_map(values), random.choice(SUBTITLES).format_map(values), text.format_map(values),
                        company, look, at_s)

    def _company(self) -> Company:
        return self._random.choice(self._companies)

    def _slots(self, company: Company | None) -> dict[str, str]:
        return self._facts.for_company(company) if company else self._facts.general()

    def _other_numbers(self, slots: dict[str, str]) -> dict[str, str]:
        """The same names, other sums, dates and quarters."""
        other = self._facts.general()
        changed = ("amt", "amtl", "pct", "quarter", "quarterl", "count", "digit", "day", "bn", "shares", "phase",
                   "patent")
        cents = f"${self._random.uniform(0.3, 9):.2f}"
        return {**slots, **{key: other[key] for key in changed}, **({"price": cents} if "price" in slots else {})}

    def _other_subject(self, slots: dict[str, str]) -> dict[str, str]:
        """The same company with another drug, product, partner or customer."""
        other = self._facts.general()
        changed = ("drug", "drugl", "trial", "product", "partner", "agency", "disease", "diseasel", "person")
        return {**slots, **{key: other[key] for key in changed}}
