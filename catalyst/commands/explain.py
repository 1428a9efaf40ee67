"""`catalyst explain`: why there was or was no alert for a ticker, joined from what each actor knows.

An item walks the funnel of STEPS; where it stopped is told with the figures. Items whose title names the ticker or its
company are shown too, although no ticker was found in them. An actor that does not run leaves a gap, no error.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from typing import Any

from catalyst.clients.files import load_companies
from catalyst.clock import SystemClock
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import clock_time, cut, duration_ms, plain, print_json, seconds, when
from catalyst.core.companies import LOOSE, Company, canonical, normalise
from catalyst.core.tickers import ACRONYMS
from catalyst.errors import UnavailableError, UsageError

STEPS = ("seen", "ticker", "noise", "kind", "score", "price", "sent")
STEP_OF = {"no_ticker": "ticker", "foreign_listing": "ticker", "instrument": "ticker", "noise": "noise",
           "no_catalyst": "kind", "low_score": "score", "price_ceiling": "price", "price_floor": "price"}
STEP_OF_STAGE = {"fetcher": "seen", "sec": "seen", "classifier": "kind", "market": "price", "alerter": "sent"}
SINCE_MS = 3_600_000
MOST = 100  # items that one answer tells of
WIDTH = 100
NAMING = f"""SELECT item_id, source, title, seen_ms FROM stories WHERE seen_ms >= ?1 AND (title LIKE ?2 ESCAPE '\\'
 OR title LIKE ?3 ESCAPE '\\' OR title LIKE ?4 ESCAPE '\\') ORDER BY seen_ms DESC LIMIT {MOST * 5}"""  # noqa: S608
BY_ID = "SELECT item_id, source, title, seen_ms FROM stories WHERE item_id IN (SELECT value FROM json_each(?))"
FACTS = """SELECT item_id, ticker, fate, reason, stage, score, alert_id, price_usd FROM fates
 WHERE item_id IN (SELECT value FROM json_each(?))"""
ENDED = f"""SELECT item_id FROM fates WHERE at_ms >= ? AND ticker = ? ORDER BY at_ms DESC
 LIMIT {MOST}"""  # noqa: S608
ASKED = "SELECT max(max(coalesce(last_ok_ms, 0), coalesce(last_body_ms, 0))) FROM feeds"

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
        found = explain(home, ticker, max(0, now_ms - arguments.since))
    if arguments.json:
        print_json(found)
    else:
        print(as_text(found, arguments.since / 1000, now_ms))
    return 0


def explain(home: Home, ticker: str, since_ms: int) -> Row:
    """The answer as --json prints it; items newest first."""
    listed, company, near = company_of(home, ticker)
    stories = {row[0]: row for row in _rows(home, "fetcher", NAMING, since_ms, *_patterns(ticker, company))
               if names(row[2], ticker, company)}
    ids = [row["item_id"] for row in _decisions(home, ticker=ticker, since_ms=since_ms)]
    ids += [row[0] for row in _rows(home, "tracker", ENDED, since_ms, ticker)]
    ids += stories
    ids = list(dict.fromkeys(ids))[:MOST]
    stories |= {row[0]: row for row in _rows(home, "fetcher", BY_ID, json.dumps([one for one in ids
                                                                               if one not in stories]))}
    decided = _by_item(_decisions(home, ids=ids), ticker)
    facts = _by_item([dict(zip(("item_id", "ticker", "fate", "reason", "stage", "score", "alert_id", "price_usd"),
                               row, strict=True)) for row in _rows(home, "tracker", FACTS, json.dumps(ids))], ticker)
    items = [_item(home, ticker, one, stories.get(one), decided.get(one), facts.get(one)) for one in ids]
    items.sort(key=lambda item: item["seen"] or "", reverse=True)
    counts = Counter(item["step"] for item in items)
    return {
        "ticker": ticker, "known": company is not None, "company": company.title if company is not None else None,
        "since": when(since_ms), "items": items, "counts": {step: counts[step] for step in STEPS if counts[step]},
        "near": near, "listed": listed,
        "items_seen": _first(home, "SELECT count(*) FROM stories WHERE seen_ms >= ?", since_ms),
        "asked": when(_first(home, ASKED) or None), "silent": [
            name for name in ("fetcher", "classifier", "market", "tracker") if home.owner(name) is None]}


def company_of(home: Home, ticker: str) -> tuple[bool, Company | None, list[str]]:
    """Whether there is a company list, its company of this ticker, else tickers like it.

    The classifier's list is the one that counts; where it does not run, the file that it would read.
    """
    answer = home.ask_all(["classifier"], "company", ticker=ticker).get("classifier", {})
    if answer.get("ok"):
        row = answer["company"]
        return bool(answer["listed"]), Company(**row) if row is not None else None, answer["near"]
    companies = load_companies(home.settings)
    if companies is None:
        return False, None, []
    company = companies.ticker(ticker)
    return True, company, companies.near(ticker) if company is None else []


def names(title: str, ticker: str, company: Company | None) -> bool:
    """Whether a title names the ticker, as a word in capitals, or the company, by its whole name or its CIK.

    A short ticker or one that is an acronym counts only behind a mark; a name of one word only at the beginning.
    """
    mark = r"[:($]\s*" if len(ticker) < 3 or ticker in ACRONYMS else r"(?<![A-Za-z0-9])"
    if re.search(rf"{mark}{re.escape(ticker)}(?![A-Za-z0-9])", title.replace(".", "-") if "-" in ticker else title):
        return True
    if company is None:
        return False
    if f"({company.cik:010})" in title:
        return True
    words = f"{normalise(title)} "
    return any(words.startswith(f"{name} ") or (" " in name and f" {name} " in words) for name in _called(company))


def _called(company: Company) -> list[str]:
    """The company's name without legal suffixes, and without Holdings or Group behind it."""
    name = normalise(company.title)
    short, _, last = name.rpartition(" ")
    return [name, short] if last in LOOSE and len(short) > 3 else [name] if name else []


