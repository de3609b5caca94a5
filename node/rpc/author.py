"""`author_*`: transactions into the pool, and what becomes of them."""

from __future__ import annotations

from node.pool import Status
from node.pool.transaction import FINAL
from node.rpc.params import Hex
from node.rpc.table import Cancel, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node


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


@method("author_pendingExtrinsics")
def pending_extrinsics(node: Node) -> Json:
    """All that waits in the pool, ready ones first."""
    return [hexed(tx.data) for tx in node.pool.pending()]
