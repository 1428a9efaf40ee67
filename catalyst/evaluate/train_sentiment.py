"""Trains the model of `catalyst.core.sentiment` and writes its weights; scikit-learn is needed here and nowhere else.

A logistic regression over the words of labelled headlines, pairs of them, the characters within each word, and what our
word lists say of it. All of that is linear in words and pairs, so it is added up into one weight for each. The
headlines come from one country's market; so that they speak for others, a word counts only when it is written small
at least half the time (names are not), figures are passed over, and the market's own words are left out.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import math
import re
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalyst.core.sentiment import CLEAR, Sentiment, pairs_of, to_text, valued, words_of
from catalyst.errors import CatalystError, ConfigError, UnavailableError
from catalyst.evaluate.word_lists import LESS, LEXICON, NEGATED, NEGATIONS, TURNED

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "sentiment" / "headlines_train.csv"
SHIPPED = Path(__file__).resolve().parents[1] / "core" / "sentiment.tsv"
DOWN, NEUTRAL, UP = LABELS = (0, 1, 2)
NAMES = ("negative", "neutral", "positive")

LEANS = [step / 20 for step in range(20, 3, -1)]
LEAST = 2           # a word or pair of fewer headlines has no weight
LEANING = 0.01      # of macro-F1 that may go for calling less neutral: companies' own news has fewer telling words
SMALL_SHARE = 0.5   # of a word's places, but the first of a headline, where it is written small
STRENGTH = 0.3      # inverse of the penalty on weights
CHARACTERS = 0.3    # the part of a word, beside 1 for the word
GRAMS = (3, 4, 5)   # characters of a part
LISTS = 2.0         # a point of the word lists, likewise
SCALE = 64          # of the whole numbers that weights are written as
PRUNED = 3          # a pair whose weights are both smaller, in those numbers, is left out
MOST_BYTES = 1_000_000
FOLDS, SEED = 5, 1

# Money, places and habits of the market that the headlines are from.
_LOCAL = ("rs re crore crores lakh lakhs cr pc pct rupee rupees paise sensex nifty dalal sebi psu psus ipo ipos "
          "bourses q h fy s m n e p yr yrs mth ltd npa npas gold silver crude oil sugar chana guar soyabean "
          "cotton wheat rubber monsoon indian india rbi euro dollar yen sterling bonds bund bunds equities "
          "forex fii fiis dii")
LOCAL = frozenset(_LOCAL.split())
# Words that join others: to pass them over brings the telling ones together.
_JOINING = "the a an its of and in for on at as with is are was has have that this it from s their our will be"
JOINING = frozenset(_JOINING.split())
_WRITTEN = re.compile(r"[A-Za-z][A-Za-z'&]*")


@dataclass(frozen=True, slots=True)
class Headline:
    """One labelled headline; `label` is DOWN, NEUTRAL or UP."""

    title: str
    label: int


def read(data: bytes) -> list[Headline]:
    """The headlines of a CSV with title and sentiment, each title once. Raises ConfigError."""
    rows: dict[str, Headline] = {}
    try:
        for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"))):
            rows.setdefault(row["title"].lower(), Headline(row["title"], NAMES.index(row["sentiment"])))
    except (UnicodeDecodeError, KeyError, ValueError, csv.Error) as error:
        raise ConfigError(f"training data: {error!r}") from error
    return list(rows.values())


def read_data(path: Path = DATA) -> tuple[bytes, list[Headline]]:
    """The training file and what is in it. Raises UnavailableError where there is none."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UnavailableError(f"training data: {path}: {error.strerror}") from error
    return data, read(data)


def known_words(titles: Sequence[str]) -> frozenset[str]:
    """The words that may have a weight: those of the lists and the common ones of the headlines."""
    small: Counter[str] = Counter()
    large: Counter[str] = Counter()
    for title in titles:
        written = _WRITTEN.findall(title)
        if sum(word[0].isupper() for word in written) > 0.7 * len(written):
            continue  # in such a headline every word is written large
        for word in written[1:]:
            (small if word[0].islower() else large)[word.lower()] += 1
    common = {word for word, count in small.items()
              if count >= LEAST and count >= SMALL_SHARE * (count + large[word]) and words_of(word) == [word]}
    return frozenset((common | set(LEXICON) | NEGATIONS | LESS | TURNED) - LOCAL - JOINING)


