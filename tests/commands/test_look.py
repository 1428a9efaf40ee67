"""`catalyst items`, `trace`, `query` and `dead` against real actors, one of which fails on its message."""

from __future__ import annotations

from datetime import UTC

import pytest

from catalyst.commands.output import Local
from catalyst.commands.trace import as_text
from catalyst.core.hops import join
from catalyst.runtime.store import Store, connect
from catalyst.testing import wait_until
from tests.commands.conftest import Catalyst
from tests.commands.tiny import BROKEN, DROPPED, LOST, Running, TinyClassifier, TinyFetcher


@pytest.fixture
def spine(running: Running) -> Running:
    """Fetcher, classifier and tracker, done with their work."""
    running.spine()
    return running


def test_items(catalyst: Catalyst, spine: Running) -> None:
    """An item has the fetcher's facts and the tracker's fate, in flight where there is none."""
    first, second, third = catalyst("items", "--json").lines
    assert first == {"id": BROKEN, "source": "wire", "title": "Acme \x1b[31mred", "link": "https://example.com/",
                     "published": "2026-01-02T14:00:00.000Z", "seen": "2026-01-02T14:00:00.000Z", "fate": "in_flight",
                     "reason": None, "ticker": None, "kinds": [], "score": None}
    assert (second["id"], second["published"], second["fate"], second["reason"]) == (
        DROPPED, None, "dropped", "backlog")
    assert third["id"] == LOST


def test_items_chosen(catalyst: Catalyst, spine: Running) -> None:
    """By fate, by number and by age; a person's table has no escape sequence of the title's."""
    assert [item["id"] for item in catalyst("items", "--fate", "dropped", "--json").lines] == [DROPPED]
    assert [item["id"] for item in catalyst("items", "-n", "1", "--json").lines] == [LOST]
    assert catalyst("items", "--since", "1m", "--json").lines == []
    assert catalyst("items", "--since", "1m").out == "no items\n"
    table = catalyst("items").out
    assert "Acme  [31mred" in table
    assert "\x1b" not in table


