"""Behaviours that a trader's filter is expected to have, with headlines of our own.

Noise in all its forms and the news that resembles it, what price-led headlines are worth, the stage of an offering, and
the 21 families of catalysts that must be known.
"""

from __future__ import annotations

from functools import cache

import pytest

from catalyst.clients.files import BUNDLED_RULES, load_sentiment
from catalyst.core.classify import Decision, Story, classify
from catalyst.core.rules import Found, Rules
from catalyst.core.sieve import Gates


@cache
def rules() -> Rules:
    return Rules.from_toml(BUNDLED_RULES.read_text(encoding="utf-8"))


def find(title: str, summary: str = "") -> Found:
    return rules().find(title, summary)


def noise(title: str, summary: str = "") -> str:
    found = find(title, summary).noise
    return found.rule.name if found else ""


def kinds(title: str, summary: str = "") -> list[str]:
    return [hit.rule.name for hit in find(title, summary).kinds]


def decide(title: str, summary: str = "") -> Decision:
    return classify(Story("s", f"Acme (Nasdaq: ACME) {title}", summary), rules(), None,
                    model=load_sentiment(), gates=Gates(0.2), now_ms=0)


@pytest.mark.parametrize(
    "title",
    [
        "Why Acme Stock Is Sliding Today",
        "Here's Why Acme Shares Popped on Tuesday",
        "What Happened to Acme Stock Last Week?",
        "What's Going On With Acme Shares Thursday?",
        "What Is Moving Acme Stock?",
        "Acme Stock Jumps 12%",
        "Acme Shares Are Trading Higher",
        "Acme Stock Slides Despite a Good Quarter for Rivals",
        "Acme Is Getting Crushed",
        "Acme Hits New 52-Week Low",
        "Acme Gapped Up",
        "Acme Earnings Snapshot",
        "Acme Not Aware of Any Reason for Share Price Rise",
        "Acme Comments on Unusual Trading Activity",
        "Acme: Trading Activity Notice",
        "Acme Plunged This Week",
    ],
)
def test_retrospectives(title: str) -> None:
    """A story that only says that or why a price moved is a retrospective."""
    assert noise(title) == "retrospective"


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Acme Shares Soar After FDA Approves Its Migraine Drug", "fda_approval"),
        ("Acme Stock Plunges as Phase 3 Trial Misses Primary Endpoint", "clinical_failure"),
        ("Acme Shares Fall After Pricing $40 Million Public Offering", "offering_pricing"),
        ("Acme Stock Surges on Agreement to Be Acquired by Bcme", "acquisition_target"),
        ("Acme Shares Sink as Company Cuts Full-Year Outlook", "guidance_cut"),
    ],
)
def test_price_led_headlines_with_news(title: str, kind: str) -> None:
    """A headline that begins with the price and names first news is news."""
    assert noise(title) == ""
    assert kind in kinds(title)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Acme Q3 Earnings Preview: What to Expect", "earnings_preview"),
        ("Ahead of Earnings: Is Acme Ready?", "earnings_preview"),
        ("Acme Earnings Scheduled for Wednesday", "earnings_preview"),
        ("Can Acme Beat Estimates Again?", "earnings_preview"),
        ("Acme to Announce Third Quarter Results on November 4", "earnings_date"),
        ("Acme Announces Timing of Fourth Quarter Results and Webcast", "earnings_date"),
        ("Acme to Present at the Spring Growth Conference", "conference"),
        ("Acme to Exhibit at the Builders' Trade Show", "conference"),
        ("Acme Announces Poster Presentation at Oncology Congress", "conference"),
        ("Acme Presenting Data at Annual Meeting of Cardiologists", "conference"),
        ("Acme to Take Part in Fireside Chat", "conference"),
        ("Cramer Says Acme Is a Buy", "commentary"),
        ("Opinion: Acme Has Lost Its Way", "commentary"),
        ("Is It Too Late to Buy Acme?", "commentary"),
        ("Stocks to Watch: Acme, Bcme", "roundup"),
        ("Movers and Shakers: Acme and Others", "roundup"),
        ("Market Recap: Dow Slips", "roundup"),
        ("Smith & Roe LLP Reminds Acme Investors of Lead Plaintiff Deadline", "law_firm"),
        ("Acme Shareholders Who Lost Money Should Contact Roe Law Firm", "law_firm"),
        ("Acme Bank: Notice of Redemption of Notes Due 2028", "bond_notice"),
        ("Acme Realkredit: Fixing of Coupon on Covered Bonds", "bond_notice"),
        ("Acme Income Fund Declares Monthly Distribution", "fund_notice"),
        ("This Little Stock Could Explode", "promotion"),
        ("Short Squeeze Alert: Acme Short Interest Tops 40%", "promotion"),
        ("Acme Named One of the Best Places to Work", "award"),
        ("Acme Reports Inducement Grants Under Nasdaq Listing Rule 5635(c)(4)", "inducement_grant"),
        ("Global Pump Market to Reach $9 Billion by 2033", "market_report"),
    ],
)
def test_noise_families(title: str, name: str) -> None:
    """Previews, dates, conferences, commentary, round-ups, solicitations and routine notices each have their name."""
    assert noise(title) == name


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Acme Presents Positive Pivotal Data at Oncology Congress", "clinical_positive"),
        ("Acme Late-Breaking Phase 3 Results Show Drug Halves Risk of Death", "clinical_positive"),
        ("Acme Third Quarter Earnings Beat Estimates", "earnings_beat"),
        ("Acme Reports Fourth Quarter Results", "earnings_results"),
        ("Acme Responds to Short-Seller Report", "short_report"),
        ("Acme Stockholders Approve Merger with Bcme at Special Meeting", "merger"),
        ("Acme Wins Dismissal of Securities Class Action", "litigation_win"),
        ("Acme Delays Filing of Annual Report", "restatement"),
        ("Acme Awarded $5 Million Army Contract", "contract"),
    ],
)
def test_news_beside_noise(title: str, kind: str) -> None:
    """Results, a breakthrough at a congress, a vote on a merger and a won suit are kept."""
    assert noise(title) == ""
    assert kind in kinds(title)


