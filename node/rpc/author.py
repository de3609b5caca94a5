"""`author_*`: transactions into the pool, and what becomes of them."""

from __future__ import annotations

from typing import Annotated, Any

from node.errors import BadOption
from node.pool import Status
from node.pool.transaction import FINAL
from node.rpc.errors import RpcError
from node.rpc.params import MAX_KEYS, Hex, Read, Secret, Text, unhex
from node.rpc.table import Cancel, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node
from primitives.hashing import blake2_256

OTHER_ERROR = 1040


@method("author_submitExtrinsic")
def submit_extrinsic(node: Node, bytes: Hex) -> Json:
    """Put an encoded extrinsic into the pool; its hash, or the pool's error."""
    return hexed(node.submit(bytes))


@subscription("author_submitAndWatchExtrinsic", "author_extrinsicUpdate", "author_unwatchExtrinsic")
def submit_and_watch_extrinsic(node: Node, sink: Sink, bytes: Hex) -> Cancel:
    """The same, and every status until a final one."""

    def tell(status: Status) -> None:
        sink.send(status.to_json())
        if status.phase in FINAL:
            sink.close()

    digest = node.submit(bytes, tell)
    return lambda: node.pool.unwatch(digest, tell)


def _hash_of(item: Any) -> bytes:
    """From `{"hash": "0x…"}` or `{"extrinsic": "0x…"}`."""
    if isinstance(item, dict) and len(item) == 1:
        [(kind, value)] = item.items()
        if kind in ("hash", "extrinsic"):
            data = unhex(value)
            return data if kind == "hash" else blake2_256(data)
    raise ValueError("expected objects with `hash` or `extrinsic`")


def _hashes(value: Any) -> list[bytes]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise ValueError(f"expected a list of at most {MAX_KEYS} transactions")
    return [_hash_of(item) for item in value]


@method("author_removeExtrinsic", unsafe=True)
def remove_extrinsic(node: Node, bytes_or_hash: Annotated[list[bytes], Read(_hashes)]) -> Json:
    """Throw transactions out of the pool, with all that depend on them, and ban them for a while; the hashes
    of those that went.
    """
    return [hexed(digest) for digest in node.pool.remove(bytes_or_hash)]


@method("author_pendingExtrinsics")
def pending_extrinsics(node: Node) -> Json:
    """All that waits in the pool, ready ones first."""
    return [hexed(tx.data) for tx in node.pool.pending()]


@method("author_insertKey", unsafe=True)
def insert_key(node: Node, key_type: Text, suri: Secret, public_key: Hex) -> Json:
    """Keep a secret key in the node's keystore."""
    try:
        node.keystore.insert(key_type, suri, public_key)
    except BadOption as error:
        raise RpcError(OTHER_ERROR, str(error)) from None
    except OSError as error:
        raise RpcError(OTHER_ERROR, f"The key store is unavailable: {error.strerror}") from None


@method("author_hasKey", unsafe=True)
def has_key(node: Node, public_key: Hex, key_type: Text) -> Json:
    """Whether the keystore has a key."""
    try:
        return node.keystore.has(public_key, key_type)
    except BadOption as error:
        raise RpcError(OTHER_ERROR, str(error)) from None
