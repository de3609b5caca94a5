"""RocksDB, opened once: columns by name, one atomic batch at a time, and seeks. Knows no blocks."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rocksdict import ColumnFamily, Rdict, RdictIter, WriteBatch, WriteOptions

from node.database.columns import CACHE, COLUMNS, META, column_options, main_options
from node.database.errors import (
    DatabaseClosed,
    DatabaseCorrupt,
    DatabaseError,
    DatabaseLocked,
    DatabaseUnreadable,
    DiskFull,
)

FORMAT = b"3"
"""The layout of columns.py. Another layout needs another number."""


ADVICE = "put back a copy of the folder, or begin anew: gristmill purge-chain"


class Batch(Protocol):
    """Changes that are written together or not at all."""

    def put_all(self, column: str, items: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Put values at keys; None deletes."""

    def put(self, column: str, key: bytes, value: bytes) -> None: ...

    def delete(self, column: str, key: bytes) -> None: ...

    def delete_range(self, column: str, first: bytes, end: bytes) -> None: ...


class _RocksBatch:
    def __init__(self, handles: dict[str, ColumnFamily]) -> None:
        self.raw = WriteBatch(raw_mode=True)
        self._handles = handles

    def put(self, column: str, key: bytes, value: bytes) -> None:
        self.raw.put(key, value, self._handles[column])

    def put_all(self, column: str, items: Iterable[tuple[bytes, bytes | None]]) -> None:
        put, delete, handle = self.raw.put, self.raw.delete, self._handles[column]
        for key, value in items:
            if value is None:
                delete(key, handle)
            else:
                put(key, value, handle)

    def delete(self, column: str, key: bytes) -> None:
        self.raw.delete(key, self._handles[column])

    def delete_range(self, column: str, first: bytes, end: bytes) -> None:
        """Delete all keys from `first` on that are below `end`."""
        self.raw.delete_range(first, end, self._handles[column])


class Reader(Protocol):
    """What can be read of a database, now or at a moment."""

    def get(self, column: str, key: bytes) -> bytes | None: ...

    def seek(self, column: str, key: bytes) -> tuple[bytes, bytes] | None: ...


class Snapshot:
    """The database as it was when this was made, whatever is written since. Costs space while it lives.

    For one thread at a time. It must be gone, or closed, before the database is closed.
    """

    def __init__(self, path: Path, columns: Mapping[str, Rdict]) -> None:
        self._path = path
        self._iterators = {name: column.iter() for name, column in columns.items()}  # each is a snapshot

    def get(self, column: str, key: bytes) -> bytes | None:
        found = self.seek(column, key)
        return found[1] if found is not None and found[0] == key else None

    def seek(self, column: str, key: bytes) -> tuple[bytes, bytes] | None:
        """The first (key, value) at or after `key`. Raises DatabaseCorrupt, DatabaseClosed."""
        iterator = self._iterators.get(column)
        if iterator is None:
            raise DatabaseClosed("the database is closed")
        try:
            iterator.seek(key)
            if iterator.valid():
                return iterator.key(), iterator.value()
            iterator.status()
        except Exception as error:  # rocksdict raises bare Exception
            raise unreadable(self._path, error) from error
        return None

    def close(self) -> None:
        """Let go of it."""
        self._iterators.clear()


def unreadable(path: Path, error: Exception) -> DatabaseCorrupt:
    """What RocksDB says when it cannot read, in a sentence."""
    return DatabaseCorrupt(f"cannot read from {path}: {error}; {ADVICE}")


