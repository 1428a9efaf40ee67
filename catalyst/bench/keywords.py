"""Bench of the phrases: `core.wordscan.Phrases` and the whole rule table, beside one alternation regex."""

from __future__ import annotations

import csv
import re
from pathlib import Path

from catalyst.bench.measure import Report, cpu_rate, progress
from catalyst.clients.files import BUNDLED_RULES
from catalyst.core.rules import Rules
from catalyst.core.wordscan import Phrases, fold

RELEASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "news" / \
    "globenewswire_biotech_releases_2020-2024.csv"
FAULT_STORIES = 100
GENERATED = [(f"Example Corp. {number} Announces Closing of Registered Direct Offering",
              "NEW YORK -- Example Corp. said that it received FDA clearance and that it may raise up to $12 million. "
              * (1 + number % 5)) for number in range(200)]


def run(*, quick: bool) -> Report:
    """Stories a second of CPU time; the regex is asked for whole words, longest phrase first."""
    stories = releases()[:50 if quick else None]
    rules = Rules.from_toml(BUNDLED_RULES.read_text(encoding="utf-8"))
    phrases = Phrases(rules.phrases)
    longest_first = sorted(set(phrases.phrases), key=len, reverse=True)
    regex = re.compile(r"(?<![^\W_])(?:" + "|".join(map(re.escape, longest_first)) + r")(?![^\W_])")
    folded = [fold(f"{title}\n{summary}").text for title, summary in stories]
    report = Report(f"keywords: {len(longest_first):,} phrases, {len(stories):,} stories,"
                    f" {sum(map(len, folded)) // len(folded):,} characters each")

    def scan() -> int:
        for story in folded:
            phrases.find(story)
        return len(folded)

    def whole_table() -> int:
        for title, summary in stories:
            rules.find(title, summary)
        return len(stories)

    def alternation() -> int:
        for story in folded:
            regex.findall(story)
        return len(folded)

    for number in range(3):
        progress(f"keywords: round {number + 1} of 3")
        report.add({"phrases, one pass": cpu_rate(scan), "whole rule table": cpu_rate(whole_table),
                    "one alternation regex": cpu_rate(alternation)}, "stories/CPU s")
    if not quick:
        missed, false = faults(phrases, folded[:FAULT_STORIES])
        report.notes.append(f"in {FAULT_STORIES} stories, against one search for each phrase: {missed} missed, "
                            f"{false} false")
    report.ratio("keywords.scan", "phrases, one pass", "one alternation regex", 20)
    report.ratio("keywords.rules", "whole rule table", "one alternation regex")
    return report


def faults(phrases: Phrases, folded: list[str]) -> tuple[int, int]:
    """How many whole-word occurrences the one pass misses, and how many it makes up."""
    borders = {phrase: ((r"(?<![^\W_])" if phrase[0].isalnum() else "") + re.escape(phrase)
                        + (r"(?![^\W_])" if phrase[-1].isalnum() else "")) for phrase in set(phrases.phrases)}
    missed = false = 0
    for story in folded:
        found = {(phrases.phrases[number], start) for number, start, _ in phrases.find(story)}
        truth = {(phrase, hit.start()) for phrase, pattern in borders.items() if phrase in story
                 for hit in re.finditer(f"(?={pattern})", story)}
        missed += len(truth - found)
        false += len(found - truth)
    return missed, false


def releases() -> list[tuple[str, str]]:
    """(title, summary) of recorded press releases where they are at hand, else generated ones."""
    if not RELEASES.is_file():
        return GENERATED
    with RELEASES.open(encoding="utf-8", newline="") as file:
        return [(row["title"], row["publisher_summary"]) for row in csv.DictReader(file)]
