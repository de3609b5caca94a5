"""The best state's tries over the database: one for the top level, one for each child in use.

Branches are stored by path, so that an update overwrites what it replaces and nothing has to be counted or
collected. Leaves are not stored: they repeat what the flat state holds, and are made from it when asked.
Nodes stay in memory, encoded, until they take too much of it; a boot loads only what the first blocks touch.
With the first larger block the top level's move into a WebAssembly program (`primitives/trie/wasm/`), which
also holds those that are not in the column yet; if it gives up, they come back, and the plain pass goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

from frame.backend import Delta
from node.database.columns import packed, trie_prefix
from node.database.errors import DatabaseCorrupt
from primitives.trie import (
    CHILD_PREFIX,
    EMPTY_ROOT,
    Memory,
    NodeChanges,
    Trie,
    Update,
    encode_value,
    leaf_bytes,
)

if TYPE_CHECKING:
    from primitives.trie.wasm.arena import Arena

MIB = 1 << 20
MANY = 64
"""From so many changes on, the top level's trie moves into the program that updates it faster."""
MANY_AT_FIRST = 2000
"""So many at genesis: most nodes never make a block that is worth the program's loading, and boot sooner."""
MEMORY = 160 * MIB
"""Bytes of nodes in memory, about, before the oldest are dropped: the branches of a million accounts fit."""
NODE_COST = 250
"""Bytes that a node takes beside its own: path, table entry, headers of objects."""
CHECKED = 10_000
"""So many more nodes, and their bytes are counted again."""
AHEAD_AFTER, AHEAD = 512, 16_384
"""After so many nodes that had to be looked up one by one, so many are read in one go: that is ten times
cheaper, and who touches many will touch more."""

Read = Callable[[bytes, bytes | None], bytes | None]
"""(key, child) → the value in the best state."""


@dataclass(frozen=True)
class Flat:
    """What tries need of the database they lie in."""

    node: Callable[[bytes], bytes | None]
    """The value at a key of the trie column."""
    read: Read
    first: Callable[[bytes, bytes | None], tuple[bytes, bytes] | None]
    """The first key at or after the one given, at the top level or in a child, and its value."""
    scan: Callable[[bytes], Iterator[tuple[bytes, bytes]]] | None = None
    """The entries of the trie column from a key on, as they are on the disk."""
    take: Callable[[Iterable[tuple[bytes, bytes]]], None] | None = None
    """Takes up branches that are not in the column yet. None: no program."""


