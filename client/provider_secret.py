"""What makes a data directory its owner's: one secret that everything private is derived from, and one daemon
at a time.
"""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

from client.dataset_file import dataset_secret
from client.errors import InputError
from client.files import read_private, write_atomically
from primitives.hashing import tagged

SECRET_FILE = "secret"


@dataclass(frozen=True)
class Secret:
    """What a data directory knows and nobody else: everything below is derived from 32 random bytes."""

    key: bytes

    def __repr__(self) -> str:
        return "Secret()"

    @property
    def dataset(self) -> bytes:
        """Salts the leaves of the dataset."""
        return dataset_secret(self.key)

    @property
    def ledger(self) -> bytes:
        """Keys the marks of registered rows."""
        return tagged("ledger-secret", self.key)

    def noise(self, genesis: bytes, job: int) -> bytes:
        """The key of a job's privacy noise, the same at every retry; the enclave binds it to the run."""
        return tagged("noise", self.key, genesis, job.to_bytes(4, "little"))


def create_secret(directory: Path) -> Secret:
    """A fresh secret, written once. Raises InputError SecretExists."""
    path = directory / SECRET_FILE
    if path.exists():
        raise InputError("SecretExists", f"{path} is already there, and other rows may be committed under it")
    write_atomically(path, os.urandom(32).hex().encode() + b"\n")
    return read_secret(directory)


def read_secret(directory: Path) -> Secret:
    """The directory's secret. Raises InputError SecretMissing, SecretExposed, BadSecret."""
    path = directory / SECRET_FILE
    try:
        key = bytes.fromhex(read_private(path).decode().strip())
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InputError("BadSecret", f"{path} does not hold 32 bytes in hexadecimal")
    return Secret(key)


class Lock:
    """One daemon per data directory. Raises InputError AlreadyRunning."""

    def __init__(self, directory: Path) -> None:
        self._file = (directory / "lock").open("w")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InputError("AlreadyRunning", f"another daemon is serving {directory}") from None

    def release(self) -> None:
        """Let another daemon in."""
        self._file.close()
