"""What wires and aggregators do to a title when they carry a release: the edits that a copy is known in spite of.

Pure: randomness is an argument. The verbs are not those that the search for duplicates knows as equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from catalyst.world.companies import Company

VERBS = {
    "Announces": ("Unveils", "Reports", "Reveals", "Touts", "Heralds", "Discloses"),
    "Receives": ("Gets", "Lands", "Picks Up"),
    "Reports": ("Announces", "Posts", "Delivers"), "Meets": ("Achieves", "Hits", "Satisfies"),
    "Wins": ("Secures", "Bags"),
    "Awarded": ("Wins", "Snags", "Lands"), "Declares": ("Announces", "Sets"), "Signs": ("Inks", "Enters"),
    "Approves": ("Clears", "Greenlights"), "Granted": ("Receives", "Handed"), "Grants": ("Gives", "Awards"),
    "Acquires": ("Buys", "Snaps Up"), "Appoints": ("Names", "Taps"), "Names": ("Appoints", "Picks"),
    "Discontinues": ("Stops", "Scraps"), "Raises": ("Lifts", "Collects"), "Gains": ("Gets", "Clinches"),
    "Discloses": ("Reveals", "Reports"), "Enters": ("Signs", "Strikes"), "Completes": ("Closes", "Wraps Up")}
MARKS = ("UPDATE -- ", "CORRECTION: ", "UPDATE: ", "CORRECTING and REPLACING ", "Correction – ", "Corrected: ")
SUFFIXES = (" - MarketWatch", " | Business Wire", " - Yahoo Finance", " - GlobeNewswire")
PLACES = re.compile(r" (?:in|for|From|from|With|After|at|to) ")


def retitled(random: Random, title: str, subtitle: str, company: Company | None) -> tuple[str, tuple[str, ...]]:
    """The title after one to three edits, and their names."""
    edits: dict[str, Callable[[str], str]] = {
        "bracket": lambda text: _bracketed(text, company), "legal": lambda text: _legal(text, company),
        "reorder": lambda text: _reordered(random, text), "cut": lambda text: _cut(random, text),
        "verb": lambda text: _other_verb(random, text),
        "subtitle": lambda text: f"{text}{random.choice(('; ', ' - ', ': '))}{subtitle}",
        "upper": str.upper, "typo": lambda text: _misspelled(random, text),
        "mark": lambda text: random.choice(MARKS) + text, "suffix": lambda text: text + random.choice(SUFFIXES),
        "and": lambda text: text.replace(" and ", " & ").replace("’", "'"),
        "million": lambda text: text.replace(" Million", "M")}
    names = random.sample(list(edits), random.choice((1, 1, 2, 2, 3)))
    order = ("verb", "legal", "million", "and", "reorder", "bracket", "subtitle", "typo", "cut", "upper", "mark",
             "suffix")
    done = []
    for name in sorted(names, key=order.index):
        if name == "suffix" and "cut" in done:
            continue
        changed = edits[name](title)
        if changed != title:
            title = changed
            done.append(name)
    return title, tuple(done)


def _bracketed(title: str, company: Company | None) -> str:
    if company is None:
        return title
    bracket = f" ({company.listing})"
    return title.replace(bracket, "") if bracket in title else title.replace(company.name, company.name + bracket, 1)


def _legal(title: str, company: Company | None) -> str:
    if company is None or f"{company.name}’" in title or "Holdings" in company.legal:
        return title
    return title.replace(company.name, company.legal, 1)


def _reordered(random: Random, title: str) -> str:
    """`A Meets Endpoint in Asthma` as `In Asthma, A Meets Endpoint`; clauses change places."""
    if "(" in title:
        return title
    for mark in ("; ", ": "):
        head, found, tail = title.partition(mark)
        if found and len(tail) > 12:
            return f"{tail}{mark}{head}"
    places = [place for place in PLACES.finditer(title) if 15 < place.start() < len(title) - 8]
    if not places:
        return title
    place = random.choice(places)
    return f"{title[place.start() + 1:][:1].upper()}{title[place.start() + 2:]}, {title[:place.start()]}"


def _cut(random: Random, title: str) -> str:
    if len(title) < 60:
        return title
    at = random.randint(48, len(title) - 6)
    text = title[:at] if random.random() < 0.3 else title[:at].rsplit(" ", 1)[0]
    return text.rstrip(" ,;:-") + random.choice(("...", "…", " ..."))


def _other_verb(random: Random, title: str) -> str:
    for verb, others in VERBS.items():
        if f" {verb} " in title:
            return title.replace(f" {verb} ", f" {random.choice(others)} ", 1)
    return title


def _misspelled(random: Random, title: str) -> str:
    """One letter too few, two exchanged, or one doubled, inside a word."""
    words = title.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= 6 and word.isalpha()]
    if not long:
        return title
    place = random.choice(long)
    word = words[place]
    at = random.randint(2, len(word) - 3)
    words[place] = random.choice((word[:at] + word[at + 1:], word[:at] + word[at + 1] + word[at] + word[at + 2:],
                                  word[:at] + word[at] + word[at:]))
    return " ".join(words)
