"""The gates behind the score, and what strong bad news passes."""

from __future__ import annotations

import pytest

from catalyst.core.classify import Decision, Story, classify
from catalyst.core.sieve import Gates
from catalyst.errors import ConfigError
from tests.core.test_evidence import LIST, MODEL, RULES

KNOWN = ("offering_pricing", "offering_closing", "fda_approval", "bankruptcy", "management_exit")
STRONG = "Acme (Nasdaq: ACME) Receives FDA Approval for Xyz"
WEAK = "Acme (Nasdaq: ACME) Names New CFO"


def decide(title: str, summary: str = "", *, min_score: float = 0.2, **gates: object) -> Decision:
    return classify(Story("x", title, summary), RULES, LIST, model=MODEL, now_ms=0,
                    gates=Gates(min_score, **gates))  # type: ignore[arg-type]


@pytest.mark.parametrize(("score", "tone", "kinds", "gates", "reason"), [
    (0.2, 0.0, ("a",), Gates(0.2), ""), (0.19, 0.9, ("a",), Gates(0.2), "low_score"),
    (0.9, 0.29, ("a",), Gates(0.2, 0.3), "sent_gate"), (0.9, -0.3, ("a",), Gates(0.2, 0.3), ""),
    (0.9, 0.0, ("fda_hold",), Gates(0.2, 0, ("fda",)), ""),
    (0.9, 0.0, ("fdax",), Gates(0.2, 0, ("fda",)), "category_gate"),
    (0.9, 0.0, ("a", "b"), Gates(0.2, 0, ("b",)), ""), (0.9, 0.0, ("a",), Gates(0.2, 0, ("b", "c")), "category_gate"),
    (0.1, 0.0, ("a",), Gates(0.2, 0.3, ("b",)), "low_score"), (0.9, 0.0, ("a",), Gates(0.2, 0.3, ("b",)), "sent_gate")])
def test_gates(score: float, tone: float, kinds: tuple[str, ...], gates: Gates, reason: str) -> None:
    """Score, sentiment and kinds are asked in this order; limits are inclusive, a first word means all its kinds."""
    assert gates.reason(score, tone, kinds) == reason


@pytest.mark.parametrize(("entries", "allowed"), [
    ((), ()), (("offering",), ("offering",)), (("Offering_Pricing ", "fda"), ("offering_pricing", "fda")),
    (("management",), ("management",))])
def test_kinds_that_there_are(entries: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    """Names of kinds and their first words are taken in any case."""
    assert Gates.of(0.2, 0, entries, KNOWN).allowed == allowed


@pytest.mark.parametrize(("entry", "near"), [
    ("ofering", "offering"), ("fda_aproval", "fda_approval"), ("bankrupcy", "bankruptcy"), ("qqq", ""),
    ("off", "offering")])
def test_kinds_that_there_are_not(entry: str, near: str) -> None:
    """A kind that no rule makes is an error that names the nearest; a piece of a word is none."""
    with pytest.raises(ConfigError, match=f"CATEGORIES_ALLOW: no rule makes the kind '{entry}'") as error:
        Gates.of(0.2, 0, ("fda", entry), KNOWN)
    assert str(error.value).endswith(f"did you mean {near}?" if near else f"{entry}'")


def test_a_decision_passes_the_gates() -> None:
    """Each gate drops with its own reason and says why; open ones drop nothing."""
    assert decide(STRONG).decision == "alert"
    quiet = decide("Acme (Nasdaq: ACME) Announces Reverse Stock Split", min_tone=0.95)
    assert (quiet.reason, quiet.decision) == ("sent_gate", "drop")
    assert quiet.why.startswith("sentiment ")
    assert "within +-0.95; reverse_split" in quiet.why
    other = decide(STRONG, allowed=("offering", "bankruptcy"))
    assert (other.reason, other.why[:51]) == ("category_gate", "none of its kinds is one of offering, bankruptcy; f")
    assert decide(STRONG, allowed=("fda",)).decision == "alert"
    assert decide(WEAK, min_tone=1.0, allowed=("offering",)).reason == "low_score"
    assert decide("Acme (Nasdaq: ACME) Opens an Office", allowed=("offering",)).reason == "no_catalyst"


def test_bypass_is_a_part_of_the_score() -> None:
    """Strong bad news is lifted to the score gate by a part that says why; the parts still add up."""
    one = decide("Acme (Nasdaq: ACME) Update", "Acme filed for Chapter 11 bankruptcy.", min_score=0.9)
    assert (one.decision, one.score) == ("alert", 0.9)
    bypass = one.parts[-1]
    assert (bypass.name, bypass.value > 0) == ("bypass", True)
    assert bypass.cause.startswith("strong bad news by its kind, weight 1.00: ")
    assert bypass.words[0].field == "summary"
    assert sum(part.value for part in one.parts) == pytest.approx(0.9, abs=1e-3)
    assert decide("Acme (Nasdaq: ACME) Phase 3 Trial Met Primary Endpoint", min_score=1.0).reason == "low_score"


def test_the_other_gates_hold_for_bad_news() -> None:
    """The bypass is one of the score gate alone: who allows some kinds only gets those."""
    one = decide("Acme (Nasdaq: ACME) Files for Chapter 11", min_score=1.0, allowed=("fda",))
    assert one.reason == "category_gate"
