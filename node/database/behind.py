"""The trie column may lie some blocks behind: branches that change all the time are written once in a while.

A branch is half a kilobyte, and those near the root change in every block. So changed branches are held here,
and written all together with a later block. A crash loses nothing: the flat state and its history are written
with every block, and opening takes the column's trie forward by what has changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from node.database.columns import META, TRIE, be64, packed, trie_prefix
from node.database.storage import Batch, Reader
from primitives.trie import NodeChanges

MOST_NODES = 32_768
"""So many changed branches are held at most, at about half a kilobyte."""
MOST_BLOCKS = 32
"""The column lies so many blocks behind at most: that is what opening after a crash has to do again."""

Nodes = Mapping[bytes | None, NodeChanges]
"""Changed nodes, by child; None: the top level."""
Entries = Iterable[tuple[bytes, bytes]]
"""Branches by their keys in the column: what the tries hold themselves, and tell when it is due."""


class Behind:
    """Changed branches that are not in the trie column yet."""

    def __init__(self, source: Reader, best: int, kept_blocks: int | None) -> None:
        """`kept_blocks`: how many blocks' history is kept, without which there is no way forward."""
        self._source = source
        self._held: dict[bytes, bytes | None] = {}
        self._most = MOST_BLOCKS if kept_blocks is None else min(MOST_BLOCKS, kept_blocks // 2)
        found = source.get(META, b"trie")
        self.at = best if found is None else int.from_bytes(found[:8], "big")
        """The block whose trie the column holds."""
        self.version = 1 if found is None else found[8]
        """The state version of the blocks since."""

    def node(self, key: bytes) -> bytes | None:
        """The branch of the best state at a key of the trie column."""
        if key in self._held:
            return self._held[key]
        return self._source.get(TRIE, key)

    def is_due(self, number: int, version: int, more: int = 0) -> bool:
        """Whether the column should be brought up with block `number`; `more` branches are held elsewhere."""
        full = number - self.at >= self._most or len(self._held) + more >= MOST_NODES
        return full or not number or version != self.version

    def note(self, batch: Batch, version: int) -> None:
        """Write where the column stands, with a block that is going to be held."""
        batch.put(META, b"trie", be64(self.at) + bytes((version,)))

    def hold(self, nodes: Nodes) -> None:
        """Take up what a block changed, which is written."""
        self._held.update(_entries(nodes))

    def take(self, entries: Entries) -> None:
        """Take up branches that were held elsewhere."""
        self._held.update(entries)

    def put(self, batch: Batch, number: int, version: int, nodes: Nodes, more: Entries = ()) -> None:
        """Bring the column up to block `number`, which changed `nodes`; `more` was held elsewhere."""
        batch.put_all(TRIE, self._held.items())
        batch.put_all(TRIE, _entries(nodes))
        batch.put_all(TRIE, more)
        batch.put(META, b"trie", be64(number) + bytes((version,)))

    def written(self, number: int, version: int) -> None:
        """The batch of `put` is written."""
        self.at, self.version = number, version
        self._held = {}


def _entries(nodes: Nodes) -> Iterator[tuple[bytes, bytes | None]]:
    for child, changes in nodes.items():
        prefix = trie_prefix(child)
        for path, node in changes.items():
            yield prefix + packed(path), node
