"""The decision about one filing: ticker by CIK, kinds by form, item, offering and headline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.books.filings import analysis_of, message_of
from catalyst.core import rules as rules_module
from catalyst.core.classify import WHY_LIMIT, Decision
from catalyst.core.classify_filing import AMENDED, HEAD, classify_filing
from catalyst.core.companies import Companies
from catalyst.core.edgar import Index
from catalyst.core.filing_cover import behind_cover
from catalyst.core.filing_items import CATALOGUE, short_of
from catalyst.core.filing_owners import LEAST_PURCHASE_USD
from catalyst.core.filing_rules import FilingRules
from catalyst.core.filings import Part, read_parts
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.errors import RuleError
from catalyst.messages import Amount, FilingFound, FilingRead, Offering

RULES = Rules.from_toml((Path(rules_module.__file__).parent / "rules.toml").read_text(encoding="utf-8"))
ROWS = [(1, "ACME", "Acme Therapeutics, Inc."), (1, "ACMEW", "Acme Therapeutics, Inc."), (2, "BCME-A", "Bcme Corp"),
        (2, "BCME-B", "Bcme Corp"), (3, "CCME", "Ccme Capital"), (3, "CCMEZ", "Ccme Capital"),
        (3, "CCMFF", "Ccme Capital"), (4, "DCMEU", "Dcme Acquisition"), (4, "DCME", "Dcme Acquisition"),
        (4, "DCMEW", "Dcme Acquisition"), (5, "ECMEW", "Ecme"), (5, "ECME", "Ecme"), (6, "FCMEA", "Fcme Bancshares"),
        (6, "FCMEB", "Fcme Bancshares"), (6, "FCMEO", "Fcme Bancshares")]
LIST = Companies.from_json(json.dumps({
    str(number): {"cik_str": cik, "ticker": ticker, "title": title}
    for number, (cik, ticker, title) in enumerate(ROWS)}))
QUOTE = "We are offering 4,000,000 shares of common stock for gross proceeds of $5.0 million."


def filing(form: str = "8-K", *items: str, **fields: Any) -> FilingRead:
    return FilingRead(**{
        "item_id": "0001-25-1", "source": "sec_8k", "trust": 1.0, "form": form, "amendment": form.endswith("/A"),
        "cik": "0000000001", "company": "Acme Therapeutics, Inc.", "title": f"{form} Acme", "link": "https://sec.test/",
        "items": items, "published_ms": None, "seen_ms": 1, **fields})


def decide(form: str = "8-K", *items: str, min_score: float = 0.2, **fields: Any) -> Decision:
    return classify_filing(filing(form, *items, **fields), RULES, LIST, gates=Gates(min_score), now_ms=7)


def names(decision: Decision) -> list[str]:
    return [kind.kind for kind in decision.kinds]


@pytest.mark.parametrize(("form", "items", "kinds", "direction", "reason"), [
    ("8-K", ("1.03", "9.01"), ["bankruptcy"], "down", ""),
    ("8-K", ("3",), ["bankruptcy"], "down", ""),
    ("8-K", ("3.01",), ["delisting_notice"], "down", ""),
    ("8-K", ("2.01", "3.01", "3.03", "5.01", "9.01"), ["acquisition_completed"], "neutral", ""),
    ("8-K", ("5.01",), ["change_of_control"], "neutral", ""),
    ("8-K", ("4.02",), ["non_reliance"], "down", ""),
    ("8-K", ("4.01", "9.01"), ["auditor_change"], "down", "low_score"),
    ("8-K", ("1.02",), ["contract_termination"], "down", "low_score"),
    ("8-K", ("1.01", "1.02", "2.03", "9.01"), ["contract_termination"], "down", "low_score"),
    ("8-K", ("1.01", "9.01"), ["material_agreement"], "neutral", "low_score"),
    ("8-K", ("1.01", "3.02", "9.01"), ["offering_private_placement"], "down", ""),
    ("8-K", ("2.04",), ["debt_acceleration"], "down", ""),
    ("8-K", ("2.05", "2.06"), ["workforce_reduction", "impairment"], "down", ""),
    ("8-K", ("1.05",), ["cyber_incident"], "down", ""),
    ("8-K", ("5.02",), [], "neutral", "no_catalyst"),
    ("8-K", ("5.03", "3.03"), [], "neutral", "no_catalyst"),
    ("8-K", ("5.07",), [], "neutral", "no_catalyst"),
    ("8-K", ("7.01", "9.01"), [], "neutral", "no_catalyst"),
    ("8-K", ("8.01",), [], "neutral", "no_catalyst"),
    ("8-K", ("2.02", "9.01"), [], "neutral", "no_catalyst"),
    ("6-K", (), [], "neutral", "no_catalyst"),
    ("10-Q", (), [], "neutral", "no_catalyst"),
    ("4", (), [], "neutral", "no_catalyst"),
    ("SC TO-T", (), ["tender_offer"], "up", ""),
    ("SCHEDULE 13D", (), ["activist_stake"], "up", ""),
    ("SC 13D", (), ["activist_stake"], "up", ""),
    ("SCHEDULE 13D/A", (), ["activist_stake"], "up", "low_score"),
    ("SCHEDULE 13G", (), ["passive_stake"], "neutral", "low_score"),
    ("424B5", (), ["offering"], "down", ""),
    ("424B4", (), ["offering"], "down", ""),
    ("424B3", (), ["offering"], "neutral", "low_score"),
    ("S-1", (), ["offering_registration"], "down", ""),
    ("S-3", (), ["offering_shelf"], "down", "low_score"),
    ("RW", (), ["offering_withdrawn"], "up", ""),
    ("S-3ASR", (), ["offering_shelf"], "down", "low_score"),
    ("S-8", (), ["offering_shelf"], "neutral", "low_score"),
    ("NT 10-K", (), ["late_filing"], "down", ""),
    ("ZZZ", (), [], "neutral", "no_catalyst"),
])
def test_forms_and_items(form: str, items: tuple[str, ...], kinds: list[str], direction: str, reason: str) -> None:
    """Forms and items make kinds by the table; routine ones make none, light ones do not pass by themselves."""
    decision = decide(form, *items)
    assert (names(decision), decision.direction, decision.reason) == (kinds, direction, reason)
    assert len(decision.why) <= WHY_LIMIT


@pytest.mark.parametrize(("form", "stage", "type_", "kind", "direction", "reason"), [
    ("424B5", "pricing", "public", "offering_pricing", "down", ""),
    ("424B5", "announcement", "public", "offering_announcement", "down", ""),
    ("424B5", "announcement", "atm", "offering_atm", "down", ""),
    ("424B5", "announcement", "equity_line", "offering_atm", "down", ""),
    ("424B5", "pricing", "registered_direct", "offering_registered_direct", "down", ""),
    ("424B5", "pricing", "notes", "offering_debt", "neutral", ""),
    ("424B3", "announcement", "resale", "offering_resale", "down", ""),
    ("8-K", "pricing", "convertible_notes", "offering_convertible", "down", ""),
    ("8-K", "pricing", "private_placement", "offering_private_placement", "down", ""),
    ("8-K", "announcement", "warrants", "offering_warrants", "down", ""),
    ("8-K", "upsize", "public", "offering_upsize", "down", ""),
    ("8-K", "closing", "private_placement", "offering_closing", "neutral", ""),
    ("S-1", "announcement", "ipo", "offering_ipo", "neutral", ""),
    ("S-1", "announcement", "rights", "offering_rights", "down", ""),
    ("S-3", "announcement", "shelf", "offering_shelf", "down", "low_score"),
    ("S-3", "announcement", "resale", "offering_resale", "down", "low_score"),
    ("S-3", "announcement", "atm", "offering_atm", "down", ""),
    ("424B2", "announcement", "notes", "offering_debt", "neutral", "noise:structured_note"),
    ("FWP", "pricing", "notes", "offering_debt", "neutral", ""),
    ("FWP", "pricing", "convertible_notes", "offering_convertible", "down", ""),
    ("FWP", "pricing", "public", "offering_pricing", "down", ""),
])
def test_sales(form: str, stage: Any, type_: str, kind: str, direction: str, reason: str) -> None:
    """A sale that was read has one kind, which begins with offering; its phrase is the sentence of its amount."""
    decision = decide(form, offering=Offering(stage, type_, gross_proceeds=Amount(5e6, QUOTE)))
    assert (names(decision), decision.direction, decision.reason) == ([kind], direction, reason)
    assert decision.kinds[0].phrase == QUOTE
    assert [part.cause for part in decision.parts if part.name == "stated"] == [f"gross_proceeds 5000000: {QUOTE}"]
    assert decision.score == pytest.approx(sum(part.value for part in decision.parts))


def test_a_sale_without_figures_or_row() -> None:
    """Without an amount the phrase says stage and type; a table without rows still knows a sale."""
    assert decide("424B5", offering=Offering("pricing", "public")).kinds[0].phrase == "public, pricing"
    bare = Rules.from_toml('[[kind]]\nname = "office"\ndirection = "up"\nweight = 0.5\nphrases = ["opens an office"]\n')
    decision = classify_filing(filing("424B5", offering=Offering("pricing", "public")), bare, LIST, gates=Gates(0.2),
                               now_ms=7)
    assert (names(decision), decision.direction, decision.decision) == (["offering"], "down", "alert")


def test_what_could_not_be_read() -> None:
    """An unread prospectus is still a sale and says so; an opinion about what was not read does not count."""
    for form in ("424B3", "424B4", "424B5"):
        decision = decide(form, unread="too_big", sentiment=-0.9)
        assert (names(decision), decision.decision) == (["offering"], "alert")
        assert decision.why.endswith("; not read: too_big")
        assert [part.name for part in decision.parts] == ["lead"]
    assert decide("8-K", "8.01", unread="http_503").why.endswith("; not read: http_503")


@pytest.mark.parametrize("company", ["JPMORGAN CHASE & CO", "Bank of Montreal /CAN/", "UBS AG", "GS Finance Corp."])
def test_terms_of_banks_are_noise(company: str) -> None:
    """A bank's free writing prospectus and pricing supplement are about its notes."""
    for form in ("FWP", "424B2"):
        assert decide(form, company=company, unread="not_fetched").reason == "noise:structured_note"
    assert decide("FWP", unread="not_fetched").reason == "low_score"