class PathStore:
    """A NodeStore over the database, for one trie of the best state."""

    __slots__ = ("_ahead", "_child", "_flat", "_loaded", "_next", "_prefix", "ahead_bytes", "arena", "memory")

    def __init__(self, flat: Flat, child: bytes | None) -> None:
        self._flat = flat
        self._child = child
        self._prefix = trie_prefix(child)
        self.memory = Memory()
        self.arena: Arena | None = None
        """Where the trie is, if not in `memory`."""
        self._ahead: dict[bytes, bytes] = {}
        """Nodes that were read in passing, some of them changed since."""
        self._next: bytes | None = self._prefix
        """Where to read on; None: all is read."""
        self._loaded = self.ahead_bytes = 0

    def load(self, path: str, node_hash: bytes) -> bytes:
        key = self._prefix + packed(path)
        data = self._ahead.pop(key, None)
        if data is not None and blake2b(data, digest_size=32).digest() == node_hash:
            return data
        if self.arena is None:
            data = self.memory.nodes.get(path) or self._looked_up(key)
        else:
            data = self.arena.node(path) or self._looked_up(key)
        if data is not None and blake2b(data, digest_size=32).digest() == node_hash:
            return data
        for leaf in self._leaves(path):
            if blake2b(leaf, digest_size=32).digest() == node_hash:
                return leaf
        raise DatabaseCorrupt(f"trie node {node_hash.hex()} at path '{path}' is missing or changed")

    def _looked_up(self, key: bytes) -> bytes | None:
        self._loaded += 1
        if self._loaded % AHEAD_AFTER == 0 and self._next is not None and self._flat.scan is not None:
            self._read_ahead(self._flat.scan(self._next))
        return self._flat.node(key)

    def _read_ahead(self, entries: Iterator[tuple[bytes, bytes]]) -> None:
        self._next = None
        if self.arena is not None:
            self._offer(self.arena, entries)
            return
        for key, node in islice(entries, AHEAD):
            if not key.startswith(self._prefix) or self.ahead_bytes > MEMORY:
                self._next = None
                return
            self._ahead[key] = node
            self.ahead_bytes += len(node) + NODE_COST
            self._next = key + b"\0"

    def _offer(self, arena: Arena, entries: Iterator[tuple[bytes, bytes]]) -> None:
        size = len(self._prefix)
        read = list(islice(entries, AHEAD))
        mine = [(key[size:], node) for key, node in read if key.startswith(self._prefix)]
        arena.offer(mine)
        if len(mine) == AHEAD and not arena.is_full:
            self._next = read[-1][0] + b"\0"

    def shrink(self) -> None:
        """Forget a part of what is in memory: what was learned first."""
        self._ahead, self._next, self.ahead_bytes = {}, None, 0
        for path in list(islice(self.memory.nodes, len(self.memory.nodes) // 4)):
            self.memory.forget(path)

    def _leaves(self, path: str) -> list[bytes]:
        """What the leaf at a path can be: that of the one key below it, in either layout."""
        found = self._flat.first(bytes.fromhex(path + "0" if len(path) & 1 else path), self._child)
        if found is None or not found[0].hex().startswith(path):
            return []
        key, value = found
        return [leaf_bytes(key, len(path), *encode_value(value, version)) for version in (1, 0)]


Values = Mapping[bytes, bytes | None]


@dataclass(frozen=True)
class StateUpdate:
    """A computed change of state, ready to be written. By child, None for the top level:"""

    delta: Delta
    version: int
    root: bytes
    tries: Mapping[bytes | None, Update]
    changes: Mapping[bytes | None, Values]
    """At the top level with the children's roots."""
    before: Mapping[bytes | None, Values]
    """The old values of what changes."""

    def fits(self, delta: Delta, version: int) -> bool:
        return version == self.version and (delta is self.delta or delta == self.delta)

    def nodes(self) -> Mapping[bytes | None, NodeChanges]:
        """The nodes to write."""
        return {child: update.nodes for child, update in self.tries.items()}


class Tries:
    """The tries of the best state, immutable but for what is in memory."""

    def __init__(self, root: bytes, flat: Flat) -> None:
        self._flat = flat
        top = PathStore(flat, None)
        self._stores: dict[bytes | None, PathStore] = {None: top}
        self._tries: dict[bytes | None, Trie] = {None: Trie(root, top)}
        self._check = CHECKED
        self._pending: Update | None = None
        """The last update that the arena made."""

    def updated(self, delta: Delta, version: int) -> StateUpdate:
        """The state after `delta`; these tries stay as they are."""
        tries: dict[bytes | None, Update] = {}
        changes: dict[bytes | None, Values] = {}
        before: dict[bytes | None, Values] = {}
        child_roots: dict[bytes, bytes | None] = {}
        for name, changed in delta.children.items():
            update = self._updated(name, changed, version, before)
            tries[name], changes[name] = update, changed
            new = update.trie.root_hash
            child_roots[CHILD_PREFIX + name] = None if new == EMPTY_ROOT else new
        top = {**delta.top, **child_roots} if child_roots else delta.top
        update = self._updated(None, top, version, before)
        tries[None], changes[None] = update, top
        return StateUpdate(delta, version, update.trie.root_hash, tries, changes, before)

    def _updated(
        self, child: bytes | None, changes: Values, version: int, before: dict[bytes | None, Values]
    ) -> Update:
        trie, read = self.trie(child), self._flat.read
        # A genesis may be large, and there was nothing before it.
        old = {} if trie.root_hash == EMPTY_ROOT else {key: read(key, child) for key in changes}
        before[child] = old
        if child is None and version in (0, 1):
            update = self._in_arena(changes, version, old)
            if update is not None:
                return update
        return trie.update(changes, version, self._stores[child].memory, old)

    def adopt(self, update: StateUpdate, *, keep: bool = False) -> None:
        """Go over to the updated state, after it was written; with `keep` it was not, and stays in memory."""
        for child, changed in update.tries.items():
            self._tries[child] = changed.trie
            store = self._stores[child]
            if store.arena is None:
                store.memory.adopt(changed)
            else:
                assert changed is self._pending, "an update was made since"
                store.arena.adopt()
        nodes = sum(len(store.memory.nodes) for store in self._stores.values())
        if nodes > self._check and not keep:
            self._shrink()

    # ── the top level in the program ──

    def _in_arena(self, changes: Values, version: int, before: Values) -> Update | None:
        """The update as the program makes it; None if it does not."""
        trie, store = self._tries[None], self._stores[None]
        if store.arena is None:
            many = MANY_AT_FIRST if trie.root_hash == EMPTY_ROOT else MANY
            if self._flat.take is None or len(changes) < many:
                return None

        from primitives.trie.wasm.arena import Arena, GaveUp  # loads wasmtime, which takes a while

        self._pending = None
        try:
            if store.arena is None:
                store.arena = Arena(trie.root_hash)
                store.memory.clear()
            root, gone = store.arena.update(store, changes, version, before)
        except GaveUp:
            self._leave_arena()
            return None
        self._pending = Update(Trie(root, store), gone, [])
        return self._pending

    def _leave_arena(self) -> None:
        """Nothing is lost: what is not in the column goes where the other unwritten branches are."""
        assert self._flat.take is not None
        self._flat.take(list(self.unwritten(updated=False)))
        self._stores[None].arena = None

    def unwritten(self, *, updated: bool) -> Iterator[tuple[bytes, bytes]]:
        """What the program holds of the trie column, with `updated` after the last update."""
        store = self._stores[None]
        if store.arena is not None:
            prefix = trie_prefix(None)
            for path, node in store.arena.unwritten(updated=updated):
                yield prefix + path, node

    def unwritten_count(self) -> int:
        """How many branches that are."""
        arena = self._stores[None].arena
        return 0 if arena is None else arena.unwritten_count()

    def written(self) -> None:
        """They are in the column."""
        arena = self._stores[None].arena
        if arena is not None:
            arena.written()

    # ── memory ──

    def close(self) -> None:
        """Let go of what is in memory; they are used no more."""
        self._stores[None].arena = None

    def _shrink(self) -> None:
        """Drop what was learned first, if it is too much."""
        size = sum(
            sum(map(len, store.memory.nodes.values()))
            + NODE_COST * len(store.memory.nodes)
            + store.ahead_bytes
            for store in self._stores.values()
        )
        if size > MEMORY:
            self._tries = {None: self._tries[None]}
            self._stores = {None: self._stores[None]}
            self._stores[None].shrink()
        self._check = sum(len(store.memory.nodes) for store in self._stores.values()) + CHECKED

    def trie(self, child: bytes | None) -> Trie:
        """The trie of a child, or of the top level."""
        trie = self._tries.get(child)
        if trie is None:
            assert child is not None  # the top level is always there
            store = self._stores[child] = PathStore(self._flat, child)
            root = self._flat.read(CHILD_PREFIX + child, None) or EMPTY_ROOT
            trie = self._tries[child] = Trie(root, store)
        return trie
