"""Small files that must survive a crash or stay private."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from client.errors import InputError
from primitives.files import write_whole

PRIVATE_MAX = 1 << 20
"""Largest private file that is read, in bytes."""


def write_atomically(path: Path, data: bytes, private: bool = True) -> None:
    """Replace a file whole and durably: a crash leaves the old or the new bytes. Private files are 0600."""
    write_whole(path, data, mode=0o600 if private else 0o644)


def append_durably(path: Path, data: bytes) -> None:
    """Add bytes to the end of a private file and wait until they are on disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        left = memoryview(data)
        while left:  # a disk that is nearly full takes a part, and only then says so
            left = left[os.write(descriptor, left) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Whoever changes a file by what stands in it does so inside; others wait. The lock is a file beside it,
    which stays: were it removed, two could hold one each.
    """
    place = path.resolve()
    descriptor = os.open(place.with_name(f".{place.name}.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def private_directory(path: Path) -> Path:
    """The directory, made readable by its owner only when it is new."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True)
    return path


def read_private(path: Path) -> bytes:
    """A secret file's bytes. Raises InputError SecretExposed (others may read it), -Missing, -TooLarge."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if os.name == "posix" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise InputError("SecretExposed", f"{path} can be read by others; run: chmod 600 {path}")
            data = file.read(PRIVATE_MAX + 1)
    except FileNotFoundError:
        raise InputError("SecretMissing", f"there is no file {path}") from None
    if len(data) > PRIVATE_MAX:
        raise InputError("SecretTooLarge", f"{path} is no file of secrets: it is over {PRIVATE_MAX} bytes")
    return data