def test_the_release_is_read_as_a_story() -> None:
    """Headline and head of the release go through the phrase rules, the headline at full weight."""
    decision = decide("8-K", "8.01", "9.01", headline="Acme Receives FDA Approval for Xyz",
                      text="Acme also signed a license agreement with Bcme.")
    assert names(decision) == ["fda_approval", "license"]
    assert decision.why.startswith("fda_approval (up): “Receives FDA Approval” in the headline, score 1.00")
    body = decide("8-K", "8.01", headline="Acme Reports on Xyz", text="It received FDA approval for Xyz.")
    assert names(body) == ["fda_approval"]
    assert "in the release" in body.why
    assert body.score < decision.score


def test_legal_text_makes_no_kind() -> None:
    """Behind the head of a release, in a text without a release, and in an item's title no kind is found."""
    risk = "We have filed for bankruptcy. Phase 3 trial failed. "
    late = decide("8-K", "8.01", headline="Acme Reports on Xyz", text=f"{'Nothing is new here. ' * 80}{risk}")
    assert len("Nothing is new here. " * 80) > HEAD
    assert names(late) == []
    assert names(decide("8-K", "8.01", text=risk)) == []
    assert names(decide("424B5", text=risk, summary=risk)) == ["offering"]
    listed = ("Notice of Delisting or Failure to Satisfy a Continued Listing Rule or Standard; Transfer of Listing;"
              " Departure of Directors or Certain Officers; Completion of Acquisition or Disposition of Assets")
    assert names(decide("8-K", "5.02", summary=listed)) == []
    assert names(decide("8-K", "8.01", summary="Board approves reverse stock split of 1 for 20")) == ["reverse_split"]


