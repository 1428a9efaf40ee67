"""When two stories are one: titles, texts and tickers, for and against."""

from __future__ import annotations

from dataclasses import dataclass, replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalyst.core.duplicates import Print, compare, correction_weight, print_of, repeat_key, text_words
from catalyst.core.stories import title_signature

HOUR_MS = 3_600_000
TITLE = "Acme Robotics Announces Positive Phase 2 Results of Zolvex in Severe Asthma"
BODY = ("Acme Robotics, Inc. (Nasdaq: ACME), a maker of inhaled medicines, today announced positive results of its "
        "Phase 2 trial of Zolvex in severe asthma. The trial met its primary endpoint in 412 patients (p=0.003). "
        "Cash of $52.5 million lasts into 2028, and a Phase 3 trial will begin in May.")


@dataclass(frozen=True)
class Told:
    """A story as one wire tells it."""

    title: str = TITLE
    text: str = "AUSTIN, Texas, March 3, 2026 /PRNewswire/ -- " + BODY
    symbols: tuple[str, ...] = ()
    published_ms: int | None = 0

    @property
    def print(self) -> Print:
        """Its print."""
        return print_of(self.title, title_signature(self.title), self.text, self.symbols, self.published_ms)


FIRST = Told(symbols=("Nasdaq:ACME",))
OTHER_WIRE = Told(text="AUSTIN, Texas--(BUSINESS WIRE)--" + BODY)


def verdict(one: Told, other: Told) -> str:
    """What is said of two stories, the same in either order."""
    found = compare(one.print, other.print, 48 * HOUR_MS)
    assert compare(other.print, one.print, 48 * HOUR_MS) == found
    return found


@pytest.mark.parametrize("title", [
    TITLE, TITLE.upper(), TITLE.replace("Announces", "Unveils"), TITLE.replace("Acme Robotics", "Acme Robotics, Inc."),
    "Acme Robotics (NASDAQ: ACME) Reports Positive Phase II Data of Zolvex in Severe Asthma",
    "In Severe Asthma, Acme Robotics Announces Positive Phase 2 Results of Zolvex",
    "Zolvex of Acme Robotics Achieves Primary Endpoint in Phase 2 Trial", TITLE[:52] + "...",
    TITLE + "; Company to Host Conference Call on March 12", TITLE.replace("Robotics", "Robtoics"),
    TITLE + " - MarketWatch", "Acme Touts Phase 2 Results of Zolvex"])
def test_edited_titles_over_one_text(title: str) -> None:
    """What wires do to a title does not make another story where the text is the same."""
    assert verdict(FIRST, replace(OTHER_WIRE, title=title)) == "same"


@pytest.mark.parametrize("text", [
    OTHER_WIRE.text, BODY[:260] + " ...", BODY[:220], BODY.upper(), "• Endpoint met\n• Call today\n" + BODY,
    BODY.replace("$52.5 million", "$52,500,000")])
def test_texts_that_are_cut_otherwise(text: str) -> None:
    """A shorter text, another dateline, other forms of a number: the same passage."""
    assert verdict(FIRST, replace(OTHER_WIRE, title=TITLE.replace("Announces Positive", "Touts"), text=text)) == "same"


@pytest.mark.parametrize("other", [
    replace(OTHER_WIRE, symbols=("NYSE:ZEN",), text=BODY.replace("(Nasdaq: ACME)", "")),
    replace(OTHER_WIRE, text=BODY.replace("412", "380")),
    replace(OTHER_WIRE, published_ms=49 * HOUR_MS), replace(OTHER_WIRE, title=TITLE.replace("Phase 2", "Phase 3")),
    replace(OTHER_WIRE, title=TITLE.replace("Zolvex", "Brimax"), text=OTHER_WIRE.text.replace("Zolvex", "Brimax")),
    replace(OTHER_WIRE, title="Acme Robotics Announces Closing of Public Offering of Common Stock",
            text="Acme Robotics, Inc. (Nasdaq: ACME) today announced the closing of its public offering of shares."),
    replace(OTHER_WIRE, title=TITLE.replace("Positive Phase 2 Results of", "Failure of"), text=""),
    replace(OTHER_WIRE, title="Acme Robotics to Report Phase 2 Results of Zolvex in Severe Asthma")])
def test_what_speaks_against_it(other: Told) -> None:
    """Other tickers, numbers, days, products, steps: another story, whatever else agrees."""
    assert verdict(FIRST, other) != "same"


def test_one_text_of_a_law_firm_for_two_companies() -> None:
    """A notice whose text is the same but for the company is not merged, with and without tickers."""
    text = ("Rosen Law Firm reminds purchasers of securities of {} between March 2 and May 9 that they may seek "
            "appointment as lead plaintiff in the class action. You may be entitled to compensation without payment of "
            "any fees through a contingency fee arrangement. To join, call the firm today.")
    title = "ROSEN, A LEADING FIRM, Encourages {} Investors to Inquire About Securities Class Action"
    told = [Told(title.format(name), text.format(name)) for name in ("Neogen Corporation", "Altimmune, Inc.")]
    assert verdict(*told) != "same"


