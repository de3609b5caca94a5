"""`archive_v1_*`: any block that the node keeps, and the state after it.

Source: paritytech/json-rpc-interface-spec, `archive`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, NamedTuple

from node.errors import NodeError, UnknownBlock
from node.rpc.errors import INVALID_PARAMS, RpcError
from node.rpc.params import MAX_KEYS, BlockHash, Count, Hex, Read, Text, unhex
from node.rpc.queries import Queries, answers
from node.rpc.table import Cancel, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node
from primitives.hashing import blake2_256

CHUNK = 256
"""Entries that are looked at before others have their turn."""
MAX_CHANGES = 200_000
"""Entries that one `archive_v1_storageDiff` compares."""


@method("archive_v1_genesisHash")
def genesis_hash(node: Node) -> Json:
    """The hash of block 0."""
    return hexed(node.chain.genesis_hash)


@method("archive_v1_finalizedHeight")
def finalized_height(node: Node) -> Json:
    """The number of the last finalized block."""
    return node.chain.finalized_number


@method("archive_v1_hashByHeight")
def hash_by_height(node: Node, height: Count) -> Json:
    """The hashes of the blocks at a height: one, or none."""
    digest = node.chain.hash_at(height)
    return [] if digest is None else [hexed(digest)]


@method("archive_v1_header")
def header(node: Node, hash: BlockHash) -> Json:
    """The SCALE header of a block; null for an unknown one."""
    found = node.chain.header(hash)
    return None if found is None else hexed(found.encode())


@method("archive_v1_body")
def body(node: Node, hash: BlockHash) -> Json:
    """The extrinsics of a block; null for an unknown one."""
    found = node.chain.body(hash)
    return None if found is None else [hexed(data) for data in found]


@method("archive_v1_call")
def call(node: Node, hash: BlockHash, function: Text, call_parameters: Hex) -> Json:
    """Call a runtime API at a block; null for an unknown one."""
    try:
        return {"success": True, "value": hexed(node.runtime_call(function, call_parameters, hash))}
    except NodeError as error:
        gone = isinstance(error, UnknownBlock) and node.chain.header(hash) is None
        return None if gone else {"success": False, "error": str(error)}


@subscription("archive_v1_storage", "archive_v1_storageEvent", "archive_v1_stopStorage")
def storage(node: Node, sink: Sink, hash: BlockHash, items: Queries, child_trie: Hex | None = None) -> Cancel:
    """Read storage at a block; the results come as events, then `storageDone`."""

    def found() -> Iterator[Json]:
        for answer in answers(node.chain.state(hash), items, child_trie):
            yield {"event": "storage", **answer}

    return _stream(node, sink, hash, found(), "storage")


class Changed(NamedTuple):
    """One item of `archive_v1_storageDiff`: which keys, and whether values or hashes are wanted."""

    prefix: bytes
    hashes: bool
    child: bytes | None


def _changed(value: Any) -> list[Changed]:
    if not isinstance(value, list) or len(value) > MAX_KEYS:
        raise ValueError(f"expected a list of at most {MAX_KEYS} items")
    found = []
    for item in value:
        if not isinstance(item, dict) or item.get("returnType") not in ("value", "hash"):
            raise ValueError("expected objects whose `returnType` is `value` or `hash`")
        key, child = item.get("key"), item.get("childTrieKey")
        prefix = b"" if key is None else unhex(key)
        found.append(Changed(prefix, item["returnType"] == "hash", None if child is None else unhex(child)))
    return found


@subscription(
    "archive_v1_storageDiff",
    "archive_v1_storageDiffEvent",
    "archive_v1_stopStorageDiff",
    unsubscribe_aliases=["archive_v1_storageDiff_stopStorageDiff"],
)
def storage_diff(
    node: Node,
    sink: Sink,
    hash: BlockHash,
    items: Annotated[list[Changed], Read(_changed)] | None = None,
    previous_hash: BlockHash | None = None,
) -> Cancel:
    """What is different in the state after a block, against an earlier one, by default its parent."""
    asked = items or [Changed(b"", False, None)]
    return _stream(node, sink, hash, _differences(node, hash, asked, previous_hash), "storageDiff")


def _differences(node: Node, digest: bytes, asked: list[Changed], previous: bytes | None) -> Iterator[Json]:
    new = node.chain.state(digest)
    old = node.chain.state(node.chain.block(digest).header.parent_hash if previous is None else previous)
    if old.number > new.number:
        raise RpcError(INVALID_PARAMS, "Invalid parameter: previousHash is no ancestor of hash")
    told: set[tuple[bytes, bytes | None]] = set()
    for key, child in old.changes_until(new.number):
        item = next((i for i in asked if i.child == child and key.startswith(i.prefix)), None)
        before = after = None
        if item is not None and (key, child) not in told:
            before, after = old.get(key, child), new.get(key, child)
            told.add((key, child))
        if len(told) > MAX_CHANGES:
            raise RpcError(INVALID_PARAMS, f"more than {MAX_CHANGES} entries differ: ask for fewer blocks")
        yield None if item is None or before == after else _difference(key, item, before, after)


def _difference(key: bytes, item: Changed, before: bytes | None, after: bytes | None) -> Json:
    """A deleted entry shows what it held."""
    kind = "added" if before is None else "deleted" if after is None else "modified"
    value = (before if after is None else after) or b""
    shown = {"hash": hexed(blake2_256(value))} if item.hashes else {"value": hexed(value)}
    event = {"event": "storageDiff", "key": hexed(key), **shown, "type": kind}
    return event if item.child is None else {**event, "childTrieKey": hexed(item.child)}


def _stream(node: Node, sink: Sink, digest: bytes, events: Iterator[Json], name: str) -> Cancel:
    """Send the events, a chunk at a time and no faster than the client reads, then the last word. None in
    their place means that there was something to look at, and nothing to say.
    """

    def chunk() -> bool:
        """Send some; true if there may be more."""
        try:
            node.chain.number_of(digest)  # it may be gone by now
            looked_at = 0
            for event in islice(events, CHUNK):
                looked_at += 1
                if event is not None:
                    sink.send(event)
            if looked_at == CHUNK:
                return True
            sink.send({"event": f"{name}Done"})
        except (NodeError, RpcError) as error:
            sink.send({"event": f"{name}Error", "error": str(error)})
        sink.close()
        return False

    async def rest() -> None:
        while chunk():
            await sink.room()
            await asyncio.sleep(0)

    def nothing() -> None:
        """It is over already."""

    if not chunk():
        return nothing
    task = asyncio.get_running_loop().create_task(rest())

    def cancel() -> None:
        task.cancel()

    return cancel