def test_noise_counts_in_the_headline_only() -> None:
    """A noisy headline drops a routine filing, not one whose form is news; noise in the text drops nothing."""
    headline = "Acme to Present at Cowen Healthcare Conference"
    assert decide("8-K", "7.01", headline=headline).reason == "noise:conference"
    assert decide("8-K", "3.01", headline=headline).decision == "alert"
    assert decide("8-K", "3.01", headline="Acme Gets Notice", text="Contact the law firm. Class period.").decision == (
        "alert")


def test_one_kind_a_family() -> None:
    """The headline's word for a thing goes before the item's, the sale that was read before both."""
    regained = decide("8-K", "3.01", headline="Acme Regains Compliance with Nasdaq Minimum Bid Price")
    assert names(regained) == ["compliance_regained"]
    sale = decide("8-K", "1.01", "3.02", headline="Acme Announces Pricing of Public Offering",
                  offering=Offering("pricing", "registered_direct", price=Amount(1.25, QUOTE)))
    assert names(sale) == ["offering_registered_direct"]
    assert sale.kinds[0].phrase == QUOTE


def test_light_kinds_give_way() -> None:
    """What says little is left out beside what says much; a sale never is."""
    both = decide("8-K", "1.01", "4.01", "9.01")
    assert (names(both), both.reason) == (["auditor_change", "material_agreement"], "low_score")
    assert names(decide("8-K", "1.01", "1.03", "4.01")) == ["bankruptcy"]
    release = {"headline": "Acme Receives FDA Approval for Xyz"}
    assert names(decide("S-3", **release)) == ["fda_approval", "offering_shelf"]


