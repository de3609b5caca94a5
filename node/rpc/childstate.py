"""`childstate_*`: what `state_*` does, for the child tries, each named by its key in the top trie."""

from __future__ import annotations

from node.rpc.params import BlockHash, Child, Count, Hex, Keys
from node.rpc.queries import keys_under
from node.rpc.state import all_of, page
from node.rpc.table import Json, method
from node.rpc.wire import hexed
from node.service import Node
from primitives.hashing import blake2_256


@method("childstate_getStorage")
def get_storage(node: Node, child_storage_key: Child, key: Hex, hash: BlockHash | None = None) -> Json:
    """The value at a key of a child trie; null where there is none."""
    value = node.chain.state(hash).get(key, child_storage_key)
    return None if value is None else hexed(value)


@method("childstate_getStorageEntries")
def get_storage_entries(
    node: Node, child_storage_key: Child, keys: Keys, hash: BlockHash | None = None
) -> Json:
    """The values at several keys of a child trie."""
    state = node.chain.state(hash)
    values = [state.get(key, child_storage_key) for key in keys]
    return [None if value is None else hexed(value) for value in values]


@method("childstate_getStorageHash")
def get_storage_hash(node: Node, child_storage_key: Child, key: Hex, hash: BlockHash | None = None) -> Json:
    """The blake2b-256 of the value."""
    value = node.chain.state(hash).get(key, child_storage_key)
    return None if value is None else hexed(blake2_256(value))


@method("childstate_getStorageSize")
def get_storage_size(node: Node, child_storage_key: Child, key: Hex, hash: BlockHash | None = None) -> Json:
    """Bytes of the value."""
    value = node.chain.state(hash).get(key, child_storage_key)
    return None if value is None else len(value)


@method("childstate_getKeys")
def get_keys(node: Node, child_storage_key: Child, prefix: Hex, hash: BlockHash | None = None) -> Json:
    """All keys under a prefix."""
    state = node.chain.state(hash)
    return [hexed(key) for key in all_of(keys_under(state, prefix, None, child_storage_key))]


@method("childstate_getKeysPaged", aliases=["childstate_getKeysPagedAt"])
def get_keys_paged(
    node: Node,
    child_storage_key: Child,
    prefix: Hex | None,
    count: Count,
    start_key: Hex | None = None,
    hash: BlockHash | None = None,
) -> Json:
    """At most `count` (≤ 1000) keys under a prefix, after `start_key`, in order."""
    state = node.chain.state(hash)
    return page(keys_under(state, prefix or b"", start_key, child_storage_key), count)


@method("state_getChildReadProof")
def get_child_read_proof(
    node: Node, child_storage_key: Child, keys: Keys, hash: BlockHash | None = None
) -> Json:
    """The nodes that prove keys of a child trie, and the child's root in the top trie."""
    at = hash or node.chain.head.hash
    proof = node.chain.read_proof(list(dict.fromkeys(keys)), child_storage_key, at)
    return {"at": hexed(at), "proof": [hexed(item) for item in proof]}
