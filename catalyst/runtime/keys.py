"""Key pairs of one home and the public keys of the others: who may talk to whom over a network.

`$CATALYST_HOME/keys` holds `NAME.secret` (mode 0600) for each actor that lives on this host and for its operator, who
asks control sockets and listens to beats; `public.txt`, what other hosts need of them; `known.txt`, what was imported
from those. A line of the two texts is a name and a public key in Z85 (ZeroMQ RFC 32). No private key leaves this
module but into a socket.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import zmq
from zmq.utils import z85

from catalyst.errors import ConfigError, UsageError

OPERATOR = "operator"
PUBLIC, KNOWN = "public.txt", "known.txt"
HEAD = "# Public keys of Catalyst actors. On the other hosts: catalyst keys --import FILE\n"
NAME = re.compile(r"[a-z]{1,32}")
KEY = re.compile(r"[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
FILE_LIMIT_BYTES = 100_000


class Pair(NamedTuple):
    """A key pair, Z85."""

    public: bytes
    secret: bytes

    def __repr__(self) -> str:
        return f"Pair({self.public!r})"


class Public(NamedTuple):
    """A public key and whose it is: an actor's or an operator's name."""

    name: str
    key: bytes

    @property
    def fingerprint(self) -> str:
        """What two people compare: 16 hex digits."""
        import hashlib  # not needed where nobody reads a key

        return hashlib.blake2b(z85.decode(self.key), digest_size=8).hexdigest()

    @property
    def peer(self) -> str:
        """Whom a connection with this key is from: an actor, or `operator@FINGERPRINT`, since each host has one."""
        return f"{OPERATOR}@{self.fingerprint}" if self.name == OPERATOR else self.name


class Keys:
    """The keys in `folder`, as they are on disk now. Raises ConfigError for files that cannot be trusted or read."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.own = tuple(_read(folder / PUBLIC))
        self.known = tuple(_read(folder / KNOWN))

    def pair(self, name: str) -> Pair:
        """This host's pair of `name`. Raises ConfigError where there is none, or where others could read it."""
        path = self.folder / f"{name}.secret"
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigError(f"{path} can be read by others: chmod 600 {path}")
            secret = path.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            raise ConfigError(f"{name} has no key here: catalyst keys --init") from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read {path}: {error}") from error
        if not KEY.fullmatch(secret):
            raise ConfigError(f"{path} holds no key: remove it, then catalyst keys --init")
        return Pair(zmq.curve_public(secret.encode()), secret.encode())

    def public(self, name: str) -> bytes:
        """The public key of the actor `name`, wherever it lives. Raises ConfigError where it is not known."""
        for found in (*self.own, *self.known):
            if found.name == name:
                return found.key
        raise ConfigError(f"the key of {name} is not known here: catalyst keys --import the public.txt of its host")

    def peers(self) -> dict[bytes, str]:
        """Public key (32 bytes) -> whom a connection with it is from."""
        return {z85.decode(found.key): found.peer for found in (*self.own, *self.known)}

    def make(self, names: Iterable[str]) -> list[str]:
        """Make the pairs of `names` that are missing and write `public.txt`; the names of the new ones."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder.chmod(0o700)
        made = []
        for name in names:
            path = self.folder / f"{name}.secret"
            if path.exists():
                continue
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(zmq.curve_keypair()[1] + b"\n")
            made.append(name)
        held = sorted(path.stem for path in self.folder.glob("*.secret"))
        self.own = tuple(Public(name, self.pair(name).public) for name in held)
        _write(self.folder / PUBLIC, self.own)
        return made

    def take_over(self, path: Path, *, replace: bool) -> list[Public]:
        """Import another host's `public.txt`; the keys that are new here.

        Raises UsageError where an actor would get a second key: an actor lives on one host. With `replace` the new one
        takes the old one's place.
        """
        if not path.is_file():
            raise UsageError(f"{path} is no file")
        fresh = []
        for found in _read(path):
            if found in self.own or found in self.known:
                continue
            if found.name != OPERATOR:
                if any(held.name == found.name for held in self.own):
                    raise UsageError(f"{found.name} has a key of its own on this host, and an actor lives on one host:"
                                     f" remove {self.folder / f'{found.name}.secret'} first, or there")
                if not replace and any(held.name == found.name for held in self.known):
                    raise UsageError(f"{found.name} has another key already; --replace takes the new one")
            fresh.append(found)
        gone = {found.name for found in fresh} - {OPERATOR}
        self.known = (*(held for held in self.known if held.name not in gone), *fresh)
        _write(self.folder / KNOWN, self.known)
        return fresh

    def forget(self, fingerprint: str) -> Public:
        """Trust an imported key no more. Raises UsageError where none has that fingerprint."""
        for found in self.known:
            if found.fingerprint == fingerprint:
                self.known = tuple(held for held in self.known if held is not found)
                _write(self.folder / KNOWN, self.known)
                return found
        raise UsageError(f"no imported key has the fingerprint {fingerprint!r}; see catalyst keys")


def _read(path: Path) -> Iterable[Public]:
    try:
        with path.open("rb") as file:
            text = file.read(FILE_LIMIT_BYTES + 1).decode("ascii")
    except FileNotFoundError:
        return
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    if len(text) > FILE_LIMIT_BYTES:
        raise ConfigError(f"{path} is no list of keys: it is too long")
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if len(words) != 2 or not NAME.fullmatch(words[0]) or not KEY.fullmatch(words[1]):
            raise ConfigError(f"{path}:{number}: neither a name and its public key nor a comment")
        yield Public(words[0], words[1].encode())


def _write(path: Path, found: Iterable[Public]) -> None:
    text = HEAD + "".join(f"{public.name:<11}{public.key.decode()}\n" for public in found)
    fresh = path.with_suffix(".new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(fd)
    fresh.replace(path)
