"""Writes what sells securities: prospectus supplements, registration statements, free writing prospectuses. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from random import Random

from catalyst.world.archive import Paper, Party
from catalyst.world.companies import Company
from catalyst.world.filing_html import Hand, document, exchange_name, exhibit
from catalyst.world.filing_phrases import NOTE_BANKS
from catalyst.world.filing_reports import Draft, filer
from catalyst.world.filing_terms import Terms, draw_terms, long_date, offering

NOTE_BANK_CIK = 9_900_000
FEE = 0.07
_RISK = ("Investing in our common stock involves a high degree of risk. See “Risk Factors” beginning on page S-9 of "
         "this prospectus supplement.")
_NOT_APPROVED = ("Neither the Securities and Exchange Commission nor any state securities commission has approved or "
                 "disapproved of these securities or determined if this prospectus is truthful or complete. Any "
                 "representation to the contrary is a criminal offense.")
_SECTIONS = (
    ("ABOUT THIS PROSPECTUS SUPPLEMENT",
     "This document is in two parts. The first part is this prospectus supplement, which describes the specific terms "
     "of this offering. The second part is the accompanying prospectus, which gives more general information."),
    ("RISK FACTORS",
     "You will experience immediate and substantial dilution in the net tangible book value per share. Our stock price "
     "may be volatile. A delisting of our common stock, a bankruptcy of a customer or the failure of a clinical trial "
     "could cause its price to decline."),
    ("USE OF PROCEEDS",
     "We intend to use the net proceeds from this offering for working capital and general corporate purposes."),
    ("LEGAL MATTERS", "The validity of the securities offered hereby will be passed upon by Bramwell & Roe, P.C."),
)


class Sales:
    """Writes the prospectuses of one day."""

    def __init__(self, random: Random, day: date):
        self._random = random
        self._day = day

    def supplement(self, company: Company) -> Draft:
        """A 424B5: underwritten, registered direct with warrants, or at the market."""
        terms = draw_terms(self._random, company)
        kind = self._random.choice(("public", "public", "registered_direct", "atm"))
        hand = Hand(self._random)
        page = hand.line("Filed pursuant to Rule 424(b)(5)", align="right", bold=True)
        page += hand.line(f"Registration No. {terms.file_number}", align="right", bold=True)
        page += hand.line("PROSPECTUS SUPPLEMENT", align="left", bold=True)
        page += hand.line("(to Prospectus dated August 14, 2025)", align="left")
        page += {"public": self._underwritten, "registered_direct": self._direct, "atm": self._at_market}[kind](
            hand, company, terms)
        page += hand.line(_NOT_APPROVED) + hand.line(terms.bank, align="center", bold=True)
        page += hand.line(f"The date of this prospectus supplement is {long_date(self._day)}", align="center")
        page += self._rest(hand, company, terms, kind)
        return self._single(company, "424B5", f"{company.ticker.lower()}_424b5.htm", "PROSPECTUS SUPPLEMENT", page,
                            offering("announcement" if kind == "atm" else "pricing", kind, terms, exact=kind != "atm"))

    def _underwritten(self, hand: Hand, company: Company, terms: Terms) -> str:
        page = self._title(hand, company, f"{terms.shares:,} Shares", "Common Stock")
        page += hand.line(f"We are offering {terms.shares:,} shares of our common stock, par value $0.001 per share.")
        page += self._listing(hand, company) + hand.line(_RISK)
        page += self._prices(hand, terms, "Public offering price", "Underwriting discounts and commissions(1)")
        more = terms.shares * 15 // 100
        page += hand.line(f"We have granted the underwriters an option for a period of 30 days to purchase up to "
                          f"{more:,} "
                          "additional shares of our common stock.")
        return page + hand.line(f"The underwriters expect to deliver the shares on or about {self._soon()}.")

    def _direct(self, hand: Hand, company: Company, terms: Terms) -> str:
        page = self._title(hand, company, f"{terms.shares:,} Shares of Common Stock")
        page += hand.line(f"We are offering {terms.shares:,} shares of our common stock in a registered direct "
                          "offering to certain institutional investors pursuant to this prospectus supplement and a "
                          f"securities purchase agreement, at a purchase price of ${terms.price_usd:.2f} per share.")
        page += hand.line("In a concurrent private placement, we are also selling to the investors unregistered "
                          f"warrants to purchase up to {terms.shares:,} shares of our common stock at an exercise "
                          f"price of ${terms.price_usd * 1.1:.2f} per share. The warrants are not offered pursuant to "
                          "this prospectus supplement.")
        page += self._listing(hand, company) + hand.line(_RISK)
        page += self._prices(hand, terms, "Offering price", "Placement agent fees(1)")
        return page + hand.line(f"Delivery of the shares is expected to occur on or about {self._soon()}.")

    def _at_market(self, hand: Hand, company: Company, terms: Terms) -> str:
        page = self._title(hand, company, f"Up to ${terms.about_usd:,.0f}", "Common Stock")
        page += hand.line(f"We have entered into a sales agreement with {terms.bank}, relating to shares of our common "
                          "stock. In accordance with the terms of the sales agreement, we may offer and sell shares "
                          f"having an aggregate offering price of up to ${terms.about_usd:,.0f} from time to time.")
        page += self._listing(hand, company)
        return page + hand.line("Sales of our common stock, if any, will be made in sales deemed to be “at the market "
                                "offerings” as defined in Rule 415 under the Securities Act.") + hand.line(_RISK)

    def registration(self, company: Company, *, amended: bool) -> Draft:
        """An S-1 with a preliminary prospectus, or an amendment of one."""
        terms = draw_terms(self._random, company)
        form = "S-1/A" if amended else "S-1"
        hand = Hand(self._random)
        page = hand.line(f"As filed with the Securities and Exchange Commission on {long_date(self._day)}",
                         align="center")
        page += hand.line(f"Registration No. {terms.file_number}", align="right", bold=True)
        for text in ("UNITED STATES", "SECURITIES AND EXCHANGE COMMISSION",
                     *(["AMENDMENT NO. 1 TO"] if amended else []), "FORM S-1",
                     "REGISTRATION STATEMENT UNDER THE SECURITIES ACT OF 1933", company.legal.upper()):
            page += hand.line(text, align="center", bold=True)
        page += hand.line("(Exact name of registrant as specified in its charter)", align="center")
        page += hand.line("Approximate date of commencement of proposed sale to the public: As soon as practicable "
                          "after this registration statement becomes effective.")
        page += '<hr style="page-break-after: always"/>\n'
        page += hand.line("The information in this preliminary prospectus is not complete and may be changed. We may "
                          "not sell these securities until the registration statement is effective.")
        page += hand.line(f"PRELIMINARY PROSPECTUS SUBJECT TO COMPLETION, DATED {long_date(self._day).upper()}",
                          align="center", bold=True)
        page += self._title(hand, company, f"Up to {terms.shares:,} Shares of Common Stock")
        page += hand.line(f"We are offering up to {terms.shares:,} shares of our common stock on a best efforts "
                          f"basis, at an assumed public offering price of ${terms.price_usd:.2f} per share.")
        page += self._listing(hand, company) + hand.line(_RISK) + hand.line(_NOT_APPROVED)
        page += self._rest(hand, company, terms, "public")
        told = {**offering("announcement", "public", terms), "gross_proceeds": None}
        draft = self._single(company, form, f"{company.ticker.lower()}_s1.htm", "REGISTRATION STATEMENT", page, told)
        return replace(draft, fate=None) if amended else draft

    def term_sheet(self, company: Company) -> Draft:
        """An issuer's own FWP: the terms of convertible notes."""
        terms = draw_terms(self._random, company)
        hand = Hand(self._random)
        page = hand.line("Filed Pursuant to Rule 433", align="left") + hand.line(
            f"Registration Statement No. {terms.file_number}", align="left")
        page += hand.line("PRICING TERM SHEET", align="center", bold=True)
        page += hand.line(f"{company.legal}", align="center", bold=True)
        page += hand.line(f"${terms.about_usd:,.0f} aggregate principal amount of 6.50% Convertible Senior Notes due "
                          f"2031",
                          align="center", bold=True)
        page += hand.table([("Term", "Detail"), ("Issuer", f"{company.legal} ({company.listing})"),
                            ("Securities Offered", "6.50% Convertible Senior Notes due 2031"),
                            ("Aggregate Principal Amount", f"${terms.about_usd:,.0f}"),
                            ("Public Offering Price", "100% of the principal amount"),
                            ("Initial Conversion Price", f"${terms.price_usd * 1.3:.2f} per share"),
                            ("Trade Date", long_date(self._day))])
        page += hand.line("The issuer has filed a registration statement with the SEC for the offering to which this "
                          "communication relates.")
        told = offering("pricing", "convertible_notes", terms)
        return self._single(company, "FWP", f"{company.ticker.lower()}_fwp.htm", "PRICING TERM SHEET", page, told)

    def structured_note(self, form: str) -> Draft:
        """What a bank files by the hundred, as FWP or 424B2: nothing that moves a share."""
        place = self._random.randrange(len(NOTE_BANKS))
        bank = NOTE_BANKS[place]
        hand = Hand(self._random)
        rate, sum_usd = self._random.randint(16, 52) / 4, self._random.randint(2, 80) * 50_000
        page = hand.line(f"Filed pursuant to Rule {'433' if form == 'FWP' else '424(b)(2)'}", align="right")
        page += hand.line(f"{bank}", align="center", bold=True)
        page += hand.line(f"${sum_usd:,} Autocallable Contingent Coupon Barrier Notes due "
                          f"{long_date(self._day + timedelta(days=1097))}", align="center", bold=True)
        page += hand.line("Linked to the least performing of the S&P 500® Index, the Russell 2000® Index and the "
                          "Nasdaq-100 Index®", align="center")
        page += hand.table([("Term", "Detail"), ("Contingent coupon", f"{rate:.2f}% per annum"),
                            ("Denominations", "$1,000 and integral multiples"), ("Barrier", "60% of the initial level"),
                            ("Price to public", "100%")])
        page += hand.line("The notes are unsecured obligations. Any payment on the notes is subject to our credit "
                          "risk.")
        file = f"note_{form.lower()}_{self._random.randrange(10**6):06}.htm"
        body = exhibit(form, 1, file, "", document(form, page))
        party = Party("Filer", bank, NOTE_BANK_CIK + place, "6021 National Commercial Banks", "DE", "333-277001",
                      "1 GUILDER SQUARE", "NEW YORK NY 10001")
        told = {"stage": "announcement" if form == "FWP" else "pricing", "type": "notes",
                "gross_proceeds": float(sum_usd), "shares": None, "price": None}
        return Draft(form, (Paper(form, file, "", body),), (party,), None, fate="dropped",
                     reason=f"form:{form}" if form == "424B2" else None, offering=told)

    def _title(self, hand: Hand, company: Company, *lines: str) -> str:
        return hand.line(company.legal, align="center", bold=True) + "".join(
            hand.line(text, align="center", bold=True) for text in lines)

    def _listing(self, hand: Hand, company: Company) -> str:
        last = long_date(self._day - timedelta(days=1))
        return hand.line(f"Our common stock is listed on {exchange_name(company)} under the symbol "
                         f"“{company.ticker}.” The last reported sale price of our common stock on {last} was "
                         f"${company.price_usd:.2f} per share.")

    def _prices(self, hand: Hand, terms: Terms, first: str, fees: str) -> str:
        fee = max(0.01, round(terms.price_usd * FEE, 2))
        whole = fee * terms.shares
        return hand.table([("", "Per Share", "Total"),
                           (first, f"${terms.price_usd:.2f}", f"${terms.gross_usd:,.2f}"),
                           (fees, f"${fee:.2f}", f"${whole:,.2f}"),
                           ("Proceeds, before expenses, to us", f"${terms.price_usd - fee:.2f}",
                            f"${terms.gross_usd - whole:,.2f}")])

    def _soon(self) -> str:
        return long_date(self._day + timedelta(days=2))

    def _rest(self, hand: Hand, company: Company, terms: Terms, kind: str) -> str:
        """What follows the cover: contents, the offering in short, some sections of the usual words."""
        page = '<hr style="page-break-after: always"/>\n' + hand.line("TABLE OF CONTENTS", align="center", bold=True)
        page += hand.table([("Section", "Page"), *((name, f"S-{5 + number}")
                                                   for number, (name, _) in enumerate(_SECTIONS))])
        if kind != "atm":
            before = terms.shares * self._random.randint(2, 9) + self._random.randint(1, 99_999)
            page += hand.line("THE OFFERING", align="center", bold=True)
            page += hand.table([("Term", "Detail"), ("Common stock offered by us", f"{terms.shares:,} shares"),
                                ("Common stock to be outstanding after this offering", f"{before + terms.shares:,} "
                                                                                       f"shares"),
                                ("Symbol", company.ticker)])
            page += hand.line(f"The number of shares outstanding is based on {before:,} shares of common stock "
                              "outstanding as of December 31, 2025.")
        for name, text in _SECTIONS:
            page += hand.line(name, align="center", bold=True) + hand.line(text) + hand.blank()
        return page

    def _single(self, company: Company, form: str, file: str, description: str, page: str,
                told: dict[str, float | str | None]) -> Draft:
        body = exhibit(form, 1, file, description, document(form, page))
        return Draft(form, (Paper(form, file, description, body),), (filer(company),), company, "offering", "down",
                     "alerted", None, (), told)
