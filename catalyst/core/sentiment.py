"""How a story sounds: three probabilities and a value from -1 (bad for the share price) to 1.

A linear model of words and of pairs of words that follow each other with at most one known word between. Its weights
are whole numbers in a text file that `scripts/train_sentiment` writes, so a sum is exact in whatever order it is made.
Names, figures and other unknown words are passed over, so they neither weigh nor part a pair. It knows no kinds of
catalyst: what an offering means is said by the rule table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import Any

import msgspec

from catalyst.errors import ConfigError

TITLE_LIMIT = 400     # characters of the title that are read,
BODY_LIMIT = 1_200    # and of the body: the news stands at its head
BODY_SHARE = 0.5      # the weight of a body as long as a headline; a longer one counts by the root of its length
BODY_FEATURES = 16    # words and pairs of such a headline
CLEAR = 0.15          # a value beyond it is positive or negative
CAUSES = 3
FORMAT = 1

_LETTERS = bytes(code + 32 if 65 <= code <= 90 else code if 97 <= code <= 122 or code in b"'&" else 32
                 for code in range(256))


class _Head(msgspec.Struct, forbid_unknown_fields=True):
    """First line of the file. A weight of `scale` is a logit of 1; `up` and `down` are logits beside neutral's.

    `lean` is the share of neutral's probability that the value goes by.
    """

    format: int
    data_sha256: str
    rows: int
    scale: int
    up: int
    down: int
    temperature: float
    lean: float


class Tone(msgspec.Struct, frozen=True):
    """What the model says. The probabilities add up to 1; beyond +-CLEAR the value is positive or negative."""

    value: float
    up: float
    neutral: float
    down: float


class Cause(msgspec.Struct, frozen=True):
    """Words that made the value what it is, literally as they stand at `start` of the title or of the body."""

    words: str
    start: int
    in_title: bool


class Sentiment:
    """The model, ready to be applied; `data_sha256` is that of the training file, `rows` its headlines."""

    def __init__(self, head: _Head, words: dict[str, complex], pairs: dict[tuple[str, str], complex]):
        self.data_sha256 = head.data_sha256
        self.rows = head.rows
        self._head = head
        self._words = words
        self._pairs = pairs
        self._base = complex(head.up, head.down)

    @classmethod
    def from_text(cls, text: str) -> Sentiment:
        """The model in `text`: a line of JSON, then a word or pair, up and down, a line each. Raises ConfigError."""
        first, _, rest = text.partition("\n")
        words: dict[str, complex] = {}
        pairs: dict[tuple[str, str], complex] = {}
        try:
            head = msgspec.json.decode(first, type=_Head)
            for line in rest.splitlines():
                name, up, down = line.split("\t")
                one, _, other = name.partition(" ")
                if other:
                    pairs[one, other] = complex(int(up), int(down))
                else:
                    words[one] = complex(int(up), int(down))
        except (msgspec.DecodeError, ValueError) as error:
            raise ConfigError(f"sentiment weights: {error}") from error
        if head.format != FORMAT or head.scale < 1 or head.temperature <= 0 or not 0 < head.lean <= 1:
            raise ConfigError("sentiment weights: written for another version, train them again")
        return cls(head, words, pairs)

    def score(self, title: str, body: str = "") -> float:
        """The value alone."""
        return self.tone(title, body).value

    def tone(self, title: str, body: str = "") -> Tone:
        """What a story sounds like; the value is 0 where it holds no word that the model knows."""
        sum_up, sum_down, known = self._sums(title, body)
        scale = self._head.scale * self._head.temperature
        up, down = (self._head.up + sum_up) / scale, (self._head.down + sum_down) / scale
        top = max(up, down, 0.0)
        parts = math.exp(up - top), math.exp(-top), math.exp(down - top)
        whole = sum(parts)
        chances = parts[0] / whole, parts[1] / whole, parts[2] / whole
        return Tone(round(valued(chances[0], chances[1] * self._head.lean, chances[2]), 4) if known else 0.0, *chances)

    def causes(self, title: str, body: str, value: float) -> tuple[Cause, ...]:
        """The words and pairs that say most for the sign of a story's `value`, the strongest first, at most CAUSES; of
        the body only where none of the title does.
        """
        for in_title, text in ((True, title[:TITLE_LIMIT]), (False, body[:BODY_LIMIT])):
            if value and (found := self._strongest(text, 1 if value > 0 else -1)):
                return tuple(Cause(text[start:end], start, in_title) for start, end in found)
        return ()

    def _strongest(self, text: str, sign: int) -> list[tuple[int, int]]:
        """Start and end of what says most for up (1) or down (-1), without overlap."""
        chosen: list[tuple[int, int]] = []
        for strength, start, end in sorted(((weight.imag - weight.real) * sign, start, end)
                                           for weight, start, end in self._places(text)):
            if strength >= 0 or len(chosen) == CAUSES:
                break
            if all(end <= begun or over <= start for begun, over in chosen):
                chosen.append((start, end))
        return chosen

    def _sums(self, title: str, body: str) -> tuple[float, float, int]:
        """Weights for up and down without the base, and how many words and pairs made them."""
        whole, known = self._weigh(title[:TITLE_LIMIT])
        up, down = whole.real, whole.imag
        if body:
            more, further = self._weigh(body[:BODY_LIMIT])
            share = BODY_SHARE / math.sqrt(max(1.0, further / BODY_FEATURES))
            up, down, known = up + share * more.real, down + share * more.imag, known + further
        return up, down, known

    def _weigh(self, text: str) -> tuple[complex, int]:
        """The sum over the distinct words and pairs of a text, and their number."""
        kept = list(filter(self._words.__contains__, words_of(text)))
        words, pairs = set(kept), set(filter(self._pairs.__contains__, pairs_of(kept)))
        weights = self._words, self._pairs
        return (sum(map(weights[0].__getitem__, words), sum(map(weights[1].__getitem__, pairs), 0j)),
                len(words) + len(pairs))

    def _places(self, text: str) -> Iterable[tuple[complex, int, int]]:
        """Weight, start and end of each known word and pair, a word without what the pairs say of it."""
        flat, end = _flat(text), 0
        last: list[tuple[str, int]] = []
        for word in flat.split():
            start = flat.index(word, end)
            end = start + len(word)
            if word not in self._words:
                continue
            yield self._words[word], start, end
            for other, begun in last:
                if weight := self._pairs.get((other, word)):
                    yield weight + self._words[other] + self._words[word], begun, end
            last = [*last[-1:], (word, start)]


def words_of(text: str) -> list[str]:
    """The words of a text in small letters, without figures, signs and foreign letters."""
    return _flat(text).split()


def pairs_of(words: list[str]) -> Iterator[tuple[str, str]]:
    """The pairs of known words that the model looks at: neighbours, and those with one between."""
    return chain(pairwise(words), zip(words, words[2:], strict=False))


def valued(up: float, neutral: float, down: float) -> float:
    """-1 to 1: beyond +-CLEAR where up or down is the largest of the three, near it where both are large."""
    side, share = max(up, down), (up - down) / (up + down)
    if side <= neutral:
        return CLEAR * side / neutral * share
    return math.copysign(CLEAR + (1 - CLEAR) * (side - neutral) * abs(share), share)


def to_text(head: dict[str, Any], weights: dict[str, tuple[int, int]]) -> str:
    """The file of a model, the inverse of `Sentiment.from_text`; `weights` by word or by two words with a blank."""
    lines = [f"{name}\t{up}\t{down}" for name, (up, down) in sorted(weights.items())]
    return "\n".join([json.dumps({"format": FORMAT, **head}), *lines, ""])


def _flat(text: str) -> str:
    """`text` in small letters, all else blank, character for character."""
    return text.replace("’", "'").encode("ascii", "replace").translate(_LETTERS).decode("ascii")
