"""`state_*`: storage, runtime API calls and metadata, now or at any old block, and streams of changes."""

from __future__ import annotations

from collections.abc import Iterator

from node.chain import Imported
from node.rpc.errors import STATE_COUNT, STATE_RANGE, RpcError
from node.rpc.params import BlockHash, Count, Hex, Keys, Text
from node.rpc.table import Cancel, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node
from primitives.hashing import blake2_256

MAX_PAGE = 1000
MAX_RANGE = 10_000
"""Blocks that one `state_queryStorage` looks through."""
MAX_READS = 200_000
"""Values that one request may make the node read."""


@method("state_getStorage", aliases=["state_getStorageAt"])
def get_storage(node: Node, key: Hex, hash: BlockHash | None = None) -> Json:
    """The value at a key; null where there is none."""
    return _hex_or_null(node.chain.state(hash).get(key))


@method("state_getStorageHash", aliases=["state_getStorageHashAt"])
def get_storage_hash(node: Node, key: Hex, hash: BlockHash | None = None) -> Json:
    """The blake2b-256 of the value."""
    value = node.chain.state(hash).get(key)
    return None if value is None else hexed(blake2_256(value))


@method("state_getStorageSize", aliases=["state_getStorageSizeAt"])
def get_storage_size(node: Node, key: Hex, hash: BlockHash | None = None) -> Json:
    """Bytes of the value; of a prefix without a value, of all values under it."""
    state = node.chain.state(hash)
    value = state.get(key)
    if value is not None:
        return len(value)
    total = 0
    for count, found in enumerate(_keys_under(node, key, hash, key)):
        if count >= MAX_READS:
            raise RpcError(STATE_COUNT, f"more than {MAX_READS} values lie under this prefix")
        total += len(state.get(found) or b"")
    return total or None


@method("state_getKeysPaged", aliases=["state_getKeysPagedAt"])
def get_keys_paged(
    node: Node,
    prefix: Hex | None,
    count: Count,
    start_key: Hex | None = None,
    hash: BlockHash | None = None,
) -> Json:
    """At most `count` (≤ 1000) keys under a prefix, after `start_key`, in order."""
    if count > MAX_PAGE:
        raise RpcError(STATE_COUNT, f"count exceeds maximum value. value: {count}, max: {MAX_PAGE}")
    prefix = prefix or b""
    after = start_key if start_key is not None and start_key >= prefix else prefix
    found: list[str] = []
    if count and after == prefix and start_key != prefix and node.chain.state(hash).get(prefix) is not None:
        found.append(hexed(prefix))
    for key in _keys_under(node, prefix, hash, after):
        if len(found) >= count:
            break
        found.append(hexed(key))
    return found


def _keys_under(node: Node, prefix: bytes, at: bytes | None, after: bytes) -> Iterator[bytes]:
    state = node.chain.state(at)
    key = state.next_key(after)
    while key is not None and key.startswith(prefix):
        yield key
        key = state.next_key(key)


@method("state_getReadProof")
def get_read_proof(node: Node, keys: Keys, hash: BlockHash | None = None) -> Json:
    """The trie nodes that prove the values, or the absence, of the keys under the block's state root."""
    at = hash or node.chain.head.hash
    wanted = list(dict.fromkeys(keys))
    return {"at": hexed(at), "proof": [hexed(item) for item in node.chain.state(at).proof(wanted)]}


@method("state_queryStorageAt")
def query_storage_at(node: Node, keys: Keys, at: BlockHash | None = None) -> Json:
    """The values of several keys in one block."""
    state = node.chain.state(at)
    changes = [[hexed(key), _hex_or_null(state.get(key))] for key in keys]
    return [{"block": hexed(at or node.chain.head.hash), "changes": changes}]


@method("state_queryStorage")
def query_storage(node: Node, keys: Keys, from_block: BlockHash, to_block: BlockHash | None = None) -> Json:
    """All values at the first block, then what changed, block by block up to the last."""
    answers: list[Json] = []
    last: dict[bytes, bytes | None] = {}
    blocks = _range(node, from_block, to_block)
    if len(blocks) * len(keys) > MAX_READS:
        raise RpcError(
            STATE_COUNT, f"{len(keys)} keys in {len(blocks)} blocks are more than {MAX_READS} values"
        )
    for digest in blocks:
        state = node.chain.state(digest)
        now = {key: state.get(key) for key in keys}
        changes = [[hexed(k), _hex_or_null(v)] for k, v in now.items() if k not in last or last[k] != v]
        if changes:
            answers.append({"block": hexed(digest), "changes": changes})
        last = now
    return answers


