"""How large a contract is: the dollars that a story states, against the market value."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.clients.files import bundled_rules, load_sentiment
from catalyst.core.classify import Decision, Story, classify
from catalyst.core.classify_filing import classify_filing
from catalyst.core.companies import Companies
from catalyst.core.contract_size import factor, has_size, stated, told
from catalyst.core.market_values import DAY_MS, KEPT_MS, MarketValue, known_usd, newest, usd_of
from catalyst.core.sieve import Gates
from catalyst.messages import Amount, FilingRead, Offering
from tests.core.test_evidence import FILINGS, LIST, STORIES, holds_by

RULES, MODEL = bundled_rules(), load_sentiment()
NOW_MS = 400 * DAY_MS
SMALL = {"ACME": MarketValue(40e6, NOW_MS)}


def decide(title: str, summary: str = "", values: dict[str, MarketValue] | None = None) -> Decision:
    """The decision about a story of Acme, whose market value is known."""
    story = Story("x", title, summary, "wire")
    return classify(story, RULES, LIST, model=MODEL, gates=Gates(0.2), values=SMALL if values is None else values,
                    now_ms=NOW_MS)


@pytest.mark.parametrize(("title", "summary", "usd", "said"), [
    ("Acme Wins $12.4 Million Navy Contract", "", 12.4e6, "$12.4 Million"),
    ("Acme Receives US$ 3.2 billion order", "", 3.2e9, "US$ 3.2 billion"),
    ("Acme Awarded $450K Contract", "", 450e3, "$450K"),
    ("Acme Wins $12,400,000 Contract", "", 12.4e6, "$12,400,000"),
    ("Acme Wins $5M Order", "", 5e6, "$5M"), ("Acme Wins $5-million Order", "", 5e6, "$5-million"),
    ("Acme Wins USD 7 million Order", "", 7e6, "USD 7 million"),
    ("Acme Wins Army Contract", "The contract is valued at\n$2\u00a0mln over two years.", 2e6, "$2 mln"),
    ("Acme Wins Contract Worth $10-12 Million", "", 10e6, "$10-12 Million"),
    ("Acme Wins Contract Worth $10 Million to $12 Million", "", 10e6, "$10 Million to $12 Million"),
    ("Acme Wins Contract Worth between $10 and $12 Million", "", 10e6, "$10 and $12 Million"),
    ("Acme Awarded Contract of up to $50 Million", "", 50e6, "up to $50 Million"),
    ("Acme Awarded IDIQ with a ceiling of $50 Million", "", 50e6, "ceiling of $50 Million"),
    ("Acme Wins $5 Million Contract with Options of up to $25 Million", "", 5e6, "$5 Million"),
    ("Acme Wins Contract", "A record quarter. Acme Inc. signed a contract worth $6 million.", 6e6, "$6 million"),
    ("Acme Wins C$5 Million (US$3.6 Million) Contract", "", 3.6e6, "US$3.6 Million"),
    ("Acme Wins €10 Million ($11 Million) Contract", "", 11e6, "$11 Million"),
    ("Acme Announces Contract", "Acme won a $9 million contract, or $9 million in all.", 9e6, "$9 million"),
    ("Acme Wins Contract Award", "", None, ""), ("Acme Wins C$5M Contract", "", None, ""),
    ("Acme Wins A$5 Million Contract", "", None, ""), ("Acme Wins $5 Million CAD Contract", "", None, ""),
    ("Acme (TSXV: ACM) Wins $5 Million Contract", "", None, ""), ("Acme Wins €5 Million Contract", "", None, ""),
    ("Acme Wins $5 Million and $7 Million Contracts", "", None, ""),
    ("Acme Raises Contract from $5 Million to $7 Million", "", None, ""),
    ("Acme Wins Contract, Revenue of $90 Million", "", None, ""),
    ("Acme Wins Contract, Backlog Rises to $90 Million", "", None, ""),
    ("Acme Wins Contract in $4 Billion Addressable Market", "", None, ""),
    ("Acme Wins Contract at $12.50 per Unit", "", None, ""), ("Acme Wins $3 Million a Year Contract", "", None, ""),
    ("Acme Wins Contract", "Cash was strong. The bank has $70 million.", None, ""),
    ("Acme Wins Contract", f"{'No figure here. ' * 9}The contract is worth $6 million.", None, "")])
def test_the_amount_of_a_contract(title: str, summary: str, usd: float | None, said: str) -> None:
    """One amount or none: ranges by their lower end, sure ones before "up to", US dollars only, no other figures."""
    found = stated((("title", title), ("summary", summary)), "contract", ())
    assert (found.usd if found else None, found.said if found else "") == (usd, said)


@pytest.mark.parametrize(("title", "usd"), [
    ("Acme Prices $15 Million Public Offering", 15e6), ("Acme Files for $50 Million At-the-Market Offering", 50e6),
    ("Acme Announces Exercise of Warrants for $9.6 Million", 9.6e6),
    ("Acme Announces Offering of Shares at $1.25", None), ("Acme Closes Offering; Net Proceeds of $14 Million", None)])
def test_the_amount_of_a_sale(title: str, usd: float | None) -> None:
    """Of a sale of shares the gross amount; a price of a share is none."""
    found = stated((("title", title),), "offering_pricing", ())
    assert (found.usd if found else None) == usd


def test_kinds_that_have_a_size() -> None:
    """Contracts, their loss, grants, and sales of what dilutes."""
    assert all(map(has_size, ("contract", "contract_loss", "grant_funding", "offering", "offering_pricing")))
    assert not any(map(has_size, ("offering_debt", "contract_termination", "merger", "fda_approval", "")))


@pytest.mark.parametrize(("share", "scale", "words"), [
    (0.0001, 0.6, "under 0.1 %"), (0.0099, 0.6, "1 %"), (0.01, 1.0, "1 %"), (0.0312, 1.0, "3.1 %"),
    (0.1, 1.2, "10 %"), (0.31, 1.2, "31 %"), (0.5, 1.4, "50 %"), (12.5, 1.4, "1,250 %")])
def test_what_a_share_does(share: float, scale: float, words: str) -> None:
    """Small ones weaken, large ones strengthen, in four steps."""
    assert (factor(share), told("$12 million", share)) == (scale, f"$12 million, {words} of its market value")


def test_a_large_contract_scores_higher() -> None:
    """Weight and score grow by a part of its own, with the words that state the amount, the reason says the share."""
    title = "Acme (Nasdaq: ACME) Wins $12.4 Million Navy Contract"
    plain, large = decide(title, values={}), decide(title)
    assert large.why.startswith("contract (up), $12.4 Million, 31 % of its market value: “Wins $12.4 Million")
    assert (plain.kinds[0].weight, large.kinds[0].weight) == (0.6, 0.72)
    (part,) = [one for one in large.parts if one.name == "size"]
    assert (part.value, part.cause) == (0.12, "$12.4 Million, 31 % of its market value")
    assert [title[one.start:one.end] for one in part.words] == ["$12.4 Million"]
    assert large.score == pytest.approx(plain.score + 0.12)
    assert plain.parts == tuple(one for one in large.parts if one.name != "size")


def test_a_small_one_scores_lower_and_no_weight_exceeds_one() -> None:
    """Under 1 % a strong kind is weak news, also bad news, which then passes no gate by its kind; the most is 1."""
    small = decide("Acme (Nasdaq: ACME) Prices $300,000 Public Offering")
    assert small.kinds[0].weight == 0.45
    assert decide("Acme (Nasdaq: ACME) Prices $300,000 Public Offering", values={}).kinds[0].weight == 0.75
    whole = decide("Acme (Nasdaq: ACME) Prices $90 Million Public Offering")
    assert whole.kinds[0].weight == 1.0
    assert whole.score == 1.0


@pytest.mark.parametrize("values", [
    {}, {"BCME": MarketValue(40e6, NOW_MS)}, {"ACME": MarketValue(40e6, NOW_MS - KEPT_MS - DAY_MS)},
    {"ACME": MarketValue(40e6, NOW_MS + 2 * DAY_MS)}, {"ACME": MarketValue(2e4, NOW_MS)}])
def test_what_is_not_known_changes_nothing(values: dict[str, MarketValue]) -> None:
    """No value, another company's, an old one, one of a day to come, and one that makes no sense: as without any."""
    for title in ("Acme (Nasdaq: ACME) Wins $12.4 Million Navy Contract", "Acme (Nasdaq: ACME) Wins Contract Award"):
        assert decide(title, values=values) == decide(title, values={})


