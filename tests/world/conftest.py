"""What the tests of the world share: a small generated day and a client that speaks real HTTP."""

import http.client
import json
from dataclasses import dataclass

import pytest

from catalyst.world.generate import generate


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """Requests to one world over one kept connection."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())

    def get(self, path, **headers):
        return self.ask("GET", path, None, headers)

    def send(self, method, path, value):
        return self.ask(method, path, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def close(self):
        self.connection.close()


@pytest.fixture(scope="session")
def day(tmp_path_factory):
    """A generated day of 120 items over 600 s; nobody may change it."""
    return generate(11, 120, tmp_path_factory.mktemp("days") / "small", duration_s=600)


@pytest.fixture(scope="session")
def truth(day):
    """The truth about that day, a dict a line."""
    return [json.loads(line) for line in (day.folder / "truth.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def filed_day(tmp_path_factory):
    """A generated day of 160 items and 160 filings over 600 s; nobody may change it."""
    return generate(12, 160, tmp_path_factory.mktemp("days") / "filed", duration_s=600, filings=160)


@pytest.fixture(scope="session")
def filed(filed_day):
    """The truth about that day's filings, a dict a line."""
    lines = (filed_day.folder / "truth.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line["what"] == "filing"]


@pytest.fixture
def client():
    """Opens clients to worlds and closes them at the end."""
    opened = []

    def connect(world):
        opened.append(Client(world.port))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()
