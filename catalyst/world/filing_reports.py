"""Writes reports of fictional companies: Form 8-K and 6-K, with press releases as exhibits. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from random import Random

from catalyst.world.archive import Paper, Party, items_of
from catalyst.world.companies import Company
from catalyst.world.facts import Facts
from catalyst.world.filing_html import Hand, document, exhibit, inline_xbrl, report_cover, signature
from catalyst.world.filing_phrases import ABOUT, EVENTS, FORWARD, FURNISHED, RELEASES, TOLD, Event
from catalyst.world.filing_terms import date_slots, draw_terms, offering
from catalyst.world.phrases import CATALYSTS, Phrases

AMBIGUOUS = "Merger Agreement"  # a merger or the sale of the company: what a reader finds is open
SICS = {"bio": "2834 Pharmaceutical Preparations", "device": "3841 Surgical & Medical Instruments & Apparatus",
        "tech": "7372 Services-Prepackaged Software", "energy": "3690 Misc Electrical Machinery & Supplies",
        "mining": "1040 Gold & Silver Ores", "defense": "3760 Guided Missiles & Space Vehicles & Parts",
        "consumer": "2080 Beverages"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A filing before it has a number: its documents, and the truth about it. `reason` is how the reason begins."""

    form: str
    papers: tuple[Paper, ...]
    parties: tuple[Party, ...]
    company: Company | None
    kind: str | None = None
    direction: str = "neutral"
    fate: str | None = None
    reason: str | None = None
    items: tuple[str, ...] = ()
    offering: dict[str, float | str | None] | None = None
    ixbrl: bool = False
    headline: str = ""

    @property
    def item_titles(self) -> tuple[tuple[str, str], ...]:
        """The items with their titles."""
        return items_of(self.items)


def filer(company: Company, role: str = "Filer") -> Party:
    """The company as EDGAR knows it; some names in capitals without punctuation, as older registrants have them."""
    name = company.legal.upper().replace(",", "").replace(".", "") if company.cik % 3 == 0 else company.legal
    return Party(role, name, company.cik, SICS[company.sector], "DE", f"001-{30_000 + company.cik % 10_000}",
                 f"{company.cik % 900 + 100} MARKET STREET", f"{company.city.split(',')[0].upper()} DE 19801")


