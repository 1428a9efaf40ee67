"""How right the sentiment is: on labelled headlines in five folds beside baselines, and on wire stories of our own.

In each fold a model is trained by the code that makes the shipped one, so pruning, rounding and temperature are in the
figures. The wire stories test the shipped weights, which have seen nothing like them.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst.clients.files import bundled_rules, load_sentiment
from catalyst.core.classify import Story, classify
from catalyst.core.sentiment import Sentiment
from catalyst.core.sieve import Gates
from catalyst.errors import UnavailableError
from catalyst.evaluate import word_lists
from catalyst.evaluate.train_sentiment import (
    DOWN,
    FOLDS,
    NAMES,
    NEUTRAL,
    UP,
    Headline,
    folds,
    label_of,
    macro_f1,
    model_text,
    read_data,
)

WIRE = Path(__file__).resolve().parents[2] / "tests" / "data"
DIRECTIONS = {"down": DOWN, "neutral": NEUTRAL, "up": UP}
LEAST_F1 = 0.80
BINS = 10
VADER_CLEAR = 0.05  # its authors' own threshold

Pairs = list[tuple[int, int]]  # said, true


@dataclass(slots=True)
class Report:
    """Pairs by name: of the folds, and of the wire stories by file; `sure` is the probability of what was said."""

    folds: dict[str, Pairs] = field(default_factory=dict)
    sure: list[tuple[float, bool]] = field(default_factory=list)
    wire: dict[str, dict[str, Pairs]] = field(default_factory=dict)
    cost_us: float = 0.0

    @property
    def is_good(self) -> bool:
        """Whether the model reaches what it must in the folds."""
        return macro_f1(self.folds["model"]) >= LEAST_F1

    def plain(self) -> dict[str, Any]:
        """The figures for `--json`."""
        return {"good": self.is_good, "folds": {name: _figures(pairs) for name, pairs in self.folds.items()},
                "calibration_error": round(calibration_error(self.sure), 4), "reliability": reliability(self.sure),
                "wire": {name: {way: _figures(pairs) for way, pairs in ways.items()}
                         for name, ways in self.wire.items()}, "cost_us": round(self.cost_us, 1)}


def measure(wire: Sequence[Path] = ()) -> Report:
    """All figures. Raises UnavailableError where the headlines or the packages of the extra `train` are missing."""
    report = Report()
    _, headlines = read_data()
    vader = _vader()
    for name in ("model", "TF-IDF words + logistic regression", "word lists", "VADER"):
        report.folds[name] = []
    for rest, held in folds(headlines, FOLDS):
        model = Sentiment.from_text(model_text(rest))
        for one in held:
            tone = model.tone(one.title)
            sides = {UP: tone.up, NEUTRAL: tone.neutral, DOWN: tone.down}
            said = label_of(tone.value)
            report.folds["model"].append((said, one.label))
            report.sure.append((sides[said], said == one.label))
        report.folds["TF-IDF words + logistic regression"] += _tfidf(rest, held)
    report.folds["word lists"] = [(label_of(word_lists.score(one.title)), one.label) for one in headlines]
    report.folds["VADER"] = [(_cut(vader(one.title), VADER_CLEAR), one.label) for one in headlines]
    for path in wire or sorted(WIRE.glob("wire_*.jsonl")):
        report.wire[path.name] = transfer(path.read_text(encoding="utf-8").splitlines(), load_sentiment())
    report.cost_us = cost_us(load_sentiment())
    return report


def transfer(lines: Iterable[str], model: Sentiment) -> dict[str, Pairs]:
    """Directions of labelled stories by the model alone, by the rules alone, and by the rules where they find a kind,
    else by the model; noise has no direction.
    """
    ways: dict[str, Pairs] = {"word lists": [], "model": [], "rules": [], "both": []}
    for line in lines:
        row = json.loads(line)
        title, body = row["title"], row.get("summary") or ""
        if row["truth"].get("noise") or row["truth"]["direction"] is None:
            continue
        true, heard = DIRECTIONS[row["truth"]["direction"]], label_of(model.score(title, body))
        story = Story("", title, body, "", tuple(row.get("symbols") or ()))
        decision = classify(story, bundled_rules(), None, model=model, gates=Gates(0), now_ms=0)
        ruled = DIRECTIONS[decision.direction]
        ways["word lists"].append((label_of(word_lists.score(title, body)), true))
        ways["model"].append((heard, true))
        ways["rules"].append((ruled, true))
        ways["both"].append((ruled if decision.kinds else heard, true))
    return ways


def accuracy(pairs: Pairs) -> float:
    """Share of right answers."""
    return sum(said == true for said, true in pairs) / len(pairs) if pairs else 0.0


def reliability(sure: Sequence[tuple[float, bool]]) -> list[tuple[float, int, float, float]]:
    """For each tenth of the probability of what was said: its lower end, how many, their mean, the share right."""
    rows = []
    for at in range(BINS):
        held = [(sureness, right) for sureness, right in sure if min(BINS - 1, int(sureness * BINS)) == at]
        if held:
            rows.append((at / BINS, len(held), round(math.fsum(one for one, _ in held) / len(held), 4),
                         round(sum(right for _, right in held) / len(held), 4)))
    return rows


def calibration_error(sure: Sequence[tuple[float, bool]]) -> float:
    """Expected calibration error: how far the mean probability and the share right are apart, weighted by number."""
    return math.fsum(number * abs(mean - share) for _, number, mean, share in reliability(sure)) / (len(sure) or 1)


def cost_us(model: Sentiment) -> float:
    """CPU time of one story of 1 KB in microseconds, the best of several runs."""
    body = ("Acme Therapeutics, Inc. (Nasdaq: ACME), a clinical-stage company, today announced that its trial met the "
            "primary endpoint, with an improvement of 34% over placebo. Revenue rose 12% to $45.3 million in the third "
            "quarter, and the cash position was strong. The outlook for the year was lowered on weaker demand. ")
    story, best = (body * 4)[:960], math.inf
    for _ in range(20):
        began = time.process_time()
        for _ in range(100):
            model.score("Acme Reports Third Quarter Results and Raises Outlook", story)
        best = min(best, (time.process_time() - began) / 100)
    return best * 1e6


def text_of(report: Report) -> str:
    """The figures for a person."""
    told = f"{len(report.sure)} headlines, {FOLDS} folds"
    lines = [f"{told:42} macro-F1  accuracy  F1 of {', '.join(NAMES)}"]
    lines += [_line(name, pairs) for name, pairs in report.folds.items()]
    lines += [f"expected calibration error {calibration_error(report.sure):.4f}",
              "  probability   number  mean   right"]
    lines += [f"  {low:.1f} to {low + 1 / BINS:.1f}  {number:7}  {mean:.3f}  {share:.3f}"
              for low, number, mean, share in reliability(report.sure)]
    for name, ways in report.wire.items():
        lines += [f"{name}, {len(ways['model'])} stories that are no noise"]
        lines += [_line(way, pairs) for way, pairs in ways.items()]
    if not report.wire:
        lines += [f"no wire stories in {WIRE.name}"]
    return "\n".join([*lines, f"one story of 1 KB: {report.cost_us:.0f} microseconds", ""])


def _line(name: str, pairs: Pairs) -> str:
    figures = _figures(pairs)
    return (f"  {name:40} {figures['macro_f1']:.4f}    {figures['accuracy']:.4f}    "
            + "  ".join(f"{one:.3f}" for one in figures["f1"]))


def _figures(pairs: Pairs) -> dict[str, Any]:
    each = []
    for label in (DOWN, NEUTRAL, UP):
        told = sum((said == label) + (true == label) for said, true in pairs)
        each.append(round(2 * sum(said == true == label for said, true in pairs) / (told or 1), 4))
    return {"stories": len(pairs), "macro_f1": round(macro_f1(pairs), 4), "accuracy": round(accuracy(pairs), 4),
            "f1": each}


def _cut(value: float, clear: float) -> int:
    return UP if value >= clear else DOWN if value <= -clear else NEUTRAL


def _tfidf(rest: Sequence[Headline], held: Sequence[Headline]) -> Pairs:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    words = TfidfVectorizer()
    table = words.fit_transform([one.title for one in rest])
    found = LogisticRegression(max_iter=300).fit(table, [one.label for one in rest])
    said = found.predict(words.transform([one.title for one in held]))
    return [(int(label), one.label) for label, one in zip(said, held, strict=True)]


def _vader() -> Any:
    try:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer
    except ImportError as error:
        raise UnavailableError("the baseline needs vaderSentiment: scripts/setup test train") from error
    judge = SentimentIntensityAnalyzer()
    return lambda title: judge.polarity_scores(title)["compound"]