class Storage:
    """An open RocksDB. With `sync`, a batch is on the disk when `write` returns, not just on its way."""

    def __init__(self, path: Path, sync: bool, cache: int = CACHE) -> None:
        self.path = path
        self._db = _opened(path, cache)
        self._columns: dict[str, Rdict] = {name: self._db.get_column_family(name) for name in COLUMNS}
        self._handles = {name: self._db.get_column_family_handle(name) for name in COLUMNS}
        self._iterators: dict[str, RdictIter] = {}
        self._options = WriteOptions()
        self._options.sync = sync

    def get(self, column: str, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._columns[column].get(key)
        except KeyError:
            raise DatabaseClosed("the database is closed") from None
        except Exception as error:  # rocksdict raises bare Exception
            raise unreadable(self.path, error) from error
        return value

    def seek(self, column: str, key: bytes) -> tuple[bytes, bytes] | None:
        """The first (key, value) at or after `key`. Raises DatabaseCorrupt."""
        try:
            found = self._sought(column, key)
            return None if found is None else (found.key(), found.value())
        except DatabaseError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            raise unreadable(self.path, error) from error

    def seek_key(self, column: str, key: bytes) -> bytes | None:
        """The first key at or after `key`. Raises DatabaseCorrupt."""
        try:
            found = self._sought(column, key)
            key_found: bytes | None = None if found is None else found.key()
            return key_found
        except DatabaseError:
            raise
        except Exception as error:  # rocksdict raises bare Exception
            raise unreadable(self.path, error) from error

    def _sought(self, column: str, key: bytes) -> RdictIter | None:
        """An iterator that stands there. None at the end, which damage looks like but for its status."""
        iterator = self._iterators.get(column)
        if iterator is None:
            if column not in self._columns:
                raise DatabaseClosed("the database is closed")
            iterator = self._iterators[column] = self._columns[column].iter()
        iterator.seek(key)
        if iterator.valid():
            return iterator
        iterator.status()
        return None

    def entries(self, column: str, first: bytes) -> Iterator[tuple[bytes, bytes]]:
        """All (key, value) from `first` on, as of now. Raises DatabaseCorrupt, DatabaseClosed."""
        if column not in self._columns:
            raise DatabaseClosed("the database is closed")
        iterator = self._columns[column].iter()
        try:
            iterator.seek(first)
            while iterator.valid():
                yield iterator.key(), iterator.value()
                iterator.next()
            iterator.status()
        except Exception as error:  # rocksdict raises bare Exception
            raise unreadable(self.path, error) from error

    @property
    def is_open(self) -> bool:
        """Until `close`."""
        return bool(self._columns)

    def snapshot(self, *columns: str) -> Snapshot:
        """These columns as they are now; nothing may be written while it is made."""
        if not self._columns:
            raise DatabaseClosed("the database is closed")
        return Snapshot(self.path, {name: self._columns[name] for name in columns})

    def cached_bytes(self) -> int:
        """Bytes in the block cache, which all columns share."""
        found = self._columns[META].property_int_value("rocksdb.block-cache-usage") if self._columns else None
        return int(found or 0)

    def batch(self) -> _RocksBatch:
        return _RocksBatch(self._handles)

    def write(self, batch: _RocksBatch) -> None:
        """Write the batch, whole or not at all. Raises DatabaseError, with nothing written."""
        if not self._columns:
            raise DatabaseClosed("the database is closed")
        try:
            self._db.write(batch.raw, self._options)
        except Exception as error:  # rocksdict raises bare Exception
            if "No space left on device" in str(error):
                raise DiskFull(
                    f"no space left on the device of {self.path}: the last block was not written, all before "
                    "it are safe; make room and start again"
                ) from error
            raise DatabaseError(f"cannot write to {self.path}: {error}") from error
        self._iterators.clear()  # an iterator shows the state at its making

    def close(self) -> None:
        """Close it; a second time does nothing. Raises DatabaseError if the system refuses to write, as on a
        full disk: what `write` has written is safe all the same.
        """
        if not self._columns:
            return
        self._iterators.clear()
        columns, self._columns = self._columns, {}
        self._handles.clear()  # a batch that lives on must not keep the database open
        try:
            for column in columns.values():
                column.close()
            self._db.close()
        except Exception as error:  # rocksdict raises bare Exception
            raise DatabaseError(f"cannot close the database in {self.path}: {error}") from error


@contextmanager
def held_unused(path: Path) -> Iterator[None]:
    """Keep everybody from opening the database in a folder, as RocksDB itself does, while it is removed.

    Raises DatabaseLocked if somebody has it open.
    """
    lock = path / "LOCK"
    if not lock.exists():
        yield
        return
    with lock.open("r+b") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DatabaseLocked(f"the database in {path} is in use by another node") from None
        yield


def _opened(path: Path, cache: int) -> Rdict:
    try:
        path.mkdir(parents=True, exist_ok=True)
        db = Rdict(str(path), main_options(), column_families=column_options(cache))
    except OSError as error:
        raise DatabaseUnreadable(f"cannot use {path} as a database folder: {error.strerror}") from error
    except Exception as error:  # rocksdict raises bare Exception
        if "/LOCK:" in str(error):  # what RocksDB says of its lock file
            raise DatabaseLocked(f"the database in {path} is in use by another node") from error
        raise DatabaseUnreadable(f"cannot open the database in {path}: {error}; {ADVICE}") from error
    return db


__all__ = ["FORMAT", "META", "Batch", "Storage", "held_unused"]
