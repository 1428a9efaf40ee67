"""How well stories are understood: tickers, noise, kinds, direction and decision beside a labelled set of wire stories.

Each figure counts over the stories in which it can be told:

- primary, tickers: all stories; a class is the same with a dot or a dash ("BRK.B", "BRK-B").
- noise: all stories, noise or not; noise name: the right name where story and decision are both noise.
- kinds: stories whose truth is no noise, pairs of story and kind; what the truth allows (`also`) counts neither way. A
  story that is dropped as noise by mistake has found none.
- direction: stories with a kind and a direction; none found is wrong. `direction where found`: only those with a kind.
- sentiment: stories that point up or down; the sign of the words alone, before any rule.
- alert: all stories; one with a kind and a ticker that trades in the US should alert, any other should not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst.clients.files import BUNDLED_RULES, load_sentiment
from catalyst.core.classify import Decision, Story, classify
from catalyst.core.companies import Companies
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates

DATA = Path(__file__).resolve().parents[2] / "tests" / "data"
SETS = ("a", "b", "c", "d", "e", "f")
MIN_SCORE = 0.2
WEAK_F1 = 0.9
MEASURES = ("primary", "tickers", "primary of noise", "tickers of noise", "noise", "noise name", "kinds", "alert")
SHARES = ("direction", "direction where found", "sentiment")
AIMS = {"primary": (0.995, 0.97), "noise": (0.99, 0.95)}  # precision and recall that a set must reach
KIND_AIM, DIRECTION_AIM = 0.93, 0.97                       # F1; share of the stories with a kind found


@dataclass(slots=True)
class Tally:
    """What was found and right, found and wrong, and missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that is right; 1 where nothing was found."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Share of what there is that was found; 1 where there is nothing."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        total = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / total if total else 1.0

    def add(self, found: bool, true: bool) -> None:
        """Counts one yes-or-no answer."""
        self.right += found and true
        self.wrong += found and not true
        self.missed += true and not found

    def plain(self) -> dict[str, Any]:
        """The counts and figures for `--json`."""
        return {"right": self.right, "wrong": self.wrong, "missed": self.missed,
                "precision": round(self.precision, 4), "recall": round(self.recall, 4), "f1": round(self.f1, 4)}


@dataclass(frozen=True, slots=True)
class Miss:
    """One wrong answer: of which figure, what was expected and what was said."""

    story: str
    measure: str
    expected: str
    said: str
    title: str


@dataclass(slots=True)
class Figures:
    """The figures of one set; `shares` are (right, of how many), `kinds` and `noises` the tallies by name."""

    name: str
    stories: int = 0
    tallies: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in MEASURES})
    shares: dict[str, Tally] = field(default_factory=lambda: {name: Tally() for name in SHARES})
    kinds: dict[str, Tally] = field(default_factory=dict)
    noises: dict[str, Tally] = field(default_factory=dict)
    misses: list[Miss] = field(default_factory=list)

    def share(self, name: str) -> float:
        """Share of right answers."""
        return self.shares[name].recall

    def weak(self, least: float = WEAK_F1) -> dict[str, Tally]:
        """Kinds and noises of less than that F1, the worst first."""
        both = {**self.kinds, **{f"noise:{name}": tally for name, tally in self.noises.items()}}
        low = [(name, tally) for name, tally in both.items() if tally.f1 < least]
        return dict(sorted(low, key=lambda pair: (pair[1].f1, pair[0])))

    def plain(self) -> dict[str, Any]:
        """The figures for `--json`, without the misses."""
        return {"set": self.name, "stories": self.stories,
                **{name: tally.plain() for name, tally in self.tallies.items()},
                **{name: {"right": tally.right, "of": tally.right + tally.missed, "share": round(self.share(name), 4)}
                   for name, tally in self.shares.items()},
                "weak": {name: tally.plain() for name, tally in self.weak().items()}}


