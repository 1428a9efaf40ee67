"""The hostile net: each case ends soon, in little memory, with its reason in the fetcher's table, and nobody whom it
points at inside the house is reached.

Small cases run in this process. What is large runs in a process of its own, whose memory is watched from outside.
"""

from __future__ import annotations

import gzip
import json
import selectors
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from actors.fetcher import Fetcher
from catalyst.clients.http import Http
from catalyst.clients.polls import Poll, ask
from catalyst.clock import SystemClock
from catalyst.errors import FetchError
from catalyst.testing import Bench, FakeClock
from tests.hostile import (
    FEED,
    MB,
    OK,
    Counter,
    Hostile,
    Script,
    answer,
    bomb,
    chunks,
    drip,
    filled,
    flood,
    half_close,
    laughs,
    members,
    numbered,
    packed,
    quadratic,
    raw,
    redirect,
    reset,
)

ROOT = Path(__file__).resolve().parents[2]
LONGEST_S = 15.0
MOST_MB = 30.0
RSS = b"<rss version='2.0'><channel>"
TEXT = "Content-Type: application/rss+xml"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

# name -> script and the outcome that is stored. The deadline of all of them is 1 s.
CASES: dict[str, tuple[Script, str]] = {
    "gzip_bomb": (packed(bomb(200 * MB)), "too_big"),
    "gzip_bomb_nested": (packed(gzip.compress(bomb(200 * MB))), "not_xml"),
    "gzip_twice": (answer(gzip.compress(gzip.compress(FEED)), "Content-Encoding: gzip, gzip"), "encoding"),
    "gzip_many_members": (packed(members(150_000)), "encoding"),
    "gzip_garbage_behind": (packed(gzip.compress(FEED) + b"garbage"), "encoding"),
    "gzip_cut_short": (packed(gzip.compress(FEED)[:-9]), "encoding"),
    "gzip_that_is_none": (packed(FEED), "encoding"),
    "brotli": (answer(b"\x0b\x02\x80", "Content-Encoding: br"), "encoding"),
    "zstd": (answer(b"(\xb5/\xfd", "Content-Encoding: zstd"), "encoding"),
    "deflate": (answer(b"x\x9c", "Content-Encoding: deflate"), "encoding"),
    "coding_header_twice": (answer(FEED, "Content-Encoding: gzip", "Content-Encoding: br"), "encoding"),
    "endless_body": (flood(OK + b"\r\n", bytes(65_536)), "too_big"),
    "endless_chunks": (flood(OK + CHUNKED, b"10000\r\n" + bytes(65_536) + b"\r\n"), "too_big"),
    "endless_chunk_size_line": (flood(OK + CHUNKED, b"1" * 65_536), "malformed"),
    "endless_chunk_extension": (flood(OK + CHUNKED + b"1;", b"x" * 65_536), "malformed"),
    "endless_trailers": (flood(OK + CHUNKED + b"0\r\n", b"X-A: b\r\n" * 5_000), "timeout or too_big"),
    "endless_trailer_line": (flood(OK + CHUNKED + b"0\r\n", b"x" * 65_536), "malformed"),
    "hundred_megabytes": (flood(OK + b"Content-Length: 100000000\r\n\r\n", bytes(MB), 100), "too_big"),
    "hundred_megabytes_unannounced": (flood(OK + b"Connection: close\r\n\r\n", bytes(MB), 100), "too_big"),
    "silence": (raw(linger=True), "timeout"),
    "silent_body": (raw(OK + b"Content-Length: 100\r\n\r\n", linger=True), "timeout"),
    "drip_status": (drip(b""), "timeout"),
    "drip_headers": (drip(OK + b"X-"), "timeout"),
    "drip_body": (drip(OK + b"Content-Length: 100000\r\n\r\n"), "timeout"),
    "drip_chunks": (drip(OK + CHUNKED, b"1\r\nx\r\n"), "timeout"),
    "length_too_long": (raw(OK + b"Content-Length: 5000\r\n\r\n" + FEED), "reset"),
    "length_too_short": (answer(FEED, "Content-Length: 40"), "ok"),
    "length_negative": (raw(OK + b"Content-Length: -5\r\nConnection: close\r\n\r\n" + FEED), "ok"),
    "length_no_number": (raw(OK + b"Content-Length: many\r\n\r\n" + FEED), "ok"),
    "length_of_5000_digits": (raw(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + FEED), "malformed"),
    "lengths_that_differ": (raw(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + FEED), "malformed"),
    "length_and_chunks": (raw(OK + b"Content-Length: 3\r\n" + CHUNKED + chunks(FEED)), "ok"),
    "chunk_size_no_number": (raw(OK + CHUNKED + b"zz\r\n" + FEED), "malformed"),
    "chunk_size_negative": (raw(OK + CHUNKED + b"-5\r\n" + FEED), "malformed"),
    "chunk_size_huge": (raw(OK + CHUNKED + b"f" * 300 + b"\r\n" + FEED), "reset or malformed"),
    "chunks_cut_short": (raw(OK + CHUNKED + b"fff\r\n" + FEED), "reset"),
    "many_headers": (raw(OK + b"X-A: b\r\n" * 5_000 + b"\r\n" + FEED), "malformed"),
    "long_header": (raw(OK + b"X-A: " + b"b" * 200_000 + b"\r\n\r\n" + FEED), "malformed"),
    "endless_headers": (flood(OK, b"X-A: b\r\n" * 5_000), "malformed"),
    "endless_header_line": (flood(OK + b"X-A: ", b"b" * 65_536), "malformed"),
    "endless_status_line": (flood(b"HTTP/1.1 200 ", b"O" * 65_536), "malformed"),
    "headers_without_colons": (raw(OK + b"nonsense\r\n\0\r\nContent-Length: 9\r\n\r\n" + FEED), "ok"),
    "folded_header": (answer(FEED, "ETag: \"a\r\n b\""), "ok"),
    "http_0_9": (raw(FEED), "malformed"),
    "another_protocol": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "malformed"),
    "status_no_number": (raw(b"HTTP/1.1 abc OK\r\n\r\n"), "malformed"),
    "status_of_four_digits": (raw(b"HTTP/1.1 2000 OK\r\n\r\n"), "malformed"),
    "hundred_continue_flood": (flood(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000), "timeout or too_big"),
    "hundred_continue_drip": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "timeout"),
    "early_hints": (raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + OK + b"\r\n" + FEED), "status_103"),
    "no_content_with_body": (answer(FEED, status="204 No Content"), "status_204"),
    "reset_content_with_body": (answer(FEED, status="205 Reset Content"), "status_205"),
    "partial_content": (answer(FEED, status="206 Partial Content"), "status_206"),
    "server_error": (answer(b"", status="500 Oops"), "status_500"),
    "close_before_anything": (raw(), "reset"),
    "reset_before_headers": (reset(b""), "reset"),
    "reset_in_headers": (reset(OK + b"Content-Le"), "reset"),
    "reset_in_body": (reset(OK + b"Content-Length: 900\r\n\r\n<rss>"), "reset"),
    "half_close": (half_close(OK + b"Content-Length: 900\r\n\r\n<rss>"), "reset"),
    "half_close_whole": (half_close(OK + b"\r\n" + FEED), "ok"),
    "html": (answer(b"<!doctype html><title>x</title>", "Content-Type: text/html"), "html"),
    "html_called_rss": (answer(b"<html><rss><item/></rss>", TEXT), "html"),
    "json": (answer(b'{"items": []}', "Content-Type: application/json"), "not_xml"),
    "pdf": (answer(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"), "not_xml"),
    "image": (answer(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", TEXT), "not_xml"),
    "nothing_at_all": (answer(b"", TEXT), "not_xml"),
    "other_xml": (answer(b"<?xml version='1.0'?><opml/>", TEXT), "no_feed"),
    "nul_bytes_only": (answer(bytes(MB)), "not_xml"),
    "nul_bytes_between": (answer(FEED.replace(b"Acme", b"\0A\0cme\0")), "ok"),
    "charset_unknown": (answer(FEED.replace(b"Acme", b"\xe9Acme"), f"{TEXT}; charset=klingon"), "ok"),
    "charset_that_is_no_text": (answer(FEED.replace(b"Acme", b"\xe9Acme"), f"{TEXT}; charset=zip"), "ok"),
    "charset_that_is_slow": (answer(filled(RSS + b"<item><title>", b"ab\xe9-"), f"{TEXT}; charset=punycode"), "ok"),
    "charset_that_lies": (answer(b"<?xml version='1.0' encoding='utf-32'?>" + FEED.replace(b"A", b"\xe9"), TEXT), "ok"),
    "billion_laughs": (answer(laughs()), "ok"),
    "quadratic_entities": (answer(quadratic(9_000)), "ok"),
    "quadratic_entities_large": (answer(quadratic(90_000)), "no_feed"),
    "external_entity": (answer(b"<!DOCTYPE rss [<!ENTITY x SYSTEM '{inside}'>]>" + FEED.replace(b"Acme", b"&x;")),
                        "ok"),
    "external_dtd": (answer(b"<!DOCTYPE rss SYSTEM '{inside}'>" + FEED), "ok"),
    "parameter_entity": (answer(b"<!DOCTYPE rss [<!ENTITY % x SYSTEM '{inside}'> %x;]>" + FEED), "ok"),
    "dtd_behind_the_root": (answer(b"<rss><!DOCTYPE a [<!ENTITY x SYSTEM '{inside}'>]>&x;" + FEED), "ok"),
    "stylesheet_and_include": (answer(b"<?xml-stylesheet href='{inside}'?>" + FEED.replace(
        b"<item>", b"<xi:include xmlns:xi='http://www.w3.org/2001/XInclude' href='{inside}'/><item>")), "ok"),
    "deep_nesting": (answer(filled(RSS, b"<a>")), "too_complex"),
    "deep_nesting_within_limits": (answer(RSS + b"<item><title>x</title>" + b"<a>" * 50_000), "ok"),
    "nested_items": (answer(RSS + b"<item>" * 50_000), "too_complex"),
    "many_empty_items": (answer(filled(RSS, b"<item/>")), "too_complex"),
    "many_attributes": (answer(b"".join(numbered(RSS + b"<item><a ", b"a%d='' ", 100_000)) + b"/>"), "too_complex"),
    "many_namespaces": (answer(filled(RSS, b"<a:item xmlns:a='u'/>")), "too_complex"),
    "attributes_of_one_tag": (answer(b"".join(numbered(RSS + b"<item><a ", b"a%d='' ", 9_000)) + b"/>"), "too_complex"),
    "many_references": (answer(filled(RSS + b"<item><title>", b"&a;")), "too_complex"),
    "many_comments": (answer(filled(RSS, b"<!---->")), "too_complex"),
    "bare_less_than": (answer(filled(RSS, b"<")), "too_complex"),
    "one_long_text": (answer(filled(RSS + b"<item><title>", b"word ")), "ok"),
    "one_long_section": (answer(filled(RSS + b"<item><title>x</title><description><![CDATA[", b"<a ")), "ok"),
    "utf_16_doubles": (answer(filled(RSS, b"<item/>", 1_400_000).decode().encode("utf-16")), "too_complex"),
    "redirect_loop": (redirect("{base}/redirect_loop"), "redirect"),
    "redirect_without_location": (answer(b"", status="302 Found"), "status_302"),
    "redirect_to_nothing": (answer(b"", "Location: ", status="302 Found"), "status_302"),
    "redirect_relative": (redirect("../good"), "ok"),
    "redirect_without_scheme": (redirect("//127.0.0.1:1/"), "forbidden_address"),
    "redirect_to_file": (redirect("file:///etc/passwd"), "redirect"),
    "redirect_to_ftp": (redirect("ftp://127.0.0.1/x"), "redirect"),
    "redirect_to_script": (redirect("javascript:alert(1)"), "redirect"),
    "redirect_to_data": (redirect("data:text/xml,<rss/>"), "redirect"),
    "redirect_to_unreadable": (redirect("http://[::1"), "redirect"),
    "redirect_with_bad_port": (redirect("http://127.0.0.1:99999/"), "bad_url"),
    "redirect_with_huge_location": (redirect("/" + "x" * 60_000), "redirect"),
    "multiple_choices": (redirect("{base}/good", "300 Multiple Choices"), "status_300"),
}
GOOD = {"good": answer(FEED, TEXT)}

# Ways to write an address inside the house; {port} is that of a server which counts who comes.
INSIDE = ("127.0.0.1:{port}", "127.1:{port}", "0x7f.1:{port}", "0177.0.0.1:{port}", "2130706433:{port}",
          "0x7f000001:{port}", "127.0.0.1.:{port}", "127.255.255.254:{port}", "localhost:{port}", "LOCALHOST.:{port}",
          "0.0.0.0:{port}", "0:{port}", "[::1]:{port}", "[::]:{port}", "[::ffff:127.0.0.1]:{port}",
          "[::ffff:7f00:1]:{port}", "[::127.0.0.1]:{port}", "[0:0:0:0:0:0:0:1]:{port}", "[64:ff9b::127.0.0.1]:{port}",
          "[2002:7f00:1::1]:{port}", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "172.31.255.255",
          "192.168.1.1", "100.64.0.1", "192.0.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "[fe80::1]",
          "[fc00::1]", "[fec0::1]", "[ff02::1]", "user:word@127.0.0.1:{port}", "example.com@127.0.0.1:{port}",
          "127.0.0.1%2e:{port}", "127%2e0%2e0%2e1:{port}", "%31%32%37.0.0.1:{port}", "１２７.0.0.1:{port}",
          "127。0。0。1:{port}", "ⓛocalhost:{port}", "127.0.0.1:{port}#@example.com", "127.0.0.1:{port}\\@example.com")
INSIDE_OUTCOMES = {"forbidden_address", "dns", "bad_url", "redirect", "malformed"}


@dataclass(frozen=True)
class Ground:
    """The hostile server, the counter inside the house, a fetcher with one source a case."""

    hostile: Hostile
    inside: Counter
    bench: Bench

    def outcome(self, name: str, url: str, deadline_s: float = 1.0) -> tuple[str, float]:
        """What is stored of a poll of the source after it asked the address, and how many seconds it took."""
        http = Http(SystemClock(), allow_hosts=(f"127.0.0.1:{self.hostile.port}",))
        began = time.monotonic()
        polled = ask(http, Poll(name, url, "rss"), deadline_s=deadline_s)
        took_s = time.monotonic() - began
        http.close()
        (job,) = [job for job in self.bench.jobs() if job.key == "source"]
        with self.bench.store.transaction() as db:
            list(self.bench.actor.done_poll(job, polled, db))
        return self.bench.rows("SELECT outcome FROM feeds WHERE name = 'source'")[0][0], took_s


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("hostile")
    inside = Counter()
    hostile = Hostile({**GOOD, **{name: script for name, (script, _) in CASES.items()}})
    hostile.inside = f"http://127.0.0.1:{inside.port}/x"
    for number, host in enumerate(INSIDE):
        hostile.scripts[f"inside{number}"] = redirect(f"http://{host.format(port=inside.port)}/")
    sources = folder / "sources.toml"
    sources.write_text(f'[[source]]\nname = "source"\nurl = "{hostile.base}/good"\nkind = "rss"\nevery = 10\n')
    with Bench(Fetcher, folder, clock=FakeClock(), sources=sources, allow_hosts=("127.0.0.1",)) as bench:
        bench.tick("poll_due")
        yield Ground(hostile, inside, bench)
    hostile.close()
    inside.close()


@pytest.mark.parametrize("name", CASES)
def test_each_case_ends_soon_with_its_reason(ground: Ground, name: str) -> None:
    """Whatever the server does, the poll is over in bounded time and the fetcher's table says how it ended."""
    outcome, took_s = ground.outcome(name, f"{ground.hostile.base}/{name}")
    assert outcome in CASES[name][1].split(" or ")
    assert took_s < LONGEST_S
    assert ground.inside.connections == 0


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("way", ["direct", "redirect"])
def test_nobody_inside_is_reached(ground: Ground, way: str, host: str) -> None:
    """However an address of the house is written, as a source's own or as a redirect's, nothing connects to it."""
    url = f"http://{host.format(port=ground.inside.port)}/"
    if way == "redirect":
        url = f"{ground.hostile.base}/inside{INSIDE.index(host)}"
    outcome, took_s = ground.outcome("inside", url, deadline_s=3)
    assert outcome in INSIDE_OUTCOMES
    assert took_s < LONGEST_S
    assert ground.inside.connections == 0


@pytest.mark.parametrize(("answers", "reason"), [
    (["127.0.0.1"], "forbidden_address"), (["10.0.0.1", "127.0.0.1"], "forbidden_address"),
    (["::1"], "forbidden_address"), (["169.254.169.254"], "forbidden_address"), ([], "refused")])
def test_a_name_that_stands_for_an_inside_address(ground: Ground, answers: list[str], reason: str) -> None:
    """A public name whose record is an address of the house is refused on the socket, at the only look-up there is."""
    asked: list[str] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        kinds = [socket.AF_INET6 if ":" in address else socket.AF_INET for address in answers]
        return [(kind, socket.SOCK_STREAM, 6, "", (address, port))
                for kind, address in zip(kinds, answers, strict=True)]

    http = Http(SystemClock(), resolve=resolve)
    with pytest.raises(FetchError) as caught:
        http.get(f"http://public.example:{ground.inside.port}/", deadline_s=3)
    assert caught.value.reason == reason
    assert asked == ["public.example"]
    assert ground.inside.connections == 0


def test_a_name_that_changes_its_address(ground: Ground) -> None:
    """A name that is public when it is allowed and inside at the next connection (rebinding) is judged each time."""
    answers = [("127.0.0.1", ground.hostile.port), ("127.0.0.1", ground.inside.port)]

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        address, number = answers[min(len(asked), 1)]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, number if host == "changes.example" else port))]

    asked: list[str] = []
    first = Http(SystemClock(), allow_hosts=(f"changes.example:{ground.hostile.port}",), resolve=resolve)
    assert first.get(f"http://changes.example:{ground.hostile.port}/good").status == 200
    first.close()
    with pytest.raises(FetchError) as caught:
        first.get(f"http://changes.example:{ground.inside.port}/good", deadline_s=3)
    assert caught.value.reason == "forbidden_address"
    assert ground.inside.connections == 0


