"""Base-16 Patricia-Merkle trie as Substrate's, state versions 0 and 1: roots, updates, proofs. Pure, no I/O.

`root` and `ordered_root` build from scratch; `Trie` is updated in one pass and shares what did not change.

    TrieError
    ├── InvalidNode          bytes that are no canonical node
    ├── InvalidKey           too long, or nested too deeply
    ├── MissingNode          referred to, but not in the store
    └── StateVersionUnknown  neither 0 nor 1
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from primitives.trie.codec import (
    CHILD_PREFIX,
    EMPTY_ROOT,
    InvalidKey,
    InvalidNode,
    MissingNode,
    Node,
    StateVersionUnknown,
    TrieError,
    blake2_256,
    compact,
    decode_node,
    encode_node,
    encode_value,
    leaf_bytes,
)
from primitives.trie.merkle import closest_merkle_value
from primitives.trie.nodes import HashStore, Memory, NodeChanges, NodeStore
from primitives.trie.one_pass import build, sorted_items
from primitives.trie.proof import make_proof, verify_child_proof, verify_proof
from primitives.trie.tree import Trie, Update

__all__ = [
    "CHILD_PREFIX",
    "EMPTY_ROOT",
    "HashStore",
    "InvalidKey",
    "InvalidNode",
    "Memory",
    "MissingNode",
    "Node",
    "NodeChanges",
    "NodeStore",
    "StateVersionUnknown",
    "Trie",
    "TrieError",
    "Update",
    "closest_merkle_value",
    "decode_node",
    "encode_node",
    "encode_value",
    "leaf_bytes",
    "make_proof",
    "ordered_root",
    "plain_ordered_root",
    "root",
    "state_root",
    "verify_child_proof",
    "verify_proof",
]


def root(pairs: Iterable[tuple[bytes, bytes]], version: int) -> bytes:
    """Root hash of the trie that holds `pairs` (any order; the last of equal keys counts)."""
    items = sorted_items(dict(pairs), version, {})
    return blake2_256(build(items, 0, 0, len(items), None)) if items else EMPTY_ROOT


MANY = 32
"""From so many values on, the root over a list is made by the program in `wasm`, which takes time to load."""


def ordered_root(values: Sequence[bytes], version: int) -> bytes:
    """Root over a list: key = Compact(u32 index). Extrinsics roots are made so."""
    if len(values) >= MANY and version in (0, 1):
        from primitives.trie.wasm.roots import list_root

        found = list_root(values, version)
        if found is not None:
            return found
    return plain_ordered_root(values, version)


def plain_ordered_root(values: Sequence[bytes], version: int) -> bytes:
    """The same without the program."""
    return root(zip(map(compact, range(len(values))), values, strict=True), version)


def state_root(
    top: Mapping[bytes, bytes], children: Mapping[bytes, Mapping[bytes, bytes]], version: int
) -> bytes:
    """Root of a whole state: each child trie's root is a value of the top trie; empty children leave none."""
    pairs = dict(top)
    for name, entries in children.items():
        pairs.pop(CHILD_PREFIX + name, None)
        if entries:
            pairs[CHILD_PREFIX + name] = root(entries.items(), version)
    return root(pairs.items(), version)
