"""catalyst.runtime.ownership: one owner a database, known by pid and start time, through kills and races."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from catalyst.errors import ConfigError, OwnedElsewhere, StoreError
from catalyst.runtime.ownership import Owner, Ownership, living_owner, lock_path, start_time, wait_until_owned
from catalyst.testing import wait_until
from tests.filelimit import files_end_at
from tests.runtime.forked import exit_code, fork


def held_by_child(folder: Path) -> int:
    """A process that holds the lock of `a` until it is killed; its pid."""
    def hold() -> int:
        Ownership(folder, "a")
        signal.pause()
        return 0

    pid = fork(hold)
    wait_until(lambda: living_owner(folder, "a") == Owner(pid, start_time(pid)), what="the child owns")
    return pid


def end(pid: int) -> None:
    """kill -9, and wait."""
    os.kill(pid, signal.SIGKILL)
    exit_code(pid)


def test_the_lock_file_names_pid_and_start_time(tmp_path: Path) -> None:
    """A person and a new supervisor can read who owns; after the release the file is gone."""
    mine = Ownership(tmp_path / "db", "a")
    assert (tmp_path / "db" / "a.lock").read_text() == f"{os.getpid()} {start_time(os.getpid())}\n"
    assert living_owner(tmp_path / "db", "a") == Owner(os.getpid(), start_time(os.getpid()))
    assert (tmp_path / "db").stat().st_mode & 0o777 == 0o700
    assert mine.path.stat().st_mode & 0o777 == 0o600
    mine.release()
    mine.release()
    assert not mine.path.exists()
    assert living_owner(tmp_path / "db", "a") is None


def test_a_second_owner_in_another_process_is_refused_at_once(tmp_path: Path) -> None:
    """Exit code 75, the owner's pid in the text, within a second."""
    mine = Ownership(tmp_path, "a")
    began_s = time.monotonic()
    assert exit_code(fork(lambda: Ownership(tmp_path, "a") and 0)) == OwnedElsewhere.exit_code == 75
    with pytest.raises(OwnedElsewhere, match=f"a is already running as pid {os.getpid()}") as caught:
        Ownership(tmp_path, "a")
    assert caught.value.pid == os.getpid()
    assert time.monotonic() - began_s < 1
    Ownership(tmp_path, "b").release()
    mine.release()


def test_the_file_of_a_killed_owner_is_stale(tmp_path: Path) -> None:
    """After kill -9 the file is still there, names nobody alive, and is taken over."""
    pid = held_by_child(tmp_path)
    end(pid)
    assert lock_path(tmp_path, "a").read_text().startswith(f"{pid} ")
    assert living_owner(tmp_path, "a") is None
    mine = Ownership(tmp_path, "a")
    assert living_owner(tmp_path, "a") == Owner(os.getpid(), start_time(os.getpid()))
    mine.release()


def test_a_reused_pid_is_not_taken_for_the_owner(tmp_path: Path) -> None:
    """The start time tells a process from an earlier one of the same number."""
    fd = os.open(lock_path(tmp_path, "a"), os.O_RDWR | os.O_CREAT)
    os.write(fd, f"{os.getpid()} {start_time(os.getpid()) - 1}\n".encode())
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert living_owner(tmp_path, "a") is None
    os.close(fd)


@pytest.mark.parametrize("content", [b"", b"\n", b"x y\n", b"12\n", b"\xff\xfe", b"9" * 50])
def test_an_unreadable_lock_file_names_nobody(tmp_path: Path, content: bytes) -> None:
    """The file's content is for people: the lock alone decides."""
    fd = os.open(lock_path(tmp_path, "a"), os.O_RDWR | os.O_CREAT)
    os.write(fd, content)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert living_owner(tmp_path, "a") is None
    with pytest.raises(OwnedElsewhere, match="pid unknown"):
        Ownership(tmp_path, "a")
    os.close(fd)
    Ownership(tmp_path, "a").release()


def test_waiting_ends_as_soon_as_the_owner_lets_go(tmp_path: Path) -> None:
    """A new supervisor takes over from an old one without a second start."""
    pid = held_by_child(tmp_path)
    thread = threading.Timer(0.05, end, (pid,))
    thread.start()
    began_s = time.monotonic()
    wait_until_owned(tmp_path, "a", 5).release()
    assert time.monotonic() - began_s < 2
    thread.join()