def test_a_resolver_that_never_answers(ground: Ground) -> None:
    """A name server that is silent costs no more than the deadline, and its reason is `dns`."""
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        ground.hostile.over.wait(20)
        return []

    began = time.monotonic()
    polled = ask(Http(SystemClock(), resolve=resolve), Poll("x", "http://slow.example/", "rss"), deadline_s=0.5)
    assert (polled.outcome, polled.failed) == ("dns", True)
    assert time.monotonic() - began < 3


def test_validators_that_would_spoil_the_next_request(ground: Ground) -> None:
    """An ETag that no header can carry back is not kept, so the source is asked again without one and answers."""
    http = Http(SystemClock(), allow_hosts=("127.0.0.1",))
    for etag in ('"\xe9"', '"\x01"', '"' + "x" * 5_000 + '"'):
        ground.hostile.scripts["tagged"] = answer(FEED, TEXT, f"ETag: {etag}")
        polled = ask(http, Poll("x", f"{ground.hostile.base}/tagged", "rss"), deadline_s=3)
        assert (polled.outcome, polled.etag) == ("ok", None)
        again = ask(http, Poll("x", f"{ground.hostile.base}/tagged", "rss", etag=etag), deadline_s=3)
        assert again.outcome == "ok"


def test_downgrade_wrong_certificate_and_mixed_up_tls(tmp_path: Path, ground: Ground) -> None:
    """From https a redirect leads not back to http; strangers' certificates, and TLS to plain or plain to TLS, fail."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl program, which makes the certificate, is not on this machine")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True, timeout=60)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure = Hostile({"down": redirect(f"{ground.hostile.base}/good"), **GOOD}, context)
    trusting = Http(SystemClock(), allow_hosts=("localhost", "127.0.0.1"), ca_file=str(certificate))
    strange = Http(SystemClock(), allow_hosts=("localhost", "127.0.0.1"))
    cases = [(trusting, f"https://localhost:{secure.port}/good", "ok"),
             (trusting, f"https://localhost:{secure.port}/down", "redirect"),
             (strange, f"https://localhost:{secure.port}/good", "tls"),
             (trusting, f"https://127.0.0.1:{secure.port}/good", "tls"),
             (trusting, f"http://localhost:{secure.port}/good", "reset or malformed"),
             (trusting, f"https://127.0.0.1:{ground.hostile.port}/good", "tls or timeout")]
    for http, url, expected in cases:
        assert ask(http, Poll("x", url, "rss"), deadline_s=2).outcome in expected.split(" or "), url
    secure.close()


CHILD = """
import sys
from catalyst.clients.http import Http
from catalyst.clients.polls import Poll, ask
from catalyst.clock import SystemClock
import feedparser
base = sys.argv[1]
http = Http(SystemClock(), allow_hosts=("127.0.0.1",))
for name in ("good", "nested_items", "good"):
    ask(http, Poll(name, f"{base}/{name}", "rss"))
