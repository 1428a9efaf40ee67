"""Messages and their packing: every type survives its bytes, ids never change, hostile bodies are refused."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any, ClassVar

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalyst.errors import MessageError, MessageTooBig
from catalyst.messages import Kind, Message, OpsNotice, StoryFound, id_prefix, message_types
from catalyst.packing import UPGRADES, pack, unpack
from catalyst.plain import BODY_LIMIT_BYTES, unpack_raw
from catalyst.runtime.roster import ALL, load_actor

TYPES = {name: cls for name, cls in message_types().items() if cls.__module__ == "catalyst.messages"}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Valid values of a field, from its declaration as msgspec reads it."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return st.one_of([values(one) for one in kind.types])
    if isinstance(kind, msgspec.inspect.StrType):
        if kind.pattern:
            return st.from_regex(kind.pattern)
        return TEXTS.filter(lambda text: (kind.min_length or 0) <= len(text) <= (kind.max_length or 10**9))
    if isinstance(kind, msgspec.inspect.IntType):
        return st.integers(kind.ge, kind.le)
    if isinstance(kind, msgspec.inspect.FloatType):
        return st.floats(kind.ge, kind.le)
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return st.lists(values(kind.item_type), max_size=3).map(tuple)
    if isinstance(kind, msgspec.inspect.StructType):
        return st.builds(kind.cls, **{field.name: values(field.type) for field in kind.fields})
    plain = {msgspec.inspect.NoneType: st.none(), msgspec.inspect.BoolType: st.booleans(),
             msgspec.inspect.BytesType: st.binary(max_size=40)}
    if type(kind) in plain:
        return plain[type(kind)]
    assert isinstance(kind, msgspec.inspect.LiteralType), kind
    return st.sampled_from(kind.values)


def messages(cls: type[Message]) -> st.SearchStrategy[Message]:
    """Valid messages of a type."""
    return values(msgspec.inspect.type_info(cls))


@pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES)
def test_every_type_survives_its_bytes(cls: type[Message]) -> None:
    """A valid message of any type is equal to itself after packing and unpacking, with the same id."""
    @settings(max_examples=60)
    @given(messages(cls))
    def round_trip(message: Message) -> None:
        again = unpack(cls.__name__, cls.VERSION, pack(message), TYPES)
        assert again == message
        assert again.message_id() == message.message_id()

    round_trip()


@pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES)
def test_a_damaged_body_is_refused_or_another_valid_message(cls: type[Message]) -> None:
    """A body with bytes changed, cut out or put in gives MessageError or a message, nothing else."""
    @settings(max_examples=60)
    @given(messages(cls), st.data())
    def damage(message: Message, data: st.DataObject) -> None:
        body = pack(message)
        start = data.draw(st.integers(0, len(body)))
        end = data.draw(st.integers(start, min(len(body), start + 4)))
        changed = body[:start] + data.draw(st.binary(max_size=4)) + body[end:]
        with suppress(MessageError):
            assert isinstance(unpack(cls.__name__, cls.VERSION, changed, TYPES), cls)

    damage()


STORY: dict[str, Any] = {"item_id": "a", "source": "wire", "trust": 0.5, "title": "T", "link": "https://x",
                         "summary": "", "published_ms": None, "seen_ms": 1}


@pytest.mark.parametrize(("field", "value"), [
    ("trust", math.nan), ("trust", math.inf), ("trust", -0.1), ("trust", "0.5"), ("trust", None),
    ("item_id", ""), ("item_id", "x" * 65), ("item_id", 5), ("item_id", b"bytes"),
    ("title", "x" * 2_001), ("summary", "x" * 100_001), ("summary", ["text"]),
    ("seen_ms", True), ("seen_ms", 1.5), ("seen_ms", 2**53 + 1), ("seen_ms", -(2**63)), ("seen_ms", None),
    ("published_ms", "yesterday"), ("symbols", "AB"), ("symbols", [1]), ("symbols", {"a": 1}), ("symbols", None),
])
def test_a_field_out_of_its_declaration_is_refused(field: str, value: Any) -> None:
    """NaN, wrong types, lengths and ranges never reach a handler."""
    body = msgpack.packb({**STORY, field: value}, use_bin_type=True)
    with pytest.raises(MessageError, match="invalid_field"):
        unpack("StoryFound", 1, body, TYPES)


@pytest.mark.parametrize("body", [[], 5, None, "text", list(STORY.values()), {"item_id": "a"}])
def test_a_body_that_is_not_the_map_of_fields_is_refused(body: Any) -> None:
    """A list, a number or a map without its fields is no message."""
    with pytest.raises(MessageError, match="invalid_field"):
        unpack("StoryFound", 1, msgpack.packb(body), TYPES)


def test_an_extension_in_place_of_a_field_is_refused() -> None:
    """msgpack's extension objects are tuples: they do not pass for a tuple of names."""
    body = msgpack.packb(STORY)[:-1] + msgpack.packb(1)
    grown = bytes([body[0] + 1]) + body[1:] + msgpack.packb("symbols") + b"\xc7\x00\x05"
    with pytest.raises(MessageError, match="invalid_field"):
        unpack("StoryFound", 1, grown, TYPES)


