import pytest

from catalyst.world.discord import Desk, Request, Upload, body_faults, read_body
from catalyst.world.discord_rules import length

QUIET = {"allowed_mentions": {"parse": []}}


def post(payload, *, method="POST", message_id=None, uploads=(), webhook="1/alerts", waiting=True):
    return Request(webhook, method, message_id, payload, tuple(uploads), 100, waiting)


def test_a_post_becomes_a_message_that_can_be_read_and_edited():
    """The answer holds the id; an edit changes what it names and keeps the rest."""
    desk = Desk(None)
    posted = desk.handle(post({**QUIET, "content": "a", "embeds": [{"title": "t"}]}), 1_767_000_000_000)
    assert posted.status == 200
    number = posted.body["id"]
    assert number.isdigit()
    edited = desk.handle(post({**QUIET, "content": "b"}, method="PATCH", message_id=number), 1_767_000_000_500)
    assert edited.body["content"] == "b"
    assert edited.body["embeds"] == [{"title": "t"}]
    assert edited.body["edited_timestamp"]
    assert desk.handle(post({}, method="GET", message_id=number), 0).body["content"] == "b"
    assert desk.handle(post(None, method="DELETE", message_id=number), 0).status == 204
    assert desk.handle(post({**QUIET, "content": "c"}, method="PATCH", message_id=number), 0).status == 404
    assert [(record["method"], record["status"]) for record in desk.snapshot()["messages"]] == [
        ("POST", 200), ("PATCH", 200), ("DELETE", 204), ("PATCH", 404)]


def test_without_wait_there_is_no_body_but_a_message():
    """204 and nothing else; the record still knows the message's id."""
    desk = Desk(None)
    reply = desk.handle(post({**QUIET, "content": "a"}, waiting=False), 1_767_000_000_000)
    assert (reply.status, reply.body) == (204, None)
    number = desk.snapshot()["messages"][0]["message_id"]
    assert desk.handle(post({}, method="GET", message_id=number), 0).status == 200


