"""Where a trie's nodes come from and what of them stays in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from primitives.trie.codec import MissingNode, blake2_256

if TYPE_CHECKING:
    from primitives.trie.tree import Update

_LAYERS = 16
"""So many updates in memory are merged into one."""

NodeChanges = dict[str, bytes | None]
"""Nibble path from the root (hexadecimal text) → the node's new bytes, or None where a node is gone."""


class NodeStore(Protocol):
    """Where nodes come from."""

    def load(self, path: str, node_hash: bytes) -> bytes:
        """Bytes of the node at the nibble path `path`, whose hash is `node_hash`. Raises MissingNode."""


class NoStore:
    """The store of an empty trie."""

    def load(self, path: str, node_hash: bytes) -> bytes:
        raise MissingNode(f"no node {node_hash.hex()} at path '{path}'")


class HashStore:
    """Nodes and hashed values by their hash, all versions side by side, as in a proof."""

    def __init__(self, items: Iterable[bytes] = ()) -> None:
        self._by_hash = {blake2_256(item): item for item in items}

    def load(self, path: str, node_hash: bytes) -> bytes:
        try:
            return self._by_hash[node_hash]
        except KeyError:
            raise MissingNode(f"no node {node_hash.hex()} at path '{path}'") from None

    def add(self, items: Iterable[bytes | None]) -> None:
        """Keep what an update wrote (`changes.values()`), or values."""
        for item in items:
            if item is not None:
                self._by_hash[blake2_256(item)] = item


class Layer:
    """What updates in memory wrote, over the store that they began with."""

    def __init__(self, writes: NodeChanges, below: NodeStore) -> None:
        self._writes = writes
        self._below = below
        self._height = 1
        if isinstance(below, Layer):
            self._height = below._height + 1
            if self._height > _LAYERS:
                merged: NodeChanges = {}
                while isinstance(below, Layer):
                    merged = {**below._writes, **merged}
                    below = below._below
                self._writes, self._below, self._height = {**merged, **writes}, below, 1

    def load(self, path: str, node_hash: bytes) -> bytes:
        node = self._writes.get(path)
        if node is None or blake2_256(node) != node_hash:  # a value, say, whose key is a node's path
            return self._below.load(path, node_hash)
        return node


@dataclass(slots=True)
class Memory:
    """What the owner of a trie keeps of it between updates, so that little has to be loaded.

    A leaf repeats what the flat state holds: with a Memory, an update reports no leaves, but for None where
    one takes the place of a branch, and the store makes them from the flat state when asked.
    """

    nodes: dict[str, bytes] = field(default_factory=dict)
    """Branches in memory, by path."""
    leaves: dict[str, int] = field(default_factory=dict)
    """A branch's path → which of its children are known to be leaves, a bit each."""

    def adopt(self, update: Update) -> None:
        """Go over to the updated trie."""
        nodes = self.nodes
        for path in update.reshaped:
            self.leaves.pop(path, None)
        for path, node in update.nodes.items():
            if node is None:
                self.forget(path)
            else:
                nodes[path] = node

    def forget(self, path: str) -> None:
        """Forget one node."""
        self.nodes.pop(path, None)
        self.leaves.pop(path, None)

    def clear(self) -> None:
        """Forget everything."""
        self.nodes.clear()
        self.leaves.clear()