def _patterns(ticker: str, company: Company | None) -> tuple[str, str, str]:
    """Patterns of SQL's LIKE that hold for more titles than `names` does, but few."""
    stem = ticker.partition("-")[0]
    if company is None:
        return f"%{stem}%", "", ""
    word = normalise(company.title).partition(" ")[0]
    escaped = re.sub(r"([%_\\])", r"\\\1", word)
    return f"%{stem}%", f"%{escaped}%" if word else "", f"%({company.cik:010})%"


def _rows(home: Home, actor: str, sql: str, *parameters: Any) -> list[list[Any]]:
    """Rows of an actor's database; none where it does not run or has no such table."""
    answer = home.ask_all([actor], "query", QUERY_ANSWER_S, sql=sql, parameters=list(parameters)).get(actor, {})
    return list(answer.get("rows", ()))


def _first(home: Home, sql: str, *parameters: Any) -> int | None:
    rows = _rows(home, "fetcher", sql, *parameters)
    return int(rows[0][0]) if rows and rows[0][0] is not None else None


def _decisions(home: Home, **wanted: Any) -> list[Row]:
    answer = home.ask_all(["classifier"], "explain", QUERY_ANSWER_S, **wanted).get("classifier", {})
    return list(answer.get("decisions", ()))


def _by_item(rows: list[Row], ticker: str) -> dict[str, Row]:
    """One row an item: the ticker's own, else the one without a ticker, else another ticker's."""
    found: dict[str, Row] = {}
    for row in sorted(rows, key=lambda row: (row["ticker"] != ticker, row["ticker"] != "")):
        found.setdefault(row["item_id"], row)
    return found


def _item(home: Home, ticker: str, item_id: str, story: list[Any] | None, decision: Row | None,
          fact: Row | None) -> Row:
    """One item of the answer."""
    other = decision["ticker"] if decision is not None and decision["ticker"] not in ("", ticker) else ""
    price = None
    if decision is not None and not other and decision["decision"] == "alert":
        answer = home.ask_all(["market"], "decision", item_id=item_id, ticker=ticker).get("market", {})
        price = next(iter(answer.get("decisions", ())), None)
    step, fate, reason, why = ended(ticker, decision, fact, price, home.settings.price_ceiling,
                                    home.settings.price_floor)
    seen_ms = story[3] if story is not None else decision["at_ms"] if decision is not None else None
    usd = price["price_usd"] if price is not None else fact["price_usd"] if fact is not None else None
    score = decision["score"] if decision is not None else fact["score"] if fact is not None else None
    return {"id": item_id, "source": story[1] if story is not None else None,
            "title": story[2] if story is not None else None, "seen": when(seen_ms), "step": step, "fate": fate,
            "reason": reason, "why": why, "score": score, "price": usd,
            "alert_id": fact["alert_id"] if fact is not None and fact["ticker"] == ticker else None}


