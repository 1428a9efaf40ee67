"""When two stories are one, by titles, texts and stock symbols; and when one corrects the other.

A false merge loses an alert, a missed one only repeats a story, so each rule asks for evidence and any contradiction
ends it. Contradictions: tickers that do not meet, numbers of the same passage that differ, words of meaning in one
title that neither the other title nor the other text knows. Titles that agree word for word need no text; titles that
were edited do: then runs of three words of the shorter text must stand in the longer one, as wires cut texts at
different places. Law-firm notices, fund notices and earnings releases share their texts but for names and numbers,
and these decide. A story's print holds what is compared; it is made once and stored.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Literal
from zlib import crc32

import msgspec

from catalyst.core.corrections import read_mark
from catalyst.core.stories import (
    AMOUNT,
    QUALIFIED,
    SCALES,
    SOFT,
    SPELLED,
    WIRES,
    folded,
    signatures_agree,
    title_signature,
)
from catalyst.core.wording import CLAUSE_END, COMMON, LINKING, STEPS, TURNS, is_typo, scaled, stem, stems_of

TEXT_CHARS, TEXT_WORDS = 700, 70  # of a text that count: its first paragraph, where wires cut it
PASSAGE, LEAST_RUNS = 0.35, 6  # share of the shorter text's runs that makes two texts one passage; runs it must have
STRONG, WITH_TICKER = 0.75, 0.65  # share that edited titles need; less where a ticker is common to both
SHORTEST, CUT_WORDS = 5, 8  # words of a title that agrees alone, and of one that is cut
PARAPHRASE = 0.70  # share from which a title may say something in words of its own
STRANGE = 0.05  # share below which two texts are about something else
LONG, CORRECTED = 20, 0.50  # runs of a long text; share of them that a correction keeps
FEW_NAMES = 3  # words of a title that are no boilerplate; with fewer its text decides
HASH_BYTES = 4
REPEAT_WORDS = 12  # words of a text that can come back under another link
MOST_TRAITS = 7  # words under which a story is found
TICKERS = re.compile(
    r"[(\[]\s*((?:[a-z][a-z .-]{1,24}:\s?[a-z0-9.\-]{1,10}(?:\s*[,;/&]\s*)?)++)[)\]]", re.IGNORECASE)
TICKER = re.compile(r":\s?([A-Za-z0-9.\-]{1,10})")
DATELINE = re.compile(
    r"^.{0,200}?(?:\(globe ?newswire\)|/prnewswire(?:[-/][\w -]{1,30})?/|\(business wire\)"
    r"|/ ?access ?(?:news)? ?wire ?/|\(newsfile corp[^)]{0,40}\)|\(newswire\)|/ ?cnw[^/]{0,20}/)"
    r"(?:\s*[a-z]{3,9}\.? \d{1,2}, \d{4}\s*/)?\s*[-–—/]*\s*")
PLAIN_DATELINE = re.compile(r"^[a-z .,'()/&-]{2,60}?,? [a-z]{3,9}\.? \d{1,2}, (?:19|20)\d\d\s*(?:--|[-–—/])\s*")
TEXT_WORD = re.compile(r"[^\W\d_]{2,}|\d[\d,]*(?:\.\d+)?")
ASCII_WORD = re.compile(r"[a-z]{2,}|\d[\d,]*(?:\.\d+)?")  # the same of a folded text in ASCII, found twice as fast
ENDS = (".", "!", "?", "\"", "”", "'", ")")  # of a text that is whole

LETTERS, ASCII_LETTERS = re.compile(r"[^\W_]+|[-+]"), re.compile(r"[a-z0-9]+|[-+]")
CLAUSE = re.compile(r"\s[-–—]+\s|[;:]\s")


Verdict = Literal["same", "other", "unsure"]


class Print(msgspec.Struct, frozen=True, array_like=True):
    """What of a story is compared with others. Packed sets of 32-bit hashes stand for the words and runs of the
    text. It is stored: a later version may only add fields behind these, with a default."""

    signature: str  # of the title without its mark; empty when it is too general to be compared alone
    words: tuple[str, ...]  # stems of the title, in order
    clauses: tuple[int, ...]  # how many of them stand before each mark that ends a clause
    is_cut: bool
    mark: str  # of a correction
    quoted: tuple[str, ...]  # stems of the title that a correction says it corrects
    tickers: frozenset[str]  # of the publisher's tags, and in brackets behind a name
    published_ms: int | None
    vocabulary: bytes
    numbers: bytes  # of the vocabulary
    runs: bytes
    traits: tuple[int, ...]  # hashes under which it is found: its tickers, then the title's words, names before others


def print_of(title: str, signature: str, text: str, symbols: Iterable[str], published_ms: int | None) -> Print:
    """The print of a story as its publisher tells it, with its title's signature; never fails."""
    marked = read_mark(title, text)
    if marked is not None and marked.title:
        title, signature = marked.title, title_signature(marked.title)
    plain = WIRES.sub("", folded(title))
    stems, clauses = stems_of(CLAUSE.sub(f" {CLAUSE_END} ", QUALIFIED.sub(" ", plain)))
    quoted = stems_of(folded(marked.earlier))[0] if marked is not None else ()
    words = text_words(text)
    hashes = [_hash(word) for word in words]
    is_whole = (len(words) < TEXT_WORDS and len(text) <= TEXT_CHARS and text.endswith(ENDS)
                and not text.endswith("..."))
    sure = len(words) if is_whole else len(words) - 2
    tickers = {ticker_of(tag) for tag in symbols} | {
        ticker.upper() for part in (title, text[:TEXT_CHARS]) if "(" in part or "[" in part
        for found in TICKERS.findall(part) for ticker in TICKER.findall(found)} - {""}
    names = [*(f":{ticker}" for ticker in sorted(tickers)[:4]),
             *sorted(dict.fromkeys((*stems, *quoted)), key=_commonness)]
    return Print(
        signature=signature, words=stems, clauses=clauses, is_cut=plain.endswith(("...", "…")),
        mark=marked.mark if marked else "", quoted=quoted, tickers=frozenset(tickers), published_ms=published_ms,
        vocabulary=_packed(hashes),
        numbers=_packed(found for word, found in zip(words[:sure], hashes, strict=False) if word[0].isdigit()),
        runs=_packed((a << 2 ^ b << 1 ^ c) & 0xFFFFFFFF
                     for a, b, c in zip(hashes, hashes[1:], hashes[2:], strict=False)),
        traits=tuple(map(_hash, names[:MOST_TRAITS])))


