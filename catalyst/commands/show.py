"""`catalyst show`: one alert with its provenance: words, score, price, sources, deliveries, way and what came after.

Everything is asked of the actor that knows it; one that does not run leaves its part empty and is named, but for the
alerter, without which there is nothing to show.
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Sequence
from typing import Any

import msgspec

from catalyst import __version__
from catalyst.commands import trace as way
from catalyst.commands.alerts import ALERTER, ARROWS
from catalyst.commands.home import QUERY_ANSWER_S, Home
from catalyst.commands.output import Local, plain, print_json, when
from catalyst.core.dollars import money
from catalyst.core.evidence import unpacked
from catalyst.core.history import LEAST_HISTORY, change_text, history_text
from catalyst.messages import History

WIDTH, INDENT = 80, 10
ASKED = ("fetcher", "sec", "classifier", "market", "charter", "alerter", "tracker")
STORY = "SELECT * FROM stories WHERE item_id = ?"
FILING = "SELECT * FROM filings WHERE accession = ?"
HIDDEN = ("found",)  # a column for machines: what was found stands beside it
WIRES = "SELECT body, corrects, at_ms FROM wires WHERE item_id = ? ORDER BY at_ms, joined_id"
ENDED = "SELECT sink, n, at_ms FROM deliveries WHERE alert_id = ?"
PICTURE = "SELECT alt, length(png), at_ms FROM charts WHERE alert_id = ?"

Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`catalyst show ALERT`."""
    parser.add_argument("alert", metavar="ALERT", help="the alert's id, or as much of it as is unique")


def run(arguments: argparse.Namespace) -> int:
    """Print the alert. Raises UsageError for an id that names none or several, UnavailableError without the alerter."""
    with Home() as home:
        found = gather(home, arguments.alert.strip())
    if arguments.json:
        print_json({**found, "hops": [way.as_json(hop) for hop in found["hops"]]})
    else:
        print(as_text(found, Local.of(home.settings)))
    return 0


def gather(home: Home, prefix: str) -> Row:
    """All that the actors know of one alert: the alerter's answer, the decision, the hops, the outcomes.

    Raises UsageError for an id that names none or several, UnavailableError without the alerter.
    """
    shown = home.ask(ALERTER, "alert", QUERY_ANSWER_S, id=prefix)
    alert = shown["alert"]
    answer = home.ask_all(["classifier"], "explain", QUERY_ANSWER_S, ids=[alert["item_id"]], ticker=alert["ticker"],
                          evidence=True).get("classifier", {})
    decision = next(iter(answer.get("decisions", ())), None)
    if decision is not None and decision["evidence"] is not None:
        decision["evidence"] = unpacked(decision["evidence"])
    gate = home.ask_all(["market"], "decision", QUERY_ANSWER_S, item_id=alert["item_id"], ticker=alert["ticker"]).get(
        "market", {})
    outcomes = home.ask_all(["tracker"], "outcomes", QUERY_ANSWER_S, item_id=alert["item_id"]).get("tracker", {})
    traced = way.trace(home, alert["item_id"])
    ended = {(sink, n): at_ms for sink, n, at_ms in _rows(home, ALERTER, ENDED, alert["id"])}
    return {"alert": alert,
            "item": _item(home, "fetcher", STORY, alert["item_id"]),
            "filing": _item(home, "sec", FILING, alert["item_id"]) if alert["form"] else None,
            "deliveries": [{**one, "ended": when(ended.get((one["sink"], one["n"])))} for one in shown["deliveries"]],
            "sources": shown["sources"], "has_chart": shown["has_chart"], "corrections": shown["corrections"],
            "history": shown["history"],
            "wires": _wires(home, alert["item_id"]), "chart": _chart(home, alert["id"]),
            "decision": decision,
            "gate": next((_dated(one) for one in gate.get("decisions", ())), None),
            "versions": {"catalyst": __version__, "rules": decision["rules"] if decision is not None else None,
                         "sentiment_now": _model()},
            "hops": traced["hops"] if traced is not None else [],
            "outcomes": [one for one in outcomes.get("outcomes", ()) if one["alert_id"] == alert["id"]],
            "silent": [name for name in ASKED if not home.alive([name])]}


def _rows(home: Home, actor: str, sql: str, *parameters: Any) -> list[list[Any]]:
    """Rows of an actor's database; none where it does not run."""
    answer = home.ask_all([actor], "query", QUERY_ANSWER_S, sql=sql, parameters=list(parameters)).get(actor, {})
    return list(answer.get("rows", ()))