def ended(ticker: str, decision: Row | None, fact: Row | None, price: Row | None, ceiling_usd: float,
          floor_usd: float) -> tuple[str, str, str | None, str]:
    """Where an item stopped: (step, fate, reason, in words)."""
    told = decision["why"] if decision is not None else ""
    if fact is not None and fact["ticker"] not in ("", ticker):
        what = "alerted" if fact["fate"] == "alerted" else f"dropped, {fact['reason']}"
        return "ticker", fact["fate"], fact["reason"], (
            f"it names {ticker}, but was taken as news of {fact['ticker']} ({what}): {told}")
    if fact is not None and fact["fate"] == "alerted":
        folded = [f"told as an update of alert {fact['alert_id']}"] if fact["reason"] == "folded" else []
        return "sent", "alerted", fact["reason"], ": ".join([*folded, *([told] if told else [])])
    if fact is not None and fact["fate"] == "dead":
        return (STEP_OF_STAGE.get(fact["stage"], "seen"), "dead", fact["reason"],
                f"a defect: it died in the {fact['stage']} ({fact['reason']}); see catalyst dead list")
    reason = fact["reason"] if fact is not None else decision["reason"] if decision is not None else None
    if fact is None and price is not None:
        reason = price["reason"]  # the market's word is here before the tracker's
    if reason is None:
        return _on_its_way(decision, price, told)
    stage = fact["stage"] if fact is not None else "classifier"
    step = STEP_OF.get(reason.partition(":")[0], STEP_OF_STAGE.get(stage, "seen"))
    usd = price["price_usd"] if price is not None else None
    return step, "dropped", reason, _words(reason, told, usd, ceiling_usd, floor_usd)


def _on_its_way(decision: Row | None, price: Row | None, told: str) -> tuple[str, str, None, str]:
    if price is not None:
        return "sent", "in_flight", None, f"its price passed, the alert is on its way: {told}"
    if decision is not None:
        return "price", "in_flight", None, f"its price is being asked for: {told}"
    return "seen", "in_flight", None, "nobody has decided about it yet"


def _words(reason: str, told: str, price_usd: float | None, ceiling_usd: float, floor_usd: float) -> str:
    """The reason of a drop in plain words, with figures."""
    name, _, more = reason.partition(":")
    if name in ("price_ceiling", "price_floor"):
        over, limit_usd = ("over the ceiling", ceiling_usd) if name[6:] == "ceiling" else ("under the floor", floor_usd)
        if price_usd is None:
            return f"the price was {over} {_usd(limit_usd)}"
        return f"price {_usd(price_usd)} {over} {_usd(limit_usd)}"
    if name == "backlog":
        return "it was published before its source was first asked: old news"
    if name == "stale":
        return "it was published too long before it was first seen: old news"
    if name == "duplicate":
        return f"it repeats item {more}, which another wire had first"
    if name == "form":
        return f"filings of form {more} are not read"
    if name == "muted":
        return f"muted{f' ({more})' if more else ''}; see catalyst mutes"
    return told or reason


def _usd(price_usd: float) -> str:
    return f"{price_usd:.2f}" if price_usd >= 1 else f"{price_usd:.4f}"


def as_text(found: Row, span_s: float, now_ms: int) -> str:
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
        asked = clock_time(found["asked"]) if found["asked"] else "at an unknown time"
        lines.append(f"no item of the last {span} named it; "
                     + (f"{seen} items were seen, sources last answered {asked}" if seen is not None
                        else "how many items were seen is not known"))
        return "\n".join(plain(line) for line in lines)
    alerted = sum(item["step"] == "sent" and item["fate"] == "alerted" for item in items)
    many = f"the newest {MOST} items" if len(items) == MOST else f"{len(items)} items" if len(items) > 1 else "1 item"
    lines.append(f"{many} of the last {span}, {alerted} alerted; ended at "
                 + ", ".join(f"{step} {number}" for step, number in found["counts"].items()))
    for item in reversed(items):
        reason = f" ({item['reason']})" if item["reason"] else ""
        title = item["title"] if item["title"] is not None else f"item {item['id']}"
        lines += ["", f"{clock_time(item['seen'])}  {item['source'] or 'source unknown'}",
                  f"  {cut(title, WIDTH)}", f"  {item['step']}: {item['fate'].replace('_', ' ')}{reason}",
                  f"  {item['why']}"]
        if item["alert_id"]:
            lines.append(f"  alert {item['alert_id']}")
    return "\n".join(plain(line) for line in lines)