def text_words(text: str) -> list[str]:
    """The words of a text's beginning that are compared, without the dateline that each wire writes in its own way."""
    plain = PLAIN_DATELINE.sub("", DATELINE.sub("", folded(text[:TEXT_CHARS]), count=1), count=1)
    plain = AMOUNT.sub(lambda match: f"{match[1]} {SCALES[match[2]]}", QUALIFIED.sub(" ", plain))
    found = (ASCII_WORD if plain.isascii() else TEXT_WORD).findall(plain)
    words = [SPELLED.get(word, word) for word in found if word not in SOFT]
    return [word if word[0].isdigit() else stem(word) for word in scaled(words[:TEXT_WORDS])]


def repeat_key(title: str, signature: str, text: str) -> str:
    """Equal for one text under one title, whatever its link and date; empty for what is too short or, by its title's
    signature, too general."""
    if not signature:
        return ""
    plain = folded(text)
    words = (ASCII_LETTERS if plain.isascii() else LETTERS).findall(plain)
    if len(words) < REPEAT_WORDS:
        return ""
    return blake2b("\n".join([folded(title), *words]).encode(), digest_size=12).hexdigest()


def compare(one: Print, other: Print, within_ms: int) -> Verdict:
    """Whether two stories of different wires are one; symmetric. The wires and what else was joined are the caller's
    to look at; `within_ms` is how far apart they may be published. "other" is said where something speaks against it.
    """
    if not _may_meet(one, other, within_ms):
        return "other"
    share, least = _likeness(one, other)
    if (least >= LEAST_RUNS and share >= PASSAGE and _numbers_differ(one, other)) or _title_numbers_differ(one, other):
        return "other"
    if signatures_agree(one.signature, other.signature) or _words_agree(one, other) or _words_agree(other, one):
        if _names(one.words) < FEW_NAMES and max(len(one.runs), len(other.runs)) >= LEAST_RUNS * HASH_BYTES:
            return "same" if least >= LEAST_RUNS and share >= STRONG else "unsure"
        return "same" if least < 2 * LEAST_RUNS or share >= STRANGE else "unsure"
    if least < LEAST_RUNS or share < (WITH_TICKER if one.tickers & other.tickers else STRONG):
        return "unsure"
    return "same" if _titles_meet(one, other, share) else "unsure"


