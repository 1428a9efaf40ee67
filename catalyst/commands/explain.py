"""`catalyst explain`: why there was or was no alert for a ticker, joined from what each actor knows.

An item walks the funnel of `catalyst.core.funnel`; where it stopped is told with the figures. Items whose title names
the ticker or its company are shown too, although no ticker was found in them. An actor that does not run leaves a gap,
no error. Every question is answered by an index, however much is stored.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from typing import Any

from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, cut, duration_ms, plain, print_json, seconds, when
from catalyst.core.companies import Company, canonical
from catalyst.core.evidence import unpacked
from catalyst.core.funnel import STEPS, ended
from catalyst.core.naming import names, wanted
from catalyst.errors import UnavailableError, UsageError

SINCE_MS = 3_600_000
MOST = 100  # items that one answer tells of
WIDTH = 100
CANDIDATES = MOST * 5
STORY = "SELECT item_id, source, title, seen_ms FROM stories WHERE item_id IN"
ANY_WORD = "SELECT item_id, seen_ms FROM words WHERE word IN (SELECT value FROM json_each(?2)) AND seen_ms >= ?1"
BOTH_WORDS = """SELECT item_id, seen_ms FROM words AS one WHERE word = ?3 AND seen_ms >= ?1 AND EXISTS (SELECT 1
 FROM words WHERE word = ?4 AND seen_ms = one.seen_ms AND item_id = one.item_id)"""
NAMING = f"""{STORY} (SELECT item_id FROM (
 SELECT * FROM ({ANY_WORD} ORDER BY seen_ms DESC LIMIT {CANDIDATES}) UNION
 SELECT * FROM ({BOTH_WORDS} ORDER BY seen_ms DESC LIMIT {CANDIDATES}))) ORDER BY seen_ms DESC"""  # noqa: S608
BY_ID = f"{STORY} (SELECT value FROM json_each(?))"  # noqa: S608
FACTS = """SELECT item_id, ticker, fate, reason, stage, score, alert_id, price_usd FROM fates
 WHERE item_id IN (SELECT value FROM json_each(?))"""
ENDED = """SELECT item_id FROM fates WHERE at_ms >= ? AND ticker = ?"""
UNREAD = f"{ENDED} AND stage = 'sec' ORDER BY at_ms DESC LIMIT {MOST}"  # what the classifier never saw
PRICES = """SELECT item_id, ticker, reason, price_usd FROM decisions
 WHERE item_id IN (SELECT value FROM json_each(?)) AND ticker = ?"""
SEEN = """SELECT (SELECT count(*) FROM stories WHERE seen_ms >= ?),
 (SELECT max(max(coalesce(last_ok_ms, 0), coalesce(last_body_ms, 0))) FROM feeds)"""

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst explain --ticker X [--since D]`."""
    parser.add_argument("--ticker", required=True, metavar="X", help="the ticker, BRK.B or BRK-B alike")
    parser.add_argument("--since", type=duration_ms, default=SINCE_MS, metavar="D",
                        help="of the last 90s, 10m, 1h, 2d (default 1h)")


def run(arguments: argparse.Namespace) -> int:
    """Print what became of the ticker's items. Raises UsageError for no ticker, UnavailableError where nothing runs."""
    ticker = canonical(arguments.ticker.strip().lstrip("$").upper())
    if not re.fullmatch(r"[A-Z0-9.\-]{1,10}", ticker):
        raise UsageError(f"{arguments.ticker!r} is no ticker")
    now_ms = SystemClock().now_ms()
    with Home() as home:
        if not home.alive():
            raise UnavailableError("no actor is running")
        found = explain(home, ticker, max(0, now_ms - arguments.since), evidence=arguments.json)
    if arguments.json:
        print_json(found)
    else:
        print(as_text(found, arguments.since / 1000, Local.of(home.settings)))
    return 0


def explain(home: Home, ticker: str, since_ms: int, *, evidence: bool = False) -> Row:
    """The answer as --json prints it; items newest first. `evidence`: with what caused each decision."""
    listed, company, near = company_of(home, ticker)
    search = wanted(ticker, company)
    stories = {row[0]: row for row in _rows(home, "fetcher", NAMING, since_ms, json.dumps(search.any_of),
                                            *(search.both or ("", ""))) if names(row[2], ticker, company)}
    ids = [row["item_id"] for row in _decisions(home, ticker=ticker, since_ms=since_ms)]
    of_tracker = UNREAD if home.owner("classifier") is not None else f"{ENDED} ORDER BY at_ms DESC LIMIT {MOST}"
    ids += [row[0] for row in _rows(home, "tracker", of_tracker, since_ms, ticker)]
    ids += stories
    ids = list(dict.fromkeys(ids))[:MOST]
    stories |= {row[0]: row for row in _rows(home, "fetcher", BY_ID, json.dumps([one for one in ids
                                                                               if one not in stories]))}
    decided = _by_item(_decisions(home, ids=ids, evidence=evidence), ticker)
    facts = _by_item(_records(home, "tracker", FACTS, json.dumps(ids)), ticker)
    prices = {row["item_id"]: row for row in _records(home, "market", PRICES, json.dumps(ids), ticker)}
    items = [_item(home, ticker, one, stories.get(one), decided.get(one), facts.get(one), prices.get(one))
             for one in ids]
    items.sort(key=lambda item: item["seen"] or "", reverse=True)
    counts = Counter(item["step"] for item in items)
    seen, asked = next(iter(_rows(home, "fetcher", SEEN, since_ms)), (None, None))
    return {
        "ticker": ticker, "known": company is not None, "company": company.title if company is not None else None,
        "since": when(since_ms), "items": items, "counts": {step: counts[step] for step in STEPS if counts[step]},
        "near": near, "listed": listed, "items_seen": seen, "asked": when(asked or None), "silent": [
            name for name in ("fetcher", "classifier", "market", "tracker") if home.owner(name) is None]}


