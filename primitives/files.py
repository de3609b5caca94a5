"""Files of users: no more is read than may be there, and what is written is there whole or not at all."""

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def read_at_most(path: Path, most: int) -> bytes | None:
    """The bytes of a file, or None where it has more than `most`. Devices and pipes, which have no size, end
    there too. Raises OSError.
    """
    with path.open("rb") as file:
        data = file.read(most + 1)
    return data if len(data) <= most else None


def check_place(path: Path) -> None:
    """Whether a file could be written there. Raises OSError, before hours of work that would be lost."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))


def write_whole(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Replace a file by `data`, as `whole_file` does. Raises OSError that names `path`."""
    with whole_file(path, mode=mode) as file:
        file.write(data)


@contextmanager
def whole_file(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """What is written replaces the file when all of it is there, durably: whoever looks, whenever this is
    interrupted, finds the old file or the new one. `mode` are the permissions of the new one, less those that
    the old one did not have: who closed a file to others does not find it open again.

    Others may write into the folder, as into /tmp: what they put in the place of the unfinished file is not
    followed, opened or read. Two that write the same file at once, also two threads, each write a whole one.

    A link stays one, to the new file; devices and pipes are written to, not replaced. Raises OSError that
    names `path`.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        with path.open("wb") as file:
            yield file
        return
    unfinished = place.with_name(f".{place.name}.{os.getpid()}.{threading.get_ident():x}.new")
    try:
        if place.exists():
            mode &= place.stat().st_mode
        unfinished.unlink(missing_ok=True)  # of a process that had our number, and was killed
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(place)
        sync_directory(place.parent)
    except OSError as error:
        ours = error.filename is None or str(error.filename) in (str(unfinished), str(place.parent))
        if error.errno is None or not ours:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # what the user named
    finally:
        with suppress(OSError):
            unfinished.unlink()


def sync_directory(path: Path) -> None:
    """Make renames and new names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
