"""What `chainHead_v1_follow` keeps for one subscription: the pinned blocks, and the operations on them.

Every block that is announced stays pinned until the client unpins it; who pins too many is told to stop and
start again. An operation gives its results as events of the subscription, after the answer that names it;
a long one waits for `chainHead_v1_continue` after each page.

Source: paritytech/json-rpc-interface-spec, `chainHead_v1_follow`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from frame.version import RuntimeVersion
from node.chain import Finalized, Imported
from node.errors import NodeError, UnknownBlock
from node.rpc.errors import RpcError
from node.rpc.table import Cancel, Sink
from node.rpc.wire import hexed, version_json
from node.service import Node

REACHED_LIMITS = -32800
INVALID_BLOCK = -32801
INVALID_RUNTIME_CALL = -32802
INVALID_CONTINUE = -32803
INVALID_DUPLICATE_HASHES = -32804

MAX_FOLLOWS = 4
"""Subscriptions of one connection."""
MAX_PINNED = 512
"""Blocks that one subscription may keep pinned."""
MAX_OPERATIONS = 16
"""Operations that one subscription may have going; the specification asks for at least 16."""
MAX_BEHIND = 4096
"""How old the oldest pinned block may become, in blocks: a pin keeps the state of all that follow."""
RECENT = 16
"""Finalized blocks that the first event names, the oldest first."""
PAGE = 512
"""Storage items before an operation waits to be continued."""
PAGE_BYTES = 1024 * 1024
"""And so many characters of results."""


class Pin(NamedTuple):
    """A block that must stay readable."""

    number: int
    release: Cancel


class Follow:
    """One subscription."""

    def __init__(self, node: Node, sink: Sink, with_runtime: bool) -> None:
        self.with_runtime = with_runtime
        self._chain, self._sink = node.chain, sink
        self._pinned: dict[bytes, Pin] = {}
        self._going: dict[str, Iterator[dict[str, Any]] | None] = {}
        self._count = 0
        self._cancels: list[Cancel] = []

    def start(self) -> None:
        """Announce the last finalized blocks and those after them, then follow the chain."""
        chain = self._chain
        final = chain.finalized_number
        recent = [digest for digest in map(self._hash_at, range(final - RECENT + 1, final + 1)) if digest]
        recent = [digest for digest in recent if self._pin(digest)]
        event: dict[str, Any] = {
            "event": "initialized",
            "finalizedBlockHashes": [hexed(digest) for digest in recent],
        }
        if self.with_runtime:
            event["finalizedBlockRuntime"] = _runtime_json(chain.runtime.version)
        self._sink.send(event)
        for digest in filter(None, map(self._hash_at, range(final + 1, chain.head.number + 1))):
            self._announce(digest, chain.block(digest).header.parent_hash)
        self._sink.send({"event": "bestBlockChanged", "bestBlockHash": hexed(chain.head.hash)})
        self._cancels = [
            chain.subscribe(self._on_block),
            chain.on_finalized(self._on_finalized),
            chain.on_reverted(lambda reverted: self.stop()),
        ]

    def _hash_at(self, number: int) -> bytes | None:
        return self._chain.hash_at(number) if number >= 0 else None

    def _on_block(self, imported: Imported) -> None:
        oldest = min((pin.number for pin in self._pinned.values()), default=imported.number)
        if len(self._pinned) >= MAX_PINNED or imported.number - oldest > MAX_BEHIND:
            self.stop()
            return
        self._announce(imported.hash, imported.header.parent_hash)
        self._sink.send({"event": "bestBlockChanged", "bestBlockHash": hexed(imported.hash)})

    def _announce(self, digest: bytes, parent: bytes) -> None:
        self._pin(digest)
        event = {"event": "newBlock", "blockHash": hexed(digest), "parentBlockHash": hexed(parent)}
        self._sink.send({**event, "newRuntime": None} if self.with_runtime else event)

    def _on_finalized(self, finalized: Finalized) -> None:
        hashes = [hexed(digest) for digest in finalized.hashes]
        self._sink.send({"event": "finalized", "finalizedBlockHashes": hashes, "prunedBlockHashes": []})

    def _pin(self, digest: bytes) -> bool:
        """Keep a block and its state; False if its state is gone already."""
        try:
            self._pinned[digest] = Pin(self._chain.number_of(digest), self._chain.pin(digest))
        except UnknownBlock:
            return False
        return True

    def stop(self) -> None:
        """Tell the client that this subscription cannot go on."""
        self._sink.send({"event": "stop"})
        self._sink.close()

    def close(self) -> None:
        """The client does not follow any more."""
        for cancel in self._cancels:
            cancel()
        for pin in self._pinned.values():
            pin.release()
        self._pinned.clear()
        self._going.clear()

    # ------------------------------------------------------------------ pins

    def require_pinned(self, digest: bytes) -> None:
        """Raises `RpcError` for a block that this subscription does not hold."""
        if digest not in self._pinned:
            raise RpcError(INVALID_BLOCK, "Invalid block hash")

    def unpin(self, hashes: list[bytes]) -> None:
        """Let blocks go: all of them or, if one is not pinned, none."""
        if len(set(hashes)) != len(hashes):
            raise RpcError(
                INVALID_DUPLICATE_HASHES, "Received duplicate hashes for the `chainHead_unpin` method"
            )
        for digest in hashes:
            self.require_pinned(digest)
        for digest in hashes:
            self._pinned.pop(digest).release()

    # ------------------------------------------------------------------ operations

    def operate(self, run: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
        """Start an operation that has one result: `run` gets the operation's id and gives the event."""
        return self._begin(lambda ident: self._tell_once(ident, run))

    def list(self, items: Iterator[dict[str, Any]]) -> dict[str, Any]:
        """Start an operation whose results come in pages."""
        return self._begin(lambda ident: self._tell_page(ident, items))

    def _begin(self, tell: Callable[[str], None]) -> dict[str, Any]:
        if len(self._going) >= MAX_OPERATIONS:
            return {"result": "limitReached"}
        self._count += 1
        ident = str(self._count)
        self._going[ident] = None
        self._sink.client.later(lambda: tell(ident))
        return {"result": "started", "operationId": ident}

    def _tell_once(self, ident: str, run: Callable[[str], dict[str, Any]]) -> None:
        if ident not in self._going:
            return
        del self._going[ident]
        try:
            event = run(ident)
        except NodeError as error:
            event = _failed(ident, error)
        self._sink.send(event)

    def _tell_page(self, ident: str, items: Iterator[dict[str, Any]]) -> None:
        if ident not in self._going:
            return
        try:
            found = list(_bounded(items))
        except NodeError as error:
            del self._going[ident]
            self._sink.send(_failed(ident, error))
            return
        if found:
            self._sink.send({"event": "operationStorageItems", "operationId": ident, "items": found})
        if _is_full(found):
            self._going[ident] = items
            self._sink.send({"event": "operationWaitingForContinue", "operationId": ident})
        else:
            del self._going[ident]
            self._sink.send({"event": "operationStorageDone", "operationId": ident})

    def go_on(self, ident: str) -> None:
        """The client has read the page; raises `RpcError` if the operation does not wait for that."""
        if ident not in self._going:
            return
        items = self._going[ident]
        if items is None:
            raise RpcError(INVALID_CONTINUE, "Wait for continue event was not generated for the subscription")
        self._going[ident] = None
        self._sink.client.later(lambda: self._tell_page(ident, items))

    def end_operation(self, ident: str) -> None:
        """No more events of this operation."""
        self._going.pop(ident, None)


