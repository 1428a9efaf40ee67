"""Many clients at once at an actor's control socket."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgpack
import zmq

from catalyst.runtime.control import CONTROL_VERSION
from catalyst.runtime.places import places
from catalyst.runtime.sockets import plain_socket

CLIENTS = 200


def ask_at_once(run_folder: Path, actor: str, sql: str) -> list[list[Any]]:
    """The rows that each of 200 clients is given, all of them asking before the first answer is read."""
    request = msgpack.packb({"v": CONTROL_VERSION, "verb": "query", "args": {"sql": sql}}, use_bin_type=True)
    context, sockets, answers = zmq.Context(), [], []
    try:
        for _ in range(CLIENTS):
            sockets.append(plain_socket(context, zmq.DEALER))
            places(run_folder).connect(sockets[-1], actor, "ctl")
        threads = [threading.Thread(target=client.send, args=(request,)) for client in sockets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for client in sockets:
            assert client.poll(30_000), "a client got no answer"
            found: dict[str, Any] = msgpack.unpackb(client.recv(), raw=False)
            assert found["ok"], found
            answers.append(found["rows"])
    finally:
        for client in sockets:
            client.close(0)
        context.term()
    return answers
