"""Every message type, in the order of the flow.

A message is a frozen, typed record with one receiver. `KEY` names the fields which, with the type and the item id, make
the message's id: sending the same fact twice gives the same id, so the receiver knows it again. Times are UTC
milliseconds, prices US dollars, None means unknown. It holds no socket, no file and no decision; how a message becomes
bytes is in catalyst.packing.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal

import msgspec

Ms = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Line = Annotated[str, msgspec.Meta(max_length=2_000)]
Link = Annotated[str, msgspec.Meta(max_length=4_000)]
Text = Annotated[str, msgspec.Meta(max_length=100_000)]
Ticker = Annotated[str, msgspec.Meta(pattern=r"\A[A-Z0-9.\-]{1,10}\Z")]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Signed = Annotated[float, msgspec.Meta(ge=-1, le=1)]
Usd = Annotated[float, msgspec.Meta(ge=0, le=1e12)]
Percent = Annotated[float, msgspec.Meta(ge=-100, le=1e300)]  # a change of a price
Direction = Literal["up", "down", "neutral"]
PNG_LIMIT_BYTES = 256 * 1024
Png = Annotated[bytes, msgspec.Meta(max_length=PNG_LIMIT_BYTES)]
Cik = Annotated[str, msgspec.Meta(pattern=r"\A([0-9]{10})?\Z")]  # ten digits, empty where unknown


def id_prefix(item_id: str) -> bytes:
    """The 8 bytes with which the ids of all messages about an item begin: an index of ids finds them together."""
    return hashlib.blake2b(item_id.encode(), digest_size=8).digest()


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all messages. Subclasses state `RECEIVER`, and `KEY` where one item makes several of their kind."""

    RECEIVER: ClassVar[str] = ""
    KEY: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 1

    item_id: Id  # the item that started it: accession number of a filing, hash of a story's canonical link

    def message_id(self) -> bytes:
        """16 bytes that are the same whenever the same fact about the same item is sent; they begin with the item's."""
        parts = [type(self).__name__, self.item_id, *(str(getattr(self, name)) for name in self.KEY)]
        return id_prefix(self.item_id) + hashlib.blake2b("\x1f".join(parts).encode(), digest_size=8).digest()

    def order_key(self) -> str:
        """Messages with the same key are handled in the order of their sending, also when one has to wait."""
        return self.item_id


class Kind(msgspec.Struct, frozen=True):
    """One kind of catalyst found in an item, with the words that caused it."""

    kind: Name
    phrase: Line
    direction: Direction
    weight: Annotated[float, msgspec.Meta(ge=0, le=10)]


class Amount(msgspec.Struct, frozen=True):
    """A number that a filing states, and the literal sentence that states it."""

    value: Annotated[float, msgspec.Meta(ge=0, le=1e15)]
    quote: Line


class Offering(msgspec.Struct, frozen=True):
    """A sale of securities as a filing tells it; what it does not say is None. Money in USD, `dilution_pct` in %."""

    stage: Literal["announcement", "pricing", "upsize", "closing"]
    type: Name
    gross_proceeds: Amount | None = None
    shares: Amount | None = None
    price: Amount | None = None
    warrants: Amount | None = None
    dilution_pct: Amount | None = None


class Bar(msgspec.Struct, frozen=True, array_like=True):
    """Prices in USD and shares traded from `start_ms` on."""

    start_ms: Ms
    open: Usd
    high: Usd
    low: Usd
    close: Usd
    volume: Annotated[float, msgspec.Meta(ge=0, le=1e15)]


class Split(msgspec.Struct, frozen=True, array_like=True):
    """A split of a stock on the day of `at_ms`: the prices before it, in the shares of after it, are `factor` times as
    high."""

    at_ms: Ms
    factor: Annotated[float, msgspec.Meta(ge=1e-6, le=1e6)]


class History(msgspec.Struct, frozen=True):
    """What followed `n` alerts of a kind within `horizon`: changes in per cent, the 95 % interval of their median (None
    where `n` is too small for one), and the share of them that fell. No simulated price is in it."""

    kind: Name
    horizon: Name  # "15m", "4h", "7d"
    n: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    median_pct: Percent
    low_pct: Percent | None
    high_pct: Percent | None
    down_share: Share


