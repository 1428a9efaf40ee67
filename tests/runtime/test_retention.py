"""catalyst.runtime.retention: dead letters and incidents are kept for a month, and no more than so many."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalyst.runtime.retention import A_TURN, KEPT_MS, MOST_INCIDENTS, MOST_LETTERS, forget
from catalyst.runtime.store import Store
from catalyst.settings import defaults
from tests.runtime.cast import Taker

NOW_MS = 100 * 86_400_000


def bury(store: Store, count: int, dead_ms: int) -> None:
    """Letters that died then."""
    store.db.executemany("INSERT INTO dead(id, item_id, sender, type, version, body, reason, traceback, dead_ms)"
                         " VALUES(?, 'i', 's', 'T', 1, x'', 'r', '', ?)",
                         [(os.urandom(16), dead_ms) for _ in range(count)])


@pytest.mark.parametrize(("old", "young", "left"), [(3, 2, 2), (0, 2, 2), (A_TURN + 5, 1, 6), (1, 0, 0)])
def test_old_letters_are_forgotten(tmp_path: Path, old: int, young: int, left: int) -> None:
    """What is older than a month goes, some hundred a call, and the number of the gone is told."""
    with Store(Taker, defaults(home=tmp_path)) as store:
        bury(store, old, NOW_MS - KEPT_MS - 1)
        bury(store, young, NOW_MS - KEPT_MS)
        assert forget(store.db, NOW_MS - KEPT_MS) == old + young - left
        assert store.db.execute("SELECT count(*) FROM dead").fetchone() == (left,)


def test_their_number_is_bounded(tmp_path: Path) -> None:
    """Beyond the bounds the oldest go, however young."""
    with Store(Taker, defaults(home=tmp_path)) as store:
        bury(store, MOST_LETTERS + 7, NOW_MS)
        store.db.executemany("INSERT INTO incidents(kind, subject, detail, at_ms) VALUES('k', 's', ?, ?)",
                             [(str(number), NOW_MS) for number in range(MOST_INCIDENTS + 3)])
        assert forget(store.db, NOW_MS - KEPT_MS) == 7
        assert forget(store.db, NOW_MS - KEPT_MS) == 0
        assert store.db.execute("SELECT count(*), min(n) FROM dead").fetchone() == (MOST_LETTERS, 8)
        assert store.db.execute("SELECT count(*), min(detail + 0) FROM incidents").fetchone() == (MOST_INCIDENTS, 3)