def test_what_the_headline_names_leads() -> None:
    """A sale leads unless a release tells other news."""
    offering = Offering("pricing", "public", gross_proceeds=Amount(5e6, QUOTE))
    approval = decide("8-K", "8.01", headline="Acme Receives FDA Approval for Xyz", offering=offering)
    assert names(approval) == ["fda_approval", "offering_pricing"]
    assert approval.direction == "up"
    assert names(decide("8-K", "1.03", offering=offering)) == ["offering_pricing", "bankruptcy"]


def test_insiders() -> None:
    """A purchase on the open market is a catalyst, a sale is light, a grant is nothing."""
    buys = decide("4", summary="J. Doe (CEO) buys 100,000 shares at $1.10 of Acme on the open market", sentiment=0.5)
    assert (names(buys), buys.direction, buys.decision) == (["insider_buying"], "up", "alert")
    assert buys.kinds[0].phrase == "buys"
    sells = decide("4", summary="J. Doe (CEO) sells 10,000 shares of Acme on the open market", sentiment=-0.2)
    assert (names(sells), sells.reason) == (["insider_selling"], "low_score")
    assert names(decide("4", summary="J. Doe was granted 5,000 shares of Acme")) == []


@pytest.mark.parametrize(("summary", "kinds"), [
    (f"Jo Doe buys {LEAST_PURCHASE_USD:,.0f} shares at about $1.00 of Acme on the open market", ["insider_buying"]),
    (f"Jo Doe buys {LEAST_PURCHASE_USD - 1:,.0f} shares at $1.00 of Acme on the open market", []),
    ("Jo Doe buys 500 shares of Acme on the open market", ["insider_buying"]),
    ("Sell Jane was granted 250,000 shares of Best Buy Co Inc", []),
    ("Sell Jane buys 250,000 shares at $2.00 of Best Buy Co Inc on the open market", ["insider_buying"]),
])
def test_a_trade_is_its_verb_and_its_size(summary: str, kinds: list[str]) -> None:
    """Names are no words, and a purchase of little money is no catalyst; one of unknown size is."""
    assert names(decide("4", summary=summary)) == kinds


@pytest.mark.parametrize("said", [
    "it has not regained compliance with Listing Rule 5550(a)(2) and its common stock will be delisted",
    "it had failed to demonstrate that it regained compliance and its securities would be delisted",
    "as it had not, as of November 16, 2026, regained compliance, trading will be suspended",
    "unless it regains compliance its shares will be delisted", "it may apply to transfer its listing",
])
def test_a_negated_exception_is_none(said: str) -> None:
    """Item 3.01 stays bad news where compliance was not regained, or a transfer is only possible."""
    told = f"Notice of delisting or failure to meet a listing rule: On May 5, 2026 Nasdaq told the Company that {said}."
    decision = decide("8-K", "3.01", summary=told)
    assert (decision.kinds[0].kind, decision.direction) == ("delisting_notice", "down")
    assert "compliance_regained" not in names(decision)


def test_compliance_that_was_regained() -> None:
    """Item 3.01 is also filed when the matter is closed; a negation before another matter does not change that."""
    for said in ("as of May 5, 2026, the Company has regained compliance with the rule",
                 "the Company was not in compliance and has now regained compliance with the rule"):
        assert "delisting_notice" not in names(decide("8-K", "3.01", summary=f"Nasdaq confirmed that {said}."))
    told = decide("8-K", "3.01", summary="The Company has regained compliance with Listing Rule 5550(a)(2).")
    assert names(told) == ["compliance_regained"]


