"""Writes what owners of shares file: Schedule 13D and 13G, Form 4, all in the structured forms' XML. Pure.

Names of elements follow the SEC's technical specifications of Schedule 13D/G (2024) and of ownership forms (X0508).
"""

from __future__ import annotations

from datetime import date, timedelta
from html import escape
from random import Random

from catalyst.world.archive import Paper, Party
from catalyst.world.companies import Company
from catalyst.world.facts import Facts
from catalyst.world.filing_phrases import FUNDS, HOLDERS, TRUSTS
from catalyst.world.filing_reports import Draft, filer

PERSON_CIK, HOLDER_CIK, FUND_CIK, TRUST_CIK = 9_500_000, 9_700_000, 9_800_000, 9_850_000
UNREAD = ("497K", "485BPOS", "40-17G", "10-D", "N-CEN", "EFFECT")  # forms that tell nothing of a share
LEAST_PURCHASE_USD = 100_000  # a purchase of less moves nothing
_CODES = {"P": ("insider_buying", "up", "A"), "S": ("insider_selling", "down", "D"), "A": (None, "neutral", "A"),
          "little": (None, "neutral", "A")}


class Owners:
    """Writes the ownership filings of one day."""

    def __init__(self, random: Random, facts: Facts, day: date):
        self._random = random
        self._facts = facts
        self._day = day

    def stake(self, company: Company, *, active: bool) -> Draft:
        """A Schedule 13D of a holder who wants something, or a 13G of one who does not."""
        form = "SCHEDULE 13D" if active else "SCHEDULE 13G"
        place = self._random.randrange(len(HOLDERS))
        holder = Party("Filed by", HOLDERS[place], HOLDER_CIK + place)
        percent = round(self._random.uniform(5.1, 14.9), 1)
        shares = self._random.randint(800, 9_000) * 1000
        text = self._active(company, holder, shares, percent) if active else \
            self._passive(company, holder, shares, percent)
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        space = "schedule13D" if active else "schedule13g"
        body = (f'{head}<edgarSubmission xmlns="http://www.sec.gov/edgar/{space}" '
                f'xmlns:com="http://www.sec.gov/edgar/common">\n<headerData>\n<submissionType>{form}</submissionType>\n'
                f"<filerInfo><filer><filerCredentials><cik>{holder.cik:010}</cik><ccc>XXXXXXXX</ccc></filerCredentials>"
                f"</filer><liveTestFlag>LIVE</liveTestFlag></filerInfo>\n</headerData>\n<formData>\n{text}</formData>\n"
                "</edgarSubmission>\n")
        return Draft(form, (Paper(form, "primary_doc.xml", "", body.encode()),), (filer(company, "Subject"), holder),
                     company, "activist_stake" if active else None, "up" if active else "neutral",
                     "alerted" if active else "dropped")

    def _active(self, company: Company, holder: Party, shares: int, percent: float) -> str:
        name, issuer = escape(holder.name), escape(company.legal)
        day = f"{self._day - timedelta(days=3):%m/%d/%Y}"
        purpose = (f"The Reporting Person acquired the shares because it believes that they are undervalued. It has "
                   f"sent a letter to the board of directors of the Issuer which asks for a review of strategic "
                   f"alternatives, including a sale of the company, and intends to nominate directors. It may acquire "
                   f"additional shares of {issuer}.")
        return ("<coverPageHeader><securitiesClassTitle>Common Stock, par value $0.001 per share</securitiesClassTitle>"
                f"<dateOfEvent>{day}</dateOfEvent><previouslyFiledFlag>false</previouslyFiledFlag>\n<issuerInfo><issuerCIK>"
                f"{company.cik:010}</issuerCIK><issuerCUSIP>00000X{company.cik % 1000:03}</issuerCUSIP><issuerName>"
                f"{issuer}</issuerName></issuerInfo></coverPageHeader>\n<reportingPersons><reportingPersonInfo>"
                f"<reportingPersonCIK>{holder.cik:010}</reportingPersonCIK><reportingPersonName>{name}"
                "</reportingPersonName><fundType>WC</fundType><citizenshipOrOrganization>DE</citizenshipOrOrganization>"
                f"<soleVotingPower>{shares}</soleVotingPower><sharedVotingPower>0</sharedVotingPower>"
                f"<aggregateAmountOwned>{shares}</aggregateAmountOwned><percentOfClass>{percent}</percentOfClass>"
                "<typeOfReportingPerson>PN</typeOfReportingPerson></reportingPersonInfo></reportingPersons>\n<items1To7>"
                f"<item3><fundsSource>{name} used working capital.</fundsSource></item3>\n<item4><transactionPurpose>"
                f"{purpose}</transactionPurpose></item4></items1To7>\n<signatureInfo><signaturePerson>"
                f"<signatureReportingPerson>{name}</signatureReportingPerson></signaturePerson></signatureInfo>\n")

    def _passive(self, company: Company, holder: Party, shares: int, percent: float) -> str:
        name = escape(holder.name)
        return ("<coverPageHeader><securitiesClassTitle>Common Stock</securitiesClassTitle>"
                f"<eventDateRequiresFilingThisStatement>{self._day - timedelta(days=5):%m/%d/%Y}"
                f"</eventDateRequiresFilingThisStatement>\n<issuerInfo><issuerCik>{company.cik:010}</issuerCik><issuerName>"
                f"{escape(company.legal)}</issuerName></issuerInfo><designateRulesPursuantThisScheduleFiled>"
                "<designateRulePursuantThisScheduleFiled>Rule 13d-1(b)</designateRulePursuantThisScheduleFiled>"
                "</designateRulesPursuantThisScheduleFiled></coverPageHeader>\n<coverPageHeaderReportingPersonDetails>"
                f"<reportingPersonName>{name}</reportingPersonName>"
                "<reportingPersonBeneficiallyOwnedAggregateNumberOfShares>"
                f"{shares}.00</reportingPersonBeneficiallyOwnedAggregateNumberOfShares><classPercent>{percent}"
                "</classPercent><typeOfReportingPerson>IA</typeOfReportingPerson></coverPageHeaderReportingPersonDetails>\n"
                "<items><item4><amountBeneficiallyOwned>See the cover page.</amountBeneficiallyOwned></item4><item10>"
                "<certifications>The securities were acquired and are held in the ordinary course of business and not "
                "with the purpose of changing control of the issuer.</certifications></item10></items>\n")

    def insider(self, company: Company) -> Draft:
        """A Form 4: a purchase (P), a sale (S) or a grant (A)."""
        code = self._random.choice("PPSSA")
        first = self._facts.general()["person"].split()
        name = f"{first[-1]} {first[0]} {first[1].rstrip('.')}"
        person = Party("Reporting", name, PERSON_CIK + self._random.randrange(90_000))
        shares, after = self._random.randint(2, 400) * 500, self._random.randint(400, 4000) * 500
        price = 0.0 if code == "A" else round(company.price_usd * self._random.uniform(0.95, 1.02), 2)
        is_little = code == "P" and shares * price < LEAST_PURCHASE_USD
        kind, direction, side = _CODES["little" if is_little else code]
        day = self._day - timedelta(days=1)
        body = f"""<?xml version="1.0"?>
<ownershipDocument>
    <schemaVersion>X0508</schemaVersion>
    <documentType>4</documentType>
    <periodOfReport>{day}</periodOfReport>
    <issuer>
        <issuerCik>{company.cik:010}</issuerCik>
        <issuerName>{escape(company.legal)}</issuerName>
        <issuerTradingSymbol>{company.ticker}</issuerTradingSymbol>
    </issuer>
    <reportingOwner>
        <reportingOwnerId>
            <rptOwnerCik>{person.cik:010}</rptOwnerCik>
            <rptOwnerName>{name}</rptOwnerName>
        </reportingOwnerId>
        <reportingOwnerRelationship>
            <isOfficer>1</isOfficer>
            <officerTitle>Chief Executive Officer</officerTitle>
        </reportingOwnerRelationship>
    </reportingOwner>
    <aff10b5One>0</aff10b5One>
    <nonDerivativeTable>
        <nonDerivativeTransaction>
            <securityTitle><value>Common Stock</value></securityTitle>
            <transactionDate><value>{day}</value></transactionDate>
            <transactionCoding>
                <transactionFormType>4</transactionFormType>
                <transactionCode>{code}</transactionCode>
                <equitySwapInvolved>0</equitySwapInvolved>
            </transactionCoding>
            <transactionAmounts>
                <transactionShares><value>{shares}</value></transactionShares>
                <transactionPricePerShare><value>{price:g}</value></transactionPricePerShare>
                <transactionAcquiredDisposedCode><value>{side}</value></transactionAcquiredDisposedCode>
            </transactionAmounts>
            <postTransactionAmounts>
                <sharesOwnedFollowingTransaction><value>{after}</value></sharesOwnedFollowingTransaction>
            </postTransactionAmounts>
            <ownershipNature><directOrIndirectOwnership><value>D</value></directOrIndirectOwnership></ownershipNature>
        </nonDerivativeTransaction>
    </nonDerivativeTable>
    <ownerSignature>
        <signatureName>/s/ {name}</signatureName>
        <signatureDate>{self._day}</signatureDate>
    </ownerSignature>
</ownershipDocument>
"""
        return Draft("4", (Paper("4", "wk-form4.xml", "FORM 4", body.encode()),), (person, filer(company, "Issuer")),
                     company, kind, direction, "alerted" if kind == "insider_buying" else "dropped")

    def unread(self) -> Draft:
        """A filing of a fund or trust, of a form that nobody needs to read."""
        form = self._random.choice(UNREAD)
        names, first = (TRUSTS, TRUST_CIK) if form == "10-D" else (FUNDS, FUND_CIK)
        place = self._random.randrange(len(names))
        page = (f"<html><body><p>{form}</p><p>{names[place]}</p><p>Investors should read the fund&#8217;s statement of "
                "additional information.</p></body></html>\n")
        party = Party("Filer", names[place], first + place)
        return Draft(form, (Paper(form, f"{form.lower().replace('-', '')}.htm", form, page.encode()),), (party,), None,
                     fate="dropped")
