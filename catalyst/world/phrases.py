"""What fictional companies announce: kinds of stories with their titles and first paragraphs.

`{slots}` are filled by `facts.py`. A lead that begins in lower case goes on after "The company (Nasdaq: ABXZ), a maker
of ..."; any other is a paragraph of its own. Plain data, no code.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """One kind of story. `weight` is how often it is drawn; `sectors` empty means any."""

    kind: str
    direction: str  # up, down or neutral
    weight: int
    sectors: tuple[str, ...]
    titles: tuple[str, ...]
    leads: tuple[str, ...]


BIO = ("bio",)
MED = ("bio", "device")
WORKS = ("tech", "energy", "defense", "device")

CATALYSTS: tuple[Phrases, ...] = (
    Phrases("fda_approval", "up", 4, BIO, (
        "{name} Announces FDA Approval of {drug} for the Treatment of {disease}",
        "FDA Approves {names} {drug} for Adults With {disease}",
        "{name} Receives U.S. FDA Approval for {drug} in {disease}",
    ), ("today announced that the U.S. Food and Drug Administration (FDA) has approved {drugl} for the treatment of "
        "{diseasel}. Commercial launch is planned for later this year.",)),
    Phrases("fda_clearance", "up", 2, ("device",), (
        "{name} Receives FDA 510(k) Clearance for {product} System",
        "{name} Gains FDA 510(k) Clearance of Its {product} Platform",
    ), ("today announced that the U.S. Food and Drug Administration (FDA) has granted 510(k) clearance to its "
        "{product} system for use in hospitals.",)),
    Phrases("fda_rejection", "down", 3, BIO, (
        "{name} Receives Complete Response Letter From FDA for {drug} in {disease}",
        "FDA Issues Complete Response Letter for {names} {drug} New Drug Application",
    ), ("today announced that it has received a complete response letter (CRL) from the U.S. Food and Drug "
        "Administration (FDA) for its new drug application for {drugl} in {diseasel}. The letter asks for one more "
        "study.",)),
    Phrases("fda_designation", "up", 3, BIO, (
        "{name} Granted FDA Fast Track Designation for {drug} in {disease}",
        "FDA Grants Breakthrough Therapy Designation to {names} {drug} for {disease}",
        "{name} Receives FDA Orphan Drug Designation for {drug} for {disease}",
    ), ("today announced that the U.S. Food and Drug Administration (FDA) has granted the designation to {drugl} for "
        "the treatment of {diseasel}, a disease that affects about {shares} people.",)),
    Phrases("clinical_success", "up", 5, BIO, (
        "{names} {drug} Meets Primary Endpoint in Phase {phase} {trial} Trial in {disease}",
        "{name} Reports Positive Topline Results From Phase {phase} {trial} Study of {drug} in {disease}",
        "{name} Announces Statistically Significant Phase {phase} Results for {drug} in {disease}",
    ), ("today announced positive topline results from its Phase {phase} {trial} trial of {drugl} in {diseasel}. The "
        "trial met its primary endpoint with statistical significance (p=0.00{digit}).",)),
    Phrases("clinical_failure", "down", 3, BIO, (
        "{names} {drug} Fails to Meet Primary Endpoint in Phase {phase} {trial} Trial in {disease}",
        "{name} Discontinues {drug} After Phase {phase} {trial} Study Did Not Meet Primary Endpoint",
    ), ("today announced that its Phase {phase} {trial} trial of {drugl} in {diseasel} did not meet its primary "
        "endpoint. The company will discontinue the program.",)),
    Phrases("contract", "up", 5, WORKS, (
        "{name} Awarded {amt} Contract by {agency} for {product}",
        "{name} Wins {amt} Contract to Supply {product} to {agency}",
        "{name} Secures {amt} Purchase Order for {product} From {partner}",
    ), ("today announced that it has been awarded a contract worth {amtl} for the delivery of {product} units over the "
        "next {count} months.",)),
    Phrases("merger_target", "up", 3, (), (
        "{name} to Be Acquired by {partner} for {deal} Per Share in Cash",
        "{name} Enters Into Definitive Merger Agreement With {partner} at {deal} Per Share",
    ), ("today announced that it has entered into a definitive agreement to be acquired by {partner} for {deal} per "
        "share in cash, a premium of {pct}% over the last closing price.",)),
    Phrases("acquisition", "up", 3, (), (
        "{name} to Acquire {partner} for {amt}",
        "{name} Completes Acquisition of {partner} in {amt} Transaction",
    ), ("today announced the acquisition of {partner}, a privately held business with {count} employees, for {amtl} in "
        "cash and stock.",)),
    Phrases("partnership", "up", 4, (), (
        "{name} Announces Strategic Partnership With {partner} for {product}",
        "{name} and {partner} Enter Into Strategic Collaboration on {product}",
    ), ("today announced a strategic partnership with {partner} to bring {product} to customers in {count} "
        "countries.",)),
    Phrases("licensing", "up", 3, BIO, (
        "{name} Enters Exclusive License Agreement With {partner} for {drug}, Receiving {amt} Upfront",
        "{name} Licenses {drug} to {partner} in Deal With {amt} in Milestones",
    ), ("today announced an exclusive license agreement with {partner} for {drugl}. {short} will receive {amtl} in "
        "upfront and milestone payments and royalties on sales.",)),
    Phrases("earnings_beat", "up", 4, (), (
        "{name} Reports Record {quarter} Revenue of {amt}, Up {pct}%, Beating Estimates",
        "{name} Announces {quarter} Results That Exceed Expectations, Revenue Grows {pct}% to {amt}",
    ), ("today reported financial results for the {quarterl}. Revenue was a record {amtl}, up {pct}% from a year ago, "
        "and exceeded analysts' expectations.",)),
    Phrases("earnings_miss", "down", 3, (), (
        "{name} {quarter} Revenue of {amt} Misses Estimates, Net Loss Widens {pct}%",
        "{name} {quarter} Results Fall Short of Expectations as Revenue Declines {pct}% to {amt}",
    ), ("today reported financial results for the {quarterl}. Revenue declined {pct}% to {amtl}, which missed "
        "analysts' estimates, and the net loss widened.",)),
    Phrases("guidance_raised", "up", 3, (), (
        "{name} Raises Full-Year Revenue Guidance to {amt}",
        "{name} Increases 2026 Outlook, Now Expects Revenue of {amt}",
    ), ("today raised its guidance for the full year. The company now expects revenue of about {amtl}, {pct}% above "
        "its earlier outlook.",)),
    Phrases("guidance_cut", "down", 3, (), (
        "{name} Lowers Full-Year Revenue Guidance to {amt}",
        "{name} Cuts 2026 Revenue Outlook by {pct}% to {amt}",
    ), ("today lowered its guidance for the full year. The company now expects revenue of about {amtl}, {pct}% below "
        "its earlier outlook, because orders were delayed.",)),
    Phrases("offering_announced", "down", 4, (), (
        "{name} Announces Proposed Public Offering of {shares} Shares of Common Stock",
        "{name} Announces Commencement of Proposed {amt} Underwritten Public Offering",
    ), ("today announced that it intends to offer and sell up to {amtl} of shares of its common stock in an "
        "underwritten public offering, subject to market conditions.",)),
    Phrases("offering_priced", "down", 5, (), (
        "{name} Announces Pricing of {amt} Underwritten Public Offering of Common Stock",
        "{name} Prices {amt} Public Offering of {shares} Shares and Warrants",
    ), ("today announced the pricing of an underwritten public offering of {shares} shares of its common stock at a "
        "price of {price} per share, for gross proceeds of {amtl}.",)),
    Phrases("offering_upsized", "down", 2, (), (
        "{name} Announces Upsize of Previously Announced Offering to {amt}",
        "{name} Announces Pricing of Upsized {amt} Public Offering",
    ), ("today announced that it has increased the size of its previously announced public offering to {amtl} at "
        "{price} per share.",)),
    Phrases("offering_closed", "neutral", 3, (), (
        "{name} Announces Closing of {amt} Public Offering",
        "{name} Closes {amt} Offering Including Full Exercise of Over-Allotment Option",
    ), ("today announced the closing of its public offering of {shares} shares of common stock at {price} per share, "
        "with gross proceeds of {amtl}.",)),
    Phrases("offering_direct", "down", 4, (), (
        "{name} Announces {amt} Registered Direct Offering Priced At-the-Market Under Nasdaq Rules",
        "{name} Enters Into Securities Purchase Agreement for {amt} Registered Direct Offering",
    ), ("today announced that it has entered into a securities purchase agreement for the sale of {shares} shares and "
        "warrants in a registered direct offering at {price} per share.",)),
    Phrases("offering_atm", "down", 2, (), (
        "{name} Establishes {amt} At-the-Market Offering Program",
        "{name} Enters Into {amt} At-the-Market Equity Offering Agreement With {partner}",
    ), ("today announced an at-the-market offering program under which it may sell shares of its common stock with an "
        "aggregate price of up to {amtl}.",)),
    Phrases("offering_notes", "neutral", 2, (), (
        "{name} Prices {amt} Offering of Senior Notes Due 2031",
        "{name} Announces Pricing of {amt} Private Offering of Senior Secured Notes",
    ), ("today announced the pricing of {amtl} aggregate principal amount of senior notes due 2031 in a private "
        "offering to institutional buyers.",)),
    Phrases("offering_convertible", "down", 2, (), (
        "{name} Announces Pricing of {amt} Convertible Senior Notes Offering",
        "{name} Announces {amt} Private Placement of Convertible Notes With {partner}",
    ), ("today announced the pricing of {amtl} aggregate principal amount of convertible senior notes due 2031, which "
        "convert at {price} per share.",)),
    Phrases("reverse_split", "down", 3, (), (
        "{name} Announces 1-for-{count} Reverse Stock Split, Leaving {shares} Shares Outstanding",
        "{name} to Effect 1-for-{count} Reverse Stock Split of Its {shares} Shares on {month} {digit}",
    ), ("today announced that it will effect a 1-for-{count} reverse stock split of its common stock to bring its bid "
        "price above the exchange's minimum.",)),
    Phrases("compliance_deficiency", "down", 3, (), (
        "{name} Receives Nasdaq Notice of Minimum Bid Price Deficiency After Close at {price}",
        "{name} Receives Delisting Determination From Nasdaq, {person} to Lead {amt} Cost Plan",
    ), ("today announced that it has received a deficiency notice from the exchange because it does not comply with "
        "the listing requirement. It has {count} days to regain compliance.",)),
    Phrases("compliance_regained", "up", 3, (), (
        "{name} Regains Compliance With Nasdaq Minimum Bid Price Requirement After {count} Days Under {price}",
        "{name} Regains Compliance With {exchange} Listing Standards, Equity Now {amt}",
    ), ("today announced that it has regained compliance with the exchange's continued listing requirements and that "
        "the matter is closed.",)),
    Phrases("buyback", "up", 3, (), (
        "{name} Board Authorizes {amt} Share Repurchase Program",
        "{name} Announces {amt} Stock Buyback",
    ), ("today announced that its board of directors has authorized the repurchase of up to {amtl} of its common "
        "stock, {pct}% of the shares outstanding.",)),
    Phrases("uplisting", "up", 2, (), (
        "{name} Announces Uplisting to the Nasdaq Capital Market at a Market Value of {amt}",
        "{name} Approved for Uplisting to {exchange}, Trading to Begin {month} {digit} Under Symbol {ticker}",
    ), ("today announced that its common stock has been approved for uplisting and will begin trading on the exchange "
        "under the symbol {ticker}.",)),
    Phrases("patent", "up", 3, (), (
        "{name} Granted U.S. Patent No. {patent} Covering {product}",
        "{name} Receives Notice of Allowance for U.S. Patent on {product}",
    ), ("today announced that the United States Patent and Trademark Office has granted a patent which covers the "
        "core of {product} until 2043.",)),
    Phrases("launch", "up", 3, WORKS, (
        "{name} Launches {product}, a New Platform for {market}",
        "{name} Announces Commercial Launch of {product} for {market}",
    ), ("today announced the commercial launch of {product}, which broadens the company's product offering for "
        "{marketl} and carries a {digit}-year warranty.",)),
    Phrases("bankruptcy", "down", 2, (), (
        "{name} Files for Chapter 11 Bankruptcy Protection With {amt} in Liabilities",
        "{name} Commences Voluntary Chapter 11 Proceedings to Sell Its {product} Business",
    ), ("today announced that it has filed voluntary petitions for relief under chapter 11 of the bankruptcy code with "
        "liabilities of {amtl}.",)),
    Phrases("going_concern", "down", 2, (), (
        "{name} Discloses Going Concern Doubt With {amt} in Debt Due Within {count} Months",
        "{name} Auditor Raises Going Concern Doubt as Cash Falls to {amt}",
    ), ("today said that its auditor's report contains a going concern qualification. Cash of {amtl} is expected to "
        "last less than {count} months.",)),
    Phrases("going_private", "up", 2, (), (
        "{name} Receives Going Private Proposal From {partner} at {deal} Per Share",
        "{name} Board Forms Committee to Review {deal} Per Share Take-Private Offer From {partner}",
    ), ("today announced that its board has received a non-binding proposal from {partner} to take the company "
        "private at {deal} per share in cash.",)),
    Phrases("management_exit", "down", 2, (), (
        "{name} Announces Resignation of Chief Executive Officer {person}",
        "{name} CEO Resigns, {person} Named Interim Chief Executive Officer",
    ), ("today announced that its chief executive officer has resigned, effective immediately, and that a search for a "
        "successor has begun.",)),
    Phrases("activist", "up", 2, (), (
        "{partner} Discloses {pct}% Activist Stake in {name}",
        "{partner} Urges {name} Board to Explore Strategic Alternatives, Owns {pct}% Stake",
    ), ("today received a letter from {partner}, which has acquired a stake of {pct}% and asks for a sale of the "
        "company.",)),
    Phrases("insider_buying", "up", 2, (), (
        "{name} CEO Purchases {shares} Shares of Company Stock in the Open Market",
        "{name} Announces Insider Purchases of {shares} Shares by Directors",
    ), ("today announced that {person} has bought {shares} shares of common stock in the open market at {price} per "
        "share.",)),
    Phrases("special_dividend", "up", 2, (), (
        "{name} Declares Special Cash Dividend of {price} Per Share, {amt} in Total",
        "{name} Board Declares Special Dividend Totaling {amt}",
    ), ("today announced that its board of directors has declared a special cash dividend, payable to shareholders of "
        "record, {amtl} in all.",)),
)

WEAK: tuple[Phrases, ...] = (
    Phrases("management_change", "neutral", 1, (), (
        "{name} Appoints {person} as Chief Executive Officer",
        "{name} Names {person} Chief Financial Officer",
    ), ("today announced the appointment of {person}, who brings {count} years of experience in the industry.",)),
)

NOISE: tuple[Phrases, ...] = (
    Phrases("law_firm", "neutral", 8, (), (
        "{ticker} INVESTOR ALERT: {firm} Reminds {name} Investors of {month} {day} Lead Plaintiff Deadline - {ticker}",
        "{firm} Announces That a Class Action Lawsuit Has Been Filed Against {name} ({ticker})",
        "SHAREHOLDER ALERT: {firm} Investigates Claims on Behalf of Investors of {name} - {ticker}",
    ), ("{firm}, a law firm, reminds investors who purchased securities of {legal} ({listing}) between {month} 2 and "
        "{month} {day} that they may seek appointment as lead plaintiff in the class action and recover their "
        "losses.",)),
    Phrases("conference", "neutral", 6, (), (
        "{name} to Present at the {partner} {nth} Annual {market} Conference",
        "{name} to Participate in a Fireside Chat at the {nth} Annual {partner} Investor Summit on {month} {day}",
    ), ("today announced that management will present a company overview and take part in one-on-one meetings on "
        "{month} {day}. A webcast will be available on the investor page.",)),
    Phrases("earnings_date", "neutral", 6, (), (
        "{name} to Report {quarter} Financial Results on {month} {day}",
        "{name} Sets Date for {quarter} Earnings Release and Conference Call on {month} {day}",
    ), ("today announced that it will release its {quarterl} financial results on {month} {day} after the market "
        "closes and will host a conference call and webcast.",)),
    Phrases("market_report", "neutral", 6, (), (
        "{market} Market to Reach {bn} Billion by 2033, Growing at a CAGR of {pct}%: {partner} Research Report",
        "Global {market} Market Size, Share and Trends Analysis Report 2026-2033 by {partner} Insights, CAGR {pct}%",
    ), ("The global {marketl} market is projected to grow from ${digit}.1 billion to {bn} billion by 2033, at a CAGR "
        "of {pct}%, according to a new market research report.",)),
    Phrases("award", "neutral", 3, (), (
        "{name} Named One of the {count} Best Places to Work in {city} by {partner} Magazine",
        "{name} Wins {partner} Magazine's {nth} Annual Workplace Culture Award",
    ), ("today announced that it was named to the list of best workplaces, which is drawn up from a survey of "
        "employees.",)),
    Phrases("fund_notice", "neutral", 4, (), (
        "{partner} Income Trust Declares Monthly Distribution of $0.0{digit}{count} Per Share",
        "{partner} Municipal Fund Announces Net Asset Value of ${count}.{day} and Monthly Distribution",
    ), ("The board of trustees of the fund, a closed-end management investment company, declared its monthly "
        "distribution, payable on {month} {day}.",)),
    Phrases("retrospective", "neutral", 4, (), (
        "Why {name} Stock Is Moving {pct}% Today",
        "Why Shares of {name} ({ticker}) Are Trading {pct}% Higher This Week",
    ), ("Shares of {name} ({listing}) are moving today. Here is what investors should know about the {pct}% change of "
        "the last {count} sessions.",)),
)

ELSEWHERE: tuple[Phrases, ...] = (
    Phrases("private", "up", 5, (), (
        "{other} Raises {amt} Series B Financing to Bring {product} to {market}",
        "{other} Acquires {partner}, Expanding Its {product} Business",
        "{other} Receives FDA Approval for {drug} in {disease}",
    ), ("{other}, a privately held company, today announced the news and said that it employs {count} people.",)),
    Phrases("foreign", "up", 4, (), (
        "{other} Announces {amt} Private Placement for Its {product} Project",
        "{other} Reports {count} Meters of {product} Drill Results",
        "{other} Awarded {amt} Contract for {product}",
    ), ("{other} ({foreign}) today announced the news in a filing with its home exchange and will report again in "
        "{month}.",)),
)