def test_the_rate_limit_is_a_fixed_window_a_webhook():
    """Three in two seconds; the fourth is refused until the window ends; another webhook has its own."""
    desk = Desk((3, 2.0))
    start = 1_767_000_000_000
    replies = [desk.handle(post({**QUIET, "content": "a"}), start + 100 * n) for n in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert [reply.headers["X-RateLimit-Remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert replies[3].body == {"message": "You are being rate limited.", "retry_after": 1.7, "global": False}
    assert replies[3].headers["Retry-After"] == "2"
    assert replies[3].headers["X-RateLimit-Reset-After"] == "1.700"
    assert replies[3].headers["X-RateLimit-Reset"] == f"{start / 1000 + 2:.3f}"
    assert desk.handle(post({**QUIET, "content": "a"}, webhook="2/ops"), start + 400).status == 200
    assert desk.handle(post({**QUIET, "content": "a"}), start + 1999).status == 429
    assert desk.handle(post({**QUIET, "content": "a"}), start + 2000).status == 200
    assert desk.snapshot()["rate_limited"] == 2


def test_without_a_limit_there_are_no_rate_headers():
    """Nothing to obey, nothing said."""
    assert Desk(None).handle(post({**QUIET, "content": "a"}), 0).headers == {}


@pytest.mark.parametrize(("payload", "fault"), [
    ({}, "an empty message"),
    ({"content": "x" * 2001}, "content has 2001"),
    ({"content": 5}, "content is not a text"),
    ({"embeds": [{"title": "t"}] * 11}, "11 embeds"),
    ({"embeds": "x"}, "embeds is not a list"),
    ({"embeds": [{"title": "x" * 257}]}, "embeds[0].title has 257"),
    ({"embeds": [{"title": "😀" * 129}]}, "embeds[0].title has 258"),
    ({"embeds": [{"description": "x" * 4097}]}, "embeds[0].description has 4097"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, "embeds[0].fields: 26"),
    ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, "fields[0].name has 257"),
    ({"embeds": [{"fields": [{"name": "n", "value": "v" * 1025}]}]}, "fields[0].value has 1025"),
    ({"embeds": [{"fields": [{"name": "n", "value": ""}]}]}, "fields[0].value is required"),
    ({"embeds": [{"footer": {"text": "x" * 2049}}]}, "footer.text has 2049"),
    ({"embeds": [{"author": {"name": "x" * 257}}]}, "author.name has 257"),
    ({"embeds": [{"description": "x" * 4000}, {"description": "y" * 2001}]}, "embeds have 6001"),
    ({"embeds": [{"title": "t", "url": "javascript:x"}]}, "embeds[0].url is not"),
    ({"content": "a", "username": "x" * 81}, "username has 81"),
])
def test_refuses_what_discord_refuses(payload, fault):
    """400 with the place of the fault, and a violation on record."""
    desk = Desk(None)
    reply = desk.handle(post({**QUIET, **payload}), 0)
    assert reply.status == 400
    assert fault in str(reply.body["errors"])
    assert fault in desk.snapshot()["violations"][0]


def test_lets_through_what_just_fits():
    """Every limit at its very edge."""
    embed = {"title": "t" * 256, "description": "d" * 2700, "footer": {"text": "f" * 2048},
             "author": {"name": "a" * 256}}
    fields = [{"name": "n" * 4, "value": "v" * 25}] * 25
    rest = 6000 - 256 - 2700 - 2048 - 256 - 25 * 29
    payload = {"content": "c" * 2000, "embeds": [{**embed, "fields": fields}, {"description": "r" * rest}]}
    assert body_faults(payload, (), is_edit=False) == []
    payload["embeds"][1]["description"] += "r"
    assert body_faults(payload, (), is_edit=False) == ["embeds have 6001 characters together, at most 6000"]


def test_records_a_body_that_may_mention_somebody():
    """Posts and edits without `allowed_mentions: {"parse": []}` go through, but count as violations."""
    desk = Desk(None)
    number = desk.handle(post({"content": "a"}), 0).body["id"]
    loud = {"content": "b", "allowed_mentions": {"parse": ["everyone"]}}
    assert desk.handle(post(loud, method="PATCH", message_id=number), 0).status == 200
    assert len(desk.snapshot()["violations"]) == 2


def test_reads_json_and_multipart():
    """A multipart body gives the JSON of payload_json and the files with their exact size; rubbish gives None."""
    body = (b'--B\r\nContent-Disposition: form-data; name="payload_json"\r\nContent-Type: application/json\r\n\r\n'
            b'{"content": "h\xc3\xa9"}\r\n--B\r\nContent-Disposition: form-data; name="files[0]"; filename="c.png"\r\n'
            b"Content-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n\x00\r\r\n--B--\r\n")
    assert read_body('multipart/form-data; boundary="B"', body) == (
        {"content": "hé"}, (Upload("files[0]", "c.png", 10),))
    assert read_body("application/json", b'{"a": 1}') == ({"a": 1}, ())
    assert read_body("application/json", b"[1]") == (None, ())
    assert read_body("application/json", b"{") == (None, ())
    assert read_body("multipart/form-data", body) == (None, ())


def test_an_embed_refers_only_to_files_that_came_along():
    """An image that was not sent is a violation; one that was is not."""
    payload = {**QUIET, "embeds": [{"title": "t", "image": {"url": "attachment://c.png"}}]}
    desk = Desk(None)
    desk.handle(post(payload, uploads=[Upload("files[0]", "c.png", 9)]), 0)
    assert desk.snapshot()["violations"] == []
    assert desk.snapshot()["messages"][0]["attachments"] == ["c.png"]
    desk.handle(post(payload), 0)
    assert "c.png is referred to" in desk.snapshot()["violations"][0]


SHOWING = {**QUIET, "content": "a", "embeds": [{"title": "t", "image": {"url": "attachment://c.png"}}]}


def picture(data=b"\x89PNG 1", part="files[0]"):
    return Upload(part, "c.png", len(data), data)


def attached(desk):
    return [(file["name"], file["size"]) for file in desk.snapshot()["messages"][-1]["shown"]]


def edit(desk, payload, *uploads):
    number = desk.snapshot()["messages"][0]["message_id"]
    return desk.handle(post({**QUIET, **payload}, method="PATCH", message_id=number, uploads=uploads), 5)


def test_an_edit_without_attachments_keeps_the_old_ones():
    """Nothing said about files: the old ones stay, a new one joins them."""
    desk = Desk(None)
    desk.handle(post(SHOWING, uploads=[picture()]), 0)
    assert edit(desk, {"content": "b"}).status == 200
    assert attached(desk) == [("c.png", 6)]
    edit(desk, {}, picture(b"another"))
    assert attached(desk) == [("c.png", 6), ("c.png", 7)]


def test_an_edit_with_attachments_keeps_what_it_lists():
    """Listed by id: that one stays; by number: the new file; neither: it goes."""
    desk = Desk(None)
    desk.handle(post(SHOWING, uploads=[picture()]), 0)
    for _ in range(3):  # the same edit again and again leaves one file, the newest
        answer = edit(desk, {**SHOWING, "attachments": [{"id": 0, "filename": "c.png", "description": "d"}]},
                      picture(b"another"))
        assert attached(desk) == [("c.png", 7)]
    assert answer.body["attachments"][0]["description"] == "d"
    kept = answer.body["attachments"][0]["id"]
    edit(desk, {"attachments": [{"id": kept}]})
    assert attached(desk) == [("c.png", 7)]
    edit(desk, {"attachments": []})
    assert attached(desk) == []
    assert desk.snapshot()["violations"] == []


def test_an_edit_may_show_a_file_only_that_is_there():
    """One that stays or comes along is there; after the last has gone it is a violation."""
    desk = Desk(None)
    desk.handle(post(SHOWING, uploads=[picture()]), 0)
    edit(desk, SHOWING)
    assert desk.snapshot()["violations"] == []
    edit(desk, {**SHOWING, "attachments": []})
    assert desk.snapshot()["violations"] == ["PATCH 1/alerts: attachment c.png is referred to, but not there"]


@pytest.mark.parametrize(("attachments", "fault"), [
    ([{"id": 1}], "attachments[0].id 1 names no file"), ("x", "not a list"), ([{}], "not a list"),
    ([{"id": 0, "description": "x" * 1025}], "attachments[0].description"),
    ([{"id": 0, "description": 5}], "attachments[0].description")])
def test_refuses_attachments_that_are_none(attachments, fault):
    """400, a violation, and nothing is changed."""
    desk = Desk(None)
    reply = desk.handle(post({**SHOWING, "attachments": attachments}, uploads=[picture()]), 0)
    assert reply.status == 400
    assert fault in desk.snapshot()["violations"][0]


def test_a_request_over_ten_mebibytes_is_refused():
    """413 with Discord's code."""
    desk = Desk(None)
    reply = desk.handle(Request("1/a", "POST", None, SHOWING, (picture(),), 10 * 2**20 + 1, True), 0)
    assert (reply.status, reply.body["code"]) == (413, 40005)


def test_a_file_is_kept_and_the_oldest_are_forgotten():
    """By id and name; what is kept has a bound."""
    desk = Desk(None)
    first, *_ = [desk.handle(post(SHOWING, uploads=[picture(bytes([n]) * 9 * 2**20)]), n).body["attachments"][0]
                 for n in range(8)]
    last = desk.snapshot()["messages"][-1]["shown"][0]
    assert last["url"] == f"/attachments/{last['id']}/c.png"
    assert desk.file(last["id"], "c.png") == b"\x07" * 9 * 2**20
    assert desk.file(last["id"], "other.png") is None
    assert desk.file(first["id"], "c.png") is None


def test_a_restored_message_knows_its_files():
    """A restarted world goes on with names and sizes, so an edit that keeps them is fine."""
    desk, later = Desk(None), Desk(None)
    desk.handle(post({**QUIET, "content": "a"}), 1_767_000_000_000)
    edit(desk, {**SHOWING, "attachments": [{"id": 0}]}, picture())
    for record in desk.snapshot()["messages"]:
        later.restore(record)
    edit(later, SHOWING)
    assert attached(later) == [("c.png", 6)]
    assert later.snapshot()["violations"] == []


def test_characters_are_counted_as_utf16_units():
    """The strictest reading of Discord's "characters"."""
    assert [length(text) for text in ("", "é", "😀", "a\ud800")] == [0, 1, 2, 2]