@pytest.mark.parametrize(("items", "said", "direction"), [
    (("1.02",), "Titan delivered notice terminating the Agreement and Plan of Merger with Acme", "down"),
    (("1.02",), "Acme received written notice from Titan terminating the Merger Agreement", "down"),
    (("1.02",), "The Merger Agreement among Acme, Titan Inc. and Sub, Inc. was terminated by Titan", "down"),
    (("1.02",), "Titan agreed to buy Acme; the parties ended their definitive merger agreement", "down"),
    (("1.01", "1.02"), "Acme entered into an Agreement and Plan of Merger with Rhea and ended another", "up"),
    (("1.01",), "Acme entered into an Agreement and Plan of Merger with Titan", "up"),
])
def test_ended_mergers(items: tuple[str, ...], said: str, direction: str) -> None:
    """With item 1.02 and without 1.01 a merger agreement is one that is ended, and no deal is good news."""
    decision = decide("8-K", *items, summary=f"{short_of(items[0])}: {said}.")
    assert (decision.kinds[0].kind in ("merger", "acquisition_target"), decision.direction) == (
        direction == "up", direction)
    assert direction == "up" or names(decision) == ["merger_terminated"]


@pytest.mark.parametrize("item", CATALOGUE)
def test_our_own_words_are_not_searched(item: str) -> None:
    """What the summary calls an item makes no kind, alone or before what the filing says."""
    for summary in (short_of(item), f"{short_of(item)}: The parties met on that day."):
        assert names(decide("8-K", summary=summary)) == []
        assert names(decide("8-K", item, summary=summary)) == names(decide("8-K", item))


def test_a_release_without_a_headline_is_read() -> None:
    """The head of a release counts where no line looks like a title; the filing's own text does not."""
    said = "Acme Corp. today announced that it received FDA approval for Xyz."
    assert names(decide("8-K", "8.01", text=said, is_release=True)) == ["fda_approval"]
    assert names(decide("8-K", "8.01", text=said)) == []


COVER = """UNITED STATES
SECURITIES AND EXCHANGE COMMISSION
FORM 6-K
For the month of November 2026
Commission File Number: 001-31269
ACME LTD.
(Address of principal executive offices)
Indicate by check mark whether the registrant files annual reports under cover of Form 20-F or Form 40-F.
Form 20-F [X] Form 40-F [ ]
"""
SIGNED = "SIGNATURES\nThe reverse stock split is signed."


@pytest.mark.parametrize(("said", "kinds"), [
    ("Acme received a staff determination letter from Nasdaq to delist its ordinary shares.", ["delisting"]),
    ("The board approved a 1-for-40 share consolidation.", ["reverse_split"]),
    ("Acme signed a merger agreement: Titan will acquire all outstanding shares for $3.10 per share in cash.",
     ["acquisition_target"]),
    ("Mr. Li resigned as Chief Executive Officer of Acme.", ["management_exit"]),
    ("This report is incorporated by reference into the registration statement on Form F-3 for an offering.", []),
    ("", []),
])
def test_foreign_reports_without_a_release(said: str, kinds: list[str]) -> None:
    """What stands between cover and signatures of a 6-K is its news."""
    body = behind_cover(f"{COVER}{said}\n{SIGNED}")
    assert names(decide("6-K", text=body)) == kinds
    assert body == ("" if "incorporated" in said else said)


@pytest.mark.parametrize(("form", "parts", "kinds"), [
    ("8-K", [("8-K", "FORM 8-K\nItem 8.01 Other Events\nAcme issued a press release."),
             ("EX-99.1", "Exhibit 99.1\nAUSTIN, May 5, 2026 (GLOBE NEWSWIRE) -- Acme Corp. today announced that it "
                         "received FDA approval for Xyz.")], ["fda_approval"]),
    ("8-K", [("8-K", "FORM 8-K\nItem 8.01 Other Events\nSee below.\nAcme received FDA approval for Xyz.")], []),
    ("6-K", [("6-K", f"{COVER}The board approved a 1-for-40 reverse stock split.\n{SIGNED}")], ["reverse_split"]),
])
def test_from_documents_to_kinds(form: str, parts: list[tuple[str, str]], kinds: list[str]) -> None:
    """What sec reads of a release without a headline, and behind the cover of a foreign report, reaches the rules."""
    found = FilingFound(item_id="0001-26-1", source="sec", trust=1.0, form=form, cik="0000000001", company="Acme",
                        title=form, link="https://sec.test/", published_ms=None, seen_ms=1)
    index = Index("", form, "", "", (), None, None, ())
    read = read_parts(form, "", "1", "Acme", [], [Part(kind, "", text.encode()) for kind, text in parts])
    message = message_of(found, analysis_of(found, index, read), "ACME")
    assert (read.headline, message.is_release) == ("", len(parts) > 1)
    assert names(classify_filing(message, RULES, LIST, gates=Gates(0.2), now_ms=7)) == kinds


