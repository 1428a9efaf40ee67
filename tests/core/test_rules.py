"""The rule table: how phrases are read and found, and what the bundled table says of headlines."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core import rules as rules_module
from catalyst.core.rules import GAP, Rules
from catalyst.errors import RuleError

BUNDLED = Rules.from_toml((Path(rules_module.__file__).parent / "rules.toml").read_text(encoding="utf-8"))
SMALL = """
[[noise]]
name = "party"
phrases = ["summer party"]
except = ["cancels"]
[[noise]]
name = "spam"
always = true
phrases = ["call now"]
[[kind]]
name = "sale_closed"
family = "sale"
direction = "neutral"
weight = 0.4
phrases = ["closes .. sale"]
hypothetical = true
[[kind]]
name = "sale"
family = "sale"
direction = "down"
weight = 0.7
phrases = ["sale"]
except = ["summer sale"]
hypothetical = true
[[kind]]
name = "approval"
direction = "up"
weight = 0.9
phrases = ["fda approval"]
[[kind]]
name = "split"
direction = "down"
weight = 0.5
phrases = ["split"]
needs = ["reverse"]
[[kind]]
name = "theme"
direction = "neutral"
weight = 0.2
where = "title"
phrases = ["quantum"]
"""


def kinds(title: str, summary: str = "", table: str = SMALL) -> list[str]:
    return [hit.rule.name for hit in Rules.from_toml(table).find(title, summary).kinds]


def noise(title: str, summary: str = "") -> str:
    hit = Rules.from_toml(SMALL).find(title, summary).noise
    return hit.rule.name if hit else ""


@pytest.mark.parametrize(
    ("title", "summary", "names"),
    [
        ("FDA Approval of X", "", ["approval"]),
        ("fda-approval", "", ["approval"]),
        ("FDA\u00a0 Approval", "", ["approval"]),
        ("FDA approvals", "", []),
        ("xFDA approval", "", []),
        ("seeks FDA approval", "", []),
        ("without FDA approval", "", []),
        ("Acme Fuel Cells FDA approval", "", ["approval"]),
        ("raises cash to fuel its FDA approval", "", []),
        ("no news. FDA approval", "", []),
        ("", "No sale. FDA approval came", ["approval"]),
        ("may split in reverse", "", ["split"]),
        ("split", "", []),
        ("stock split, no reverse", "", ["split"]),
        ("split", "reverse", []),
        ("Quantum", "", ["theme"]),
        ("News", "quantum", []),
        ("A sale", "", ["sale"]),
        ("proposed sale", "", ["sale"]),
        ("summer sale", "", []),
        ("summer sale", "the sale", []),
        ("Closes big sale", "", ["sale_closed"]),
        ("Sale", "closes the sale", ["sale"]),
        ("News", "closes it. A sale", ["sale"]),
        ("A sale and FDA approval", "", ["approval", "sale"]),
        ("A sale", "FDA approval", ["sale", "approval"]),
    ],
)
def test_how_phrases_are_found(title: str, summary: str, names: list[str]) -> None:
    """Whole words, gaps, exceptions, needs, negation, doubt, families and the order of hits."""
    assert kinds(title, summary) == names


@pytest.mark.parametrize(("room", "fires"), [(GAP - 2, True), (GAP + 1, False)])
def test_gap_is_bounded(room: int, fires: bool) -> None:
    """A gap stands for so many characters and no more."""
    assert ("sale_closed" in kinds("closes " + "x" * room + " sale")) is fires


@pytest.mark.parametrize(
    ("title", "summary", "name"),
    [
        ("Our Summer Party", "", "party"),
        ("Cancels summer party", "", ""),
        ("News", "a summer party", "party"),
        ("FDA approval", "a summer party", ""),
        ("FDA approval", "call now", "spam"),
        ("FDA approval at summer party", "", "party"),
    ],
)
def test_noise(title: str, summary: str, name: str) -> None:
    """Noise in the title counts; in the summary only where the title names no catalyst or the rule says always."""
    assert noise(title, summary) == name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("weight = 0.9", "weight = 1.5"), "approval: weight"),
        (("weight = 0.9", 'weight = "x"'), r"kind 3 \(approval\): weight"),
        (('direction = "up"', 'direction = "north"'), "approval: direction"),
        (("weight = 0.9\n", ""), "approval: weight"),
        (('phrases = ["fda approval"]', "phrases = []"), "approval: phrases"),
        (('phrases = ["fda approval"]', ""), r"\(approval\): .*phrases"),
        (('phrases = ["fda approval"]', 'phrases = ["a .. fda"]'), "approval: phrases"),
        (('where = "title"', 'where = "body"'), "theme: where"),
        (('name = "theme"', 'name = "The Me"'), r"kind 5 .*name"),
        (('where = "title"', 'wheer = "title"'), r"theme.*wheer"),
        (('name = "theme"', 'always = true\nname = "theme"'), "theme: always"),
        (('name = "party"', 'name = "party"\nweight = 1.0'), "party: weight"),
        (("[[noise]]", "[[nose]]"), "nose"),
        (("[[kind]]", "[[kind"), "rules: "),
        (('except = ["cancels"]', "except = [1]"), r"\(party\): except"),
    ],
)
def test_wrong_tables_are_refused(change: tuple[str, str], words: str) -> None:
    """A fault names the rule and the field."""
    assert change[0] in SMALL
    with pytest.raises(RuleError, match=words):
        Rules.from_toml(SMALL.replace(*change))


@pytest.mark.parametrize("text", ["", "[kind]\nname = 'x'", "kind = 3", "[[kind]]", "x ="])
def test_what_is_no_table_is_refused(text: str) -> None:
    """Anything without a kind is no rule table."""
    with pytest.raises(RuleError):
        Rules.from_toml(text)


def test_version_is_of_the_text() -> None:
    """The version is short and changes with the table."""
    one, two = Rules.from_toml(SMALL), Rules.from_toml(SMALL.replace("0.9", "0.8"))
    assert one.version != two.version == Rules.from_toml(SMALL.replace("0.9", "0.8")).version
    assert len(one.version) == 8


KINDS = [
    ("Acme Announces Proposed Public Offering of Common Stock", "offering_announcement", "down"),
    ("Acme Announces Pricing of $8.0 Million Underwritten Public Offering", "offering_pricing", "down"),
    ("Acme Prices $50 Million IPO", "offering_pricing", "neutral"),
    ("Acme Announces Pricing of $400 Million Upsized Public Offering", "offering_upsize", "down"),
    ("Acme Closes $15 Million Public Offering", "offering_closing", "neutral"),
    (
        "Acme Announces $3 Million Registered Direct Offering Priced At-the-Market Under Nasdaq Rules",
        "offering_registered_direct",
        "down",
    ),
    ("Acme Enters into At-The-Market Offering Agreement", "offering_atm", "down"),
    ("Acme Announces $120 Million Private Placement Financing", "offering_private_placement", "down"),
    ("Acme Prices $500 Million of Senior Notes", "offering_debt", "neutral"),
    ("Acme Announces Proposed Convertible Senior Notes Offering", "offering_convertible", "down"),
    ("Acme Enters Into Warrant Inducement Transaction for $11 Million", "offering_warrants", "down"),
    ("Acme Announces Termination of Proposed Public Offering", "offering_withdrawn", "up"),
    ("Acme Announces $5 Million Bought Deal of Units", "offering_announcement", "down"),
    ("Acme Files $100 Million Shelf Registration", "offering_shelf", "down"),
    ("Acme Receives FDA Approval for Xyz", "fda_approval", "up"),
    ("FDA Approves Acme's Xyz", "fda_approval", "up"),
    ("Acme Receives Complete Response Letter from FDA", "fda_rejection", "down"),
    ("Acme Resubmits NDA Addressing the Complete Response Letter", "fda_submission", "up"),
    ("FDA Lifts Clinical Hold on Acme's Trial", "fda_hold_lifted", "up"),
    ("FDA Places Clinical Hold on Acme Trial", "fda_hold", "down"),
    ("Acme Granted Fast Track Designation", "fda_designation", "up"),
    ("Acme Wins FDA 510(k) Clearance", "fda_clearance", "up"),
    ("European Commission Approves Acme's Xyz", "foreign_approval", "up"),
    ("Acme Phase 3 Trial Met Primary Endpoint", "clinical_positive", "up"),
    ("Acme Phase 3 Trial Did Not Meet Primary Endpoint", "clinical_failure", "down"),
    ("Acme's Drug Fails to Meet Primary Endpoint in Phase 2", "clinical_failure", "down"),
    ("Acme Discontinues Phase 2 Trial", "clinical_halt", "down"),
    ("Acme Announces First Patient Dosed in Phase 1 Trial", "clinical_progress", "up"),
    ("Acme Presents Data from Phase 2 Study", "clinical_data", "neutral"),
    ("Acme Awarded $40 Million Government Contract", "contract", "up"),
    ("Acme Announces Strategic Partnership with Bcme", "partnership", "up"),
    ("Acme Enters Exclusive License Agreement", "license", "up"),
    ("Acme Licenses Zolvex to Large Pharma in Deal With $206 Million in Milestones", "license", "up"),
    ("Acme Granted U.S. Patent", "patent", "up"),
    ("Acme to Be Acquired by Bcme for $5.00 Per Share in Cash", "acquisition_target", "up"),
    ("Acme Acquires Bcme", "acquisition", "up"),
    ("Acme and Bcme Announce Definitive Merger Agreement", "merger", "up"),
    ("Acme Terminates Merger Agreement", "merger_terminated", "down"),
    ("Acme Explores Strategic Alternatives", "strategic_review", "up"),
    ("Activist Investor Takes 9% Stake in Acme", "activist_stake", "up"),
    ("Acme Announces $20 Million Share Buyback", "buyback", "up"),
    ("Acme Announces Spin-Off of Unit", "spin_off", "up"),
    ("Acme Announces 1-for-20 Reverse Stock Split", "reverse_split", "down"),
    ("Acme Approved for Listing on Nasdaq", "uplisting", "up"),
    ("Acme Regains Compliance with Nasdaq", "compliance_regained", "up"),
    ("Acme Receives Nasdaq Deficiency Notice", "compliance_notice", "down"),
    ("Acme Receives Extension from Nasdaq to Regain Compliance", "compliance_extension", "up"),
    ("Acme Receives Delisting Notice", "delisting", "down"),
    ("Acme Discloses Going Concern Doubt", "going_concern", "down"),
    ("Acme Files for Chapter 11", "bankruptcy", "down"),
    ("Acme to Restate Financial Statements", "restatement", "down"),
    ("Acme Discloses SEC Investigation", "investigation", "down"),
    ("Acme Raises Full Year Guidance", "guidance_raised", "up"),
    ("Acme Lowers 2026 Guidance", "guidance_cut", "down"),
    ("Acme Q3 Earnings Beat Estimates", "earnings_beat", "up"),
    ("Acme Misses Third Quarter Estimates", "earnings_miss", "down"),
    ("Acme Reports Third Quarter 2025 Financial Results", "earnings_results", "neutral"),
    ("Acme Makes Oil Discovery Offshore", "energy_discovery", "up"),
    ("Acme Announces Maiden Resource Estimate", "mining_resources", "up"),
    ("Acme Buys Bitcoin for Treasury", "crypto", "up"),
    ("Acme Launches Quantum Computing Platform", "ai_quantum", "up"),
    ("Acme CEO Resigns", "management_exit", "down"),
    ("Acme Announces Workforce Reduction", "workforce_reduction", "down"),
    ("Hindenburg Research Publishes Short Report on Acme", "short_report", "down"),
    ("Acme Loses Largest Customer", "contract_loss", "down"),
    ("Acme Receives $3 Million NIH Grant", "grant_funding", "up"),
    ("Acme Voluntary Recall of Product", "recall", "down"),
    ("Acme Declares Special Dividend", "special_dividend", "up"),
]


@pytest.mark.parametrize(("title", "kind", "direction"), KINDS)
def test_bundled_kinds(title: str, kind: str, direction: str) -> None:
    """The bundled table knows the families of catalysts, each with its direction."""
    found = BUNDLED.find(title, "")
    assert found.noise is None
    assert (kind, direction) in [(hit.rule.name, hit.rule.direction) for hit in found.kinds], found.kinds
    assert all(hit.phrase in title for hit in found.kinds)


@pytest.mark.parametrize(
    "title",
    [
        "Acme Adds Genetic Test to Its Prostate Cancer Offering",
        "Acme Expands Product Offerings",
        "Acme Extends Warranty on Trucks",
        "Acme Appeals Ruling on Peak Hours",
        "Acme Car to Car Radio",
        "Novel Coronavirus Spreads",
        "Acme Biological Diversity Group",
    ],
)
def test_substring_traps(title: str) -> None:
    """Words that only contain or resemble a phrase make no sale of securities and no clinical or mining news."""
    assert not [
        hit
        for hit in BUNDLED.find(title, "").kinds
        if hit.rule.name.startswith(("offering", "clinical", "mining", "advanced"))
    ]


NOISE = [
    ("INVESTOR ALERT: Pomerantz Law Firm Investigates Claims on Behalf of Investors of Acme - ACME", "law_firm"),
    ("Acme Stockholders with Large Losses Should Contact Robbins LLP Before the Lead Plaintiff Deadline", "law_firm"),
    ("Acme to Present at the 44th Annual Cowen Health Care Conference", "conference"),
    ("Acme to Participate in Fireside Chat", "conference"),
    ("Acme Announces Poster Presentation at AACR", "conference"),
    ("Acme to Host Webcast Reviewing Interim Data Presented at ESMO", "conference"),
    ("Acme to Report Third Quarter Results on November 5", "earnings_date"),
    ("Acme Sets Date for Third Quarter Earnings Call", "earnings_date"),
    ("Acme Earnings Preview: What to Expect", "earnings_preview"),
    ("Why Acme Stock Is Down Today", "retrospective"),
    ("Here's Why Acme Shares Jumped", "retrospective"),
    ("Acme Stock Plunges After FDA News", "retrospective"),
    ("What Happened to Acme Stock?", "retrospective"),
    ("Premarket Movers: ACME, BCME", "roundup"),
    ("Stocks Making the Biggest Moves", "roundup"),
    ("Global Gene Therapy Market to Reach $40 Billion by 2030", "market_report"),
    ("Acme Named One of the Best Places to Work", "award"),
    ("Acme Celebrates Its 25th Anniversary", "award"),
    ("Acme Income Fund Declares Monthly Distribution", "fund_notice"),
    ("Acme Fund Announces Net Asset Value", "fund_notice"),
    ("Acme Reports Inducement Grants Under Nasdaq Listing Rule 5635(c)(4)", "inducement_grant"),
    ("Acme Announces Results of Annual General Meeting", "shareholder_meeting"),
    ("Total Number of Voting Rights", "regulatory_notice"),
]


@pytest.mark.parametrize(("title", "name"), NOISE)
def test_bundled_noise(title: str, name: str) -> None:
    """The bundled table knows what is no news."""
    found = BUNDLED.find(title, "")
    assert found.noise is not None
    assert found.noise.rule.name == name


@pytest.mark.parametrize(
    "title",
    [
        "Acme Presents Positive Phase 2 Data at ASCO",
        "Acme Late-Breaking Phase 3 Results to Be Presented at ASH",
        "Acme Announces Positive Topline Results, to Host Webcast",
        "Acme Wins Dismissal of Securities Class Action",
        "Acme Enters Warrant Inducement Agreement",
        "Acme Awarded $5 Million Army Contract",
        "Acme Shareholders Approve Merger at Special Meeting of Stockholders",
    ],
)
def test_news_that_resembles_noise(title: str) -> None:
    """Results shown at a congress, a won lawsuit, a warrant inducement, a contract award and a merger vote are news."""
    assert BUNDLED.find(title, "").noise is None


WORDS = st.lists(
    st.sampled_from(
        ["fda", "approval", "no", "closes", "sale", ".", "summer", "party", "split", "reverse", "  ", "–", "x", "İ"]
    ),
    max_size=20,
).map(" ".join)


@given(WORDS | st.text(max_size=200), WORDS | st.text(max_size=400))
def test_phrases_are_literal_and_stable(title: str, summary: str) -> None:
    """Every phrase that is reported stands in the story, letter for letter, and a second reading says the same."""
    for table in (Rules.from_toml(SMALL), BUNDLED):
        found = table.find(title, summary)
        assert found == table.find(title, summary)
        for hit in (*found.kinds, *([found.noise] if found.noise else [])):
            assert hit.phrase
            assert hit.phrase in (title if hit.in_title else summary)


@pytest.mark.parametrize(
    ("title", "summary", "kinds"),
    [
        ("Acme Reports Third Quarter Financial Results", "Launch is under way after FDA approval of Acmeza.",
         ["earnings_results"]),
        ("Acme Reports Third Quarter Financial Results", "The FDA placed a clinical hold on the trial of Acmeza.",
         ["earnings_results", "fda_hold"]),
        ("Acme Reports FDA Approval of Acmeza and Third Quarter Financial Results", "", ["fda_approval"]),
        ("Acme Provides Corporate Update", "Acme announced FDA approval of Acmeza.", ["fda_approval"]),
        ("Acme Refines Timeline for Phase 3 Study Data", "", []),
        ("Acme Formalizes Promise to Pay Property Claims", "", []),
        ("Acme Announces Publication of Pivotal Study of Acmeza", "", ["clinical_data"]),
    ],
)
def test_what_a_report_recounts_is_no_news(title: str, summary: str, kinds: list[str]) -> None:
    """Good news of medicine in the text of results was told before; bad news, and what a title says, counts."""
    found = [hit.rule.name for hit in BUNDLED.find(title, summary).kinds]
    assert found[:len(kinds) or None] == kinds


@pytest.mark.parametrize(
    "text", ["closes " * 20_000, "public offering " * 8_000, ". " * 60_000, "fda approval no " * 8_000,
             "guidance from " * 8_000]
)
def test_no_text_takes_long(text: str) -> None:
    """No repetition makes the search blow up, and a long body costs little more than its head."""
    began = time.process_time()
    BUNDLED.find(text[:2_000], text)
    assert time.process_time() - began < 0.5
