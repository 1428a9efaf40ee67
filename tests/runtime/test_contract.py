"""catalyst.runtime.contract: a class that does not do what it declares is refused when it is made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from catalyst.errors import ContractError
from catalyst.messages import ItemDropped, OpsNotice
from catalyst.runtime.contract import (
    Actor,
    Every,
    Job,
    JobKind,
    application_id,
    compare_header,
    header_contract,
    snake,
)
from catalyst.runtime.roster import ALL, WORKERS, check_names, load_actor
from tests.runtime.cast import Errand, Parcel, Taker


def nothing(*_: Any) -> Iterator[Any]:
    """A method that does nothing."""
    return iter(())


def make(**attributes: Any) -> type[Actor]:
    """An actor class `taker` with these attributes."""
    return type("Made", (Actor,), {"name": "taker", **attributes})


WHOLE = {"inbox": (Parcel,), "on_parcel": nothing, "jobs": (JobKind("errand", Errand, 1),), "work_errand": nothing,
         "done_errand": nothing, "failed_errand": nothing, "every": (Every("tidy", 1),), "tidy": nothing}


def test_a_class_that_keeps_its_word_is_made() -> None:
    """All that is declared is there; the optional methods may be."""
    make(**WHOLE)
    make(**WHOLE, interrupted_errand=nothing, on_start=nothing, on_reload=nothing)


@pytest.mark.parametrize("missing", ["on_parcel", "work_errand", "done_errand", "failed_errand", "tidy"])
def test_a_method_that_is_declared_but_missing_is_named(missing: str) -> None:
    """At import, not when the first message comes."""
    with pytest.raises(ContractError, match=f"lacks {missing}"):
        make(**{name: value for name, value in WHOLE.items() if name != missing})


@pytest.mark.parametrize("stray", ["on_story_found", "work_other", "done_other", "failed_other", "interrupted_other"])
def test_a_method_that_handles_nothing_declared_is_named(stray: str) -> None:
    """A handler with a misspelt name would never run."""
    with pytest.raises(ContractError, match=f"{stray} handles nothing"):
        make(**WHOLE, **{stray: nothing})


def test_a_message_for_somebody_else_is_refused() -> None:
    """Each type has one receiver."""
    with pytest.raises(ContractError, match="ItemDropped, which goes to another actor"):
        make(inbox=(ItemDropped,), on_item_dropped=nothing)


HEADER = """taker: writes down.

receives  Parcel       from giver
sends     ItemDropped  to tracker (when told)
stores    seen         one row a parcel
stores    results      one row a job
"""


def test_a_header_is_read_line_by_line() -> None:
    """First words only; `nothing` names nothing; other lines are prose."""
    assert header_contract(HEADER) == {"receives": {"Parcel"}, "sends": {"ItemDropped"}, "stores": {"seen", "results"}}
    assert header_contract("it sends X\n  receives Y\nsends nothing\nsends      A to b") == {
        "receives": set(), "sends": {"A"}, "stores": set()}


def test_a_true_header_passes() -> None:
    """The class of these tests and a header for it agree."""
    compare_header(Taker, HEADER)


@pytest.mark.parametrize(("line", "word"), [
    ("receives  Parcel       from giver\n", "receives"), ("sends     ItemDropped  to tracker (when told)\n", "sends"),
    ("stores    seen         one row a parcel\n", "stores")])
def test_a_header_that_differs_is_refused(line: str, word: str) -> None:
    """One line too few or too many: the error says which word and name."""
    with pytest.raises(ContractError, match=f"{word} .* differ"):
        compare_header(Taker, HEADER.replace(line, ""))
    with pytest.raises(ContractError, match=f"{word} \\['Extra'\\] differ"):
        compare_header(Taker, HEADER + f"{word} Extra")


def test_names_become_methods_and_numbers() -> None:
    """StoryFound -> story_found; every actor's file has a mark of its own, for ever."""
    assert (snake("StoryFound"), snake("Parcel"), snake("OpsNotice")) == ("story_found", "parcel", "ops_notice")
    marks = [application_id(name) for name in ALL]
    assert len(set(marks)) == len(ALL)
    assert all(0 < mark < 2**31 for mark in marks)
    assert application_id("fetcher") == 785205143


def test_a_job_that_comes_again_is_the_same_job() -> None:
    """Only its time changes."""
    job = Job("errand", Errand("ok"), "lane", "key", 2.0, "item", 5, 3, 7)
    assert job.again(99) == Job("errand", Errand("ok"), "lane", "key", 2.0, "item", 99, 3, 7)


def test_the_roster_gives_classes_and_order() -> None:
    """The alerter starts first and the fetcher last, however they are named on the command line."""
    from catalyst.errors import UsageError

    assert (WORKERS[0], WORKERS[-1]) == ("alerter", "fetcher")
    assert [load_actor(name).name for name in ALL] == list(ALL)
    assert check_names(["fetcher", "alerter"]) == ("alerter", "fetcher")
    for wrong in ("supervisor", "nobody", "", "../x"):
        with pytest.raises(UsageError):
            check_names([wrong])
    with pytest.raises(UsageError, match="there is no actor 'os'"):
        load_actor("os")
    assert OpsNotice.RECEIVER in WORKERS
