"""The trie of an older block: today's, with every change since taken back.

It is made once, from a snapshot of the database: so that neither making nor using it keeps anybody from
committing, and it stays true while the chain goes on.
"""

from __future__ import annotations

from bisect import bisect_left
from threading import RLock

from frame.backend import Delta
from node.database import columns as at
from node.database.errors import DatabaseCorrupt
from node.database.history import History, before
from node.database.storage import Reader, Snapshot
from node.database.tries import Flat, StateUpdate, Tries
from primitives.trie import CHILD_PREFIX

Values = dict[bytes, bytes | None]


class Past:
    """The state of block `number`, whose tries have the root `root`. Safe to use from several threads.

    `step` takes one block back, until it returns True; then `tries` and `read` may be used.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        history: History,
        best: tuple[int, bytes],
        number: int,
        root: bytes,
        version: int,
    ) -> None:
        self.number, self.version = number, version
        self.lock = RLock()
        self.changes = 0
        """How many changes were taken back so far."""
        self._snapshot, self._history, self.root = snapshot, history, root
        self.made_at, self._best_root = best
        self._height = self.made_at
        self._undone: dict[bytes | None, Values] = {None: {}}
        self._sorted: dict[bytes | None, list[bytes]] = {}
        self._is_past = False
        self._tries: Tries | None = None

    @property
    def tries(self) -> Tries:
        """The tries of the block. Hold `lock` while you use them."""
        assert self._tries is not None, "not made yet"
        return self._tries

    def step(self) -> bool:
        """Take one block back, or when none is left, make the tries: then True. Raises DatabaseCorrupt."""
        with self.lock:
            if self._tries is not None:
                return True
            if self._height > self.number:
                self._take_back(self._height)
                self._height -= 1
                return False
            self._make()
            return True

    def _take_back(self, height: int) -> None:
        for place in self._history.places(height, self._snapshot):
            entry = self._history.entry(place, height, self._snapshot)
            if entry is None:
                raise DatabaseCorrupt(f"block {height} changed a value whose history is missing")
            key, child = at.place_parts(place)
            self._undone.setdefault(child, {})[key] = before(entry)
            self.changes += 1

    def delta(self) -> Delta:
        """What turns the best state into that of the block."""
        children = {child: values for child, values in self._undone.items() if child is not None}
        top = dict(self._undone[None])
        for child in children:  # the tries make these themselves
            top.pop(CHILD_PREFIX + child, None)
        return Delta(top, children)

    def _make(self) -> None:
        tries = Tries(self._best_root, Flat(self._node, self.read, self._first))
        update = tries.updated(self.delta(), self.version)
        if update.root != self.root:
            raise DatabaseCorrupt(
                f"the state of block {self.number} cannot be rebuilt, state version {self.version}"
            )
        tries.adopt(update, keep=True)
        self._look_back()
        self._tries = tries

    def _look_back(self) -> None:
        """From now on `read` tells of the older block."""
        self._sorted = {child: sorted(values) for child, values in self._undone.items()}
        self._is_past = True

    def forward(self) -> StateUpdate:
        """Where the trie column holds the older block's trie: what makes it that of the best state."""
        while self._height > self.number:
            self._take_back(self._height)
            self._height -= 1
        back = self.delta()
        top = {key: self.read(key) for key in back.top}
        children = {
            child: {key: self.read(key, child) for key in keys} for child, keys in back.children.items()
        }
        self._look_back()
        tries = Tries(self.root, Flat(self._node, self.read, self._first))
        update = tries.updated(Delta(top, children), self.version)
        if update.root != self._best_root:
            raise DatabaseCorrupt(f"the trie of block {self.number} does not lead to that of {self.made_at}")
        return update

    def close(self) -> None:
        """Let go of the database."""
        with self.lock:
            self._snapshot.close()

    # ── the flat state ──

    def read(self, key: bytes, child: bytes | None = None) -> bytes | None:
        """The value at the block."""
        with self.lock:
            if self._is_past:
                values = self._undone.get(child, {})
                if key in values:
                    return values[key]
            column, stored = (at.STATE, key) if child is None else (at.CHILD, at.escaped(child) + key)
            return self._snapshot.get(column, stored)

    def _node(self, key: bytes) -> bytes | None:
        return self._snapshot.get(at.TRIE, key)

    def _first(self, key: bytes, child: bytes | None) -> tuple[bytes, bytes] | None:
        """The first key at or after the one given, and its value."""
        values = self._undone.get(child, {}) if self._is_past else {}
        found = first_value(self._snapshot, key, child)
        while found is not None and found[0] in values:
            found = first_value(self._snapshot, found[0] + b"\0", child)
        ordered = self._sorted.get(child, [])
        for place in range(bisect_left(ordered, key), len(ordered)):
            taken_back = ordered[place]
            if found is not None and found[0] < taken_back:
                break
            value = values.get(taken_back)
            if value is not None:
                return taken_back, value
        return found


def first_value(source: Reader, key: bytes, child: bytes | None) -> tuple[bytes, bytes] | None:
    """The first key at or after the one given, of the best state, and its value."""
    if child is None:
        return source.seek(at.STATE, key)
    prefix = at.escaped(child)
    found = source.seek(at.CHILD, prefix + key)
    return (found[0][len(prefix) :], found[1]) if found is not None and found[0].startswith(prefix) else None
