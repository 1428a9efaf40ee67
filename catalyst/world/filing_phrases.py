"""What fictional companies report to the SEC: events of Form 8-K and 6-K, in the sober words of such reports.

`{slots}` are filled by `facts.py` and, for a sale of securities, by `filing_terms.py`. Plain data, no code. `kind` is
how the kind begins that a reader must find, None where the filing is no catalyst; `fate` None where it is open.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    """One sort of report. `sections`: the text under each item; `release`: kinds of `phrases.CATALYSTS` that may be
    its press release, or titles and paragraphs of its own. `sale`: stage and type of a sale of securities.
    """

    name: str
    kind: str | None
    direction: str
    fate: str | None
    weight: int
    sections: dict[str, str]
    release: str = ""
    titles: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()
    sale: tuple[str, str] | None = None
    sectors: tuple[str, ...] = ()
    exhibits: tuple[tuple[str, str], ...] = field(default=())


FURNISHED = ("The information in this Item and in Exhibit 99.1 is furnished and shall not be deemed “filed” for "
             "purposes of Section 18 of the Securities Exchange Act of 1934, as amended.")
TOLD = ("On {today}, {legal} (the “Company”) issued a press release{about}. A copy is attached as Exhibit 99.1 to this "
        "report.")
RELEASES = (  # kind of phrases.CATALYSTS, kind that a reader finds, direction, items, weight
    ("fda_approval", "fda_approval", "up", ("8.01", "9.01"), 4),
    ("fda_rejection", "fda_rejection", "down", ("8.01", "9.01"), 3),
    ("fda_designation", "fda_designation", "up", ("7.01", "9.01"), 2),
    ("fda_clearance", "fda_clearance", "up", ("8.01", "9.01"), 2),
    ("clinical_success", "clinical_", "up", ("7.01", "8.01", "9.01"), 4),
    ("clinical_failure", "clinical_", "down", ("8.01", "9.01"), 3),
    ("contract", "contract", "up", ("7.01", "9.01"), 4),
    ("earnings_beat", "earnings_beat", "up", ("2.02", "9.01"), 4),
    ("earnings_miss", "earnings_miss", "down", ("2.02", "9.01"), 3),
    ("guidance_raised", "guidance_raised", "up", ("7.01", "9.01"), 2),
    ("merger_target", "acquisition_target", "up", ("1.01", "8.01", "9.01"), 2),
)

EVENTS: tuple[Event, ...] = (
    Event("registered_direct", "offering", "down", "alerted", 5, {
        "1.01": "On {yesterday}, {legal} (the “Company”) entered into a securities purchase agreement (the “Purchase "
                "Agreement”) with certain institutional investors, pursuant to which the Company agreed to issue and "
                "sell, in a registered direct offering, an aggregate of {count_shares} shares of its common stock, "
                "par value $0.001 per share, at a purchase price of {per} per share, for aggregate gross proceeds of "
                "approximately {sum} before deducting placement agent fees and other offering expenses.\n"
                "The shares are offered pursuant to the Company’s shelf registration statement on Form S-3 (File No. "
                "{file}). {bank} acted as the exclusive placement agent and receives a cash fee of 7.0% of the gross "
                "proceeds.",
        "8.01": "On {today}, the Company issued a press release announcing the pricing of the registered direct "
                "offering. A copy is attached as Exhibit 99.1."},
        titles=("{name} Announces {sumt} Registered Direct Offering",
                "{name} Announces Pricing of {sumt} Registered Direct Offering of Common Stock"),
        paragraphs=("today announced that it has entered into a securities purchase agreement with institutional "
                    "investors for the purchase and sale of {count_shares} shares of common stock at a purchase price "
                    "of {per} per share in a registered direct offering. The gross proceeds are expected to be "
                    "approximately {sum}, before deducting fees and expenses.",
                    "The offering is expected to close on or about {soon}, subject to customary closing conditions. "
                    "{short} intends to use the net proceeds for working capital and general corporate purposes."),
        sale=("pricing", "registered_direct"),
        exhibits=(("EX-10.1", "Form of Securities Purchase Agreement"),)),
    Event("atm", "offering", "down", "alerted", 3, {
        "1.01": "On {today}, {legal} (the “Company”) entered into an At The Market Offering Agreement (the “Sales "
                "Agreement”) with {bank}, as sales agent, under which the Company may offer and sell, from time to "
                "time, shares of its common stock having an aggregate offering price of up to {sum}.\n"
                "Sales, if any, will be made by any method deemed to be an “at the market offering” as defined in Rule "
                "415(a)(4) under the Securities Act. The Company will pay the agent a commission of 3.0% of the gross "
                "sales price."},
        sale=("announcement", "atm"), exhibits=(("EX-1.1", "At The Market Offering Agreement"),)),
    Event("private_placement", "offering", "down", "alerted", 3, {
        "1.01": "On {yesterday}, {legal} (the “Company”) entered into a securities purchase agreement with accredited "
                "investors for the private placement of {count_shares} shares of its common stock at a purchase price "
                "of {per} per share. The Company expects to receive gross proceeds of approximately {sum} before "
                "deducting offering expenses.\nIn connection with the private placement the Company agreed to file a "
                "registration statement that covers the resale of the shares within 30 days.",
        "3.02": "The information under Item 1.01 is incorporated by reference. The shares were offered and sold in "
                "reliance on Section 4(a)(2) of the Securities Act of 1933 and Rule 506(b) of Regulation D."},
        sale=("pricing", "private_placement"), exhibits=(("EX-10.1", "Form of Securities Purchase Agreement"),)),
    Event("delisting", "delisting", "down", "alerted", 2, {
        "3.01": "On {yesterday}, {legal} (the “Company”) received a delisting determination letter from the staff of "
                "The Nasdaq Stock Market LLC. The staff has determined to delist the Company’s common stock because "
                "the Company did not regain compliance with the minimum bid price of $1.00 per share that Listing Rule "
                "5550(a)(2) requires. Unless the Company requests a hearing, trading will be suspended at the opening "
                "of business on {soon}.",
        "7.01": "The Company intends to request a hearing before a panel. There can be no assurance that the panel "
                "will grant an extension."}),
    Event("bid_price_notice", None, "down", None, 2, {
        "3.01": "On {yesterday}, {legal} (the “Company”) received a notice from Nasdaq’s Listing Qualifications "
                "Department that the bid price of its common stock had closed below $1.00 per share for 30 "
                "consecutive business days. The notice has no immediate effect on the listing. The Company has 180 "
                "calendar days to regain compliance."}),
    Event("non_reliance", "non_reliance", "down", "alerted", 2, {
        "4.02": "(a) On {yesterday}, the Audit Committee of the Board of Directors of {legal} (the “Company”) "
                "concluded that the Company’s previously issued financial statements for the quarter ended September "
                "30, 2025 should no longer be relied upon because of errors in the recognition of revenue of {amtl}. "
                "The Company will restate those financial statements.\nManagement has concluded that a material "
                "weakness in internal control over financial reporting existed."}),
    Event("bankruptcy", "bankruptcy", "down", "alerted", 2, {
        "1.03": "On {yesterday}, {legal} (the “Company”) filed a voluntary petition for relief under Chapter 11 of "
                "Title 11 of the United States Code in the United States Bankruptcy Court for the District of "
                "Delaware. The Company continues to operate its business as debtor in possession.",
        "8.01": "The Company cautions that trading in its securities during the Chapter 11 case is highly "
                "speculative."}),
    Event("officer_leaves", None, "down", None, 3, {
        "5.02": "(b) On {yesterday}, {person} notified the Board of Directors of {legal} (the “Company”) of the "
                "decision to resign as Chief Financial Officer effective {soon}. The decision is not the result of "
                "any disagreement with the Company on any matter relating to its operations, policies or practices."}),
    Event("director_joins", None, "neutral", None, 3, {
        "5.02": "(d) On {yesterday}, the Board of Directors of {legal} (the “Company”) appointed {person} as a Class "
                "II director and as a member of the Audit Committee. There are no arrangements or understandings "
                "pursuant to which {person} was selected. {person} will receive the standard compensation of "
                "non-employee directors."}),
    Event("meeting", None, "neutral", "dropped", 3, {
        "5.07": "On {yesterday}, {legal} (the “Company”) held its annual meeting of stockholders. The stockholders "
                "elected the two nominees for director and ratified the appointment of the independent registered "
                "public accounting firm for the fiscal year ending December 31, 2026. Holders of {shares} shares were "
                "present."}),
    Event("presentation", None, "neutral", None, 2, {
        "7.01": "{legal} (the “Company”) has updated its corporate presentation, which it expects to use in meetings "
                "with investors from time to time. The presentation is available on the Company’s website."}),
    Event("bylaws", None, "neutral", "dropped", 2, {
        "5.03": "On {yesterday}, the Board of Directors of {legal} (the “Company”) adopted amended and restated "
                "bylaws, effective immediately, to update the advance notice provisions and to make other clarifying "
                "changes."}),
)

ABOUT = "{legal} ({listing}) is {aboutc}. More information is available at www.{site}.example."
FORWARD = ("This press release contains forward-looking statements within the meaning of the Private Securities "
           "Litigation Reform Act of 1995. Words such as “believe,” “may,” “will,” “expect” and “intend” identify "
           "such statements. Actual results may differ materially because of risks described in the Company’s filings "
           "with the Securities and Exchange Commission, including the risk that offerings, clinical trials or "
           "contracts are delayed.")
BANKS = ("Harlan Brookes & Co.", "Wexcombe Securities LLC", "Aldermoor Capital Markets", "Pell & Stratton LLC",
         "Northmere Partners LLC")
NOTE_BANKS = ("Bank of Ostermark Corp", "Halvorsen Stanwick Finance LLC", "Royal Bank of Cardeny")
FUNDS = ("Grennock Series Trust", "Ostrand Variable Funds", "Meridale Investment Trust")
TRUSTS = ("Lowmere Auto Receivables Trust 2025-B", "Calder Street Mortgage Trust 2024-C3")
HOLDERS = ("Tarnbrook Capital Management, L.P.", "Everhythe Partners LP", "Stillwater Fen Advisors LLC",
           "Corran Peak Investors, L.P.")