def rows_of(name: str, folder: Path = DATA) -> list[dict[str, Any]]:
    """The labelled stories of a set."""
    text = (folder / f"wire_{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def measure(name: str, rules: Rules | None = None, folder: Path = DATA) -> Figures:
    """The figures of a set, with the bundled rules or with `rules`."""
    table = rules or Rules.from_toml(BUNDLED_RULES.read_text(encoding="utf-8"))
    companies = Companies.from_json((folder / "wire_companies.json").read_bytes())
    figures, model = Figures(name), load_sentiment()
    for row in rows_of(name, folder):
        story = Story(row["id"], row["title"], row["summary"], row["source"], tuple(row["symbols"]))
        decision = classify(story, table, companies, model=model, gates=Gates(MIN_SCORE), now_ms=0)
        _count(figures, row, decision)
    return figures


def _count(figures: Figures, row: dict[str, Any], decision: Decision) -> None:
    """Adds one story to the figures."""
    truth = row["truth"]
    figures.stories += 1
    _count_tickers(figures, row, decision, "" if truth["noise"] is None else " of noise")
    said = decision.reason.partition(":")[2] if decision.reason.startswith("noise:") else ""
    is_noise = truth["noise"] is not None
    figures.tallies["noise"].add(bool(said), is_noise)
    if bool(said) != is_noise:
        _miss(figures, row, "noise", truth["noise"], f"{said or decision.reason or 'alert'}: {decision.why}")
    for name in {said, truth["noise"]} - {"", None}:
        figures.noises.setdefault(name, Tally()).add(said == name, truth["noise"] == name)
    if is_noise and said:
        figures.tallies["noise name"].add(said == truth["noise"], True)
        if said != truth["noise"]:
            _miss(figures, row, "noise name", truth["noise"], f"{said}: {decision.why}")
    if not is_noise:
        _count_kinds(figures, row, decision, is_dropped=bool(said))
    due = not is_noise and bool(truth["kinds"]) and truth["primary"] is not None
    figures.tallies["alert"].add(decision.decision == "alert", due)
    if (decision.decision == "alert") != due:
        _miss(figures, row, "alert", "alert" if due else "drop", decision.why)


def _count_tickers(figures: Figures, row: dict[str, Any], decision: Decision, of: str) -> None:
    """News and noise apart: a wrong ticker of a story that nobody is told of misleads nobody."""
    truth = row["truth"]
    found = [_same(one.ticker) for one in decision.traded]
    true = _same(truth["primary"]) if truth["primary"] else ""
    first = found[0] if found else ""
    tally = figures.tallies[f"primary{of}"]
    tally.right += bool(first) and first == true
    tally.wrong += bool(first) and first != true
    tally.missed += bool(true) and first != true
    if first != true:
        _miss(figures, row, f"primary{of}", true, first or decision.reason)
    expected = {_same(ticker) for ticker in truth["tickers"]}
    for ticker in expected.union(found):
        figures.tallies[f"tickers{of}"].add(ticker in found, ticker in expected)
    if expected != set(found):
        _miss(figures, row, f"tickers{of}", " ".join(sorted(expected)), " ".join(found))


def _count_kinds(figures: Figures, row: dict[str, Any], decision: Decision, *, is_dropped: bool) -> None:
    truth = row["truth"]
    found = {} if is_dropped else {kind.kind: kind.phrase for kind in decision.kinds}
    expected, allowed = set(truth["kinds"]), set(truth["also"])
    for name in expected.union(found):
        if name in allowed and name not in expected:
            continue
        for tally in (figures.tallies["kinds"], figures.kinds.setdefault(name, Tally())):
            tally.add(name in found, name in expected)
        if (name in found) != (name in expected):
            _miss(figures, row, "kinds", name if name in expected else f"not {name}",
                  found.get(name) or ", ".join(found) or decision.reason)
    if not expected or truth["direction"] is None:
        return
    is_right = bool(found) and decision.direction == truth["direction"]
    figures.shares["direction"].add(is_right, True)
    if found:
        figures.shares["direction where found"].add(is_right, True)
        if not is_right:
            _miss(figures, row, "direction", truth["direction"],
                  f"{decision.direction} ({', '.join(f'{name}: {phrase}' for name, phrase in found.items())})")
    if truth["direction"] != "neutral":
        way = "up" if decision.sentiment > 0 else "down" if decision.sentiment < 0 else "neutral"
        figures.shares["sentiment"].add(way == truth["direction"], True)


def _miss(figures: Figures, row: dict[str, Any], measure: str, expected: str, said: str) -> None:
    figures.misses.append(Miss(row["id"], measure, expected or "none", said or "none", row["title"]))


def _same(ticker: str) -> str:
    return ticker.upper().replace("-", ".")


def text_of(figures: Figures, shown: Sequence[str] = ()) -> str:
    """The figures as lines; `shown` names the figures whose misses follow ("all": of each)."""
    lines = [f"set {figures.name}: {figures.stories} stories"]
    lines += [f"  {name:22} precision {tally.precision:.4f}  recall {tally.recall:.4f}  F1 {tally.f1:.4f}"
              f"  ({tally.right} right, {tally.wrong} wrong, {tally.missed} missed)"
              for name, tally in figures.tallies.items()]
    lines += [f"  {name:22} {figures.share(name):.4f}  ({tally.right} of {tally.right + tally.missed})"
              for name, tally in figures.shares.items()]
    if weak := figures.weak() if shown else {}:
        lines.append(f"  under F1 {WEAK_F1}: " + ", ".join(
            f"{name} {tally.right}+{tally.wrong}-{tally.missed}" for name, tally in weak.items()))
    wanted = [one for one in figures.misses if "all" in shown or one.measure in shown]
    for name, count in Counter(one.measure for one in wanted).items():
        lines.append(f"  {name}: {count} misses")
        lines += [f"    {one.story} expected {one.expected}, said {one.said}\n         {one.title}"
                  for one in wanted if one.measure == name]
    return "\n".join(lines) + "\n"


def below(figures: Figures) -> list[str]:
    """The figures that do not reach their aims."""
    low = []
    for name, (precision, recall) in AIMS.items():
        tally = figures.tallies[name]
        if tally.precision < precision:
            low.append(f"precision of {name} {tally.precision:.4f}, {precision}")
        if tally.recall < recall:
            low.append(f"recall of {name} {tally.recall:.4f}, {recall}")
    if figures.tallies["kinds"].f1 < KIND_AIM:
        low.append(f"F1 of kinds {figures.tallies['kinds'].f1:.4f}, {KIND_AIM}")
    if figures.share("direction where found") < DIRECTION_AIM:
        low.append(f"direction {figures.share('direction where found'):.4f}, {DIRECTION_AIM}")
    return low