class StoryFound(Message, frozen=True, kw_only=True):
    """fetcher -> classifier: a story that was not seen before, on any wire."""

    RECEIVER: ClassVar[str] = "classifier"

    source: Name
    trust: Share  # the source's, from sources.toml
    title: Line
    link: Link
    summary: Text
    published_ms: Ms | None
    seen_ms: Ms  # when the feed's response was complete
    symbols: tuple[Name, ...] = ()  # the publisher's own tags, "Nasdaq:ABCD"
    categories: tuple[Name, ...] = ()


class FilingFound(Message, frozen=True, kw_only=True):
    """fetcher -> sec: a filing that no list has shown before; one, however many parties it has."""

    RECEIVER: ClassVar[str] = "sec"

    source: Name
    trust: Share
    form: Name  # as EDGAR lists it: "8-K", "8-K/A", "SCHEDULE 13D"
    cik: Cik  # of the company that the filing is about
    company: Name
    title: Line
    link: Link  # the filing's index page
    items: tuple[Name, ...] = ()  # of an 8-K, as the list says: "1.01"
    published_ms: Ms | None
    seen_ms: Ms


class FilingRead(Message, frozen=True, kw_only=True):
    """sec -> classifier: what the filing says, with the built-in analyst's or a model's opinion."""

    RECEIVER: ClassVar[str] = "classifier"

    source: Name
    trust: Share
    form: Name
    amendment: bool
    cik: Cik
    ticker: Annotated[str, msgspec.Meta(max_length=10)] = ""  # of the company list, empty where unknown
    company: Name
    title: Line  # one line for a reader: form, company, what it is about
    link: Link
    headline: Line = ""  # of the press release among the exhibits
    text: Text = ""  # beginning of the release, else of the filing itself
    is_release: bool = False  # `text` is a press release, with or without a headline
    items: tuple[Name, ...] = ()
    offering: Offering | None = None
    sentiment: Signed = 0.0
    summary: Line = ""
    provider: Name = "embedded"
    unread: Name = ""  # why the documents could not be read: then only the list's entry is known
    published_ms: Ms | None
    seen_ms: Ms


class StoryJoined(Message, frozen=True, kw_only=True):
    """fetcher -> alerter: another wire carries the story `item_id`; here it is `joined_id`."""

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("joined_id",)

    joined_id: Id
    source: Name
    title: Line
    link: Link
    published_ms: Ms | None
    seen_ms: Ms


class StoryCorrected(Message, frozen=True, kw_only=True):
    """fetcher -> alerter: the publisher corrects the story `item_id`; the correction is `joined_id`."""

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("joined_id",)

    joined_id: Id
    source: Name
    title: Line  # with the publisher's mark
    link: Link
    published_ms: Ms | None
    seen_ms: Ms


class CatalystScored(Message, frozen=True, kw_only=True):
    """classifier -> market: the item is a catalyst for `ticker`; one message a ticker."""

    RECEIVER: ClassVar[str] = "market"
    KEY: ClassVar[tuple[str, ...]] = ("ticker",)

    source: Name
    title: Line
    link: Link
    summary: Text
    published_ms: Ms | None
    seen_ms: Ms
    ticker: Ticker
    company: Name
    role: Literal["primary", "secondary"]
    kinds: tuple[Kind, ...]
    direction: Direction
    sentiment: Signed
    score: Share
    why: Line
    watched: bool = False  # on the watch list: the price ceiling does not apply
    form: Name = ""  # of a filing, empty for a story
    trust: Share | None = None  # the source's


class AlertReady(Message, frozen=True, kw_only=True):
    """market -> alerter: passed the price gate; `price_usd` None means that no provider knew a price."""

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("ticker",)

    alert_id: Id
    source: Name
    title: Line
    link: Link
    summary: Text
    published_ms: Ms | None
    seen_ms: Ms
    ticker: Ticker
    company: Name
    kinds: tuple[Kind, ...]
    direction: Direction
    sentiment: Signed
    score: Share
    why: Line
    watched: bool
    price_usd: Usd | None
    price_ms: Ms | None  # time of that price
    previous_close_usd: Usd | None
    simulated: bool
    provider: Name | None
    ready_ms: Ms
    form: Name = ""
    trust: Share | None = None
    session: Name = ""  # of the market when the alert was made: premarket, regular, after_hours, closed
    volume: Annotated[float, msgspec.Meta(ge=0, le=1e15)] | None = None  # shares traded today
    rvol: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None  # pace of the newest minutes over the session's