def test_steps_of_one_offering() -> None:
    """A proposed, a priced and a closed offering are three stories."""
    text = ("Acme Robotics, Inc. (Nasdaq: ACME) today announced the {} of its public offering of {} shares at $2.50 "
            "each.")
    told = [Told(f"Acme Robotics Announces {step} of Public Offering of Common Stock",
                 text.format(step.lower(), "1,000,000")) for step in ("Proposal", "Pricing", "Closing")]
    assert {verdict(told[a], told[b]) for a, b in ((0, 1), (1, 2), (0, 2))} == {"unsure"}


def test_boilerplate_titles_need_their_texts() -> None:
    """A title that names nearly nothing merges only over one text."""
    text = "Acme plc announces that on {} it purchased {} of its ordinary shares at an average price of {} pence each."
    one, again, other = (Told("Acme plc: Transaction in Own Shares", text.format(*values))
                         for values in (("3 March", "1,200", "88"), ("3 March", "1,200", "88"),
                                        ("4 March", "900", "91")))
    assert verdict(one, again) == "same"
    assert verdict(one, other) != "same"
    assert verdict(one, replace(again, text="")) == "unsure"


def test_titles_alone() -> None:
    """Without texts, titles that say the same in the same order still merge, others not."""
    bare = Told(text="")
    assert verdict(bare, replace(bare, title=TITLE.replace("Results", "Data"))) == "same"
    assert verdict(bare, replace(bare, title=TITLE + "; Company to Host Call")) == "same"
    assert verdict(bare, replace(bare, title="Severe Asthma: Acme Robotics Announces Phase 2 Results")) == "unsure"


@pytest.mark.parametrize(("title", "corrects"), [
    ("CORRECTION: " + TITLE, True), ("UPDATE -- " + TITLE.replace("Phase 2", "Phase 2b"), True),
    ("CORRECTING and REPLACING " + TITLE.replace("Severe", "Serious"), True),
    ("CORRECTION: Acme Robotics Prices Public Offering of Common Stock", False),
    ("CORRECTION: " + TITLE.replace("Acme Robotics", "Zenith Motors").replace("Zolvex", "Brimax"), False)])
def test_corrections(title: str, corrects: bool) -> None:
    """A correction is known by company and words; numbers and a word may be what it corrects."""
    mark = replace(OTHER_WIRE, title=title).print
    assert mark.mark
    assert (correction_weight(mark, FIRST.print, 96 * HOUR_MS) > 0) is corrects
    other = replace(FIRST, symbols=("Nasdaq:ZEN",), text=FIRST.text.replace("Nasdaq: ACME", "Nasdaq: ZEN"))
    assert correction_weight(mark, other.print, 96 * HOUR_MS) <= 0


def test_a_correction_that_quotes_the_old_title() -> None:
    """PR Newswire's correction names the company only; the text quotes what it corrects."""
    mark = Told("/C O R R E C T I O N -- Acme Robotics/", f"In the news release, {TITLE}, issued 03-Mar-2026 by Acme "
                "over PR Newswire, the second paragraph should read otherwise.").print
    assert correction_weight(mark, FIRST.print, 96 * HOUR_MS) > 0


def test_repeat_keys() -> None:
    """One text under one title is known by its letters; a short or nameless one has no key."""
    key = repeat_key(TITLE, title_signature(TITLE), BODY)
    assert key
    assert key == repeat_key(TITLE.upper(), title_signature(TITLE), "  " + BODY.replace(" ", "\n"))
    assert key != repeat_key(TITLE, title_signature(TITLE), BODY.replace("412", "413"))
    assert repeat_key(TITLE, title_signature(TITLE), "Too short") == ""
    assert repeat_key("ROCC", title_signature("ROCC"), BODY) == ""


def test_datelines_are_left_out() -> None:
    """Each wire's dateline goes; the words behind it are the same."""
    assert {tuple(text_words(head + "Acme Robotics said that it will build boats.")) for head in (
        "", "AUSTIN, Texas, March 03, 2026 (GLOBE NEWSWIRE) -- ", "AUSTIN, Texas--(BUSINESS WIRE)--",
        "AUSTIN, Texas / ACCESS Newswire / March 3, 2026 / ", "AUSTIN, Texas, March 3, 2026 -- ")} == {
        tuple(text_words("Acme Robotics said that it will build boats."))}


@given(st.text(max_size=120), st.text(max_size=300), st.text(max_size=120), st.text(max_size=300))
def test_any_stories(title: str, text: str, other_title: str, other_text: str) -> None:
    """Any texts can be compared, in either order; a print is the same after it was stored."""
    one, other = Told(title, text).print, Told(other_title, other_text).print
    assert compare(one, other, HOUR_MS) == compare(other, one, HOUR_MS)
    assert correction_weight(one, other, HOUR_MS) <= 3
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(one), type=Print) == one
