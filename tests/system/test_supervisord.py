"""Under supervisord: the supervisor's death stops nothing, supervisord's own death neither, its end ends all."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalyst.bench.house import House
from catalyst.commands.chaos import keep
from catalyst.runtime.roster import ALL
from catalyst.testing import wait_until
from tests.system.test_supervision import copies, one_of_each, pids

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house whose supervisor supervisord keeps."""
    with House(tmp_path, items=20, duration_s=5) as opened:
        opened.open_world()
        opened.supervisord = keep(opened)  # type: ignore[attr-defined]
        yield opened


def test_the_supervisors_death_changes_no_pid(house: House) -> None:
    """kill -9 of the supervisor: supervisord starts a new one, which adopts every actor; work goes on."""
    before, old = pids(house), house.kill("supervisor")
    wait_until(lambda: house.pid("supervisor") not in (None, old), 10, "a new supervisor")
    wait_until(house.all_running, 10)
    assert pids(house) == before
    wait_until(lambda: one_of_each(house), 5, "one copy of each")
    killed = house.kill("market")
    wait_until(lambda: house.pid("market") not in (None, killed), 10, "the new supervisor sees deaths")
    house.wait_until_settled(60)


def test_supervisords_death_and_return(house: House) -> None:
    """kill -9 of supervisord stops nothing; a new one takes over the orphans, and its end ends everything."""
    before = pids(house)
    house.supervisord.kill()  # type: ignore[attr-defined]
    house.supervisord.wait()  # type: ignore[attr-defined]
    orphan = house.pid("supervisor")
    assert orphan is not None
    assert pids(house) == before
    again = keep(house)
    wait_until(lambda: house.pid("supervisor") not in (None, orphan), 15, "the orphan hands over")
    wait_until(house.all_running, 10)
    assert pids(house) == before
    wait_until(lambda: one_of_each(house), 5, "one copy of each")
    again.send_signal(signal.SIGTERM)
    wait_until(lambda: copies(house) == dict.fromkeys(ALL, 0), 12, "everything ended")
    assert again.wait(12) == 0
