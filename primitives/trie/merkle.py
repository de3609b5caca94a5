"""The Merkle value of a trie node: what `closestDescendantMerkleValue` asks for.

Source: Polkadot specification, definition "Merkle value"; `Trie::lookup_first_descendant` of paritytech/trie.
"""

from __future__ import annotations

from primitives.trie.codec import HASH_LENGTH, blake2_256, encode_node
from primitives.trie.tree import Trie


def closest_merkle_value(trie: Trie, key: bytes) -> bytes | None:
    """The Merkle value of the node at `key`, else of the nearest node below it; None if there is none.

    A node's Merkle value is its hash, or its encoding if that is shorter than 32 bytes; the root's is always
    its hash. Raises MissingNode.
    """
    path, at, last = key.hex(), 0, None
    for node in trie.walk(key):
        if last is not None:
            at += len(last.partial) + 1
        last = node
    if last is None or not last.partial.startswith(path[at:]):
        return None
    encoded = encode_node(last)
    if at == 0:
        return trie.root_hash
    return encoded if len(encoded) < HASH_LENGTH else blake2_256(encoded)