print("ready", flush=True)
for line in sys.stdin:
    print(ask(http, Poll("x", f"{base}/{line.strip()}", "rss"), deadline_s=3).outcome, flush=True)
"""
# What keeps nothing in memory because it stops at once or holds a hundred bytes is left to the tests above.
LARGE = [name for name in CASES if name.startswith((
    "gzip", "endless", "hundred", "chunk", "charset", "many", "deep", "nested", "billion", "quadratic", "nul", "one",
    "utf", "bare", "attributes", "long", "length_of"))]


def anonymous_mb(pid: int) -> float:
    """Private memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no RssAnon")


def test_memory_stays_bounded(ground: Ground) -> None:
    """No case lets the process grow by more than 30 MB, not even for a moment, nor all of them one after another."""
    if not Path("/proc/self/status").exists():
        pytest.skip("there is no /proc here")
    child = subprocess.Popen([sys.executable, "-c", CHILD, ground.hostile.base], stdin=subprocess.PIPE, cwd=ROOT,
                             stdout=subprocess.PIPE, text=True)
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "ready\n"
        start_mb = anonymous_mb(child.pid)
        grown: dict[str, float] = {}
        for name in LARGE:
            child.stdin.write(f"{name}\n")
            child.stdin.flush()
            grown[name] = most_mb_until_answer(child) - start_mb
        worst = max(grown, key=lambda name: grown[name])
        sys.stdout.write(json.dumps({"cases": len(grown), "worst": worst, "grown_mb": round(grown[worst], 1)}) + "\n")
        assert grown[worst] <= MOST_MB, {name: round(value) for name, value in grown.items() if value > MOST_MB / 2}
    finally:
        child.stdin.close()
        child.wait(20)
        child.stdout.close()


def most_mb_until_answer(child: subprocess.Popen[str]) -> float:
    """The most private memory that the process has until it says a line."""
    assert child.stdout is not None
    most_mb = anonymous_mb(child.pid)
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while not waiting.select(0.002):
            most_mb = max(most_mb, anonymous_mb(child.pid))
    child.stdout.readline()
    return max(most_mb, anonymous_mb(child.pid))
