"""The updatable trie: an immutable value that shares all unchanged nodes with its predecessor.

`Trie.update` sorts the changes and makes one recursive pass; every node on a changed path is rebuilt once,
children that did not change stay cached encoded references. Nothing is ever changed in place (but for the
cache of decoded children), so older tries stay valid: forks and dry runs are free.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from primitives.trie.codec import (
    EMPTY_ROOT,
    HASH_PREFIX,
    MAX_KEY_LENGTH,
    NIBBLE_INDEX,
    NIBBLES,
    InvalidKey,
    InvalidNode,
    MissingNode,
    Node,
    StateVersionUnknown,
    blake2_256,
    decode_node,
    encode_node,
    encode_value,
    reference,
)

MAX_DEPTH = 200
"""Most branches on one path. Real state stays under 40; the bound keeps hostile keys off the call stack."""

_SEARCHED = 32
"""From so many items on, looking for the end of a run by halves is faster than looking at each."""

NodeChanges = dict[str, bytes | None]
"""Nibble path from the root (hexadecimal text) → the node's new bytes, or None where a node is gone."""


class NodeStore(Protocol):
    """Where nodes that are not in memory come from."""

    def load(self, path: str, node_hash: bytes) -> bytes:
        """Bytes of the node at the nibble path `path`, whose hash is `node_hash`. Raises MissingNode."""


class NoStore:
    """The store of a trie that lives in memory only."""

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


@dataclass(frozen=True)
class Update:
    """What `Trie.update` gives: the new trie and the nodes to write or remove, by path."""

    trie: Trie
    nodes: NodeChanges


class Trie:
    """A trie with the root hash `root_hash`, whose nodes are in memory or in `store`."""

    __slots__ = ("_node", "_store", "root_hash")

    def __init__(self, root_hash: bytes = EMPTY_ROOT, store: NodeStore | None = None) -> None:
        self.root_hash = root_hash
        self._store: NodeStore = store or NoStore()
        self._node: Node | None = None

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
        node, path, at = self._root(), key.hex(), 0
        while node is not None:
            yield node
            at += len(node.partial)
            if (
                node.refs is None
                or at >= len(path)
                or not path.startswith(node.partial, at - len(node.partial))
            ):
                return
            node = _child(node, NIBBLE_INDEX[path[at]], path[: at + 1], self._store)
            at += 1

    def _root(self) -> Node | None:
        if self._node is None and self.root_hash != EMPTY_ROOT:
            self._node = decode_node(self._store.load("", self.root_hash))
        return self._node

    # ── updating ──

    def update(self, changes: Mapping[bytes, bytes | None], version: int, *, keep: bool = True) -> Update:
        """The trie after `changes` (None deletes). This trie stays as it is.

        New values are laid out by state `version`; values that do not change keep the layout they have.
        With `keep` false, subtries built from nothing do not stay in memory: the caller writes the nodes to
        the store before it uses the new trie. Raises MissingNode, InvalidKey, StateVersionUnknown.
        """
        items = sorted_items(changes, version)
        old = self._root()
        writes: NodeChanges = {}
        if not items:
            return Update(self, writes)
        job = _Pass(items, self._store, writes, keep)
        new = job.apply(old, 0, 0, len(items), 0)
        if new is old:
            return Update(self, writes)
        trie = Trie(EMPTY_ROOT, self._store)
        if new is None:
            writes[""] = None
            return Update(trie, writes)
        encoded = encode_node(new)
        writes[""] = encoded
        trie._node = new
        trie.root_hash = blake2_256(encoded)
        return Update(trie, writes)

    # ── memory ──

    def forget(self, depth: int) -> None:
        """Drop cached nodes more than `depth` branches below the root; they are loaded again when needed."""
        if self._node is not None:
            _forget(self._node, depth)


def _forget(node: Node, depth: int) -> None:
    if depth == 0:
        node.nodes = None
        return
    for child in node.nodes or ():
        if child is not None:
            _forget(child, depth - 1)


def _child(node: Node, index: int, path: str, store: NodeStore) -> Node | None:
    """Child `index` of a branch, decoded and cached; None if there is none."""
    nodes = node.nodes
    if nodes is not None:
        cached = nodes[index]
        if cached is not None:
            return cached
    assert node.refs is not None
    ref = node.refs[index]
    if not ref:
        return None
    by_hash = ref[0] == HASH_PREFIX[0]
    child = decode_node(store.load(path, ref[1:]) if by_hash else ref[1:])
    if child is None:
        raise InvalidNode("an empty node as a child")
    child.ref = ref
    if nodes is None:
        nodes = node.nodes = [None] * 16
    nodes[index] = child
    return child


# One change: key as nibbles, encoded value (None deletes), whether that is a hash.
Item = tuple[str, bytes | None, bool]