def correction_weight(mark: Print, story: Print, within_ms: int) -> float:
    """How surely the marked story corrects the other; 0: nothing says so, negative: something speaks against it. A
    correction changes something, so numbers may differ; the company and the step of the affair may not."""
    if not _may_meet(mark, story, within_ms):
        return -1.0
    share, least = _likeness(mark, story)
    if least >= LONG and share < CORRECTED and not mark.quoted:
        return -1.0
    share = share if least >= LEAST_RUNS else 0.0
    weights = [_correction_weight(words, mark, story, share) for words in (mark.words, mark.quoted) if words]
    return max(weights, default=0.0)


def ticker_of(tag: str) -> str:
    """The ticker of a publisher's tag: "Nasdaq:ABCD" is ABCD."""
    return tag.rpartition(":")[2].strip().upper()


def _correction_weight(words: Sequence[str], mark: Print, story: Print, share: float) -> float:
    mine, theirs = _meaning(words), _meaning(story.words)
    both = mine & theirs
    if len(both) < 2 or (mine ^ theirs) & TURNS or ((mine - theirs) & STEPS and (theirs - mine) & STEPS):
        return 0.0
    known = bool(mark.tickers & story.tickers)
    added, gone = mine - theirs, theirs - mine
    alike = 2 * len(both) / (len(mine) + len(theirs))
    if added and gone and (not known or min(len(added), len(gone)) > 2):
        return 0.0
    has_name = known or any(word not in COMMON for word in both)
    return alike + share if has_name and (alike >= 0.75 or (alike >= 0.5 and share >= WITH_TICKER)) else 0.0


def _may_meet(one: Print, other: Print, within_ms: int) -> bool:
    if one.tickers and other.tickers and not one.tickers & other.tickers:
        return False
    a_ms, b_ms = one.published_ms, other.published_ms
    return a_ms is None or b_ms is None or abs(a_ms - b_ms) <= within_ms


def _likeness(one: Print, other: Print) -> tuple[float, int]:
    """Share of the shorter text's runs that the longer one has, and how many the shorter one has."""
    least = min(len(one.runs), len(other.runs)) // HASH_BYTES
    return (len(_unpacked(one.runs) & _unpacked(other.runs)) / least if least else 0.0), least


def _numbers_differ(one: Print, other: Print) -> bool:
    """Whether the shorter text has a number that the longer text and its title do not have."""
    short, long = (one, other) if len(one.runs) <= len(other.runs) else (other, one)
    return bool(_unpacked(short.numbers) - _unpacked(long.vocabulary) - {_hash(word) for word in long.words})


def _words_agree(one: Print, other: Print) -> bool:
    """Whether two titles say the same in the same order, but for verbs of one meaning and misspelled common words; the
    second may be cut, or have a second headline behind the first."""
    a, b = one.words, other.words
    if len(b) > len(a):
        return (len(a) >= SHORTEST and len(a) in other.clauses and _names(a) >= FEW_NAMES
                and all(map(_reads_as, a, b)))
    if other.is_cut:
        b = b[:-1]
    least = CUT_WORDS if other.is_cut else SHORTEST
    if not least <= len(b) or (len(a) != len(b) and not other.is_cut) or one.is_cut:
        return False
    return _names(b) >= 2 and all(map(_reads_as, a, b))