def test_items_over_many_pages(catalyst: Catalyst, spine: Running) -> None:
    """More items than an actor hands out at once come all, each once, in the order of their time."""
    spine.stop("fetcher")
    with Store(TinyFetcher, spine.settings) as store, store.transaction() as db:
        db.executemany("INSERT INTO stories VALUES(?, 'wire', 'title', 'link', NULL, ?)",
                       [(f"x{number:05}", 1_767_362_500_000 + number // 700) for number in range(2600)])
    spine.start(TinyFetcher)
    found = catalyst("items", "--json").lines
    assert len(found) == len({item["id"] for item in found}) == 2603
    assert [item["seen"] for item in found] == sorted(item["seen"] for item in found)


def test_items_need_the_fetcher(catalyst: Catalyst) -> None:
    """Who is not running is named."""
    done = catalyst("items")
    assert (done.code, done.err) == (69, "catalyst: fetcher is not running\n")


def test_trace(catalyst: Catalyst, spine: Running) -> None:
    """A hop has both sides' times; a prefix of the id is enough."""
    found = catalyst("trace", DROPPED[:8], "--json").json
    assert (found["id"], found["fate"], found["reason"]) == (DROPPED, "dropped", "backlog")
    (hop,) = found["hops"]
    assert list(hop) == ["actor", "message", "received", "committed", "sent", "acked"]
    assert (hop["actor"], hop["message"]) == ("tracker", "ItemDropped")
    assert hop["sent"] <= hop["received"] <= hop["committed"] <= hop["acked"]


def test_trace_of_the_dead(catalyst: Catalyst, spine: Running) -> None:
    """A dead letter is the item's fate as long as nobody says otherwise."""
    found = catalyst("trace", BROKEN, "--json").json
    assert found["fate"] == "dead"
    assert found["reason"] == "failed:ValueError"
    assert found["hops"][0]["message"] == "StoryFound"
    assert "fetcher -> classifier" in catalyst("trace", BROKEN).out


def test_trace_of_nothing(catalyst: Catalyst, spine: Running) -> None:
    """An id that names no item is a usage error, whatever characters it has."""
    for item in ("ffffffff", "b0%", "x", "__________", "d0d0\x1b[2J", ""):
        done = catalyst("trace", item)
        assert (item, done.code, len(done.err.splitlines()), "\x1b" in done.err) == (item, 64, 1, False)


def test_trace_of_several(catalyst: Catalyst, spine: Running) -> None:
    """A prefix of several ids is not guessed at."""
    spine.stop("fetcher")
    with Store(TinyFetcher, spine.settings) as store, store.transaction() as db:
        db.execute("INSERT INTO stories VALUES('b0b0ff', 'wire', 'title', 'link', NULL, 1)")
    spine.start(TinyFetcher)
    done = catalyst("trace", "b0b0")
    assert (done.code, "begins several ids" in done.err) == (64, True)


def test_join_of_halves() -> None:
    """A message that only one side knows is a hop too; what nobody knows is null; hops are in the order of time."""
    hops = join({
        "fetcher": {"sent": [["m2", "StoryFound", "classifier", 20, None, None], ["m1", "StoryFound", "x", 10, 11, 12]],
                    "received": [], "dead": []},
        "market": {"sent": [], "received": [["m3", "CatalystScored", "classifier", 15, 16]], "dead": []}})
    assert [(hop["actor"], hop["sent"], hop["received"], hop["acked"]) for hop in hops] == [
        ("x", 11, None, 12), ("market", None, 15, None), ("classifier", None, None, None)]
    text = as_text({"id": "i", "fate": "in_flight", "reason": None, "hops": hops}, Local(UTC))
    assert "not received yet" in text
    assert "+5 ms" in text


def test_query(catalyst: Catalyst, spine: Running) -> None:
    """Rows as objects, a line each, or as a table; bytes are hexadecimal."""
    sql = "SELECT item_id, seen_ms, x'00ff' AS raw FROM stories ORDER BY seen_ms LIMIT 1"
    assert catalyst("query", "fetcher", sql, "--json").lines == [
        {"item_id": BROKEN, "seen_ms": 1_767_362_400_000, "raw": "00ff"}]
    assert catalyst("query", "fetcher", sql).out.splitlines()[0].split() == ["item_id", "seen_ms", "raw"]


def test_query_has_more(catalyst: Catalyst, spine: Running) -> None:
    """A cut answer says so, beside the rows."""
    sql = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 2000) SELECT n FROM t"
    done = catalyst("query", "tracker", sql, "--json")
    assert (len(done.lines), done.code) == (1000, 0)
    assert "more than these 1000 rows" in done.err


REFUSED = (
    ("SELEC 1", "syntax error"), ("DELETE FROM stories", "not authorized"),
    ("SELECT nix FROM stories", "no such column"), ("SELECT 1; SELECT 2", "one statement"),
    ("PRAGMA journal_mode = DELETE", "not authorized"),
    ("WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n FROM t) SELECT count(*) FROM t", "interrupted"))


def test_query_refused(catalyst: Catalyst, spine: Running) -> None:
    """A statement that is wrong, writes or runs for ever is refused in SQLite's words; the actor goes on."""
    for sql, words in REFUSED:
        done = catalyst("query", "fetcher", sql)
        assert (sql, done.code, words in done.err) == (sql, 64, True)
    assert catalyst("query", "fetcher", "SELECT count(*) AS n FROM stories", "--json").json == {"n": 3}


def test_dead_list_and_show(catalyst: Catalyst, spine: Running) -> None:
    """A letter is listed with its reason and shown with traceback and body by any unique beginning of its id."""
    (letter,) = catalyst("dead", "list", "--json").lines
    assert (letter["actor"], letter["item_id"], letter["type"], letter["sender"]) == (
        "classifier", BROKEN, "StoryFound", "fetcher")
    assert letter["reason"] == "failed:ValueError"
    shown = catalyst("dead", "show", letter["id"][:6], "--json").json
    assert shown["body"]["title"] == "Acme"
    assert "no opinion on Acme" in shown["traceback"]
    assert letter["id"] in catalyst("dead", "show", letter["id"]).out
    assert letter["id"][:12] in catalyst("dead", "list").out
    assert catalyst("dead", "list", "--actor", "tracker").out == "no dead letters\n"


def test_dead_retry_and_drop(catalyst: Catalyst, spine: Running) -> None:
    """A retried letter is handled again, here in vain; a dropped one is gone."""
    assert catalyst("dead", "retry", "all", "--json").json["count"] == 1
    wait_until(lambda: spine.processes["classifier"].engine.dead == 1)
    (letter,) = catalyst("dead", "list", "--json").lines
    assert catalyst("dead", "drop", letter["id"][:8]).out == "1 letter dropped\n"
    assert catalyst("dead", "list", "--json").lines == []


def aged(spine: Running, by_ms: int) -> None:
    """Let the classifier's letters have died so much earlier."""
    spine.stop("classifier")
    db = connect(spine.settings.database_folder / "classifier.db")
    db.execute("UPDATE dead SET dead_ms = dead_ms - ?", (by_ms,))
    db.close()
    spine.start(TinyClassifier)


def test_old_letters_are_tried_again_only_when_named(catalyst: Catalyst, spine: Running) -> None:
    """Ages choose letters; `retry all` leaves what died more than an hour ago, and says so."""
    aged(spine, 2 * 3_600_000)
    assert catalyst("dead", "list", "--newer-than", "1h", "--json").lines == []
    assert catalyst("dead", "drop", "all", "--older-than", "3h").out == "0 letters dropped\n"
    (letter,) = catalyst("dead", "list", "--older-than", "1h", "--newer-than", "3h", "--json").lines
    left = catalyst("dead", "retry", "all")
    assert (left.code, left.out.startswith("0 letters handed over again; 1 died before")) == (0, True)
    assert catalyst("dead", "retry", "all", "--newer-than", "1d", "--json").json["count"] == 1
    wait_until(lambda: spine.processes["classifier"].engine.dead == 1)
    aged(spine, 2 * 3_600_000)
    assert "1 letter handed over again, 2 h after it died" in catalyst("dead", "retry", letter["id"][:8]).out
    wait_until(lambda: spine.processes["classifier"].engine.dead == 1)
    assert catalyst("dead", "list", "--older-than", "2h", "--newer-than", "1h").code == 64
    assert catalyst("dead", "drop", "all", "--newer-than", "1h", "--json").json["count"] == 1


def test_dead_misuse(catalyst: Catalyst, spine: Running) -> None:
    """Missing, wrong and unknown ids are usage errors and settle nothing."""
    for words in (("show",), ("retry",), ("drop", "%"), ("show", "zz"), ("list", "ab"), ("show", "ffff"),
                  ("retry", "0" * 33), ("list", "--actor", "nobody"), ("burn", "all")):
        assert (words, catalyst("dead", *words).code) == (words, 64)
    assert spine.processes["classifier"].engine.dead == 1


def test_dead_without_actors(catalyst: Catalyst) -> None:
    """Where nothing runs nobody can say whether there are letters."""
    assert catalyst("dead", "list").code == 69