def test_unknown_fields_of_a_newer_sender_are_passed_over() -> None:
    """A field with a default may be added on either side without a new version."""
    body = msgpack.packb({**STORY, "mood": "bright"})
    assert unpack("StoryFound", 1, body, TYPES) == StoryFound(**STORY)


def test_an_unknown_type_is_refused_by_name() -> None:
    """A type that the receiver does not take is refused, its name cut."""
    with pytest.raises(MessageError) as caught:
        unpack("N" * 500, 1, b"\x80", TYPES)
    assert caught.value.reason == "unknown_type"
    assert len(caught.value.detail) == 60


@pytest.mark.parametrize("size", [BODY_LIMIT_BYTES + 1, BODY_LIMIT_BYTES * 2])
def test_a_message_over_the_limit_is_refused_on_both_sides(size: int) -> None:
    """512 KiB is the limit where a message is packed and where it is unpacked."""
    story = StoryFound(**{**STORY, "summary": "x" * size})
    with pytest.raises(MessageTooBig) as caught:
        pack(story)
    assert caught.value.limit_bytes == BODY_LIMIT_BYTES
    assert caught.value.size_bytes > BODY_LIMIT_BYTES
    with pytest.raises(MessageError, match="too_big"):
        unpack_raw(bytes(size))


def test_a_message_of_exactly_the_limit_is_packed() -> None:
    """The limit itself is allowed."""
    spare = BODY_LIMIT_BYTES - len(pack(StoryFound(**{**STORY, "summary": "x" * 70_000}))) + 70_000
    assert len(pack(StoryFound(**{**STORY, "summary": "x" * spare}))) == BODY_LIMIT_BYTES


class Note(Message, frozen=True, kw_only=True):
    """A type of these tests in its third version: `text` was called `words` in 1, `lang` was added in 3."""

    VERSION: ClassVar[int] = 3
    text: str
    lang: str


@pytest.fixture
def upgrades() -> Any:
    """The upgrades of Note, registered for one test."""
    steps = {("Note", 1): lambda body: {"item_id": body["item_id"], "text": body["words"]},
             ("Note", 2): lambda body: {**body, "lang": "en"}}
    UPGRADES.update(steps)
    yield
    for step in steps:
        del UPGRADES[step]


KNOWN = {"Note": Note}


@pytest.mark.parametrize(("version", "body"), [
    (1, {"item_id": "a", "words": "hello"}), (2, {"item_id": "a", "text": "hello"}),
    (3, {"item_id": "a", "text": "hello", "lang": "en"})])
def test_earlier_versions_are_read(upgrades: Any, version: int, body: dict[str, str]) -> None:
    """A body of an earlier version goes through every upgrade up to the present one."""
    assert unpack("Note", version, msgpack.packb(body), KNOWN) == Note(item_id="a", text="hello", lang="en")


@pytest.mark.parametrize("version", [0, 4, 2**62])
def test_versions_without_an_upgrade_are_refused(upgrades: Any, version: int) -> None:
    """Too old and too new are refused, without counting up to it."""
    with pytest.raises(MessageError, match="wrong_version"):
        unpack("Note", version, msgpack.packb({"item_id": "a"}), KNOWN)


@pytest.mark.parametrize("body", [{}, {"words": 5}, {"item_id": "a"}, [], 7, {"item_id": ["a"], "words": None}])
def test_a_damaged_body_of_an_earlier_version_is_refused(upgrades: Any, body: Any) -> None:
    """An upgrade that stumbles over a damaged body is a refusal, not a crash."""
    with pytest.raises(MessageError):
        unpack("Note", 1, msgpack.packb(body), KNOWN)