class ChartWanted(Message, frozen=True, kw_only=True):
    """market -> charter: draw these bars for an alert; `mark_ms` is the catalyst's moment."""

    RECEIVER: ClassVar[str] = "charter"
    KEY: ClassVar[tuple[str, ...]] = ("alert_id",)

    alert_id: Id
    ticker: Ticker
    bars: Annotated[tuple[Bar, ...], msgspec.Meta(max_length=2_000)]
    mark_ms: Ms
    score: Share  # the best is drawn first
    watched: bool
    simulated: bool
    provider: Name
    sentiment: Signed | None = None  # of the news, for the gauge


class ChartReady(Message, frozen=True, kw_only=True):
    """charter -> alerter: the picture of an alert, and the same in words for those who cannot see it."""

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("alert_id",)

    alert_id: Id
    ticker: Ticker
    png: Png
    alt: Line
    drawn_ms: Ms


class AlertPosted(Message, frozen=True, kw_only=True):
    """alerter -> tracker: an alert went out, or the item was folded into an earlier alert as an update."""

    RECEIVER: ClassVar[str] = "tracker"
    KEY: ClassVar[tuple[str, ...]] = ("alert_id",)

    alert_id: Id
    ticker: Ticker
    kinds: tuple[Name, ...]
    direction: Direction
    score: Share
    price_usd: Usd | None
    simulated: bool
    posted_ms: Ms
    folded: bool = False


class WatchTicker(Message, frozen=True, kw_only=True):
    """tracker -> market: say what `ticker` costs at `due_ms`."""

    RECEIVER: ClassVar[str] = "market"
    KEY: ClassVar[tuple[str, ...]] = ("ticker", "horizon")

    ticker: Ticker
    horizon: Name  # "15m", "4h", "7d"
    due_ms: Ms


class PriceSeen(Message, frozen=True, kw_only=True):
    """market -> tracker: the last price made at or before `due_ms`; None with the reason where there is none.

    It is of the shares of the moment it was asked for. Where that is on a later day than the alert: the splits that the
    provider knows, and bars of the days since then.
    """

    RECEIVER: ClassVar[str] = "tracker"
    KEY: ClassVar[tuple[str, ...]] = ("ticker", "horizon")

    ticker: Ticker
    horizon: Name
    due_ms: Ms
    price_usd: Usd | None
    price_ms: Ms | None
    simulated: bool
    provider: Name | None
    reason: Name = ""
    splits: Annotated[tuple[Split, ...], msgspec.Meta(max_length=50)] = ()
    days: Annotated[tuple[Bar, ...], msgspec.Meta(max_length=50)] = ()


class OutcomeKnown(Message, frozen=True, kw_only=True):
    """tracker -> alerter: what an alert's price did by one horizon, and how alerts of its first kind have done so far.

    Only where both prices are known and something was traded in between; `history` None: nothing changed in it.
    """

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("alert_id", "horizon")

    alert_id: Id
    ticker: Ticker
    horizon: Name
    return_pct: Percent  # from `base_usd`, the alert's price (after a split in the new shares), to `price_usd`
    price_usd: Usd
    price_ms: Ms
    base_usd: Usd
    simulated: bool  # both prices are from no market
    known_ms: Ms
    history: History | None = None


class ItemDropped(Message, frozen=True, kw_only=True):
    """any -> tracker: the item ends here, for `ticker` or altogether; `fate` is dead when it became a dead letter."""

    RECEIVER: ClassVar[str] = "tracker"
    KEY: ClassVar[tuple[str, ...]] = ("stage", "ticker", "reason")

    stage: Name  # the actor
    reason: Name
    ticker: Annotated[str, msgspec.Meta(max_length=10)] = ""
    kinds: tuple[Name, ...] = ()
    score: Share | None = None
    fate: Literal["dropped", "dead"] = "dropped"
    dropped_ms: Ms


class OpsNotice(Message, frozen=True, kw_only=True):
    """any -> alerter: something that the operator should know. `item_id` names the affair: one notice an affair."""

    RECEIVER: ClassVar[str] = "alerter"
    KEY: ClassVar[tuple[str, ...]] = ("episode",)

    episode: Name  # tells one outage from the next
    severity: Literal["info", "warning", "critical"]
    title: Line
    text: Line
    made_ms: Ms


def message_types() -> dict[str, type[Message]]:
    """Name -> class of every message type, in flow order."""
    return {cls.__name__: cls for cls in Message.__subclasses__()}