def sorted_items(changes: Mapping[bytes, bytes | None], version: int) -> list[Item]:
    """Changes in key order, values encoded for `version`."""
    if version not in (0, 1):
        raise StateVersionUnknown(f"state version {version}; known are 0 and 1")
    items: list[Item] = []
    for key in sorted(changes):
        if len(key) > MAX_KEY_LENGTH:
            raise InvalidKey(f"a key of {len(key)} bytes; at most {MAX_KEY_LENGTH}")
        value = changes[key]
        if value is None:
            items.append((key.hex(), None, False))
        else:
            items.append((key.hex(), *encode_value(value, version)))
    return items


class _Pass:
    """One recursive pass over sorted changes.

    Methods return nodes without `ref`: only the parent that keeps a node encodes and hashes it, because it
    may still melt into its parent when siblings go.
    """

    __slots__ = ("items", "keep", "store", "writes")

    def __init__(self, items: list[Item], store: NodeStore, writes: NodeChanges, keep: bool) -> None:
        self.items = items
        self.store = store
        self.writes = writes
        self.keep = keep

    def apply(self, node: Node | None, at: int, low: int, high: int, depth: int) -> Node | None:
        """The node at nibble position `at` after items[low:high]; `node` itself if nothing changes."""
        if node is None:
            live = [item for item in self.items[low:high] if item[1] is not None]
            return build(live, at, 0, len(live), self.writes, self.keep, depth) if live else None
        first, last = self.items[low][0], self.items[high - 1][0]
        partial = node.partial
        if first.startswith(partial, at) and last.startswith(partial, at):
            return self._within(node, at + len(partial), low, high, depth)
        return self._split(node, at, low, high, depth)

    def _within(self, node: Node, end: int, low: int, high: int, depth: int) -> Node | None:
        """All items lie at or below the node, whose partial key ends at `end`."""
        value, hashed = node.value, node.hashed
        key, new_value, new_hashed = self.items[low]
        if len(key) == end:
            value, hashed = new_value, new_hashed
            low += 1
            if low == high and node.refs is None:
                if value is None:
                    return None
                same = value == node.value and hashed == node.hashed
                return node if same else Node(node.partial, value, hashed)
        changed = self._children(node, end, low, high, depth) if low < high else {}
        if not changed and value == node.value and hashed == node.hashed:
            return node
        return self._rebuilt(node, value, hashed, changed, key[:end])

    def _children(self, node: Node, end: int, low: int, high: int, depth: int) -> dict[int, Node | None]:
        """New children (None = gone) where they change."""
        if depth >= MAX_DEPTH:
            raise InvalidKey(f"more than {MAX_DEPTH} branches on one path")
        items, has_children, cached = self.items, node.refs is not None, node.nodes
        changed: dict[int, Node | None] = {}
        while low < high:
            key = items[low][0]
            nibble = key[end]
            stop = low + 1
            if stop < high and items[stop][0][end] == nibble:
                stop = _stop(items, end, low, high)
            index = NIBBLE_INDEX[nibble]
            old = None if cached is None else cached[index]
            if old is None and has_children:
                old = _child(node, index, key[: end + 1], self.store)
            if old is not None and old.refs is None and stop - low == 1:
                _, value, hashed = items[low]
                if value is not None and _ends_with(key, end + 1, old.partial):
                    # Another value for a leaf: what most changes are.
                    if value != old.value or hashed != old.hashed:
                        leaf = changed[index] = Node(old.partial, value, hashed)
                        if hashed == old.hashed:
                            leaf.head = old.head
                    low = stop
                    continue
            new = self.apply(old, end + 1, low, stop, depth + 1)
            if new is not old:
                changed[index] = new
            low = stop
        return changed

    def _rebuilt(
        self, node: Node, value: bytes | None, hashed: bool, changed: dict[int, Node | None], path: str
    ) -> Node | None:
        """The node with these changes, canonical: gone, a leaf, melted into its only child, or a branch."""
        old = node.refs
        keeps_form = old is not None and (value is not None or node.value is None)
        if (
            old is not None
            and keeps_form
            and all(child is not None and old[index] for index, child in changed.items())
        ):
            return self._replaced(node, old, value, hashed, changed, path)
        refs = list(node.refs) if node.refs is not None else [b""] * 16
        nodes: list[Node | None] = list(node.nodes) if node.nodes is not None else [None] * 16
        for index, child in changed.items():
            if refs[index]:
                self.writes[path + NIBBLES[index]] = None
            nodes[index] = child
            refs[index] = b"" if child is None else b"new"
        count = 16 - refs.count(b"")
        if count == 0:
            return None if value is None else Node(node.partial, value, hashed)
        if count == 1 and value is None:
            index = next(index for index in range(16) if refs[index])
            return self._melted(Node(node.partial, None, False, refs, nodes), index, path + NIBBLES[index])
        for index, child in changed.items():
            if child is not None:
                refs[index] = seal(child, path, NIBBLES[index], self.writes)
        return Node(node.partial, value, hashed, refs, nodes)

    def _replaced(
        self,
        node: Node,
        old: list[bytes],
        value: bytes | None,
        hashed: bool,
        changed: dict[int, Node | None],
        path: str,
    ) -> Node:
        """The branch with the same places taken by other children: the usual case."""
        refs = old.copy()
        nodes: list[Node | None] = [None] * 16 if node.nodes is None else node.nodes.copy()
        for index, child in changed.items():
            assert child is not None
            ref = refs[index] = seal(child, path, NIBBLES[index], self.writes)
            nodes[index] = child
            if ref[0] != HASH_PREFIX[0]:
                self.writes[path + NIBBLES[index]] = None
        new = Node(node.partial, value, hashed, refs, nodes)
        new.bitmap = node.bitmap
        if hashed == node.hashed and (value is None) == (node.value is None):
            new.head = node.head
        return new

    def _melted(self, parent: Node, index: int, path: str) -> Node:
        """The only child, with the parent's partial key and its own nibble put in front."""
        child = _child(parent, index, path, self.store)
        assert child is not None
        self.writes[path] = None
        partial = parent.partial + NIBBLES[index] + child.partial
        return Node(partial, child.value, child.hashed, child.refs, child.nodes)

    def _split(self, node: Node, at: int, low: int, high: int, depth: int) -> Node | None:
        """Some items leave the node's partial key: a branch at the fork takes the node's place."""
        items = self.items
        if all(value is None and not key.startswith(node.partial, at) for key, value, _ in items[low:high]):
            return node
        first, partial = items[low][0], node.partial
        end = min(_common(partial, 0, first, at), _common(partial, 0, items[high - 1][0], at))
        index = NIBBLE_INDEX[partial[end]]
        path = first[: at + end]
        shorter = Node(partial[end + 1 :], node.value, node.hashed, node.refs, node.nodes)
        refs = [b""] * 16
        nodes: list[Node | None] = [None] * 16
        nodes[index] = shorter
        fork = Node(partial[:end], None, False, refs, nodes)
        refs[index] = b"new"
        value, hashed = None, False
        if len(first) == at + end:
            _, value, hashed = items[low]
            low += 1
        changed = self._children(fork, at + end, low, high, depth)
        changed.setdefault(index, shorter)
        refs[index] = b""
        return self._rebuilt(fork, value, hashed, changed, path)


