"""The best state's tries over the database: one for the top level, one for each child in use.

Nodes are stored by path, so that an update overwrites what it replaces and nothing has to be counted or
collected. Decoded nodes stay in memory until there are too many of them; a boot loads only what the first
blocks touch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b

from frame.state import Delta
from node.database.columns import packed, trie_prefix
from node.database.errors import DatabaseCorrupt
from primitives.trie import CHILD_PREFIX, EMPTY_ROOT, NodeChanges, Trie

MAX_NODES = 400_000
"""Decoded nodes kept in memory, about 300 bytes each, before the deep ones are dropped."""
KEPT_DEPTH = 4
"""Branches below the root that stay in memory then."""


class PathStore:
    """A NodeStore over the trie column. Counts what it loads."""

    __slots__ = ("_get", "_prefix", "loaded")

    def __init__(self, get: Callable[[bytes], bytes | None], child: bytes | None) -> None:
        self._get = get
        self._prefix = trie_prefix(child)
        self.loaded = 0

    def load(self, path: str, node_hash: bytes) -> bytes:
        data = self._get(self._prefix + packed(path))
        if data is None or blake2b(data, digest_size=32).digest() != node_hash:
            raise DatabaseCorrupt(f"trie node {node_hash.hex()} at path '{path}' is missing or changed")
        self.loaded += 1
        return data


@dataclass(frozen=True)
class StateUpdate:
    """A computed change of state, ready to be written."""

    delta: Delta
    version: int
    root: bytes
    tries: Mapping[bytes | None, Trie]
    nodes: Mapping[bytes | None, NodeChanges]
    child_roots: Mapping[bytes, bytes | None]
    """Changes of the top level that follow from the children's."""

    def fits(self, delta: Delta, version: int) -> bool:
        return version == self.version and (delta is self.delta or delta == self.delta)


class Tries:
    """The tries of one state, immutable but for caches."""

    def __init__(
        self,
        root: bytes,
        get_node: Callable[[bytes], bytes | None],
        get_value: Callable[[bytes], bytes | None],
    ) -> None:
        self._get_node = get_node
        self._get_value = get_value
        top = PathStore(get_node, None)
        self._stores: dict[bytes | None, PathStore] = {None: top}
        self._tries: dict[bytes | None, Trie] = {None: Trie(root, top)}
        self._written = 0

    def updated(self, delta: Delta, version: int) -> StateUpdate:
        """The state after `delta`; these tries stay as they are."""
        keep = (
            self._tries[None].root_hash != EMPTY_ROOT
        )  # a genesis may be large and is written before it is used
        tries: dict[bytes | None, Trie] = {}
        nodes: dict[bytes | None, NodeChanges] = {}
        child_roots: dict[bytes, bytes | None] = {}
        for name, changes in delta.children.items():
            update = self.trie(name).update(changes, version, keep=keep)
            tries[name], nodes[name] = update.trie, update.nodes
            new = update.trie.root_hash
            child_roots[CHILD_PREFIX + name] = None if new == EMPTY_ROOT else new
        top = {**delta.top, **child_roots} if child_roots else delta.top
        update = self._tries[None].update(top, version, keep=keep)
        tries[None], nodes[None] = update.trie, update.nodes
        return StateUpdate(delta, version, update.trie.root_hash, tries, nodes, child_roots)

    def adopt(self, update: StateUpdate) -> None:
        """Go over to the updated state, after it was written."""
        self._tries.update(update.tries)
        self._written += sum(len(nodes) for nodes in update.nodes.values())
        if self._written + sum(store.loaded for store in self._stores.values()) > MAX_NODES:
            self._shrink()

    def _shrink(self) -> None:
        top = self._tries[None]
        top.forget(KEPT_DEPTH)
        self._tries = {None: top}
        self._stores = {None: self._stores[None]}
        self._stores[None].loaded = self._written = 0

    def trie(self, child: bytes | None) -> Trie:
        """The trie of a child, or of the top level."""
        trie = self._tries.get(child)
        if trie is None:
            assert child is not None  # the top level is always there
            store = self._stores[child] = PathStore(self._get_node, child)
            root = self._get_value(CHILD_PREFIX + child) or EMPTY_ROOT
            trie = self._tries[child] = Trie(root, store)
        return trie