def _item(home: Home, actor: str, sql: str, item_id: str) -> Row | None:
    """The item as the actor that took it in has stored it, times as text; `digest` is the hash of what it said."""
    answer = home.ask_all([actor], "query", QUERY_ANSWER_S, sql=sql, parameters=[item_id]).get(actor, {})
    found = next(iter(answer.get("rows", ())), None)
    return None if found is None else _dated({
        name: value for name, value in zip(answer["columns"], found, strict=True) if name not in HIDDEN})


def _dated(row: Row) -> Row:
    """A row with its columns of milliseconds as ISO text, without `_ms` in their names."""
    return {name.removesuffix("_ms"): when(value) if name.endswith("_ms") else value for name, value in row.items()}


def _wires(home: Home, item_id: str) -> list[Row]:
    """The further wires and the corrections of the story, with their times."""
    return [{**_dated(json.loads(body)), "corrects": bool(corrects), "joined": when(at_ms)}
            for body, corrects, at_ms in _rows(home, ALERTER, WIRES, item_id)]


def _chart(home: Home, alert_id: str) -> Row | None:
    """The picture in words, its size and when it came; a size of 0: Discord refused it."""
    return next(({"alt": alt, "bytes": size, "at": when(at_ms)}
                 for alt, size, at_ms in _rows(home, ALERTER, PICTURE, alert_id)), None)


def _model() -> str:
    """A short hash of the weights of the sentiment's model that this installation has."""
    import hashlib
    from importlib.resources import files

    weights = files("catalyst.core").joinpath("sentiment.tsv").read_bytes()
    return hashlib.blake2b(weights, digest_size=4).hexdigest()


def as_text(found: Row, local: Local) -> str:
    """The alert for a reader, at most 80 columns wide."""
    alert, decision = found["alert"], found["decision"] or {}
    evidence = decision.get("evidence") or {}
    lines = [f"{ARROWS.get(alert['direction'], '●')} {alert['ticker']}  {alert['company']}".rstrip(),
             *_wrapped("", alert["title"]), *_wrapped("", alert["link"]),
             *_wrapped("alert", f"{alert['id']} of item {alert['item_id']}")]
    if found["silent"]:
        lines += _wrapped("silent", f"not running, so this may lack something: {', '.join(found['silent'])}")
    form = f"; form {alert['form']}" if alert["form"] else ""
    lines += _wrapped("why", f"{alert['why']}{form}")
    lines += _block("kinds", _kinds(alert))
    lines += _block("score", _score(alert, evidence))
    lines += _block("ticker", [f"{one['ticker']}: “{one['evidence']}” ({one['how']}){_places(one.get('words', ()))}"
                               for one in evidence.get("tickers", ()) if one["ticker"] == alert["ticker"]])
    lines += _wrapped("price", _price(alert, local))
    lines += _block("gate", [_gate(found["gate"], local)] if found["gate"] else [])
    lines += _block("sources", [f"{one['name']}  {one['link']}".rstrip() for one in found["sources"]])
    lines += _block("joined", [_wire(one, local) for one in found["wires"]])
    lines += _wrapped("times", f"published {_moment(alert['published'], local)}, seen {_moment(alert['seen'], local)}")
    lines += _block("sent", [_delivery(one, local) for one in found["deliveries"]] or ["to nobody: no sink is set"])
    chart = found["chart"]
    lines += _wrapped("chart", f"in the message; {chart['alt']}" if chart and found["has_chart"] else
                      "in the message" if found["has_chart"] else "refused by Discord" if chart else "none")
    versions = found["versions"]
    lines += _wrapped("versions", f"rules {versions['rules'] or 'unknown'} then, sentiment {versions['sentiment_now']}"
                      " now")
    lines += _block("way", _way(found["hops"], local))
    history = found["history"]
    lines += _wrapped("history", f"fewer than {LEAST_HISTORY} alerts of its kind were known when it came"
                      if history is None else f"{history_text(msgspec.convert(history, History))}, when it came")
    lines += _block("after", [_outcome(one, local) for one in found["outcomes"]] or ["nothing is known yet"])
    return "\n".join(lines)


def _block(label: str, texts: list[str]) -> list[str]:
    """Each text on lines of its own, the label before the first."""
    return [line for place, text in enumerate(texts) for line in _wrapped("" if place else label, text, INDENT)]