@pytest.mark.parametrize(
    ("title", "summary"),
    [
        ("Acme Gives an Update", "Acme grew. It expects that FDA approval may come in 2028, if at all."),
        ("Acme Gives an Update", "There is no assurance that it will be acquired or that FDA approval is given."),
        ("Acme Plans to Submit New Drug Application Next Year", ""),
        ("Acme Hopes for FDA Approval", ""),
        ("Acme Hosts Students", "May 4, 2026 -- Students came. In 2021 the company received FDA approval for a pump."),
        ("Acme Hosts Students", "Students came. About Acme: it wins contracts with the U.S. Army."),
        ("Acme Says Trial Did Not Fail", ""),
        ("Acme Has No Plans for a Public Offering", ""),
        ("Acme Adds a Test to Its Service Offering", ""),
        ("Acme Novel Coronavirus Page", ""),
    ],
)
def test_no_news(title: str, summary: str) -> None:
    """What is only possible, denied, long past or said in every release is no catalyst."""
    assert kinds(title, summary) == []


STAGES = [
    ("Prices $20 Million Public Offering", "offering_pricing", "down"),
    ("Announces Pricing of Secondary Offering", "offering_pricing", "down"),
    ("Announces Proposed Public Offering of Common Stock", "offering_announcement", "down"),
    ("Intends to Offer Shares in Underwritten Public Offering", "offering_announcement", "down"),
    ("Upsizes Previously Announced Public Offering", "offering_upsize", "down"),
    ("Announces Upsize and Pricing of Public Offering", "offering_upsize", "down"),
    ("Announces Closing of $20 Million Public Offering", "offering_closing", "neutral"),
    ("Completes Registered Direct Offering", "offering_closing", "neutral"),
    ("Closes Second Tranche of Private Placement", "offering_closing", "neutral"),
    ("Withdraws Proposed Public Offering", "offering_withdrawn", "up"),
    ("Prices $300 Million of Senior Secured Notes", "offering_debt", "neutral"),
    ("Announces Institutional Notes Offering", "offering_debt", "neutral"),
    ("Announces $100 Million Convertible Notes Offering", "offering_convertible", "down"),
    ("Files $150 Million Mixed Shelf", "offering_shelf", "down"),
    ("Enters At-the-Market Sales Agreement", "offering_atm", "down"),
]


