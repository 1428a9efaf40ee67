"""The list of US-listed companies, read from text.

Looks up by ticker, by CIK and by name. A name counts only when it is the whole name: legal suffixes apart, nothing is
guessed, and a name that two companies share finds neither. It opens no file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from itertools import islice, takewhile

import msgspec

from catalyst.core.ticker_words import ORDINARY, SECTORS
from catalyst.errors import ConfigError

_LEGAL_FORMS = ("inc incorporated corp corporation co company ltd limited plc llc lp llp sa nv ag se spa ab asa oyj as "
                "gmbh kk pbc sas bv na ads adr")
LEGAL = frozenset(_LEGAL_FORMS.split())
_DROPPED = LEGAL | {"and"}
LOOSE = frozenset(("holdings", "holding", "group"))  # headlines leave them out: Corbus Pharmaceuticals [Holdings, Inc.]
COINED_LENGTH = 5  # letters: shorter words are too often somebody else's
_SLASHED = re.compile(  # the SEC's "/DE/", "/NEW/"
    r"(?<![ \t])[ \t]*(?:/[a-z. ]{2,8}/?|\\[a-z]{2,4}\\?)[ \t]*$", re.MULTILINE)
_DOTTED = re.compile(r"\b(?:[a-z]\.){2,}")  # l.p., n.v., s.p.a.
_APART = re.compile(r"[^\w\n]+")


class Company(msgspec.Struct, frozen=True, gc=False):
    """One row of the list, as the SEC writes it; class shares are `BRK-B`."""

    cik: int = msgspec.field(name="cik_str")
    ticker: str
    title: str


_ROWS = msgspec.json.Decoder(dict[str, Company])


def canonical(ticker: str) -> str:
    """The one spelling of a ticker: class shares with a dash, `BRK.B` and `BRK/B` become `BRK-B`, `BAC^A` `BAC-PA`."""
    return ticker if ticker.isalnum() else ticker.replace(".", "-").replace("/", "-").replace("^", "-P")


def normalise(name: str) -> str:
    """`name` without case, punctuation, article and legal suffixes; empty when nothing else is in it."""
    return normalise_all([name])[0]


def normalise_all(names: Sequence[str]) -> list[str]:
    """Each name as `normalise` gives it; all as one text, which is three times as fast as one after the other."""
    text = "\n".join([name.replace("\n", " ") for name in names]).lower()
    if "/" in text or "\\" in text:
        text = _SLASHED.sub("", text)
    if "." in text:
        text = _DOTTED.sub(lambda found: found[0].replace(".", "") + " ", text)
    for mark in "'’‘`":
        text = text.replace(mark, "")
    return [_bare(line) for line in _APART.sub(" ", text.replace("&", " and ")).split("\n")]


def _bare(line: str) -> str:
    words = line.split()
    while len(words) > 1 and words[-1] in _DROPPED:
        words.pop()
    return " ".join(words[1:] if len(words) > 1 and words[0] == "the" else words)


class Companies:
    """The company list; `len` is the number of its rows."""

    def __init__(self, rows: Sequence[Company]):
        self._by_ticker: dict[str, Company] = {}
        self._by_cik: dict[int, tuple[Company, ...]] = {}
        self._by_name: dict[str, Company | None] = {}  # None: two companies share it
        loose: dict[str, Company | None] = {}
        for row, name in zip(rows, normalise_all([row.title for row in rows]), strict=True):
            self._by_ticker.setdefault(row.ticker, row)
            known = self._by_cik.get(row.cik)
            self._by_cik[row.cik] = (row,) if known is None else (*known, row)
            if known is not None:
                continue  # the SEC lists a company's main line first
            self._by_name[name] = None if name in self._by_name else row
            short, _, last = name.rpartition(" ")
            if last in LOOSE and (" " in short or len(short) > 5):
                loose[short] = None if short in loose else row
        for name, found in loose.items():
            self._by_name.setdefault(name, found)
        self._longest: dict[str, int] = {}  # words of the longest name that begins with a word
        for name in self._by_name:
            first = name.partition(" ")[0]
            self._longest[first] = max(self._longest.get(first, 0), name.count(" ") + 1)
        self._coined = _coined(self._by_name)

    @classmethod
    def from_json(cls, text: str | bytes) -> Companies:
        """The list in the shape of the SEC's company_tickers.json. Raises ConfigError when it is not that shape."""
        try:
            rows = _ROWS.decode(text)
        except (msgspec.DecodeError, UnicodeError) as error:
            raise ConfigError(f"company list: {error}") from error
        if not rows:
            raise ConfigError("company list: it has no rows")
        return cls([row for row in rows.values() if row.ticker])

    def __len__(self) -> int:
        return len(self._by_ticker)

    def __contains__(self, ticker: object) -> bool:
        return ticker in self._by_ticker

    def near(self, ticker: str, most: int = 5) -> list[str]:
        """Tickers that are written like this one, the most alike first; without itself."""
        import difflib

        alike = difflib.get_close_matches(canonical(ticker), self._by_ticker, most + 1, 0.5)
        return [one for one in alike if one != canonical(ticker)][:most]

    def ticker(self, ticker: str) -> Company | None:
        """The company of a ticker, in any spelling of its class."""
        return self._by_ticker.get(canonical(ticker))

    def rank(self, ticker: str) -> int:
        """The company's place in the list, from 1; the SEC's begins with the largest. 0 for one that is not in it."""
        company = self.ticker(ticker)
        return self._places[company.cik] if company is not None else 0

    @cached_property
    def _places(self) -> dict[int, int]:
        return {cik: place for place, cik in enumerate(self._by_cik, 1)}

    def cik(self, cik: int) -> tuple[Company, ...]:
        """All lines of a company, main line first; empty when unknown."""
        return self._by_cik.get(cik, ())

    def name(self, name: str) -> Company | None:
        """The one company with exactly this name, legal suffixes apart."""
        return self._by_name.get(normalise(name))

    def may_begin(self, word: str) -> bool:
        """Whether a name can begin with this word; true for words with marks in them, which only `leading` can tell."""
        lower = word.lower()
        return lower in self._longest or not lower.isalpha() or lower == "the"

    def coined(self, words: Iterable[str]) -> tuple[Company, int] | None:
        """The company that alone in the list has the first of `words` in its name, which is a word made up for it; and
        how many words name it: "Coherus" and "Coherus Oncology" are Coherus BioSciences."""
        written = iter(words)
        first = next(written, "")
        company = self._coined.get(first.lower().strip(".,"))
        if company is None or not first[:1].isupper():
            return None
        count = 1
        if " " in normalise(company.title):  # a trade behind a name without one is another's: "AstraZeneca Pharma"
            count += sum(1 for _ in takewhile(_is_trade, written))
        return company, count

    def leading(self, words: Iterable[str], longest: int = 8) -> tuple[Company, int] | None:
        """The company whose name the most of the first `longest` words make up, and how many words those are."""
        name: list[str] = []
        found: tuple[Company, int] | None = None
        most = core = 0  # words of the longest name that begins so; words up to the last that is no legal suffix
        for count, word in enumerate(islice(words, longest), 1):
            tokens = _tokens(word)
            if not name:
                tokens = tokens[1:] if tokens[:1] == ["the"] else tokens
                most = self._longest.get(tokens[0], 0) if tokens else 0
                if tokens and not most:
                    return None
            for token in tokens:
                name.append(token)
                if token not in _DROPPED or core == 0:
                    core = len(name)
            if core > most:
                break
            company = self._by_name.get(" ".join(name[:core]))
            if company is not None and name[-1] != "and":
                found = company, count
        return found


def _is_trade(word: str) -> bool:
    return word.lower().strip(".,") in SECTORS or word.lower().strip(".,") in LEGAL


def _coined(by_name: Mapping[str, Company | None]) -> dict[str, Company]:
    """Companies by the one word that names them, when the rest of the name only says in what trade they are."""
    owner: dict[str, int] = {}  # the CIK of the only company with a word in its name, 0 when there are several
    for name, company in by_name.items():
        cik = company.cik if company is not None else 0
        for word in name.split():
            owner[word] = cik if owner.get(word, cik) == cik else 0
    found = {}
    for name, company in by_name.items():
        first, *rest = name.split() or [""]
        if company is not None and owner[first] and len(first) >= COINED_LENGTH and first not in ORDINARY and (
                first.isalnum() and not first.isdecimal() and SECTORS.issuperset(rest)):
            found[first] = company
    return found


def _tokens(word: str) -> list[str]:
    """The words that `normalise` makes of one word between blanks."""
    if word.isalnum():
        return [word.lower()]
    short = word.removesuffix(".")
    return [short.lower()] if short.isalnum() else normalise(word).split()
