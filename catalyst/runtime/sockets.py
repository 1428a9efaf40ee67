"""Where an actor's sockets are and how each of them is limited. Light to import: the command line begins here."""

from __future__ import annotations

import os
from pathlib import Path

import zmq

from catalyst.errors import ConfigError

CONTROL_VERSION = 1
FRAME_LIMIT_BYTES = 1024 * 1024
SOCKET_PATH_LIMIT = 100  # sun_path holds 107 bytes; the name of the socket comes after this


def plain_socket(context: zmq.Context[zmq.Socket[bytes]], kind: int) -> zmq.Socket[bytes]:
    """A socket with the limits that all of ours have."""
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, FRAME_LIMIT_BYTES)
    return socket


def make_run_folder(run_folder: Path) -> None:
    """Create the folder of the sockets, for this user only. Raises ConfigError."""
    try:
        run_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        run_folder.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"cannot write in {run_folder}: {error.strerror}") from error


def socket_folder(run_folder: Path) -> Path:
    """The run folder, or a short link to it where its path is too long for a socket. Raises ConfigError."""
    if len(os.fsencode(run_folder)) < SOCKET_PATH_LIMIT - 20:
        return run_folder
    import hashlib  # both for the odd case only
    import tempfile

    short = hashlib.blake2b(os.fsencode(run_folder), digest_size=6).hexdigest()
    alias = Path(tempfile.gettempdir()) / f"catalyst-{os.getuid()}-{short}"
    try:
        alias.symlink_to(run_folder)
    except FileExistsError:
        if alias.lstat().st_uid != os.getuid() or Path(os.readlink(alias)) != run_folder:
            raise ConfigError(f"{alias} is in the way: remove it") from None
    except OSError as error:
        raise ConfigError(f"{run_folder} is too long for a socket and {alias} cannot be made: {error}") from error
    return alias


def address(folder: Path, name: str, ending: str) -> str:
    """ZeroMQ address of a socket; `ending` is in, ctl or beat."""
    return f"ipc://{folder}/{name}.{ending}"