def _range(node: Node, first: bytes, last: bytes | None) -> list[bytes]:
    start = node.chain.number_of(first)
    end = node.chain.head.number if last is None else node.chain.number_of(last)
    why = None
    if start > end:
        why = "from number > to number"
    elif end - start >= MAX_RANGE:
        why = f"more than {MAX_RANGE} blocks"
    if why:
        text = f"Cannot resolve a block range ['{hexed(first)}' ... '{hexed(last or b'')}]. {why}"
        raise RpcError(STATE_RANGE, text)
    hashes = [node.chain.hash_at(number) for number in range(start, end + 1)]
    return [digest for digest in hashes if digest is not None]


@method("state_call", aliases=["state_callAt"])
def call(node: Node, name: Text, bytes: Hex, hash: BlockHash | None = None) -> Json:
    """Call a runtime API; SCALE in, SCALE out."""
    return hexed(node.runtime_call(name, bytes, hash))


@method("state_getMetadata")
def get_metadata(node: Node, hash: BlockHash | None = None) -> Json:
    """The metadata in V14, the version that every client reads."""
    if hash is not None:
        node.chain.number_of(hash)
    return hexed(node.metadata)


@method("state_getRuntimeVersion", aliases=["chain_getRuntimeVersion"])
def get_runtime_version(node: Node, hash: BlockHash | None = None) -> Json:
    """The runtime's version at a block."""
    if hash is not None:
        node.chain.number_of(hash)
    return version_json(node)


def version_json(node: Node) -> Json:
    """The version in Substrate's JSON."""
    version = node.chain.runtime.version
    return {
        "specName": version.spec_name,
        "implName": version.impl_name,
        "authoringVersion": version.authoring_version,
        "specVersion": version.spec_version,
        "implVersion": version.impl_version,
        "apis": [[hexed(name), number] for name, number in version.apis],
        "transactionVersion": version.transaction_version,
        "systemVersion": version.system_version,
        "stateVersion": version.state_version,
    }


@subscription(
    "state_subscribeRuntimeVersion",
    "state_runtimeVersion",
    "state_unsubscribeRuntimeVersion",
    aliases=["chain_subscribeRuntimeVersion"],
    unsubscribe_aliases=["chain_unsubscribeRuntimeVersion"],
)
def subscribe_runtime_version(node: Node, sink: Sink) -> Cancel:
    """The version now; it changes only with the program, so nothing follows while it runs."""
    sink.send(version_json(node))
    return lambda: None


@subscription("state_subscribeStorage", "state_storage", "state_unsubscribeStorage")
def subscribe_storage(node: Node, sink: Sink, keys: Keys | None = None) -> Cancel:
    """The values of the keys now, then those that a block writes; without keys, all that any block writes."""
    wanted = None if keys is None else list(dict.fromkeys(keys))
    last: dict[bytes, bytes | None] = {}
    if wanted is not None:
        state = node.chain.state(None)
        last = {key: state.get(key) for key in wanted}
        _send_changes(sink, node.chain.head.hash, last)

    def tell(imported: Imported) -> None:
        written = imported.delta.top
        if wanted is None:
            _send_changes(sink, imported.hash, dict(written))
            return
        changed = {key: written[key] for key in wanted if key in written and written[key] != last[key]}
        if changed:
            last.update(changed)
            _send_changes(sink, imported.hash, changed)

    return node.chain.subscribe(tell)


def _send_changes(sink: Sink, block: bytes, changes: dict[bytes, bytes | None]) -> None:
    rows = [[hexed(key), _hex_or_null(value)] for key, value in changes.items()]
    sink.send({"block": hexed(block), "changes": rows})


def _hex_or_null(value: bytes | None) -> str | None:
    return None if value is None else hexed(value)
