"""One pass over sorted changes: from a trie's encoded nodes to those of the trie after them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from hashlib import blake2b

from primitives.trie.codec import (
    HASH_LENGTH,
    HASH_PREFIX,
    HASHED_VALUE_MIN,
    MAX_KEY_LENGTH,
    NIBBLE_BIT,
    NIBBLE_INDEX,
    NIBBLES,
    REFERENCE,
    InvalidKey,
    InvalidNode,
    Node,
    StateVersionUnknown,
    decode_node,
    encode_node,
    encode_value,
    is_leaf,
    leaf_bytes,
    plain_branch,
    reference,
)
from primitives.trie.nodes import Memory, NodeChanges, NodeStore

MAX_DEPTH = 200
"""Most branches on one path. Real state stays under 40; the bound keeps hostile keys off the call stack."""

_SEARCHED = 32
"""From so many items on, looking for the end of a run by halves is faster than looking at each."""


def decoded(data: bytes) -> Node:
    node = decode_node(data)
    if node is None:
        raise InvalidNode("an empty node as a child")
    return node


# One change: key as nibbles, encoded value (None deletes), whether that is a hash, the key, and whether it is
# known to have had a value before.
Item = tuple[str, bytes | None, bool, bytes, bool]


def sorted_items(
    changes: Mapping[bytes, bytes | None], version: int, before: Mapping[bytes, bytes | None]
) -> list[Item]:
    """Changes in key order, values encoded for `version`."""
    if version not in (0, 1):
        raise StateVersionUnknown(f"state version {version}; known are 0 and 1")
    items: list[Item] = []
    known, longest = before.get, 0
    for key in sorted(changes):
        value = changes[key]
        longest = max(longest, len(key))
        if value is None:
            items.append((key.hex(), None, False, key, False))
        elif version and len(value) >= HASHED_VALUE_MIN:  # as `encode_value` does
            digest = blake2b(value, digest_size=HASH_LENGTH).digest()
            items.append((key.hex(), digest, True, key, known(key) is not None))
        else:
            items.append((key.hex(), *encode_value(value, version), key, known(key) is not None))
    if longest > MAX_KEY_LENGTH:
        raise InvalidKey(f"a key of {longest} bytes; at most {MAX_KEY_LENGTH}")
    return items


class Pass:
    """One recursive pass over sorted changes.

    Methods take and return encoded nodes, None where there is none. Only the parent that keeps a node hashes
    and reports it, because it may still melt into its parent when siblings go.
    """

    __slots__ = ("before", "items", "known", "leaves", "load", "memory", "reshaped", "version", "writes")

    def __init__(
        self,
        items: list[Item],
        store: NodeStore,
        version: int,
        memory: Memory | None,
        before: Mapping[bytes, bytes | None],
    ) -> None:
        self.items = items
        self.load = store.load
        self.version = version
        self.memory = memory
        self.before = before
        self.known: dict[str, bytes] = {} if memory is None else memory.nodes
        self.leaves: dict[str, int] = {} if memory is None else memory.leaves
        self.writes: NodeChanges = {}
        self.reshaped: list[str] = []

    def node(self, data: bytes, path: str, low: int, high: int, depth: int) -> bytes | None:
        """The node at `path` after items[low:high]; `data` itself if nothing changes."""
        if data[0] == 0x80 and len(data) > 3:  # a branch with neither partial key nor value
            bitmap = data[1] | data[2] << 8
            if len(data) == 3 + REFERENCE * bitmap.bit_count() and len(self.items[low][0]) > len(path):
                return self._plain(data, path, path, 3, bitmap, low, high, depth)
        found = plain_branch(data)
        if found is not None:
            partial, start, bitmap = found
            inner = path + partial
            first = self.items[low][0]
            within = not partial or (first.startswith(inner) and self.items[high - 1][0].startswith(inner))
            if within and len(first) > len(inner):
                return self._plain(data, path, inner, start, bitmap, low, high, depth)
        elif high - low == 1 and is_leaf(data):
            leaf = self._leaf(data, path, self.items[low])
            if leaf is not None:
                return leaf
        return self._general(decoded(data), data, path, low, high, depth)

    def _leaf(self, data: bytes, path: str, item: Item) -> bytes | None:
        """The leaf with another value; None if the item is another key, or deletes."""
        key, value, hashed, raw, _ = item
        if value is None:
            return None
        node = decoded(data)
        if len(key) != len(path) + len(node.partial) or not key.endswith(node.partial):
            return None
        same = value == node.value and hashed == node.hashed
        return data if same else leaf_bytes(raw, len(path), value, hashed)

    def _plain(
        self,
        data: bytes,
        path: str,
        inner: str,
        start: int,
        bitmap: int,
        low: int,
        high: int,
        depth: int,
    ) -> bytes | None:
        """A branch without a value whose children, from byte `start` on, are all referred to by hash, when
        all items lie below it: what most branches are.
        """
        if depth >= MAX_DEPTH:
            raise InvalidKey(f"more than {MAX_DEPTH} branches on one path")
        items, end = self.items, len(inner)
        leaves = self.leaves.get(path, 0)
        patched = bytearray(data)
        changed: dict[int, bytes | None] = {}
        plain = True
        while low < high:
            key, value, hashed, raw, lived = items[low]
            nibble = key[end]
            bit = NIBBLE_BIT[nibble]
            stop = low + 1
            if stop < high and items[stop][0][end] == nibble:
                stop = _stop(items, end, low, high)
                lived = False  # more than one change
            if not bitmap & bit:
                live = [item for item in items[low:stop] if item[1] is not None]
                if live:
                    changed[NIBBLE_INDEX[nibble]] = self.built(live, end + 1, depth + 1)
                    plain = False
                low = stop
                continue
            place = start + REFERENCE * (bitmap & (bit - 1)).bit_count() + 1
            if not (lived and leaves & bit):
                child = inner + nibble
                known = self.known.get(child)
                if known is None:
                    known = self._fetched(child, data[place : place + HASH_LENGTH], low, stop)
                    if self.memory is not None:
                        if is_leaf(known):
                            leaves |= bit
                            self.leaves[path] = leaves
                        else:
                            self.known[child] = known
                old = known
            if lived and leaves & bit:
                # Another value for the leaf of a key that was there: what most changes are.
                new: bytes | None = leaf_bytes(raw, end + 1, value, hashed)  # type: ignore[arg-type]
            else:
                new = self.node(old, child, low, stop, depth + 1)
                if new is old:
                    low = stop
                    continue
                if new is not None and len(new) >= HASH_LENGTH:
                    if old[0] >= 0x80 <= new[0]:  # a branch as before
                        self.writes[child] = new
                    else:
                        self.report(child, old, new)
                        if is_leaf(old) != is_leaf(new):
                            self.reshaped.append(path)
            changed[NIBBLE_INDEX[nibble]] = new
            if new is None or len(new) < HASH_LENGTH:
                plain = False
            else:
                patched[place : place + HASH_LENGTH] = blake2b(new, digest_size=HASH_LENGTH).digest()
            low = stop
        if not changed:
            return data
        if not plain:
            return self._rebuilt(decoded(data), None, False, changed, path, inner)
        return bytes(patched)

    def _fetched(self, path: str, node_hash: bytes, low: int, high: int) -> bytes:
        """A child that is not in memory. Where one key changes, it may be its leaf: the old value tells."""
        if high - low == 1:
            raw = self.items[low][3]
            value = self.before.get(raw)
            if value is not None:
                leaf = leaf_bytes(raw, len(path), *encode_value(value, self.version))
                if len(leaf) >= HASH_LENGTH and blake2b(leaf, digest_size=32).digest() == node_hash:
                    return leaf
        return self.load(path, node_hash)

    def _child(self, ref: bytes, path: str) -> bytes:
        if ref[0] != HASH_PREFIX[0]:
            return ref[1:]
        known = self.known.get(path)
        if known is None:
            known = self.load(path, ref[1:])
            if self.memory is not None and not is_leaf(known):
                self.known[path] = known
        return known

    def report(self, path: str, old: bytes | None, new: bytes | None) -> None:
        """Note what is at `path` now, of nodes that are referred to by hash."""
        if new is not None and self._kept(new):
            self.writes[path] = new
        elif old is not None and (new is None or not is_leaf(old)):
            self.writes[path] = None

    def _kept(self, node: bytes) -> bool:
        return self.memory is None or not is_leaf(node)

    # ── any node ──

    def _general(self, node: Node, data: bytes, path: str, low: int, high: int, depth: int) -> bytes | None:
        at, partial = len(path), node.partial
        first, last = self.items[low][0], self.items[high - 1][0]
        if not (first.startswith(partial, at) and last.startswith(partial, at)):
            return self._split(node, data, path, low, high, depth)
        inner = path + partial
        value, hashed = node.value, node.hashed
        if len(first) == len(inner):
            _, value, hashed, _, _ = self.items[low]
            low += 1
        changed = self._children(node.refs, inner, low, high, depth) if low < high else {}
        if not changed and value == node.value and hashed == node.hashed:
            return data
        return self._rebuilt(node, value, hashed, changed, path, inner)

    def _children(
        self,
        refs: list[bytes] | None,
        inner: str,
        low: int,
        high: int,
        depth: int,
        own: tuple[int, bytes] | None = None,
    ) -> dict[int, bytes | None]:
        """New children (None = gone) where they change. `own`: one that has no reference yet."""
        if depth >= MAX_DEPTH:
            raise InvalidKey(f"more than {MAX_DEPTH} branches on one path")
        items, end = self.items, len(inner)
        changed: dict[int, bytes | None] = {}
        while low < high:
            nibble = items[low][0][end]
            stop = _stop(items, end, low, high)
            index = NIBBLE_INDEX[nibble]
            ref = b"" if refs is None else refs[index]
            if ref or (own is not None and own[0] == index):
                old = self._child(ref, inner + nibble) if own is None else own[1]
                new = self.node(old, inner + nibble, low, stop, depth + 1)
                if new is not old:
                    changed[index] = new
            else:
                live = [item for item in items[low:stop] if item[1] is not None]
                if live:
                    changed[index] = self.built(live, end + 1, depth + 1)
            low = stop
        return changed

    def _rebuilt(
        self,
        node: Node,
        value: bytes | None,
        hashed: bool,
        changed: dict[int, bytes | None],
        path: str,
        inner: str,
    ) -> bytes | None:
        """The node with these changes, canonical: gone, a leaf, melted into its only child, or a branch."""
        refs = [b""] * 16 if node.refs is None else list(node.refs)
        for index, child in changed.items():
            if refs[index][:1] == HASH_PREFIX:
                self.writes[inner + NIBBLES[index]] = None
            refs[index] = b"" if child is None else reference(child)
        if self.memory is not None:
            self.reshaped.append(path)
        count = 16 - refs.count(b"")
        if count == 0:
            return None if value is None else encode_node(Node(node.partial, value, hashed))
        if count == 1 and value is None:
            index = next(index for index in range(16) if refs[index])
            return self._melted(node.partial, refs[index], changed.get(index), inner + NIBBLES[index])
        for index, child in changed.items():
            if child is not None and refs[index][:1] == HASH_PREFIX and self._kept(child):
                self.writes[inner + NIBBLES[index]] = child
        return encode_node(Node(node.partial, value, hashed, refs))

    def _melted(self, partial: str, ref: bytes, child: bytes | None, path: str) -> bytes:
        """The only child, with the parent's partial key and its own nibble put in front."""
        node = decoded(self._child(ref, path) if child is None else child)
        self.writes[path] = None
        if self.memory is not None:
            self.reshaped.append(path)
        node.partial = partial + path[-1] + node.partial
        return encode_node(node)

    def _split(self, node: Node, data: bytes, path: str, low: int, high: int, depth: int) -> bytes | None:
        """Some items leave the node's partial key: a branch at the fork takes the node's place."""
        items, at, partial = self.items, len(path), node.partial
        if all(item[1] is None and not item[0].startswith(partial, at) for item in items[low:high]):
            return data
        first = items[low][0]
        end = min(_common(partial, 0, first, at), _common(partial, 0, items[high - 1][0], at))
        inner, index = first[: at + end], NIBBLE_INDEX[partial[end]]
        shorter = encode_node(Node(partial[end + 1 :], node.value, node.hashed, node.refs))
        value, hashed = None, False
        if len(first) == len(inner):
            _, value, hashed, _, _ = items[low]
            low += 1
        changed = self._children(None, inner, low, high, depth, (index, shorter))
        changed.setdefault(index, shorter)
        return self._rebuilt(Node(partial[:end], None), value, hashed, changed, path, inner)

    def built(self, items: list[Item], at: int, depth: int) -> bytes:
        """A subtrie from nothing."""
        return build(items, at, 0, len(items), self.writes, self.memory is None, depth)


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