def _reads_as(x: str, y: str) -> bool:
    """Whether two words are one, or one is a common word and the other its misspelling."""
    return x == y or ((x in COMMON) != (y in COMMON) and is_typo(x, y))


@lru_cache(maxsize=256)  # one story is compared with several
def _names(words: tuple[str, ...]) -> int:
    return sum(word not in COMMON and not word[0].isdigit() for word in words)


def _title_numbers_differ(one: Print, other: Print) -> bool:
    """Whether two titles that have most words in common have numbers that differ, each one of its own."""
    a, b = (story.words[:-1] if story.is_cut else story.words for story in (one, other))
    numbers, others = _numbers_of(a), _numbers_of(b)
    return not (numbers <= others or others <= numbers) and len(set(a) & set(b)) * 2 >= min(len(a), len(b))


@lru_cache(maxsize=256)  # one story is compared with several
def _numbers_of(words: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for word in words if word[0].isdigit())


def _titles_meet(one: Print, other: Print, share: float) -> bool:
    """Whether nothing in two edited titles speaks against one story whose texts agree."""
    a, b = _meaning(one.words), _meaning(other.words)
    extra_a, extra_b = a - b, b - a
    behind_a, behind_b = _behind(one.words, a & b), _behind(other.words, a & b)
    if ((a ^ b) & TURNS) - behind_a - behind_b or (extra_a & STEPS and extra_b & STEPS):
        return False
    known = bool(one.tickers & other.tickers)
    if len(a & b) < (1 if known else 2) or not (known or any(word not in COMMON for word in a & b)):
        return False
    open_a, open_b = _unexplained(one, other, extra_a), _unexplained(other, one, extra_b)
    if open_a and open_b:
        return known and share >= PARAPHRASE and _is_paraphrase(one, open_a) and _is_paraphrase(other, open_b)
    longer, left, behind = (one, open_a, behind_a) if open_a else (other, open_b, behind_b)
    if (other if open_a else one).is_cut and len(a & b) >= SHORTEST:
        own = _unpacked(longer.vocabulary)
        return known or not any(word not in COMMON and _hash(word) in own for word in left)
    return not left or _is_paraphrase(longer, left - behind)


def _behind(words: Sequence[str], shared: set[str]) -> set[str]:
    """The words behind the last shared one: a second headline, or what a cut took from the other title."""
    last = max((at for at, word in enumerate(words) if word in shared), default=-1)
    return set(words[last + 1:])


def _unexplained(one: Print, other: Print, extra: set[str]) -> set[str]:
    """Words of one title that neither the other title nor the other text has, also not spelled a little otherwise."""
    own, others = _unpacked(one.vocabulary), _unpacked(other.vocabulary)
    left = {word for word in extra if _hash(word) not in others}
    if one.is_cut and one.words:
        ends = one.words[-2:] if one.words[-2:-1] and one.words[-2][0].isdigit() else one.words[-1:]
        left -= set(ends)
    return {word for word in left if not any(
        is_typo(word, right) and (_hash(right) in own or _hash(word) not in own)
        for right in other.words)}


def _is_paraphrase(one: Print, words: set[str]) -> bool:
    """Whether a title says in a word or two of its own what its text says otherwise: no number, no step, no name that
    its own text has and the other lacks."""
    own = _unpacked(one.vocabulary)
    return len(words) <= 2 and not any(word[0].isdigit() or word in STEPS or _hash(word) in own for word in words)


def _meaning(words: Iterable[str]) -> set[str]:
    return {word for word in words if word not in LINKING}


def _commonness(word: str) -> tuple[int, int]:
    """Names and numbers first, boilerplate last; among equals the longer word."""
    return (2 if word in LINKING else 1 if word in COMMON else 0, -len(word))


@lru_cache(maxsize=20_000)
def _hash(word: str) -> int:
    return crc32(word.encode())


def _packed(hashes: Iterable[int]) -> bytes:
    return array("I", sorted(set(hashes))).tobytes()


@lru_cache(maxsize=256)  # as above
def _unpacked(packed: bytes) -> frozenset[int]:
    return frozenset(memoryview(packed).cast("I"))
