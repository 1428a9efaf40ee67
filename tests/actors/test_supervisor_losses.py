"""The supervisor tells of damaged databases, its own and others', once each."""

from __future__ import annotations

from pathlib import Path

from actors.supervisor import Supervisor
from catalyst.messages import OpsNotice
from catalyst.testing import Bench


def test_its_own_damaged_database_is_told_of_once(tmp_path: Path) -> None:
    """An incident and one critical notice at the start that set it aside, none at the next."""
    with Bench(Supervisor, tmp_path) as bench:
        assert bench.sent == []
        bench.store.abandon()
        bench.store.path.unlink()
        (notice,) = bench.restart()
        assert isinstance(notice, OpsNotice)
        assert (notice.severity, notice.item_id, notice.episode) == (
            "critical", "database:supervisor", "supervisor-20260102T140000Z")
        assert "the file is gone" in notice.text
        assert bench.rows("SELECT kind, subject, detail FROM incidents") == [
            ("set_aside", "supervisor", "supervisor-20260102T140000Z: the file is gone")]
        assert bench.restart() == []