def _wrapped(label: str, text: str, indent: int | None = None) -> list[str]:
    """A text in lines of at most WIDTH columns, further ones indented; long words as links are not cut."""
    indent = indent if indent is not None else INDENT if label else 2
    return textwrap.wrap(plain(text), WIDTH, initial_indent=label.ljust(indent), subsequent_indent=" " * indent,
                         break_long_words=False, break_on_hyphens=False) or [label]


def _kinds(alert: Row) -> list[str]:
    return [f"{one['kind']} ({one['direction']}, {one['weight']:g}): “{one['phrase']}”" for one in alert["kinds_found"]]


def _score(alert: Row, evidence: Row) -> list[str]:
    lines = [f"{(alert['score'] or 0) * 100:.0f} of 100"]
    for name, value, cause, *words in evidence.get("parts", ()):
        stands = _places(*words)
        figure = "" if name == "stated" else f"{value * 100:+.1f} "
        lines.append(f"  {figure}{name}: {cause}{stands}")
    return lines


def _places(words: Sequence[Row] = ()) -> str:
    """Where words stand: ` [title 27-37]`; nothing for rows of a version that did not store it."""
    told = ", ".join(f"{one['field']} {one['start']}-{one['end']}" for one in words)
    return f" [{told}]" if told else ""


def _gate(row: Row, local: Local) -> str:
    """What the price gate said, and why a provider gave nothing."""
    told = f"; {row['faults']}" if row["faults"] else ""
    return f"{row['reason'] or 'passed'} at {_moment(row.get('at'), local)}{told}"


def _wire(row: Row, local: Local) -> str:
    """Another wire or a correction, when it was published and seen."""
    what = "correction: " if row["corrects"] else ""
    published, seen = _moment(row["published"], local), _moment(row["seen"], local)
    return f"{what}{row['source']} “{row['title']}”, published {published}, seen {seen}"


def _price(alert: Row, local: Local) -> str:
    if alert["price"] is None:
        return "unknown: no provider knew one"
    made_ms, before = alert["price_ms"], alert["previous_close_usd"]
    facts = [money(alert["price"])]
    facts += [f"of {_moment(made_ms, local)}"] if made_ms is not None else []
    facts += [f"by {alert['provider']}"] if alert["provider"] else []
    facts += ["(simulated)"] if alert["simulated"] else []
    facts += [f", the close before {money(before)}"] if before is not None else []
    return " ".join(facts).replace(" ,", ",")


def _delivery(row: Row, local: Local) -> str:
    """`discord: alert delivered 09:30:05.123 EST, status 200, 1 try`."""
    words = [f"{row['sink']}: {row['what']} {row['state']}"]
    if row["sent"]:
        words[0] += f" {local.time(row['sent'])} {local.name(row['sent'])}"
    words += [f"status {row['status']}"] if row["status"] is not None else []
    tries = row["tries"]
    words += [f"{tries} {'try' if tries == 1 else 'tries'}"] if tries else []
    words += [str(row["reason"])] if row["reason"] else []
    words += ["may be a repeat"] if row["possible_repeat"] else []
    return ", ".join(words)


def _way(hops: list[Row], local: Local) -> list[str]:
    lines = []
    for hop in hops:
        begin_ms = hop["queued"] if hop["queued"] is not None else hop["received"]
        took = (f", {max(0, hop['committed'] - begin_ms)} ms"
                if hop["committed"] is not None and begin_ms is not None else "")
        lines.append(f"{local.time(begin_ms)} {local.name(begin_ms)} {hop['sender']} -> {hop['actor']}"
                     f" {hop['message']}{took}")
    return lines or ["no actor that runs remembers it"]


def _outcome(row: Row, local: Local) -> str:
    """`15m: +3.2 % at 2.38 (2026-01-02 09:45:05 EST)`, or what it waits for."""
    if row["state"] == "settled" and row["return_pct"] is not None:
        made = _moment(row["price_ms"], local)
        simulated = ", simulated" if row["simulated"] else ""
        return f"{row['horizon']}: {change_text(row['return_pct'])} % at {money(row['price_usd'])} ({made}{simulated})"
    if row["state"] == "open":
        return f"{row['horizon']}: due {_moment(row['due_ms'], local)}"
    reason = f" ({row['reason']})" if row["reason"] else ""
    return f"{row['horizon']}: unknown{reason}"


def _moment(moment: int | str | None, local: Local) -> str:
    return "unknown" if moment is None else local.date_time(moment)