class Follows:
    """The subscriptions of one client, by their ids."""

    def __init__(self, node: Node) -> None:
        self._all: dict[str, Follow] = {}

    def get(self, ident: str) -> Follow | None:
        """The subscription, unless it has ended."""
        return self._all.get(ident)

    def add(self, ident: str, follow: Follow) -> None:
        """Keep a subscription; raises `RpcError` if there are too many."""
        if len(self._all) >= MAX_FOLLOWS:
            raise RpcError(REACHED_LIMITS, "Maximum number of chainHead_follow has been reached")
        self._all[ident] = follow

    def end(self, ident: str) -> None:
        """The subscription has ended."""
        follow = self._all.pop(ident, None)
        if follow is not None:
            follow.close()

    def close(self) -> None:
        """The client is gone."""
        for ident in list(self._all):
            self.end(ident)


def _bounded(items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    size = 0
    for item in islice(items, PAGE):
        size += _size(item)
        yield item
        if size >= PAGE_BYTES:
            return


def _is_full(found: list[dict[str, Any]]) -> bool:
    return len(found) >= PAGE or sum(map(_size, found)) >= PAGE_BYTES


def _size(item: dict[str, Any]) -> int:
    return sum(len(text) for text in item.values())


def _failed(ident: str, error: NodeError) -> dict[str, Any]:
    return {"event": "operationError", "operationId": ident, "error": str(error)}


def _runtime_json(version: RuntimeVersion) -> dict[str, Any]:
    """The new API's form of a version: its APIs are an object."""
    spec = version_json(version)
    return {"type": "valid", "spec": {**spec, "apis": dict(spec["apis"])}}