def _common(a: str, i: int, b: str, j: int) -> int:
    """How many characters a[i:] and b[j:] begin with in common."""
    limit = min(len(a) - i, len(b) - j)
    count = 0
    while count < limit and a[i + count] == b[j + count]:
        count += 1
    return count


def build(
    items: list[Item],
    at: int,
    low: int,
    high: int,
    writes: NodeChanges | None,
    leaves: bool = True,
    depth: int = 0,
) -> bytes:
    """A trie from scratch over sorted items[low:high] (no deletions, no repeated keys), from nibble `at`: the
    bytes of its root. Nodes below it that are referred to by hash go to `writes`, leaves only with `leaves`.
    """
    first, value, hashed, key, _ = items[low]
    if high - low == 1:
        assert value is not None
        return leaf_bytes(key, at, value, hashed)
    if depth >= MAX_DEPTH:
        raise InvalidKey(f"more than {MAX_DEPTH} branches on one path")
    end = at + _common(first, at, items[high - 1][0], at)
    if len(first) == end:
        low += 1
    else:
        value, hashed = None, False
    refs = [b""] * 16
    while low < high:
        path, part, by_hash, key, _ = items[low]
        nibble = path[end]
        stop = low + 1
        if stop < high and items[stop][0][end] == nibble:
            stop = _stop(items, end, low, high)
            child = build(items, end + 1, low, stop, writes, leaves, depth + 1)
        else:
            assert part is not None
            child = leaf_bytes(key, end + 1, part, by_hash)
        if len(child) < HASH_LENGTH:
            refs[NIBBLE_INDEX[nibble]] = reference(child)
        else:
            refs[NIBBLE_INDEX[nibble]] = HASH_PREFIX + blake2b(child, digest_size=HASH_LENGTH).digest()
            if writes is not None and (leaves or not is_leaf(child)):
                writes[first[:end] + nibble] = child
        low = stop
    return encode_node(Node(first[at:end], value, hashed, refs))
