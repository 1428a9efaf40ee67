"""Identity of stories: the canonical link, the item id made from it, and when two titles are one story.

A filing is its accession number, a story its canonical link. A false merge loses an alert while a missed one only
repeats a story, so two titles count as one only when nothing that carries meaning differs: same words in the same
order, same numbers, after dropping what wires add or vary (legal forms, exchange and ticker in parentheses, the wire's
own name, "announces"). It looks at two titles only; time, source and symbols are the caller's to compare.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from urllib.parse import urlsplit

TRACKING = frozenset(("gclid", "fbclid", "cmpid", "icid", "src", "ref", "mc_cid", "mc_eid"))
ACCESSION = re.compile(r"accession-number=(\d{10}-\d\d-\d{6})\b")
ACCESSION_PATH = re.compile(r"/Archives/edgar/data/\d+/(?:\d{18}/)?(\d{10}-\d\d-\d{6})\b", re.IGNORECASE)
ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")
UNRESERVED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")

# Words that a second wire adds, drops or varies without a change of meaning. "to", "by", "not", "from" carry meaning:
# "to report" is not "reports", "acquired by" is not "acquires".
SOFT = frozenset(("""a an the of and in on its it is s
    inc incorporated corp corporation co company ltd limited llc plc lp llp sa ag nv se ab asa spa gmbh
    announce announces announced announcing report reports reported today""").replace("\n", " ").split())
# What names no company: a title of such words alone is boilerplate that many companies use on one day.
BOILERPLATE = frozenset(("""about acquisition additional agm agreement alert amended amendment and annual announcement
    appointment approval asset at bid block board book building buyback buy by capital ceo cfo change changes class
    close closes closing completes completion conference convening correction daily date day deadline deal dealing
    dealings declaration declares director directors disclosure dividend document earnings egm event exercise
    extraordinary fda filing final financial financing following for form full fund funds general group half held
    holder holding holdings inside information insider interest interests interim into investment investor investors
    issue issuer launch law listing loss losses major manager managers managerial market meeting meetings million
    billion monthly nav net new news notice notification notifications offer offering opening operational options order
    own ownership pdmr performance period person persons placement policy portfolio position postponed presentation
    price pricing private prices product production program proposed prospectus proxy public publication purchase
    purchases quarter quarterly ratings re receives regarding registered regulatory release reminder repurchase
    response result results resignation review rights sale schedule securities security series share shareholder
    shareholders shareholding shares short split statement status stock strategic summary to total trading transaction
    transactions transparency treasury update upcoming value voting warrant warrants webcast week weekly with year
    yearly""").replace("\n", " ").split())
SPELLED = {"first": "1", "1st": "1", "second": "2", "2nd": "2", "third": "3", "3rd": "3", "fourth": "4", "4th": "4",
           "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "ii": "2", "iii": "3", "iv": "4",
           "q1": "1 quarter", "q2": "2 quarter", "q3": "3 quarter", "q4": "4 quarter", "percent": "%", "pct": "%",
           "mln": "million", "bln": "billion", "us$": "$", "usd": "$", "tumour": "tumor", "programme": "program"}
QUALIFIED = re.compile(r"[(\[]\s*(?:[a-z][a-z .-]{1,24}:\s?[a-z0-9.\-]{1,10}(?:\s*[,;/&]\s*)?)++[)\]]")
WIRES = re.compile(
    r"\s*(?:[-–—|:]|/)\s*(?:pr ?newswire|business ?wire|globe ?newswire|access ?(?:news)?wire|newsfile(?: corp)?"
    r"|yahoo finance|marketwatch|benzinga|reuters|stock ?titan|seeking alpha|investing\.com|nasdaq\.com)"
    r"(?:\.com)?\s*[-–—/]*\s*$")
MINUS = re.compile(r"[-−–](?<![\w$€£%].)(?=[$€£]?\d)")
AMOUNT = re.compile(r"(\d(?<![a-z0-9]\d)[\d,]*(?:\.\d+)?)\s?(m|mm|mn|k|b|bn)(?![a-z0-9])")  # a digit first: fast
SCALES = {"m": "million", "mm": "million", "mn": "million", "k": "thousand", "b": "billion", "bn": "billion"}
POSSESSIVE = re.compile(r"(?<=\w)'s?(?![\w'])")
ABBREVIATION = re.compile(r"\b(?:[a-z]\.){2,}")
WORD = re.compile(r"us\$|q[1-4]\b|\d+(?:st|nd|rd|th)\b|\d[\d,]*(?:\.\d+)?|[^\W\d_]+|[%$€£+<>]")
DOTS = "…"
ENDINGS = ("s", "es", "ed", "ing", "d", "e")
SHORTEST_WORDS = 4  # words with meaning that a title must have to be merged at all
CUT_WORDS = 8  # words that must agree before the dots of a cut title
TYPO_CHARS = 8  # a misspelling is forgiven only in words as long
LEAST_RATIO = 90  # rapidfuzz's 0-100, a cheap gate before the words are compared


def canonical_link(url: str) -> str:
    """The form under which equal links are equal: https, lower-case host, no default port, fragment, trailing slash
    or tracking parameter, query in order, escapes as in RFC 3986 6.2.2. What is no web address comes back trimmed.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return url
    if parts.scheme.lower() not in ("http", "https") or not host:
        return url
    if ":" in host:
        host = f"[{host}]"
    if port not in (None, 80, 443):
        host = f"{host}:{port}"
    path = _escapes(re.sub(r"/+$", "", parts.path))
    kept = sorted(_escapes(pair) for pair in parts.query.split("&") if pair and not _is_tracking(pair))
    return f"https://{host}{path}" + (f"?{'&'.join(kept)}" if kept else "")