def test_a_holder_who_proposes_to_buy_the_company() -> None:
    """The proposal that item 4 states makes a target; the names in the sentence before it do not."""
    line = "Offer To Buy LP reports 24 % of Acme"
    offered = decide("SCHEDULE 13D/A", summary=f"{line}: The holder made a proposal to acquire all shares for $5.00.")
    assert (names(offered), offered.decision) == (["acquisition_target", "activist_stake"], "alert")
    assert offered.kinds[0].phrase == "proposal to acquire"
    assert names(decide("SCHEDULE 13D/A", summary=line)) == ["activist_stake"]


def test_officers_who_leave() -> None:
    """Words of the filing say who leaves; who retires in order is no catalyst."""
    left = decide("8-K", "5.02", summary="Director or officer change: Jo Doe resigned as Chief Executive Officer.")
    assert (names(left), left.kinds[0].phrase) == (["management_exit"], "resigned as Chief Executive")
    assert names(decide("8-K", "5.02", summary="Director or officer change: Jo Doe resigned as President to retire."
                        )) == []


def test_transfer_of_a_listing_is_no_delisting() -> None:
    """Item 3.01 is also filed by companies that change the exchange."""
    assert names(decide("8-K", "3.01", "8.01", headline="Acme to Transfer Its Listing to NYSE")) == []


def test_amendments_count_less() -> None:
    """An amendment keeps a share of the score and says what it is."""
    first, second = decide("8-K", "1.03"), decide("8-K/A", "1.03")
    assert second.score == pytest.approx(first.score * AMENDED)
    assert second.why.endswith("; amendment")
    assert [part.name for part in second.parts] == ["lead", "kept"]
    assert "amendment" in second.parts[1].cause
    assert decide("8-K/A", "2.01").reason == "low_score"
    assert decide("8-K/A", "2.01").why.endswith("; amendment")


@pytest.mark.parametrize(("cik", "told", "traded", "others"), [
    (1, "ACME", ["ACME"], ["ACMEW"]),
    (1, "", ["ACME"], ["ACMEW"]),
    (2, "BCME-B", ["BCME-B", "BCME-A"], []),
    (3, "CCME", ["CCME"], ["CCMEZ", "CCMFF"]),
    (4, "", ["DCME"], ["DCMEU", "DCMEW"]),
    (5, "NOPE", ["ECME"], ["ECMEW"]),
    (6, "", ["FCMEA", "FCMEB"], ["FCMEO"]),
])
def test_ticker_by_cik(cik: int, told: str, traded: list[str], others: list[str]) -> None:
    """All classes of shares of the filer are alerted; its warrants, units, notes and lines abroad are not."""
    decision = decide("8-K", "1.03", cik=f"{cik:010}", ticker=told, headline="Zeta (Nasdaq: ZETA) and (NYSE: YETA)")
    assert [one.ticker for one in decision.traded] == traded
    assert [one.ticker for one in decision.tickers if not one.alertable] == others
    assert [one.role for one in decision.tickers] == ["primary"] + ["secondary"] * (len(decision.tickers) - 1)
    assert {one.evidence for one in decision.tickers} == {f"Acme Therapeutics, Inc. ({cik:010})"}


def test_no_ticker() -> None:
    """A filer that the list does not know has no ticker, whatever its text says; the reason names it."""
    decision = decide("8-K", "1.03", cik="0000000099", headline="Acme (Nasdaq: ACME) Files for Chapter 11")
    assert (decision.reason, decision.tickers) == ("no_ticker", ())
    assert decision.why == "Acme Therapeutics, Inc. (0000000099) is not in the company list"
    assert "no CIK" in decide("8-K", cik="").why
    without = classify_filing(filing("8-K", "1.03"), RULES, None, gates=Gates(0.2), now_ms=7)
    assert without.reason == "no_ticker"
    told = classify_filing(filing("8-K", "1.03", ticker="ACME"), RULES, None, gates=Gates(0.2), now_ms=7)
    assert [one.ticker for one in told.traded] == ["ACME"]