def test_the_size_of_a_further_kind_is_told() -> None:
    """It changes the kind's weight and is no part of the score."""
    decision = decide("Acme (Nasdaq: ACME) Receives FDA Approval and Wins $30 Million Contract Award")
    assert [one.kind for one in decision.kinds] == ["fda_approval", "contract"]
    assert [(part.value, part.cause) for part in decision.parts if part.name == "size"] == [
        (0.0, "contract: $30 Million, 75 % of its market value")]


def test_filings_have_sizes_too() -> None:
    """A sale by what was read of it, a contract by the headline of the release; evidence stands where it says."""
    about = FilingRead(item_id="0001-25-1", source="sec", trust=1.0, form="424B5", amendment=False, cik="0000000001",
                       ticker="ACME", company="ACME", title="424B5: Acme", link="", published_ms=None, seen_ms=0,
                       offering=Offering("announcement", "atm", Amount(20e6, "We may sell up to $20,000,000.")))
    sale = classify_filing(about, RULES, LIST, gates=Gates(0.2), values=SMALL, now_ms=NOW_MS)
    (part,) = [one for one in sale.parts if one.name == "size"]
    assert part.cause == "up to $20.0 million, 50 % of its market value"
    assert part.words[0].field == "offering.gross_proceeds.quote"
    told_by = FilingRead(item_id="0001-25-2", source="sec", trust=1.0, form="8-K", amendment=False, cik="0000000001",
                         ticker="ACME", company="ACME", title="8-K: Acme", link="", published_ms=None, seen_ms=0,
                         headline="Acme Wins $12 Million Navy Contract", items=("8.01",))
    (part,) = [one for one in classify_filing(told_by, RULES, LIST, gates=Gates(0.2), values=SMALL,
                                              now_ms=NOW_MS).parts if one.name == "size"]
    assert (part.words[0].field, part.words[0].text) == ("headline", "$12 Million")


