"""The updatable trie: a root hash over nodes that lie, encoded, under their paths.

`Trie.update` sorts the changes and makes one recursive pass over the encoded nodes (`one_pass.py`): each node
on a changed path is touched once, and in the usual branch, whose children are all referred to by hash, the
new hashes are laid over the old ones in place. Nodes are decoded only where the trie changes its form. An
update leaves the trie that it started from as it was: forks and dry runs are free.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from primitives.trie.codec import (
    EMPTY_ROOT,
    HASH_PREFIX,
    NIBBLE_INDEX,
    Node,
    blake2_256,
    is_leaf,
)
from primitives.trie.nodes import Layer, Memory, NodeChanges, NodeStore, NoStore
from primitives.trie.one_pass import Pass, decoded, sorted_items


@dataclass(frozen=True)
class Update:
    """What `Trie.update` gives: the new trie and the nodes to write or remove, by path."""

    trie: Trie
    nodes: NodeChanges
    reshaped: list[str]
    """With a Memory: branches of which a child came, went, or is no longer a leaf or a branch."""


class Trie:
    """A trie with the root hash `root_hash`, whose nodes are in `store`."""

    __slots__ = ("_store", "root_hash")

    def __init__(self, root_hash: bytes = EMPTY_ROOT, store: NodeStore | None = None) -> None:
        self.root_hash = root_hash
        self._store: NodeStore = store or NoStore()

    # ── reading ──

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`. A value stored by hash is looked up in the store. Raises MissingNode."""
        node = self.find(key)
        if node is None:
            return None
        if node.hashed and node.value is not None:
            return self._store.load(key.hex(), node.value)
        return node.inline_value()

    def find(self, key: bytes) -> Node | None:
        """The node where `key` ends, which may hold no value; None if there is none. Raises MissingNode."""
        length, node = 0, None
        for node in self.walk(key):
            length += len(node.partial) + 1
        ends = node is not None and length == 2 * len(key) + 1 and key.hex().endswith(node.partial)
        return node if ends else None

    def walk(self, key: bytes) -> Iterator[Node]:
        """The nodes on the way to `key`, from the root to where the way ends. Raises MissingNode."""
        data, path, at, ref = self._root(), key.hex(), 0, b""
        while data is not None:
            node = decoded(data)
            node.ref = ref
            yield node
            at += len(node.partial)
            if (
                node.refs is None
                or at >= len(path)
                or not path.startswith(node.partial, at - len(node.partial))
            ):
                return
            ref = node.refs[NIBBLE_INDEX[path[at]]]
            if not ref:
                return
            at += 1
            data = self._store.load(path[:at], ref[1:]) if ref[0] == HASH_PREFIX[0] else ref[1:]

    def _root(self) -> bytes | None:
        return None if self.root_hash == EMPTY_ROOT else self._store.load("", self.root_hash)

    # ── updating ──

    def update(
        self,
        changes: Mapping[bytes, bytes | None],
        version: int,
        memory: Memory | None = None,
        before: Mapping[bytes, bytes | None] | None = None,
    ) -> Update:
        """The trie after `changes` (None deletes). This trie stays as it is.

        New values are laid out by state `version`; values that do not change keep the layout they have. With
        `memory`, which must be of this very trie, and `before`, the old values as far as they are known, the
        new trie is good once its owner has written the nodes and the values, and `memory` has adopted it.
        Raises MissingNode, InvalidKey, StateVersionUnknown.
        """
        items = sorted_items(changes, version, before or {})
        if not items:
            return Update(self, {}, [])
        job = Pass(items, self._store, version, memory, before or {})
        old = self._loaded_root(memory)
        if old is None:
            live = [item for item in items if item[1] is not None]
            new = job.built(live, 0, 0) if live else None
        else:
            new = job.node(old, "", 0, len(items), 0)
        if new is old:
            return Update(self, {}, [])
        job.report("", old, new)
        root = EMPTY_ROOT if new is None else blake2_256(new)
        store = self._store if memory is not None else Layer(job.writes, self._store)
        return Update(Trie(root, store), job.writes, job.reshaped)

    def _loaded_root(self, memory: Memory | None) -> bytes | None:
        known = None if memory is None else memory.nodes.get("")
        if known is None:
            known = self._root()
            if memory is not None and known is not None and not is_leaf(known):
                memory.nodes[""] = known
        return known
