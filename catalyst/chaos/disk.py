"""A small disk of its own for a folder, that can be filled and emptied again: tmpfs(5), mounted and unmounted here."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType

from catalyst.errors import UnavailableError

BALLAST = ".ballast"
BLOCK_BYTES = 1_048_576
SMALLEST_BYTES = 4_096  # a page of memory is the smallest that tmpfs gives out
MOUNT_S = 10.0


class SmallDisk:
    """A tmpfs of `size_bytes` over `folder`, whose former content is hidden until `close`. A context manager.

    Raises UnavailableError where none can be mounted; `available` says so beforehand.
    """

    def __init__(self, folder: Path, size_bytes: int):
        if why := self.available():
            raise UnavailableError(why)
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._run("mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=0700", "tmpfs", str(folder))

    @staticmethod
    def available() -> str:
        """Why no small disk can be made here; empty where it can."""
        if shutil.which("mount") is None or shutil.which("umount") is None:
            return "there is no mount command here"
        if os.geteuid() != 0:
            return "mounting a small disk needs root"
        filesystems = Path("/proc/filesystems")
        if not filesystems.is_file() or "\ttmpfs\n" not in filesystems.read_text():
            return "this kernel has no tmpfs"
        return ""

    @property
    def free_bytes(self) -> int:
        """Room that is left."""
        found = os.statvfs(self.folder)
        return found.f_bfree * found.f_frsize

    def fill(self) -> int:
        """Write ballast until there is no room for a page more; the bytes written. Again: what was freed meanwhile."""
        file = os.open(self.folder / BALLAST, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        written, block = 0, BLOCK_BYTES
        try:
            while block >= SMALLEST_BYTES:
                try:
                    written += os.write(file, bytes(block))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    block //= 2
        finally:
            os.close(file)
        return written

    def free(self) -> None:
        """Take the ballast away."""
        (self.folder / BALLAST).unlink(missing_ok=True)

    def resize(self, size_bytes: int) -> None:
        """Make the disk larger or smaller; the ballast stays."""
        self._run("mount", "-o", f"remount,size={size_bytes}", str(self.folder))

    def close(self) -> None:
        """Unmount, also under a process that still has a file open there; the second call does nothing."""
        if os.path.ismount(self.folder):
            self._run("umount", "-l", str(self.folder))

    @staticmethod
    def _run(*words: str) -> None:
        done = subprocess.run(words, capture_output=True, text=True, timeout=MOUNT_S, check=False)  # noqa: S603
        if done.returncode != 0:
            raise UnavailableError(f"{' '.join(words[:1])}: {done.stderr.strip() or done.returncode}")

    def __enter__(self) -> SmallDisk:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()