@pytest.mark.parametrize(("title", "kind", "direction"), STAGES)
def test_failure_19_the_stage_of_an_offering(title: str, kind: str, direction: str) -> None:
    """A closing is no fresh dilution, notes without conversion are none; announcing, pricing and upsizing are."""
    decision = decide(title)
    assert kind in [one.kind for one in decision.kinds]
    assert decision.direction == direction
    assert decision.decision == "alert"


def test_failure_23_noise_of_aggregators() -> None:
    """Law firms, explanations of moves, commentators, conference posts and earnings calendars never become alerts."""
    titles = {
        "law_firm": "Investors with Losses Should Contact Roe & Smith Law Firm",
        "retrospective": "Stock: Why Is It Up Today",
        "commentary": "Cramer's Lightning Round: I Would Not Buy It",
        "conference": "to Present Poster at Spring Congress",
        "earnings_preview": "Earnings Scheduled for Monday",
        "roundup": "Among Premarket Movers",
        "promotion": "The Next Short Squeeze?",
    }
    reasons = {name: decide(title).reason for name, title in titles.items()}
    assert reasons == {name: f"noise:{name}" for name in titles}


# The families that the table must know, each with kinds of its own here and a headline.
FAMILIES = {
    "fda": ("fda_approval", "Acme Receives FDA Approval for Pump Drug"),
    "clinical": ("clinical_positive", "Acme's Pivotal Trial Meets Primary Endpoint"),
    "energy_discovery": ("energy_discovery", "Acme Announces Oil Discovery in Well Test"),
    "advanced_therapies": ("advanced_therapies", "Acme Expands Gene Therapy Work"),
    "tech_contracts": ("contract", "Acme Signs Government Contract for Cloud Migration"),
    "partnership": ("partnership", "Acme Announces Strategic Partnership with Bcme"),
    "uplisting": ("uplisting", "Acme Announces Uplisting to Nasdaq"),
    "dilution": ("offering_registered_direct", "Acme Announces Registered Direct Offering"),
    "going_concern": ("going_concern", "Acme Discloses Going Concern Warning"),
    "crypto_blockchain": ("crypto", "Acme Expands Bitcoin Mining"),
    "mining_resources": ("mining_resources", "Acme Announces Maiden Resource Estimate"),
    "activist_institutional": ("activist_stake", "Activist Investor Starts Proxy Fight at Acme"),
    "ai_quantum": ("ai_quantum", "Acme Unveils Quantum Computing Platform"),
    "compliance": ("compliance_regained", "Acme Regains Compliance with Nasdaq Bid Price Rule"),
    "acquisition": ("acquisition", "Acme Acquires Bcme Pumps"),
    "earnings": ("earnings_beat", "Acme Quarterly Earnings Beat Estimates"),
    "guidance": ("guidance_raised", "Acme Raises Full-Year Guidance"),
    "offering_negative": ("offering_announcement", "Acme Announces Underwritten Public Offering"),
    "warrant_negative": ("offering_warrants", "Acme Announces Exercise of Warrants"),
    "dilution_negative": ("offering_announcement", "Acme Announces Dilutive Equity Financing"),
    "distress_negative": ("bankruptcy", "Acme Files for Chapter 11"),
}


def test_there_are_21_families() -> None:
    """None of the families is forgotten."""
    assert len(FAMILIES) == 21


@pytest.mark.parametrize(("family", "kind", "title"), [(name, *row) for name, row in FAMILIES.items()])
def test_families(family: str, kind: str, title: str) -> None:
    """Each family has a kind in the table, with a source for its weight, and a plain headline is of that kind."""
    assert family
    found = [hit for hit in find(title).kinds if hit.rule.name == kind]
    assert found, find(title)
    assert noise(title) == ""


def test_every_weight_has_a_source() -> None:
    """Each kind of the table says where its weight is from."""
    assert BUNDLED_RULES.read_text(encoding="utf-8").partition("# ---- filings")[0].count("\nsource = ") == sum(
        not rule.noise for rule in rules().rules
    )