def _stop(items: list[Item], end: int, low: int, high: int) -> int:
    """Where the items end that go on after nibble `end` as items[low] does."""
    key = items[low][0]
    nibble = key[end]
    if high - low > _SEARCHED:
        return bisect_left(items, (key[:end] + chr(ord(nibble) + 1),), low + 1, high)
    stop = low + 1
    while stop < high and items[stop][0][end] == nibble:
        stop += 1
    return stop


def _ends_with(key: str, at: int, partial: str) -> bool:
    """Whether `key` is, from nibble `at` on, exactly `partial`."""
    return len(key) == at + len(partial) and key.endswith(partial)


def _common(a: str, i: int, b: str, j: int) -> int:
    """How many characters a[i:] and b[j:] begin with in common."""
    limit = min(len(a) - i, len(b) - j)
    count = 0
    while count < limit and a[i + count] == b[j + count]:
        count += 1
    return count


def seal(child: Node, path: str, nibble: str, writes: NodeChanges | None) -> bytes:
    """Encode a finished child and give the reference its parent keeps; a node not inlined is written."""
    encoded = encode_node(child)
    ref = child.ref = reference(encoded)
    if writes is not None and ref[0] == HASH_PREFIX[0]:
        writes[path + nibble] = encoded
    return ref


def build(
    items: list[Item],
    at: int,
    low: int,
    high: int,
    writes: NodeChanges | None,
    keep: bool,
    depth: int = 0,
) -> Node:
    """A trie from scratch over sorted items[low:high] (no deletions, no repeated keys), from nibble `at`."""
    first, value, hashed = items[low]
    if high - low == 1:
        return Node(first[at:], value, hashed)
    if depth >= MAX_DEPTH:
        raise InvalidKey(f"more than {MAX_DEPTH} branches on one path")
    end = at + _common(first, at, items[high - 1][0], at)
    if len(first) == end:
        low += 1
    else:
        value, hashed = None, False
    path = first[:end]
    refs: list[bytes] = [b""] * 16
    nodes: list[Node | None] = [None] * 16
    while low < high:
        nibble = items[low][0][end]
        stop = _stop(items, end, low, high)
        index = NIBBLE_INDEX[nibble]
        child = build(items, end + 1, low, stop, writes, keep, depth + 1)
        refs[index] = seal(child, path, nibble, writes)
        if keep:
            nodes[index] = child
        low = stop
    return Node(first[at:end], value, hashed, refs, nodes)