def test_waiting_ends_with_the_time_too(tmp_path: Path) -> None:
    """The owner stays: OwnedElsewhere with its pid after the time-out."""
    mine = Ownership(tmp_path, "a")
    with pytest.raises(OwnedElsewhere, match=str(os.getpid())):
        wait_until_owned(tmp_path, "a", 0.1)
    mine.release()


def test_looking_does_not_keep_an_owner_from_starting(tmp_path: Path) -> None:
    """People and supervisors may look as often as they like, beside a stale file and while an actor starts."""
    end(held_by_child(tmp_path))
    looking = threading.Event()

    def look() -> None:
        while not looking.is_set():
            living_owner(tmp_path, "a")

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(200):
            lock_path(tmp_path, "a").write_text("1 1\n")  # stale: this process is not the one that started at 1
            Ownership(tmp_path, "a").release()
    finally:
        looking.set()
        for thread in threads:
            thread.join()


def test_of_many_that_start_together_one_owns(tmp_path: Path) -> None:
    """Twenty processes race for one lock, over and over: never two at once, and it never gets stuck."""
    counter = tmp_path / "held"

    def race() -> int:
        for _ in range(20):
            mine = wait_until_owned(tmp_path, "a", 20)
            fd = os.open(counter, os.O_CREAT | os.O_EXCL)  # fails where two own at once
            os.close(fd)
            counter.unlink()
            mine.release()
        return 0

    assert [exit_code(pid, 30) for pid in [fork(race) for _ in range(20)]] == [0] * 20


def test_a_folder_that_is_a_file_is_a_configuration_error(tmp_path: Path) -> None:
    """The text names the folder."""
    (tmp_path / "db").write_text("")
    with pytest.raises(ConfigError, match=r"cannot write in .*db"):
        Ownership(tmp_path / "db", "a")


def test_start_times_are_stable_and_tell_processes_apart() -> None:
    """The own start time never changes, a later process has a later one, no process has -1."""
    assert start_time(os.getpid()) == start_time(os.getpid()) > 0
    pid = fork(lambda: signal.pause() or 0)
    assert start_time(pid) >= start_time(os.getpid())
    end(pid)
    assert start_time(pid) == -1


def test_a_process_with_brackets_in_its_name_is_read(tmp_path: Path) -> None:
    """The name in proc(5) stat may hold spaces and brackets."""
    import setproctitle

    def named() -> int:
        setproctitle.setthreadtitle(") 1 (x y")
        return 0 if start_time(os.getpid()) >= start_time(os.getppid()) > 0 else 1

    assert exit_code(fork(named)) == 0


def test_the_lock_is_held_where_the_disk_does_not_take_the_pid(tmp_path: Path) -> None:
    """Nobody else can own; the pid is written as soon as the disk takes it."""
    with files_end_at(0):
        mine = Ownership(tmp_path, "a")
        with pytest.raises(StoreError, match=r"a\.lock"):
            mine.note()
    assert living_owner(tmp_path, "a") is None
    assert exit_code(fork(lambda: Ownership(tmp_path, "a") and 0)) == OwnedElsewhere.exit_code
    mine.note()
    assert living_owner(tmp_path, "a") == Owner(os.getpid(), start_time(os.getpid()))
    mine.release()


def test_a_killed_owners_file_is_written_over_before_it_is_cut(tmp_path: Path) -> None:
    """No room is asked for where the file had some; a longer line of before leaves no rest."""
    lock_path(tmp_path, "a").write_text("999999 123456789012345678901234567890\n")
    with files_end_at(30):
        mine = Ownership(tmp_path, "a")
    assert lock_path(tmp_path, "a").read_text() == f"{os.getpid()} {start_time(os.getpid())}\n"
    mine.release()


def test_an_owner_knows_that_its_home_is_gone_and_leaves_anothers_lock_alone(tmp_path: Path) -> None:
    """A lock file that was deleted, or is another's by now, is lost; letting go of it removes nothing."""
    old = Ownership(tmp_path, "a")
    assert not old.is_lost()
    lock_path(tmp_path, "a").unlink()
    assert old.is_lost()
    new = Ownership(tmp_path, "a")
    assert old.is_lost()
    old.release()
    assert lock_path(tmp_path, "a").exists()
    assert not new.is_lost()
    new.release()
    assert not lock_path(tmp_path, "a").exists()