def test_every_type_has_exactly_one_receiver_that_takes_it() -> None:
    """RECEIVER is on the roster and lists the type in its inbox; nobody else does."""
    actors = [load_actor(name) for name in ALL]
    for cls in TYPES.values():
        assert [actor.name for actor in actors if cls in actor.inbox] == [cls.RECEIVER], cls.__name__


def test_every_type_has_a_sender() -> None:
    """A type that no actor declares to send is dead weight."""
    sent = {kind for name in ALL for kind in load_actor(name).outbox}
    assert set(TYPES.values()) <= sent


@pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES)
def test_keys_are_fields(cls: type[Message]) -> None:
    """KEY names fields of the type, and the docstring begins with the flow it takes."""
    assert set(cls.KEY) <= set(cls.__struct_fields__)
    assert (cls.__doc__ or "").split(":")[0].endswith(f"-> {cls.RECEIVER}")


def test_ids_tell_apart_what_differs_in_type_item_or_key() -> None:
    """The same fact has one id whatever else changes; another item, type or key has another."""
    notice = OpsNotice(item_id="actor:x", episode="1", severity="info", title="a", text="b", made_ms=1)
    same = OpsNotice(item_id="actor:x", episode="1", severity="critical", title="c", text="d", made_ms=2)
    others = [OpsNotice(item_id="actor:x", episode="2", severity="info", title="a", text="b", made_ms=1),
              OpsNotice(item_id="actor:y", episode="1", severity="info", title="a", text="b", made_ms=1),
              StoryFound(**{**STORY, "item_id": "actor:x"})]
    assert notice.message_id() == same.message_id()
    assert len({message.message_id() for message in (notice, *others)}) == 4
    assert [message.message_id().startswith(id_prefix("actor:x")) for message in (notice, *others)] == [1, 1, 0, 1]
    assert notice.order_key() == "actor:x"


GOLDEN = {
    "FilingFound": "4adf4367f96e584f367c5ba7ec29d4d8",
    "FilingRead": "4adf4367f96e584ff3f4ab0eb156e052",
    "ChartWanted": "4adf4367f96e584ffaac2d44c56d5a01",
    "ChartReady": "4adf4367f96e584fe87e00747d377e39",
    "WatchTicker": "4adf4367f96e584f882c33eac1984e64",
    "PriceSeen": "4adf4367f96e584f815a82f835ff6e23",
    "StoryFound": "4adf4367f96e584f2857165ea1faae59",
    "StoryJoined": "4adf4367f96e584f868df9ea63c57551",
    "StoryCorrected": "4adf4367f96e584f9bb97870dc747f2b",
    "CatalystScored": "4adf4367f96e584fe856f92588512dc0",
    "AlertReady": "4adf4367f96e584fdad6057b1a126cd6",
    "AlertPosted": "4adf4367f96e584fd970e8fc7cbf37a9",
    "OutcomeKnown": "4adf4367f96e584f2fc4f4bd709702f3",
    "ItemDropped": "4adf4367f96e584f92678d39b87274c7",
    "OpsNotice": "4adf4367f96e584f713d28b250a4e59a",
}


def golden(cls: type[Message]) -> Message:
    """A fixed message of a type: every field its first plain value."""
    plain: dict[str, Any] = {"kinds": (), "direction": "up", "role": "primary", "ticker": "ABCD", "severity": "info",
                             "fate": "dropped"}
    fields = {}
    for field in msgspec.structs.fields(cls):
        hint = str(field.type)
        fields[field.name] = plain.get(field.name, "x" if "str" in hint else () if "tuple" in hint else
                                       False if "bool" in hint else 0)
    return cls(**fields)


@pytest.mark.parametrize("cls", TYPES.values(), ids=TYPES)
def test_ids_are_the_same_for_ever(cls: type[Message]) -> None:
    """An id that changed with a release would let a resend across the upgrade be handled twice."""
    assert golden(cls).message_id().hex() == GOLDEN[cls.__name__]


def test_kinds_inside_a_message_are_validated() -> None:
    """The nested record's limits hold too."""
    good = Kind("fda_approval", "approves", "up", 2.0)
    assert msgspec.convert(msgspec.to_builtins(good), Kind) == good
    for change in ({"weight": 11}, {"weight": math.nan}, {"direction": "sideways"}, {"kind": "x" * 201}):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({**msgspec.to_builtins(good), **change}, Kind)