class Reports:
    """Writes the reports of one day."""

    def __init__(self, random: Random, facts: Facts, day: date):
        self._random = random
        self._facts = facts
        self._day = day

    def event(self, company: Company, wanted: Event) -> Draft:
        """A Form 8-K about one of the `EVENTS`."""
        slots = self._slots(company)
        sale = None
        if wanted.sale is not None:
            terms = draw_terms(self._random, company)
            slots |= terms.slots()
            sale = offering(*wanted.sale, terms)
        numbers = tuple(wanted.sections)
        sections = {number: text.format_map(slots) for number, text in wanted.sections.items()}
        exhibits = [(kind, name, f"{name}, dated {slots['today']}, among {company.legal} and the parties named in it.")
                    for kind, name in wanted.exhibits]
        headline, release = "", None
        if wanted.titles:
            headline = self._random.choice(wanted.titles).format_map(slots)
            release = self._release(company, slots, headline, [text.format_map(slots) for text in wanted.paragraphs])
        if exhibits or release:
            numbers = (*numbers, "9.01")
        return self._report(Draft("8-K", (), (filer(company),), company, wanted.kind, wanted.direction, wanted.fate,
                                  None, numbers, sale, headline=headline), sections, exhibits, release, slots)

    def release(self, company: Company, form: str = "8-K") -> Draft:
        """A report, on Form 8-K or 6-K, that brings a press release with news of the company."""
        fitting = [row for row in RELEASES if self._told(row[0], company.sector)]
        source, kind, direction, numbers, _ = self._random.choices(fitting, [row[4] for row in fitting])[0]
        phrases = self._told(source, company.sector)
        assert phrases is not None
        slots = self._slots(company)
        titles = [title for title in phrases.titles if AMBIGUOUS not in title]
        headline = self._random.choice(titles).format_map(slots)
        release = self._release(company, slots, headline, [self._random.choice(phrases.leads).format_map(slots)])
        about = " announcing its financial results" if "2.02" in numbers else f" titled “{headline}”"
        told = TOLD.format_map({**slots, "about": about})
        sections = {number: f"{told}\n{FURNISHED}" if index == 0 else told
                    for index, number in enumerate(numbers[:-1])}
        if "1.01" in sections:
            sections["1.01"] = (f"On {slots['yesterday']}, {company.legal} (the “Company”) entered into an Agreement "
                                f"and Plan of Merger with {slots['partner']} and a wholly owned subsidiary of it.")
        draft = Draft(form, (), (filer(company),), company, kind, direction, "alerted", None,
                      numbers if form == "8-K" else (), headline=headline)
        return self._report(draft, sections, [], release, slots)

    def _told(self, kind: str, sector: str) -> Phrases | None:
        return next((phrases for phrases in CATALYSTS if phrases.kind == kind
                     and (not phrases.sectors or sector in phrases.sectors)), None)

    def _slots(self, company: Company) -> dict[str, str]:
        site = company.name.split()[0].lower()
        return {**self._facts.for_company(company), **date_slots(self._day), "aboutc": company.about, "site": site}

    def _release(self, company: Company, slots: dict[str, str], headline: str, paragraphs: list[str]) -> bytes:
        """The press release, as a whole HTML document."""
        hand = Hand(self._random)
        first = paragraphs[0]
        if first[0].islower():
            first = f"{company.legal} ({company.listing}), {company.about}, {first}"
        wire = self._random.choice(("(GLOBE NEWSWIRE) --", "/PRNewswire/ --", "(BUSINESS WIRE) --"))
        body = hand.line("Exhibit 99.1", align="right", bold=True) + hand.blank()
        body += hand.line(headline, align="center", bold=True) + hand.blank()
        body += hand.line(f"{company.city}, {slots['today']} {wire} {first}")
        body += "".join(hand.line(text) for text in paragraphs[1:])
        body += hand.line(f"About {company.name}", align="left", bold=True) + hand.line(ABOUT.format_map(slots))
        body += hand.line("Forward-Looking Statements", align="left", bold=True) + hand.line(FORWARD)
        body += hand.line("Investor Contact:", align="left", bold=True)
        body += hand.line(f"{slots['person']}, ir@{slots['site']}.example, (555) 010-{company.cik % 10_000:04}",
                          align="left")
        return document("EX-99.1", body)

    def _report(self, draft: Draft, sections: dict[str, str], exhibits: list[tuple[str, str, str]],
                release: bytes | None, slots: dict[str, str]) -> Draft:
        """The draft with its documents: the report, exhibits, the press release, and what inline XBRL brings along."""
        company = draft.company
        assert company is not None
        hand = Hand(self._random)
        stem = f"{company.ticker.lower()}-{self._day:%Y%m%d}"
        shown = [(kind, name) for kind, name, _ in exhibits]
        if release is not None:
            shown.append(("EX-99.1", f"Press release dated {slots['today']}"))
        if draft.form == "6-K":
            body = self._foreign_cover(hand, company, slots) + "".join(map(hand.lines, sections.values()))
            main = Paper("6-K", f"{stem}_6k.htm", "REPORT OF FOREIGN PRIVATE ISSUER", document("6-K", body))
            main = replace(main, body=exhibit("6-K", 1, main.file, main.description, main.body))
        else:
            body = report_cover(hand, company, slots["yesterday"], draft.parties[0].file_number)
            body += "".join(hand.item(number, title) + hand.lines(sections[number])
                            for number, title in draft.item_titles if number in sections)
            if "9.01" in draft.items:
                body += hand.item("9.01", "Financial Statements and Exhibits") + hand.line("(d) Exhibits", align="left")
                body += hand.table([("Exhibit No.", "Description"), *((kind[3:], name) for kind, name in shown),
                                    ("104", "Cover Page Interactive Data File (embedded within the Inline XBRL "
                                            "document)")])
            body += signature(hand, company, slots["today"], slots["person"])
            main = Paper("8-K", f"{stem}.htm", "CURRENT REPORT", inline_xbrl("8-K", body))
        papers = [main]
        for kind, name, text in exhibits:
            file = f"{stem}_{kind.lower().replace('-', '').replace('.', '-')}.htm"
            page = document(kind, hand.line(f"Exhibit {kind[3:]}", align="right") + hand.line(name, align="center")
                            + hand.line(text))
            papers.append(Paper(kind, file, name.upper(), exhibit(kind, len(papers) + 1, file, name.upper(), page)))
        if release is not None:
            file = f"{stem}_ex99-1.htm"
            papers.append(Paper("EX-99.1", file, "PRESS RELEASE",
                                exhibit("EX-99.1", len(papers) + 1, file, "PRESS RELEASE", release)))
        if draft.form == "8-K":
            papers += _xbrl_files(company, stem)
        return replace(draft, papers=tuple(papers), ixbrl=draft.form == "8-K")

    def _foreign_cover(self, hand: Hand, company: Company, slots: dict[str, str]) -> str:
        lines = [("UNITED STATES", True), ("SECURITIES AND EXCHANGE COMMISSION", True), ("FORM 6-K", True),
                 ("REPORT OF FOREIGN PRIVATE ISSUER PURSUANT TO RULE 13a-16 OR 15d-16 UNDER THE SECURITIES EXCHANGE "
                  "ACT OF 1934", False), (f"For the month of {slots['today'].split()[0]}, {slots['year']}", False),
                 (company.legal, True), ("(Translation of registrant’s name into English)", False)]
        return "".join(hand.line(text, align="center", bold=bold) for text, bold in lines)


def _xbrl_files(company: Company, stem: str) -> list[Paper]:
    space = f"http://{company.name.split()[0].lower()}.example/{stem[-8:]}"
    schema = (f'<?xml version="1.0" encoding="UTF-8"?>\n<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" '
              f'targetNamespace="{space}"/>\n')
    labels = '<?xml version="1.0" encoding="UTF-8"?>\n<link:linkbase xmlns:link="http://www.xbrl.org/2003/linkbase"/>\n'
    facts = '<?xml version="1.0" encoding="UTF-8"?>\n<xbrl xmlns="http://www.xbrl.org/2003/instance"/>\n'
    return [Paper("EX-101.SCH", f"{stem}.xsd", "XBRL TAXONOMY EXTENSION SCHEMA", schema.encode()),
            Paper("EX-101.LAB", f"{stem}_lab.xml", "XBRL TAXONOMY EXTENSION LABEL LINKBASE", labels.encode()),
            Paper("XML", f"{stem}_htm.xml", "EXTRACTED XBRL INSTANCE DOCUMENT", facts.encode())]


def draw_event(random: Random) -> Event:
    """One of the `EVENTS` by its weight."""
    return random.choices(EVENTS, [event.weight for event in EVENTS])[0]