def story_id(link: str, guid: str = "", source: str = "") -> str:
    """20 hex digits: of the canonical link, or of guid and source for an entry without a link."""
    name = canonical_link(link) if link else f"guid:{source}\n{guid}"
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:20]


def accession_of(entry_id: str, link: str) -> str | None:
    """The dashed accession number of an EDGAR entry (Atom id `urn:tag:sec.gov,2008:accession-number=...` or index
    page), None for anything else. The same filing appears once for each of its parties.
    """
    match = ACCESSION.search(entry_id) or ACCESSION_PATH.search(link)
    return match[1] if match else None


def item_id_of(entry_id: str, link: str, source: str) -> str:
    """The id of the item that a feed's entry stands for: accession number of a filing, else `story_id`."""
    return accession_of(entry_id, link) or story_id(link, entry_id, source)


def title_signature(title: str) -> str:
    """The words of a title that carry meaning, in their order; empty when it is too general ever to be merged.

    Titles with equal signatures are one story; `signatures_agree` says so for nearly equal ones. A signature that ends
    in dots is that of a cut title.
    """
    text = WIRES.sub("", folded(title))
    dots = [DOTS] if text.endswith(("...", "…")) else []
    words = [word for word in words_of(text) if word not in SOFT]
    if len(words) < SHORTEST_WORDS or not _lead(words):
        return ""
    return " ".join(words + dots)


def folded(text: str) -> str:
    """A text in one case and one form of its letters (Unicode NFKC), as `words_of` reads it."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'").strip()


def words_of(text: str) -> list[str]:
    """The words of a folded text in their order, numbers in one form; without an exchange and ticker in brackets."""
    if "(" in text or "[" in text:
        text = QUALIFIED.sub(" ", text)
    text = MINUS.sub(" minus ", text)
    if "'" in text:
        text = POSSESSIVE.sub(" ", text)
    if "." in text:
        text = ABBREVIATION.sub(lambda match: match[0].replace(".", ""), text)
    text = AMOUNT.sub(lambda match: f"{match[1]} {SCALES[match[2]]}", text)
    words: list[str] = []
    for raw in WORD.findall(text):
        if raw in SPELLED:
            words += SPELLED[raw].split()
        else:
            words.append(_number(raw) if raw[0].isdigit() else raw)
    return words


def signatures_agree(one: str, other: str) -> bool:
    """Whether two signatures stand for one story: the same words in the same order but for the endings of verbs, for
    how words are joined, for one misspelling, and for what is missing after the dots of a cut title.
    """
    if not (one and other):
        return False
    if one == other:
        return True
    if not (one.endswith(DOTS) or other.endswith(DOTS)):
        return _words_agree(one, other)
    a, b = one.split(" "), other.split(" ")
    for cut, whole in ((a, b), (b, a)):
        if cut[-1] == DOTS and CUT_WORDS < len(cut) <= len(whole):
            return _words_agree(" ".join(cut[:-1]), " ".join(whole[:len(cut) - 1]))
    return False


def _words_agree(one: str, other: str) -> bool:
    from rapidfuzz import fuzz
    from rapidfuzz.distance import OSA

    if fuzz.ratio(one, other, score_cutoff=LEAST_RATIO) < LEAST_RATIO:
        return False
    a, b = one.split(" "), other.split(" ")
    if len(a) != len(b):
        return "".join(a) == "".join(b)
    differing = [(x, y) for x, y in zip(a, b, strict=True) if x != y and not _is_same_verb(x, y)]
    if not differing:
        return True
    (x, y), *more = differing
    is_long = min(len(x), len(y)) >= TYPO_CHARS and x.isalpha() and y.isalpha()
    return not more and is_long and a[0] == b[0] and (x[:3], x[-1]) == (y[:3], y[-1]) and OSA.distance(x, y) == 1


def _is_same_verb(x: str, y: str) -> bool:
    """`closes` and `closing`, `priced` and `prices`: one stem of four letters or more, endings of a verb."""
    length = 0
    while length < min(len(x), len(y)) and x[length] == y[length]:
        length += 1
    return length >= 4 and x[length:] in ENDINGS and y[length:] in ENDINGS


def _lead(words: list[str]) -> str:
    return next((word for word in words if word.isalpha() and word not in BOILERPLATE), "")


def _number(word: str) -> str:
    """A number in one form: `1,000` and `5.0` as `1000` and `5`."""
    word = word.replace(",", "")
    return word.rstrip("0").rstrip(".") if "." in word else word


def _escapes(text: str) -> str:
    def tidy(match: re.Match[str]) -> str:
        char = chr(int(match[0][1:], 16))
        return char if char in UNRESERVED else match[0].upper()

    return ESCAPE.sub(tidy, text)


def _is_tracking(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    return name.startswith("utm_") or name in TRACKING