def test_watched_and_trust() -> None:
    """Watched tickers are marked and a source of less trust counts less, as for stories."""
    decision = classify_filing(filing("8-K", "1.03", trust=0.5), RULES, LIST, gates=Gates(0.2),
                               watched=frozenset(("ACME", "BCME-A")), now_ms=7)
    assert decision.watched == ("ACME",)
    assert decision.score == pytest.approx(0.9)


SAMPLE = st.sampled_from(
    ("", "Acme Receives FDA Approval", QUOTE, "Item 3.01", "not", "reverse stock split", "İ\u2028 “"))
AMOUNTS = st.none() | st.builds(Amount, st.floats(0, 1e15), st.text(max_size=40) | SAMPLE)
FILINGS = st.builds(
    filing, st.sampled_from(("8-K", "8-K/A", "424B5", "424B2", "S-3", "4", "FWP", "6-K", "")) | st.text(max_size=8),
    amendment=st.booleans(), cik=st.sampled_from(("", "0000000001", "0000000002", "9999999999")),
    ticker=st.sampled_from(("", "ACME", "a b", "$")), company=st.text(max_size=20) | SAMPLE,
    headline=st.text(max_size=60) | SAMPLE, text=st.text(max_size=200) | SAMPLE, summary=st.text(max_size=60) | SAMPLE,
    items=st.lists(st.sampled_from(("1.01", "3.01", "3.02", "5.02", "x")), max_size=4).map(tuple),
    sentiment=st.floats(-1, 1), unread=st.sampled_from(("", "too_big")), trust=st.floats(0, 1),
    offering=st.none() | st.builds(
        Offering, st.sampled_from(("announcement", "pricing", "upsize", "closing")),
        st.sampled_from(("public", "atm", "notes", "")) | st.text(max_size=12), gross_proceeds=AMOUNTS, shares=AMOUNTS,
        price=AMOUNTS, warrants=AMOUNTS, dilution_pct=AMOUNTS))


@given(FILINGS)
def test_any_filing(item: FilingRead) -> None:
    """Nothing raises; the same filing gives the same decision; every phrase is literally in the filing."""
    first = classify_filing(item, RULES, LIST, gates=Gates(0.2), now_ms=7)
    assert first == classify_filing(item, RULES, LIST, gates=Gates(0.2), now_ms=7)
    assert 0 <= first.score <= 1
    assert (first.decision == "alert") == (not first.reason)
    assert first.decision == "drop" or (first.score >= 0.2 and first.traded)
    said = [item.form, item.headline, item.text, item.summary, *(f"Item {one}" for one in item.items)]
    if item.offering is not None:
        amounts = (item.offering.gross_proceeds, item.offering.shares, item.offering.price, item.offering.warrants,
                   item.offering.dilution_pct)
        said += [f"{item.offering.type}, {item.offering.stage}", *(one.quote for one in amounts if one is not None)]
        assert any(kind.kind.startswith("offering") for kind in first.kinds)
    flat = [" ".join(one.split()) for one in said]
    assert all(any(" ".join(kind.phrase.split()) in one for one in flat) for kind in first.kinds)


@pytest.mark.parametrize(("changes", "words"), [
    ({"name": "Bad Name"}, "name"), ({"source": " "}, "source"), ({"forms": []}, "forms"), ({"forms": ["*"]}, "forms"),
    ({"items": ["9"], "without": ["1.1"]}, "items"), ({"stages": ["done"]}, "stages"),
    ({"types": ["At-Market"]}, "types"), ({"says": ["x"]}, "says"),
    ({"direction": "sideways"}, "direction"), ({"weight": 0}, "weight"),
    ({"weight": 1.5}, "weight"), ({"weight": "much"}, "weight"), ({"noise": True}, "weight"), ({"nmae": "x"}, "nmae"),
])
def test_wrong_rows(changes: dict[str, Any], words: str) -> None:
    """A wrong row is refused by number, name and field."""
    row = {"name": "thing", "source": "made up", "forms": ["8-K"], "direction": "up", "weight": 0.5}
    FilingRules.of([row])
    with pytest.raises(RuleError, match=words):
        FilingRules.of([{**row, **changes}])
    with pytest.raises(RuleError, match="brackets"):
        FilingRules.of(row)