def listed(one: str, other: str = "") -> float:
    """What the word lists say of a word, or of a pair beyond what they say of its words."""
    if not other:
        return LEXICON.get(one, 0)
    if other in TURNED and one in LESS:
        return 3.5 - LEXICON.get(one, 0) - LEXICON.get(other, 0)
    return LEXICON.get(other, 0) * (NEGATED - 1) if one in NEGATIONS else 0.0


def parts_of(word: str) -> Counter[str]:
    """The runs of characters in a word, with marks at its ends."""
    marked = f"^{word}$"
    return Counter(f"{marked[at:at + size]}*" for size in GRAMS for at in range(len(marked) - size + 1))


def features(title: str, known: frozenset[str]) -> dict[str, float]:
    """What the regression sees of a title."""
    kept = [word for word in words_of(title) if word in known]
    pairs = set(pairs_of(kept))
    seen = dict.fromkeys([*sorted(set(kept)), *(f"{one} {other}" for one, other in sorted(pairs))], 1.0)
    parts: Counter[str] = Counter()
    for word in sorted(set(kept)):
        parts.update(parts_of(word))
    seen.update((part, CHARACTERS * count) for part, count in parts.items())
    points = [*map(listed, set(kept)), *(listed(*pair) for pair in pairs)]
    for name, sign in (("+", 1), ("-", -1)):
        if told := math.fsum(max(0.0, sign * point) for point in points):
            seen[name] = LISTS * told
    return seen


def fit(headlines: Sequence[Headline]) -> tuple[dict[str, tuple[int, int]], tuple[int, int]]:
    """Whole-number weights of words and pairs for up and down beside neutral, and the base."""
    known = known_words([one.title for one in headlines])
    rows = [features(one.title, known) for one in headlines]
    counts = Counter(name for row in rows for name in row)
    columns = {name: at for at, name in enumerate(sorted(name for name, count in counts.items() if count >= LEAST))}
    learned, base = _regress(rows, columns, [one.label for one in headlines])

    def rounded(sides: Sequence[float]) -> tuple[int, int]:
        return round(sides[0] * SCALE), round(sides[1] * SCALE)

    def side(name: str, which: int) -> float:
        return learned[columns[name]][which] if name in columns else 0.0

    weights: dict[str, tuple[int, int]] = {}
    for word in known:
        lists = _lists(listed(word), side)
        weights[word] = rounded([
            side(word, which) + lists[which]
            + CHARACTERS * math.fsum(count * side(part, which) for part, count in sorted(parts_of(word).items()))
            for which in (0, 1)])
    named = [(*name.split(" "),) for name in columns if " " in name]
    for one, other in {*named, *((one, other) for one in LESS for other in TURNED),
                       *((one, other) for one in NEGATIONS for other in LEXICON)}:
        if {one, other} <= known:
            lists = _lists(listed(one, other), side)
            sides = rounded([side(f"{one} {other}", which) + lists[which] for which in (0, 1)])
            if max(map(abs, sides)) >= PRUNED:
                weights[f"{one} {other}"] = sides
    return weights, rounded(base)


def _lists(points: float, side: Any) -> tuple[float, float]:
    name = "+" if points > 0 else "-"
    return abs(points) * LISTS * side(name, 0), abs(points) * LISTS * side(name, 1)


def _regress(rows: Sequence[dict[str, float]], columns: dict[str, int],
             labels: Sequence[int]) -> tuple[list[list[float]], list[float]]:
    """Coefficients for up and down beside neutral by column, and the intercepts."""
    try:
        from scipy.sparse import csr_matrix
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise UnavailableError("training needs scikit-learn: scripts/setup test train") from error
    cells = [(at, columns[name], value) for at, row in enumerate(rows) for name, value in row.items()
             if name in columns]
    at, column, value = zip(*cells, strict=True)
    table = csr_matrix((value, (at, column)), shape=(len(rows), len(columns)))
    found = LogisticRegression(C=STRENGTH, max_iter=500, tol=1e-3).fit(table, labels)
    sides = found.coef_[[UP, DOWN]] - found.coef_[NEUTRAL]
    base = found.intercept_[[UP, DOWN]] - found.intercept_[NEUTRAL]
    return sides.T.tolist(), base.tolist()


