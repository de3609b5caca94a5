"""`state_*`: storage, runtime API calls and metadata, now or at any old block, and streams of changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import TypeVar

from node.chain import Reverted
from node.rpc.errors import STATE_COUNT, STATE_RANGE, RpcError
from node.rpc.params import BlockHash, Count, Hex, Keys, Text
from node.rpc.queries import descendants, keys_under
from node.rpc.table import Cancel, Json, Sink, method, subscription, together, unsafe_refused
from node.rpc.wire import hexed, version_json
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


@method("state_getStorageSize", aliases=["state_getStorageSizeAt"], unsafe=True)
def get_storage_size(node: Node, key: Hex, hash: BlockHash | None = None) -> Json:
    """Bytes of the value; of a prefix without a value, of all values under it."""
    state = node.chain.state(hash)
    value = state.get(key)
    if value is not None:
        return len(value)
    total = 0
    for count, (_, found) in enumerate(descendants(state, key, None, None)):
        if count >= MAX_READS:
            raise RpcError(STATE_COUNT, f"more than {MAX_READS} values lie under this prefix")
        total += len(found)
    return total or None


@method("state_getKeys", unsafe=True)
def get_keys(node: Node, prefix: Hex, hash: BlockHash | None = None) -> Json:
    """All keys under a prefix; `state_getKeysPaged` is the better way."""
    return [hexed(key) for key in all_of(keys_under(node.chain.state(hash), prefix))]


@method("state_getPairs", unsafe=True)
def get_pairs(node: Node, prefix: Hex, hash: BlockHash | None = None) -> Json:
    """All keys under a prefix, with their values."""
    pairs = all_of(descendants(node.chain.state(hash), prefix, None, None))
    return [[hexed(key), hexed(value)] for key, value in pairs]


@method("state_getKeysPaged", aliases=["state_getKeysPagedAt"])
def get_keys_paged(
    node: Node,
    prefix: Hex | None,
    count: Count,
    start_key: Hex | None = None,
    hash: BlockHash | None = None,
) -> Json:
    """At most `count` (≤ 1000) keys under a prefix, after `start_key`, in order."""
    return page(keys_under(node.chain.state(hash), prefix or b"", start_key), count)


def page(keys: Iterable[bytes], count: int) -> Json:
    """The first `count` keys."""
    if count > MAX_PAGE:
        raise RpcError(STATE_COUNT, f"count exceeds maximum value. value: {count}, max: {MAX_PAGE}")
    return [hexed(key) for key in islice(keys, count)]


T = TypeVar("T")


def all_of(found: Iterable[T]) -> list[T]:
    """All that a method without pages may give."""
    listed = list(islice(found, MAX_READS + 1))
    if len(listed) > MAX_READS:
        raise RpcError(STATE_COUNT, f"more than {MAX_READS} keys lie under this prefix")
    return listed


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


@method("state_queryStorage", unsafe=True)
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
    return version_json(node.chain.runtime.version)


@subscription(
    "state_subscribeRuntimeVersion",
    "state_runtimeVersion",
    "state_unsubscribeRuntimeVersion",
    aliases=["chain_subscribeRuntimeVersion"],
    unsubscribe_aliases=["chain_unsubscribeRuntimeVersion"],
)
def subscribe_runtime_version(node: Node, sink: Sink) -> Cancel:
    """The version now; it changes only with the program, so nothing follows while it runs."""
    sink.send(version_json(node.chain.runtime.version))
    return lambda: None


@subscription("state_subscribeStorage", "state_storage", "state_unsubscribeStorage")
def subscribe_storage(node: Node, sink: Sink, keys: Keys | None = None) -> Cancel:
    """The values of the keys now, then those that a block writes; without keys, all that any block writes."""
    if keys is None:
        if not sink.client.unsafe:
            raise unsafe_refused()
        return node.chain.subscribe(lambda block: _send_changes(sink, block.hash, block.delta.top))
    state = node.chain.state()
    last = {key: state.get(key) for key in keys}
    _send_changes(sink, node.chain.head.hash, last)

    def tell(block: bytes, now: Mapping[bytes, bytes | None]) -> None:
        fewer, more = (last, now) if len(last) < len(now) else (now, last)
        changed = {key: now[key] for key in fewer if key in more and now[key] != last[key]}
        if changed:
            last.update(changed)
            _send_changes(sink, block, changed)

    def tell_all(reverted: Reverted) -> None:
        state = node.chain.state()
        tell(reverted.head.hash, {key: state.get(key) for key in last})

    return together(
        node.chain.subscribe(lambda imported: tell(imported.hash, imported.delta.top)),
        node.chain.on_reverted(tell_all),
    )


def _send_changes(sink: Sink, block: bytes, changes: Mapping[bytes, bytes | None]) -> None:
    rows = [[hexed(key), _hex_or_null(value)] for key, value in changes.items()]
    sink.send({"block": hexed(block), "changes": rows})


def _hex_or_null(value: bytes | None) -> str | None:
    return None if value is None else hexed(value)
