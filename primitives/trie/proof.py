"""Read proofs: the nodes on the way to some keys. Who knows the root hash can check what those keys hold.

The format is that of Substrate's `state_getReadProof`: a list of encoded nodes, and of values that state
version 1 stores by hash, in any order (`substrate/primitives/trie/src/storage_proof.rs`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from primitives.trie.codec import (
    CHILD_PREFIX,
    HASH_LENGTH,
    HASH_PREFIX,
    InvalidNode,
    MissingNode,
    encode_node,
)
from primitives.trie.nodes import HashStore
from primitives.trie.tree import Trie


def make_proof(trie: Trie, keys: Iterable[bytes], value_of: Callable[[bytes], bytes | None]) -> list[bytes]:
    """What `verify_proof` needs for each of `keys`, present or absent; nothing twice.

    `value_of` gives the value of a key that is stored by hash. Raises MissingNode.
    """
    proof: dict[bytes, None] = {}
    for key in keys:
        for depth, node in enumerate(trie.walk(key)):
            if depth == 0 or node.ref[:1] == HASH_PREFIX:  # shorter nodes are inside their parent
                proof[encode_node(node)] = None
        end = trie.find(key)
        if end is not None and end.hashed:
            value = value_of(key)
            if value is None:
                raise MissingNode(f"no value for the key {key.hex()}, which the trie holds by hash")
            proof[value] = None
    return list(proof)


def verify_proof(root_hash: bytes, proof: Iterable[bytes], key: bytes) -> bytes | None:
    """The value of `key` (None: proven absent) under `root_hash`, by a proof that holds the nodes on the way.

    Raises MissingNode if the proof is incomplete and InvalidNode if an item on the way is no node. Unused
    items are ignored, as Substrate does.
    """
    return Trie(root_hash, HashStore(proof)).get(key)


def verify_child_proof(root_hash: bytes, proof: Iterable[bytes], child: bytes, key: bytes) -> bytes | None:
    """The value of `key` in the child trie named `child`, as `state_getChildReadProof` proves it: the proof
    holds the way to the child's root in the top trie, and the way to the key below it.

    None: proven absent, with the child itself or within it. Raises as `verify_proof` does.
    """
    store = HashStore(proof)
    child_root = Trie(root_hash, store).get(CHILD_PREFIX + child)
    if child_root is None:
        return None
    if len(child_root) != HASH_LENGTH:
        raise InvalidNode(f"the root of a child trie has {len(child_root)} bytes")
    return Trie(child_root, store).get(key)
