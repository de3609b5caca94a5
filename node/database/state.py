"""State at one block, as a runtime reads it.

At the best block values come from the `state` column through a cache. At an older block the history answers:
the first change after that block recorded what was there before; a key that has not changed since has its
value of today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock
from typing import Final, Protocol

from frame.backend import Delta
from node.database.columns import CHILD, STATE, escaped, place, place_parts
from node.database.history import History, before
from node.database.past import Past
from node.database.storage import Storage
from node.database.tries import Read, Tries
from primitives.trie import CHILD_PREFIX, closest_merkle_value, make_proof

CACHED_VALUES = 200_000
CACHED_LENGTH = 1024
"""Longer values are not worth their memory."""

CacheKey = bytes | tuple[bytes, bytes]


class _Unknown:
    """Marks what the cache does not know."""

    __slots__ = ()


UNKNOWN: Final = _Unknown()


class ReadCache:
    """Values of the best state that were read before. Full, it forgets what it learned first.

    `get` gives a value (None: known absent), or what it is told to give for one that is unknown.
    """

    def __init__(self, size: int = CACHED_VALUES) -> None:
        self._size = size
        self._values: dict[CacheKey, bytes | None] = {}  # never replaced
        self.get = self._values.get

    def put(self, key: CacheKey, value: bytes | None) -> None:
        values = self._values
        if value is not None and len(value) > CACHED_LENGTH:
            values.pop(key, None)
            return
        if len(values) >= self._size:
            for old in list(values)[: self._size // 8]:
                del values[old]
        values[key] = value

    def update(self, values: Mapping[CacheKey, bytes | None]) -> None:
        """Take up what a block changed."""
        if len(self._values) + len(values) > self._size:
            for key, value in values.items():
                self.put(key, value)
            return
        self._values.update(values)
        for key, value in values.items():
            if value is not None and len(value) > CACHED_LENGTH:
                del self._values[key]

    def clear(self) -> None:
        self._values.clear()


class Head(Protocol):
    """What a state needs of the database it belongs to."""

    storage: Storage
    cache: ReadCache
    lock: RLock
    best_number: int
    history: History

    def require_state(self, number: int) -> None: ...

    def root_at(self, number: int, delta: Delta, version: int) -> bytes: ...

    def past(self, number: int, version: int) -> Past: ...

    @property
    def tries(self) -> Tries: ...


class BlockState:
    """State after block `number`: `frame.backend.Backend`. Stays true while further blocks are committed."""

    __slots__ = ("_head", "number")

    def __init__(self, head: Head, number: int) -> None:
        self._head = head
        self.number = number

    def get(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value at `key`, or None."""
        head = self._head
        with head.lock:
            if self.number == head.best_number:
                return read_best(head, key, child)
            return self._read_old(key, child)

    def next_key(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The smallest key strictly greater than `key`, or None at the end."""
        with self._head.lock:
            if self.number == self._head.best_number:
                return _next_best(self._head.storage, key, child)
            return self._next_old(key, child)

    def root(self, delta: Delta, version: int) -> bytes:
        """The 32-byte state root after `delta`; changes nothing, but remembers the work for the commit."""
        return self._head.root_at(self.number, delta, version)

    def proof(self, keys: Iterable[bytes], child: bytes | None = None, *, version: int = 1) -> list[bytes]:
        """A read proof of `keys` against this block's state root; for a child trie, with the way to its root.

        `version` is the chain's state version. Looking back costs what has changed since.
        """
        top = [CHILD_PREFIX + child] if child is not None else []
        with self._tries(version) as (tries, read):
            proof = make_proof(tries.trie(None), top, lambda key: read(key, None))
            if child is None or read(CHILD_PREFIX + child, None) is not None:  # no trie for a mere name
                proof += make_proof(tries.trie(child), keys, lambda key: read(key, child))
            return list(dict.fromkeys(proof))

    def merkle_value(self, key: bytes, child: bytes | None = None, *, version: int = 1) -> bytes | None:
        """The Merkle value of the trie node at `key`, else of the nearest one below it, else None."""
        with self._tries(version) as (tries, read):
            if child is not None and read(CHILD_PREFIX + child, None) is None:
                return None
            return closest_merkle_value(tries.trie(child), key)

    @contextmanager
    def _tries(self, version: int) -> Iterator[tuple[Tries, Read]]:
        """The tries of this block and its values, for as long as the context lasts."""
        head = self._head
        with head.lock:
            if self.number == head.best_number:
                yield head.tries, lambda key, child: read_best(head, key, child)
                return
        past = head.past(self.number, version)
        with past.lock:
            yield past.tries, past.read

    def changes_until(self, number: int) -> Iterator[tuple[bytes, bytes | None]]:
        """What the blocks after this one, up to `number`, have written: (key, child), maybe repeatedly.

        Raises UnknownBlock, at the latest when it gets there, for what is kept no more.
        """
        for height in range(self.number + 1, number + 1):
            self._head.require_state(self.number)
            for spot in self._head.history.places(height):
                yield place_parts(spot)

    def _read_old(self, key: bytes, child: bytes | None) -> bytes | None:
        head = self._head
        head.require_state(self.number)
        found = head.history.first_after(place(key, child), self.number, head.best_number)
        return read_best(head, key, child) if found is None else before(found)

    def _next_old(self, key: bytes, child: bytes | None) -> bytes | None:
        """The nearest of today's keys and of those that changed since, if it was there at this block."""
        self._head.require_state(self.number)
        storage = self._head.storage
        while True:
            today = _next_best(storage, key, child)
            changed = self._next_changed(key, child)
            candidates = [found for found in (today, changed) if found is not None]
            if not candidates:
                return None
            key = min(candidates)
            if self._read_old(key, child) is not None:
                return key

    def _next_changed(self, key: bytes, child: bytes | None) -> bytes | None:
        """The next key that has any history."""
        head = self._head
        found = head.history.next_place(place(key + b"\0", child), self.number, head.best_number)
        if found is None:
            return None
        found_key, found_child = place_parts(found)
        return found_key if found_child == child else None


def read_best(head: Head, key: bytes, child: bytes | None) -> bytes | None:
    """The value at the best block, through the cache."""
    cache, cache_key = head.cache, key if child is None else (child, key)
    found = cache.get(cache_key, UNKNOWN)
    if not isinstance(found, _Unknown):
        return found
    value = head.storage.get(STATE, key) if child is None else head.storage.get(CHILD, escaped(child) + key)
    cache.put(cache_key, value)
    return value


def _next_best(storage: Storage, key: bytes, child: bytes | None) -> bytes | None:
    if child is None:
        return storage.seek_key(STATE, key + b"\0")
    prefix = escaped(child)
    found = storage.seek_key(CHILD, prefix + key + b"\0")
    return found[len(prefix) :] if found is not None and found.startswith(prefix) else None