def company_of(home: Home, ticker: str) -> tuple[bool, Company | None, list[str]]:
    """Whether there is a company list, its company of this ticker, else tickers like it.

    The classifier's list is the one that counts; where it does not run, the file that it would read.
    """
    answer = home.ask_all(["classifier"], "company", ticker=ticker).get("classifier", {})
    if answer.get("ok"):
        row = answer["company"]
        return bool(answer["listed"]), Company(**row) if row is not None else None, answer["near"]
    from catalyst.clients.files import load_companies  # the rules come with it, and they are long to read

    companies = load_companies(home.settings)
    if companies is None:
        return False, None, []
    company = companies.ticker(ticker)
    return True, company, companies.near(ticker) if company is None else []


def _rows(home: Home, actor: str, sql: str, *parameters: Any) -> list[list[Any]]:
    """Rows of an actor's database; none where it does not run or has no such table."""
    answer = home.ask_all([actor], "query", QUERY_ANSWER_S, sql=sql, parameters=list(parameters)).get(actor, {})
    return list(answer.get("rows", ()))


def _records(home: Home, actor: str, sql: str, *parameters: Any) -> list[Row]:
    """The same, each row with the names of its columns."""
    answer = home.ask_all([actor], "query", QUERY_ANSWER_S, sql=sql, parameters=list(parameters)).get(actor, {})
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer.get("rows", ())]


def _decisions(home: Home, **wanted: Any) -> list[Row]:
    answer = home.ask_all(["classifier"], "explain", QUERY_ANSWER_S, **wanted).get("classifier", {})
    return list(answer.get("decisions", ()))


def _by_item(rows: list[Row], ticker: str) -> dict[str, Row]:
    """One row an item: the ticker's own, else the one without a ticker, else another ticker's."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row["ticker"] != ticker, row["ticker"] != "")):
        found.setdefault(row["item_id"], row)
    return found


def _item(home: Home, ticker: str, item_id: str, story: list[Any] | None, decision: Row | None, fact: Row | None,
          price: Row | None) -> Row:
    """One item of the answer."""
    if decision is None or decision["ticker"] not in ("", ticker) or decision["decision"] != "alert":
        price = None  # the market's word on a decision that is no more
    step, fate, reason, why = ended(ticker, decision, fact, price, home.settings.price_ceiling,
                                    home.settings.price_floor)
    seen_ms = story[3] if story is not None else decision["at_ms"] if decision is not None else None
    usd = price["price_usd"] if price is not None else fact["price_usd"] if fact is not None else None
    score = decision["score"] if decision is not None else fact["score"] if fact is not None else None
    return {"id": item_id, "source": story[1] if story is not None else None,
            "title": story[2] if story is not None else None, "seen": when(seen_ms), "step": step, "fate": fate,
            "reason": reason, "why": why, "score": score, "price": usd,
            "alert_id": fact["alert_id"] if fact is not None and fact["ticker"] == ticker else None,
            "evidence": unpacked(decision["evidence"])
            if decision is not None and decision["evidence"] is not None else None}


def as_text(found: Row, span_s: float, local: Local) -> str:
    """A head, then a block an item, the oldest first."""
    ticker, items, span = found["ticker"], found["items"], seconds(span_s)
    lines = []
    if found["known"]:
        lines.append(f"{ticker}  {found['company']}")
    elif found["listed"]:
        near = f"; near it: {', '.join(found['near'])}" if found["near"] else ""
        lines.append(f"{ticker} is not in the company list{near}")
    else:
        lines.append(f"{ticker}: there is no company list yet")
    if found["silent"]:
        lines.append(f"not running, so this may lack something: {', '.join(found['silent'])}")
    if not items:
        seen = found["items_seen"]
        asked = f"{local.time(found['asked'])} {local.name(found['asked'])}" if found["asked"] else "at an unknown time"
        lines.append(f"no item of the last {span} named it; "
                     + (f"{seen} items were seen, sources last answered {asked}" if seen is not None
                        else "how many items were seen is not known"))
        return "\n".join(plain(line) for line in lines)
    alerted = sum(item["step"] in ("mute", "sent") and item["fate"] == "alerted" for item in items)
    many = f"the newest {MOST} items" if len(items) == MOST else f"{len(items)} items" if len(items) > 1 else "1 item"
    lines.append(f"{many} of the last {span}, {alerted} alerted; ended at "
                 + ", ".join(f"{step} {number}" for step, number in found["counts"].items()))
    for item in reversed(items):
        reason = f" ({item['reason']})" if item["reason"] else ""
        title = item["title"] if item["title"] is not None else f"item {item['id']}"
        lines += ["", f"{local.time(item['seen'])} {local.name(item['seen'])}  {item['source'] or 'source unknown'}",
                  f"  {cut(title, WIDTH)}", f"  {item['step']}: {item['fate'].replace('_', ' ')}{reason}",
                  f"  {item['why']}"]
        if item["alert_id"]:
            lines.append(f"  alert {item['alert_id']}")
    return "\n".join(plain(line) for line in lines)
