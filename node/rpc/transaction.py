"""`transaction_v1_*` and `transactionWatch_v1_*`: transactions into the pool, as the new API has it.

Source: paritytech/json-rpc-interface-spec, `transaction` and `transactionWatch`.
"""

from __future__ import annotations

import secrets
from typing import Any

from node.chain import Imported
from node.pool import Phase, PoolError, Status
from node.pool import errors as pool_errors
from node.pool.transaction import FINAL
from node.rpc.errors import INVALID_PARAMS, RpcError
from node.rpc.params import Hex, Text
from node.rpc.table import Cancel, Client, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node

MAX_BROADCASTS = 16
"""Transactions that one client may have on their way."""
REMEMBERED = 1024
"""Ids of broadcasts that are over and may still be stopped, which then means nothing."""


class Broadcasts:
    """The broadcasts of one client. Each offers its transaction again with every new block until it is
    final, replaced, or the client stops it.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._going: dict[str, bytes] = {}
        self._over: dict[str, None] = {}
        self._unsubscribe: Cancel | None = None

    def start(self, extrinsic: bytes) -> str | None:
        """The id of a new broadcast; None if there are too many."""
        if len(self._going) >= MAX_BROADCASTS:
            return None
        ident = secrets.token_urlsafe(12)
        self._going[ident] = extrinsic
        if self._unsubscribe is None:
            self._unsubscribe = self._node.chain.subscribe(self._on_block)
        self._offer(ident)
        return ident

    def stop(self, ident: str) -> None:
        """End a broadcast; raises `RpcError` for an id that never was one."""
        if ident in self._over:
            del self._over[ident]
        elif ident in self._going:
            self._end(ident)
            del self._over[ident]
        else:
            raise RpcError(INVALID_PARAMS, "Invalid operation id")

    def close(self) -> None:
        """The client is gone; what is in the pool stays there."""
        self._going.clear()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _on_block(self, imported: Imported) -> None:
        included = set(imported.extrinsics)
        for ident, extrinsic in list(self._going.items()):
            if extrinsic in included:
                self._end(ident)
            else:
                self._offer(ident)
        if not self._going:
            self.close()

    def _offer(self, ident: str) -> None:
        try:
            self._node.submit(self._going[ident])
        except (pool_errors.AlreadyImported, pool_errors.ImmediatelyDropped):
            return
        except PoolError:  # it may be in a block already, and it will not become valid by being repeated
            self._end(ident)

    def _end(self, ident: str) -> None:
        del self._going[ident]
        if len(self._over) >= REMEMBERED:
            del self._over[next(iter(self._over))]
        self._over[ident] = None


@method("transaction_v1_broadcast")
def broadcast(node: Node, client: Client, transaction: Hex) -> Json:
    """Try to bring a transaction into the chain; an id to stop it by, null if the client has too many."""
    return client.part(Broadcasts).start(transaction)


@method("transaction_v1_stop")
def stop(node: Node, client: Client, operation_id: Text) -> Json:
    """Stop trying. A transaction that is in the pool stays in it."""
    client.part(Broadcasts).stop(operation_id)


@subscription(
    "transactionWatch_v1_submitAndWatch", "transactionWatch_v1_watchEvent", "transactionWatch_v1_unwatch"
)
def submit_and_watch(node: Node, sink: Sink, transaction: Hex) -> Cancel:
    """Put a transaction into the pool; what becomes of it, an invalid one included, is told in events."""

    def tell(status: Status) -> None:
        event = _event(node, transaction, status)
        if event is not None:
            sink.send(event)
        if status.phase in FINAL:
            sink.close()

    try:
        digest = node.submit(transaction, tell)
    except PoolError as error:
        sink.send({"event": "invalid", "error": _why(error)})
        sink.close()
        return lambda: None
    return lambda: node.pool.unwatch(digest, tell)


def _event(node: Node, extrinsic: bytes, status: Status) -> dict[str, Any] | None:
    """The new API's event for a status of the pool; None if it has none."""
    match status.phase:
        case Phase.READY | Phase.FUTURE:
            return {"event": "validated"}
        case Phase.IN_BLOCK | Phase.FINALIZED:
            name = "finalized" if status.phase is Phase.FINALIZED else "bestChainBlockIncluded"
            return {"event": name, "block": _block(node, extrinsic, status.hash)}
        case Phase.RETRACTED:
            return {"event": "bestChainBlockIncluded", "block": None}
        case Phase.USURPED:
            return {"event": "invalid", "error": "Extrinsic was rendered invalid by another extrinsic"}
        case Phase.INVALID:
            return {"event": "invalid", "error": "Extrinsic marked as invalid"}
        case Phase.DROPPED:
            return {
                "event": "dropped",
                "error": "Extrinsic dropped from the pool due to exceeding limits",
            }
    return None


def _block(node: Node, extrinsic: bytes, digest: bytes | None) -> dict[str, Any] | None:
    body = None if digest is None else node.chain.body(digest)
    if digest is None or body is None or extrinsic not in body:
        return None
    return {"hash": hexed(digest), "index": body.index(extrinsic)}


def _why(error: PoolError) -> str:
    match error:
        case pool_errors.Invalid():
            return f"Invalid transaction: {error.data}"
        case pool_errors.Unknown():
            return f"Unknown transaction validity: {error.data}"
        case pool_errors.AlreadyImported():
            return "Transaction is already imported"
        case pool_errors.ImmediatelyDropped():
            return "The transaction could not enter the pool because of the limit"
        case pool_errors.VerificationFailed():
            return f"Verification error: {error.data}"
    return str(error)