MONEY = st.lists(st.one_of(
    st.sampled_from(("$", "US$", "C$", "USD", "up to", "between", "from", "to", "and", "-", "million", "M", "billion",
                     "contract", "of", ".", "\n", "revenue", "per", "thouſand", "mıllıon", "K", "1,000,000", "٣")),
    st.integers(0, 10**15).map(str), st.text(max_size=5)), max_size=14).map(
        lambda pieces: " ".join(pieces).replace("$ ", "$"))


@settings(max_examples=200)
@given(MONEY, MONEY)
def test_any_text_has_a_literal_amount_or_none(title: str, summary: str) -> None:
    """No text raises; an amount stands literally where it says, and is positive."""
    for kind in ("contract", "offering"):
        found = stated((("title", title), ("summary", summary)), kind, ())
        if found is not None:
            (words,) = found.words
            assert {"title": title, "summary": summary}[words.field][words.start:words.end] == words.text
            assert found.usd >= 10_000


@settings(max_examples=100)
@given(st.one_of(STORIES, FILINGS))
def test_evidence_of_sized_items(item: Story | FilingRead) -> None:
    """With market values too every decision is the same each time, its evidence literal and in its place."""
    values = {"ACME": MarketValue(40e6, 0), "BCME": MarketValue(1e9, 0)}
    holds_by(item, lambda: (classify(item, RULES, LIST, model=MODEL, gates=Gates(0.2), values=values, now_ms=7)
                            if isinstance(item, Story) else
                            classify_filing(item, RULES, LIST, gates=Gates(0.2), values=values, now_ms=7)))


@pytest.mark.parametrize(("cell", "unit", "usd"), [
    ("4572794.13", 1e6, 4_572_794_130_000.0), ("33.07", 1e6, 33.07e6), ("1,020.5", 1e6, 1020.5e6), ("", 1e6, None),
    ("-", 1e6, None), ("2.90T", 1e6, 2.9e12), ("150.00M", None, 150e6), ("$50.5b", None, 50.5e9), ("329", None, None),
    ("25000000", 1.0, 25e6), ("150000000", 1e6, None), ("nan", 1e6, None), ("1e9", 1.0, None), ("0", 1e6, None)])
def test_market_value_cells(cell: str, unit: float | None, usd: float | None) -> None:
    """Bare numbers by the unit of their column, letters for sizes; what no company is worth is a mistaken unit."""
    assert usd_of(cell, unit) == (None if usd is None else pytest.approx(usd))


def test_the_newest_value_counts_for_90_days() -> None:
    """Of two lists the later day; up to 90 days."""
    old, new = MarketValue(1e6, 0), MarketValue(2e6, DAY_MS)
    assert newest([("A", new), ("B", old)], [("A", old), ("B", new)]) == {"A": new, "B": new}
    assert known_usd({"A": old}, "A", KEPT_MS) == 1e6
    assert known_usd({"A": old}, "A", KEPT_MS + 1) is None
    assert known_usd({}, "A", 0) is None


def test_the_issuer_is_the_one_that_is_measured() -> None:
    """Of two companies in a story the primary one's value counts."""
    companies = Companies.from_json(json.dumps({"0": {"cik_str": 1, "ticker": "ACME", "title": "Acme Inc"},
                                                "1": {"cik_str": 2, "ticker": "BCME", "title": "Bcme Corp"}}))
    story = Story("x", "Acme (Nasdaq: ACME) Wins $12 Million Contract from Bcme (NYSE: BCME)")
    decision = classify(story, RULES, companies, model=MODEL, gates=Gates(0.2), now_ms=NOW_MS,
                        values={"ACME": MarketValue(40e6, NOW_MS), "BCME": MarketValue(4e12, NOW_MS)})
    assert decision.tickers[0].ticker == "ACME"
    assert "30 % of its market value" in decision.why
