"""Bench of the whole decision about a story: ticker, noise, kinds, sentiment, score and reasons, beside one alternation
regex of the same phrases over the same stories, and what a KB costs as bodies grow.

All figures are of CPU time on one core. The yardstick tells how fast that core is: plain Python additions of squares,
10 million of which take about 0.5 s on an ordinary machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from catalyst.bench.keywords import RELEASES, releases
from catalyst.bench.measure import Report, additions, cpu_rate, progress
from catalyst.clients.files import BUNDLED_RULES, load_sentiment
from catalyst.core.classify import Story, classify
from catalyst.core.companies import Companies, Company
from catalyst.core.rules import Rules
from catalyst.core.sieve import Gates
from catalyst.core.tickers import find_tickers
from catalyst.core.wordscan import fold

LIST = RELEASES.parents[1] / "reference" / "company_tickers.json"
SIZE = 1_000                  # characters of title and summary together
BODIES = (1, 10, 100)         # KB
AIM = 5_000                   # stories a second on an ordinary machine
GENERATED = [Company(number, f"EX{chr(65 + number % 26)}{chr(65 + number // 26 % 26)}", f"Example {number} Corp.")
             for number in range(600)]


def run(*, quick: bool) -> Report:
    """Stories a second of CPU time, three rounds."""
    stories = stories_of_size(SIZE)[:60 if quick else None]
    companies = read_list(LIST)
    rules, model, gates = Rules.from_toml(BUNDLED_RULES.read_text(encoding="utf-8")), load_sentiment(), Gates(0.2)
    longest_first = sorted(set(rules.phrases), key=len, reverse=True)
    regex = re.compile(r"(?<![^\W_])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![^\W_])")
    folded = [fold(f"{title}\n{summary}").text for title, summary in stories]
    bodies = {kb: [(title, (summary * (kb * 1_000 // len(summary) + 1))[:kb * 1_000])
                   for title, summary in stories[:max(2, (40 if quick else 500) // kb)]] for kb in BODIES}

    def decide(title: str, summary: str) -> None:
        classify(Story("bench", title, summary), rules, companies, model=model, gates=gates, now_ms=0)

    def find(title: str, summary: str) -> None:
        find_tickers(title, summary, (), companies)

    report = Report(f"classify: {len(stories):,} stories of {SIZE:,} characters, {len(companies):,} companies, "
                    f"{len(rules.rules)} rules")
    for number in range(3):
        progress(f"classify: round {number + 1} of 3")
        report.add({"yardstick": cpu_rate(additions)}, "additions/CPU s")
        report.add({"whole decision": cpu_rate(_each(decide, stories)),
                    "tickers": cpu_rate(_each(find, stories)),
                    "rules": cpu_rate(_each(rules.find, stories)),
                    "sentiment": cpu_rate(_each(model.score, stories)),
                    "one alternation regex": cpu_rate(lambda: len([regex.findall(story) for story in folded]))},
                   "stories/CPU s")
        report.add({f"body of {kb} KB": kb * cpu_rate(_each(decide, bodies[kb])) for kb in BODIES}, "KB/CPU s")
    report.ratio("classify.whole", "whole decision", "one alternation regex")
    report.ratio("classify.linear_10", "body of 10 KB", "body of 1 KB", 1)
    report.ratio("classify.linear_100", "body of 100 KB", "body of 1 KB", 1)
    report.notes.append(f"the aim of {AIM:,} whole decisions a second is for a machine with 20,000,000 additions a "
                        "second; read the figure beside the yardstick")
    return report


def _each(work: Callable[[str, str], object], stories: list[tuple[str, str]]) -> Callable[[], int]:
    def run_all() -> int:
        for title, summary in stories:
            work(title, summary)
        return len(stories)

    return run_all


def stories_of_size(size: int) -> list[tuple[str, str]]:
    """Releases whose summary is repeated, and cut, until title and summary have `size` characters."""
    found = [(title, summary) for title, summary in releases() if summary.strip() and len(title) < size]
    return [(title, ((summary + " ") * (size // len(summary) + 1))[:size - len(title)]) for title, summary in found]


def read_list(path: Path) -> Companies:
    """The recorded company list where it is at hand, else a generated one."""
    return Companies.from_json(path.read_bytes()) if path.is_file() else Companies(GENERATED)
