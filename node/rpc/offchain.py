"""`offchain_*`: values that belong to this node, not to the chain.

Source: `substrate/client/rpc/src/offchain/`, `substrate/client/rpc-api/src/offchain/error.rs`.
"""

from __future__ import annotations

from node.rpc.errors import RpcError, invalid_params
from node.rpc.params import Hex, Text
from node.rpc.table import Json, method
from node.rpc.wire import hexed
from node.service import Node

UNAVAILABLE_KIND = 5001
MAX_KEY, MAX_VALUE = 1024, 1 << 20


@method("offchain_localStorageSet", unsafe=True)
def local_storage_set(node: Node, kind: Text, key: Hex, value: Hex) -> Json:
    """Keep a value."""
    if len(value) > MAX_VALUE:
        raise invalid_params(f"`value`: expected at most {MAX_VALUE} bytes")
    node.chain.database.keep(_place(kind, key), value)


@method("offchain_localStorageGet", unsafe=True)
def local_storage_get(node: Node, kind: Text, key: Hex) -> Json:
    """A value that was kept, or null."""
    value = node.chain.database.note(_place(kind, key))
    return None if value is None else hexed(value)


@method("offchain_localStorageClear", unsafe=True)
def local_storage_clear(node: Node, kind: Text, key: Hex) -> Json:
    """Forget a value."""
    node.chain.database.keep(_place(kind, key), None)


def _place(kind: str, key: bytes) -> bytes:
    if kind not in ("PERSISTENT", "LOCAL"):
        raise invalid_params("`kind`: expected PERSISTENT or LOCAL")
    if kind == "LOCAL":
        raise RpcError(UNAVAILABLE_KIND, "This storage kind is not available yet.")
    if len(key) > MAX_KEY:
        raise invalid_params(f"`key`: expected at most {MAX_KEY} bytes")
    return b"offchain:" + key
