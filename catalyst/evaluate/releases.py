"""How often the right ticker is found in recorded press releases, without the publisher's tags; each miss with its
cause.

The label is the ticker that the recording gives a release. Counted are the releases whose label stands in the company
list or is written in the text as a ticker, not only as a drug's code. Another line of the same issuer, written beside
the label in one run of brackets, counts as right: a trader in the US gets "OTC: MYCOF" for "(NEO: MYCO) (OTC: MYCOF)".
How often that was so is printed.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalyst.core.companies import Companies, normalise
from catalyst.core.tickers import TickerFound, find_tickers
from catalyst.errors import UnavailableError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
RELEASES = "news/globenewswire_biotech_releases_2020-2024.csv"
COMPANIES = "reference/company_tickers.json"
_AS_TICKER = r"[:($“\"][\s“\"]*{}(?![A-Za-z0-9-]| \d)"  # and not as the code of a drug: "MBX 1416", "MYCO-006"
_WORDS_BETWEEN = re.compile(r"\)[^()]*[A-Za-z][^()]*\(")  # outside of brackets


@dataclass(frozen=True, slots=True)
class Miss:
    """A release whose primary ticker is not the label; `found` is empty when none was found."""

    label: str
    found: str
    cause: str
    title: str
    is_counted: bool


@dataclass(slots=True)
class Figures:
    """Counts over all releases; those that are `counted` are judged."""

    releases: int = 0
    counted: int = 0
    same: int = 0        # the label itself
    other_line: int = 0  # another line of the same issuer
    misses: list[Miss] = field(default_factory=list)

    @property
    def right(self) -> float:
        """Share of the counted releases with the right primary ticker."""
        return (self.same + self.other_line) / self.counted if self.counted else 0.0

    @property
    def wrong(self) -> float:
        """Share of the counted releases with a primary ticker of somebody else."""
        return sum(1 for miss in self.misses if miss.is_counted and miss.found) / self.counted if self.counted else 0.0

    def plain(self) -> dict[str, Any]:
        """The figures for `--json`."""
        return {"releases": self.releases, "counted": self.counted, "label": self.same, "other_line": self.other_line,
                "right": round(self.right, 4), "wrong": round(self.wrong, 4),
                "misses": [{"label": miss.label, "found": miss.found, "cause": miss.cause, "title": miss.title,
                            "counted": miss.is_counted} for miss in self.misses]}


def measure(data: Path = DATA) -> Figures:
    """The figures over the recorded releases. Raises UnavailableError where they are not at hand."""
    for name in (RELEASES, COMPANIES):
        if not (data / name).is_file():
            raise UnavailableError(f"no recorded releases: {data / name} is not there")
    companies = Companies.from_json((data / COMPANIES).read_bytes())
    with (data / RELEASES).open(encoding="utf-8", newline="") as file:
        return judge(csv.DictReader(file), companies)


def judge(rows: Any, companies: Companies) -> Figures:
    """The figures over rows with title, publisher_summary, ticker and company."""
    figures = Figures()
    for row in rows:
        label = row["ticker"].partition(".")[0]
        title, summary = row["title"], row["publisher_summary"]
        found = find_tickers(title, summary, (), companies)
        is_written = re.search(_AS_TICKER.format(re.escape(label)), f"{title}\n{summary}") is not None
        is_counted = is_written or label in companies
        figures.releases += 1
        figures.counted += is_counted
        if is_counted and found and found[0].ticker == label:
            figures.same += 1
        elif is_counted and found and _is_other_line(label, found, f"{title}\n{summary}"):
            figures.other_line += 1
        else:
            first = found[0].ticker if found else ""
            figures.misses.append(Miss(label, first, cause_of(row, label, first, companies), title, is_counted))
    return figures


def _is_other_line(label: str, found: tuple[TickerFound, ...], text: str) -> bool:
    """Whether label and primary ticker are both written with an exchange, and no other words stand between them."""
    beside = next((one for one in found if one.ticker == label), None)
    if beside is None or beside.how != "exchange" or found[0].how != "exchange":
        return False
    first, second = sorted((text.find(one.evidence), text.find(one.evidence) + len(one.evidence))
                           for one in (beside, found[0]))
    return not _WORDS_BETWEEN.search(text[first[1]:second[0]])


def cause_of(row: Any, label: str, found: str, companies: Companies) -> str:
    """Why the label was not found, as far as list and text tell."""
    text = f"{row['title']}\n{row['publisher_summary']}"
    listed, same_name = companies.ticker(label), companies.name(row["company"])
    own = normalise(row["company"]).partition(" ")[0]
    if listed is None and same_name is not None and same_name.ticker != label:
        return f"the ticker has changed since: the list has {same_name.title} as {same_name.ticker}"
    if listed is not None and normalise(listed.title).partition(" ")[0][:5] != own[:5]:
        return f"the list gives the ticker to another company, {listed.title}"
    if listed is None:
        return "the company is not in the list" + (f", its partner {found} is" if found else "")
    if normalise(listed.title).partition(" ")[0] in normalise(text).split():
        return f"the name differs, or does not stand where an issuer stands: the list has {listed.title}"
    return "neither title nor summary names the company"


def text_of(figures: Figures) -> str:
    """The figures as lines, with every miss."""
    lines = [f"{figures.releases} releases, {figures.counted} counted: primary ticker right in {figures.right:.4f} "
             f"({figures.same} the label, {figures.other_line} another line of the issuer written beside it), "
             f"wrong in {figures.wrong:.4f}"]
    for is_counted, word in ((True, "missed"), (False, "not counted, label neither in the list nor in the text")):
        misses = [miss for miss in figures.misses if miss.is_counted == is_counted]
        for cause, number in Counter(miss.cause for miss in misses).most_common():
            lines.append(f"  {word}: {number} x {cause}")
            lines += [f"    {miss.label}, found {miss.found or 'none'}: {miss.title}" for miss in misses
                      if miss.cause == cause]
    return "\n".join(lines) + "\n"
