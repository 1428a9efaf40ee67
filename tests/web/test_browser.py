"""The pages in a real browser: policy, contrast in both colour schemes, a phone's width, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from catalyst.testing import wait_until
from catalyst.web import views
from tests.web.browser import BROWSER, CONTRASTS, Browser
from tests.web.examples import HOSTILE, NAMES, actor, look, raw_alert, source
from tests.web.still import routes, serving

pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium here")
ONE = "00000000000000000007"
WCAG_AA = 4.5  # 1.4.3, text of normal size
REFRESH_S = 10  # longer than two of the script's looks


def busy() -> views.Look:
    """A house in which everything that has a colour of its own is shown."""
    changes: list[dict[str, object]] = [
        {}, {"direction": "down", "kinds": ["offering_pricing"], "simulated": True, "price": 0.0431},
        {"direction": "neutral", "state": "dead", "sent": None, "price": None}, {"state": "new", "sent": None},
        {"title": "W" * 300, "why": "x" * 300, "company": "Y" * 100, "ticker": "ABCDEFGHIJ", "sources": ["Z" * 90] * 4},
        *({"title": word, "why": word, "company": word} for word in HOSTILE)]
    alerts = [views.alert(raw_alert(number, **change)) for number, change in enumerate(changes)]
    sources = (source("a"), source("b", outage=True, outcome="timeout"), source("c", enabled=False),
               source("d" * 80, failures=2))
    actors = (*(actor(name) for name in NAMES), actor("charter", state="hung", dead=2, beat_age_s=9.0),
              actor("sec", state="starting"))
    return look(alerts=(replace(alerts[0], id=ONE), *alerts[1:]), charts=frozenset({ONE}),
                sources=sources, actors=actors, paused_by="person")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all of these tests."""
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The page of the busy house, with a chart of one pixel."""
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000"
                        "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082")
    with serving(routes(busy(), png)) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("path", ["/", f"/alert/{ONE}", "/items", "/sources", "/actors", "/nothing"])
def test_pages_are_readable(browser: Browser, address: str, path: str, width: int, scheme: str) -> None:
    """No rule of the policy is broken, nothing is loaded from elsewhere, all text has the contrast of WCAG AA, and
    nothing is wider than the screen but tables, which scroll by themselves."""
    browser.requests.clear()
    browser.complaints.clear()
    browser.open(f"{address}{path}", width, 844, scheme)
    assert browser.picture().startswith(b"\x89PNG")
    assert browser.requests
    assert not [found for found in browser.requests if not found.startswith((address, "data:"))]
    assert not [found for found in browser.complaints if "404" not in found or path != "/nothing"]
    assert browser.value("document.documentElement.scrollWidth") <= width
    contrasts = browser.value(CONTRASTS)
    assert len(contrasts) > 10 or path == "/nothing"
    assert not [found for found in contrasts if found[0] < WCAG_AA]
    ground = browser.value("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(","))) < 384) == (scheme == "dark")


def test_the_script_follows_the_house(browser: Browser) -> None:
    """Without a click the page shows a new alert; when the server is gone it says that it is old."""
    shown = [look()]

    def answer(request: object) -> object:
        return routes(shown[0])(request)  # type: ignore[arg-type]

    with serving(answer) as port:  # type: ignore[arg-type]
        browser.open(f"http://127.0.0.1:{port}/", 1280, 844, "dark")
        assert "Entirely New" not in browser.value("document.body.innerText")
        assert browser.value("document.getElementById('stale').hidden") is True
        shown[0] = look(alerts=(views.alert(raw_alert(9, title="Entirely New")),))
        wait_until(lambda: "Entirely New" in browser.value("document.body.innerText"), 10, "the new alert")
    wait_until(lambda: browser.value("document.getElementById('stale').hidden") is False, 10, "said to be old")


@pytest.mark.parametrize("mine", ["article .ticker", "input[name=kind]", "article .title a"])
def test_a_focus_stops_nothing(browser: Browser, mine: str) -> None:
    """Who has tabbed to a link or a field, or clicked one into another tab, sees a new alert all the same and keeps
    the focus where it was; the header is of now."""
    shown = [look()]
    with serving(lambda request: routes(shown[0])(request)) as port:
        browser.open(f"http://127.0.0.1:{port}/", 1280, 844, "dark")
        browser.value(f"document.querySelector('{mine}').closest('a, input').focus()")
        before = browser.value("[document.activeElement.tagName, document.activeElement.href]")
        assert before[0] != "BODY"
        shown[0] = look(alerts=(*look().alerts, views.alert(raw_alert(9, title="Entirely New"))), paused_by="person")
        wait_until(lambda: "Entirely New" in browser.value("document.body.innerText"), REFRESH_S, "the new alert")
        assert "degraded" in browser.value("document.getElementById('now').innerText")
        assert browser.value("[document.activeElement.tagName, document.activeElement.href]") == before


@pytest.mark.parametrize(("begin", "end"), [
    ("getSelection().selectAllChildren(document.querySelector('.why'))", "getSelection().removeAllRanges()"),
    ("(() => { const one = document.querySelector('input'); one.focus(); one.value = 'AB'; })()",
     "document.activeElement.blur()")])
def test_typing_and_selecting_hold_the_list(browser: Browser, begin: str, end: str) -> None:
    """While words are typed or selected the list waits and the header, which goes on, says so; then it follows, and
    what was typed is still there."""
    shown = [look()]
    with serving(lambda request: routes(shown[0])(request)) as port:
        browser.open(f"http://127.0.0.1:{port}/", 1280, 844, "dark")
        browser.value(begin)
        shown[0] = look(alerts=(views.alert(raw_alert(9, title="Entirely New")),))
        wait_until(lambda: "the list waits" in browser.value("document.getElementById('now').innerText"), REFRESH_S,
                   "said to wait")
        assert "Entirely New" not in browser.value("document.body.innerText")
        browser.value(end)
        wait_until(lambda: "Entirely New" in browser.value("document.body.innerText"), REFRESH_S, "the new alert")
        assert "the list waits" not in browser.value("document.getElementById('now').innerText")
        assert browser.value("document.querySelector('input').value") == ("AB" if "AB" in begin else "")
