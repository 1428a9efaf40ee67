"""Words of titles and texts in one form each: stems, verbs of one meaning, numbers with their size.

What is left of two titles after this differs in meaning, or is a misspelling. It compares nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from catalyst.core.stories import BOILERPLATE, SOFT, words_of

CLAUSE_END = "clauseend"  # a word that stands for the end of a clause
SIZES = {"million": 1e6, "billion": 1e9, "thousand": 1e3}
# Verbs that say no more than that something is said, beside those that `SOFT` knows.
SAYING = frozenset("""unveil unveils unveiled unveiling reveal reveals revealed disclose discloses
    disclosed disclosing say says said provide provides provided providing
    release releases released issue issues issued publish publishes
    published post posts posted outline outlines details confirm confirms
    confirmed deliver delivers delivered state states stated update updates
    proudly pleased successfully breaking just now new has have had been
    will was were are be that this their our his her company's""".replace("\n", " ").split())
# Words that only link others: where a text stands behind the title, it says who did what to whom.
LINKING = frozenset("""to for by from with as at or over under up down into after before upon via
    per than through during regarding about between against among $ % € £ +
    < > s""".replace("\n", " ").split())
SAME: dict[str, str] = {word: group.split()[0] for group in (
    "receive receives received receiving get gets got obtain obtains obtained secure secures secured win wins won land "
    "lands landed gain gains gained earn earns earned awarded granted",
    "close closes closed closing complete completes completed completion conclude concludes concluded finalize "
    "finalizes finalized consummate consummates",
    "price prices priced pricing", "launch launches launched introduce introduces introduced debut debuts roll rolls",
    "buy buys acquire acquires acquired acquisition purchase purchases purchased",
    "appoint appoints appointed appointment name names named tap taps hire hires hired",
    "raise raises raised lift lifts lifted hike hikes hiked boost boosts boosted increase increases increased",
    "cut cuts lower lowers lowered reduce reduces reduced trim trims trimmed slash slashes slashed",
    "start starts started begin begins began initiate initiates initiated commence commences commenced kick kicks",
    "meet meets met achieve achieves achieved hit hits", "fail fails failed miss misses missed",
    "sign signs signed ink inks inked enter enters entered execute executes executed strike strikes struck",
    "approve approves approved approval clear clears cleared clearance", "file files filed submit submits submitted",
    "stop stops stopped discontinue discontinues discontinued halt halts halted",
    "letter notice notification", "stock share shares common", "contract order deal agreement award",
    "outcome results result data") for word in group.split()}
# Steps of one affair, in stems. Two titles that name different ones are two releases, whatever their texts share.
STEPS = frozenset("""propos pric clos upsiz withdraw terminat postpon extend reject approv launch
    start fil amend suspend adjourn resum increas buy exercis effect price
    close approve file launch raise stop""".replace("\n", " ").split())
# What turns a meaning: both titles say it, or none.
TURNS = frozenset("""not no never without fail deny
    denied lose lost unable future against""".replace("\n", " ").split())
# Verbs that are of the future behind "to".
FUTURE = frozenset("""report announce release present
    participate acquire sell publish issue""".replace("\n", " ").split())


def stems_of(plain: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The stems of a folded title's words, without those that wires add and vary; how many stand before each mark."""
    found: dict[str, None] = {}
    ends: list[int] = []
    words = scaled(words_of(plain))
    for at, word in enumerate(words):
        if word == CLAUSE_END:
            ends.append(len(found))
        elif word == "to" and at + 1 < len(words) and words[at + 1] in FUTURE:
            found["future"] = None
        elif word not in SOFT and word not in SAYING:
            found[stem(word)] = None
    return tuple(found), tuple(ends)


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """One form of a word's endings, and one word for verbs of one meaning."""
    if word in SAME:
        return SAME[word]
    if len(word) < 5 or not word.isalpha():
        return word
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[:-len(ending)]
    return word


def scaled(words: Sequence[str]) -> list[str]:
    """Numbers in one form, with the word for their size as one: `5.0 million` is 5000000."""
    found: list[str] = []
    for word in words:
        if word[0].isdigit():
            plain = word.replace(",", "")
            found.append(plain.rstrip("0").rstrip(".") if "." in plain else plain)
        elif found and found[-1][0].isdigit() and (size := _size(word)):
            found[-1] = f"{float(found[-1]) * size:.0f}"
        else:
            found.append(word)
    return found


def _size(word: str) -> float:
    """1,000,000 for `million`, also where it is misspelled; 0 for any other word."""
    if word in SIZES or len(word) < 6 or word[0] not in "mb" or not word.endswith(("n", "o")):
        return SIZES.get(word, 0)
    right = "million" if word[0] == "m" else "billion"
    return SIZES[right] if is_typo(word, right) else 0


def is_typo(word: str, right: str) -> bool:
    """Whether two words of letters differ by one slip of the hand, long ones by two."""
    length = min(len(word), len(right))
    most = 1 if length < 9 else 2
    if length < 4 or max(len(word), len(right)) - length > most or not (word.isalpha() and right.isalpha()):
        return False
    from rapidfuzz.distance import OSA

    return OSA.distance(word, right, score_cutoff=2) <= most


COMMON = BOILERPLATE | SAME.keys() | {stem(word) for word in BOILERPLATE | SAME.keys()}  # they name nobody