def model_text(headlines: Sequence[Headline], digest: str = "") -> str:
    """The file of a model trained on `headlines`; temperature and lean come from headlines held back."""
    heads: list[tuple[Tone3, int]] = []
    for rest, held in folds(headlines, 3):
        weights, base = fit(rest)
        trial = Sentiment.from_text(_text(weights, base, 1.0, 1.0, digest, len(rest)))
        heads += [(logits(trial, one.title), one.label) for one in held]
    temperature = min((step / 50 for step in range(25, 126)), key=lambda at: loss(heads, at))
    said = [(chances(sides, temperature), label) for sides, label in heads]
    scores = {lean: macro_f1([(label_of(valued(of[UP], of[NEUTRAL] * lean, of[DOWN])), label) for of, label in said])
              for lean in LEANS}
    lean = min(lean for lean, score in scores.items() if score >= max(scores.values()) - LEANING)
    weights, base = fit(headlines)
    return _text(weights, base, temperature, lean, digest, len(headlines))


Tone3 = tuple[float, float]  # logits of up and down beside neutral's


def logits(model: Sentiment, title: str) -> Tone3:
    """From the probabilities of a model whose temperature is 1."""
    tone = model.tone(title)
    return math.log(tone.up / tone.neutral), math.log(tone.down / tone.neutral)


def chances(sides: Tone3, temperature: float) -> tuple[float, float, float]:
    """Probabilities of DOWN, NEUTRAL and UP."""
    parts = math.exp(sides[1] / temperature), 1.0, math.exp(sides[0] / temperature)
    return parts[0] / sum(parts), parts[1] / sum(parts), parts[2] / sum(parts)


def loss(heads: Sequence[tuple[Tone3, int]], temperature: float) -> float:
    """Mean negative logarithm of the probability of what was right."""
    return -math.fsum(math.log(chances(sides, temperature)[label]) for sides, label in heads) / len(heads)


def label_of(value: float) -> int:
    """What a value says: UP or DOWN beyond CLEAR."""
    return UP if value > CLEAR else DOWN if value < -CLEAR else NEUTRAL


def macro_f1(pairs: Sequence[tuple[int, int]]) -> float:
    """Mean F1 of the three labels over (said, true)."""
    said, true, right = (Counter(one) for one in (
        (said for said, _ in pairs), (true for _, true in pairs), (said for said, true in pairs if said == true)))
    return sum(2 * right[label] / ((said[label] + true[label]) or 1) for label in LABELS) / len(LABELS)


def folds(headlines: Sequence[Headline], number: int) -> list[tuple[list[Headline], list[Headline]]]:
    """Each fold as (the rest, the held ones), labels shared out alike; the order is by a hash of the title and SEED."""
    place: Counter[int] = Counter()
    fold: dict[str, int] = {}
    for one in sorted(headlines, key=lambda one: hashlib.sha256(f"{SEED} {one.title}".encode()).digest()):
        fold[one.title] = place[one.label] % number
        place[one.label] += 1
    return [([one for one in headlines if fold[one.title] != at], [one for one in headlines if fold[one.title] == at])
            for at in range(number)]


def _text(weights: dict[str, tuple[int, int]], base: tuple[int, int], temperature: float, lean: float,
          digest: str, rows: int) -> str:
    return to_text({"data_sha256": digest, "rows": rows, "scale": SCALE, "up": base[0], "down": base[1],
                    "temperature": temperature, "lean": lean}, weights)


def main(arguments: list[str] | None = None) -> int:
    """Train and write. The exit code is 69 where the data or scikit-learn is missing."""
    parser = argparse.ArgumentParser(prog="scripts/train_sentiment", description="Writes the weights of the sentiment.",
                                     epilog="example: scripts/train_sentiment --out /tmp/sentiment.tsv")
    parser.add_argument("--data", type=Path, default=DATA, help="CSV with title and sentiment")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="default: the file that is shipped")
    options = parser.parse_args(arguments)
    try:
        data, headlines = read_data(options.data)
        text = model_text(headlines, hashlib.sha256(data).hexdigest())
    except CatalystError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if len(text) > MOST_BYTES:
        sys.stderr.write(f"the weights take {len(text)} bytes, over {MOST_BYTES}\n")
        return 1
    options.out.write_text(text, encoding="ascii")
    sys.stdout.write(f"{options.out}: {text.count(chr(10)) - 1} weights, {len(text)} bytes, of {len(headlines)} "
                     f"headlines\n{text.partition(chr(10))[0]}\n")
    return 0
