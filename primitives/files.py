"""Files of users: no more is read than may be there, and what is written is there whole or not at all."""

import errno
import os
from pathlib import Path


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


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file: whoever looks, whenever this is interrupted, finds the old or the new one. Raises
    OSError that names `path`.
    """
    check_place(path)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise
    finally:
        unfinished.unlink(missing_ok=True)
