"""`chainHead_v1_*`: the head of the chain, and questions about the blocks near it.

Source: paritytech/json-rpc-interface-spec, `chainHead`. A subscription that is unknown or has ended gets
`limitReached` or null, as the specification wants it.
"""

from __future__ import annotations

from typing import Any

from node.rpc.errors import RpcError
from node.rpc.follow import INVALID_RUNTIME_CALL, Follow, Follows
from node.rpc.params import BlockHash, Flag, Hashes, Hex, Text
from node.rpc.queries import Queries, answers
from node.rpc.table import Cancel, Client, Json, Sink, method, subscription
from node.rpc.wire import hexed
from node.service import Node

LIMIT_REACHED = {"result": "limitReached"}


@subscription("chainHead_v1_follow", "chainHead_v1_followEvent", "chainHead_v1_unfollow")
def follow(node: Node, sink: Sink, with_runtime: Flag) -> Cancel:
    """The finalized block, then each new one, all pinned for this subscription."""
    follows = sink.client.part(Follows)
    started = Follow(node, sink, with_runtime)
    follows.add(sink.ident, started)
    try:
        started.start()
    except BaseException:
        follows.end(sink.ident)
        raise
    return lambda: follows.end(sink.ident)


@method("chainHead_v1_header")
def header(node: Node, client: Client, follow_subscription: Text, hash: BlockHash) -> Json:
    """The SCALE header of a pinned block."""
    found = _following(client, follow_subscription, hash)
    header = None if found is None else node.chain.header(hash)
    return None if header is None else hexed(header.encode())


@method("chainHead_v1_body")
def body(node: Node, client: Client, follow_subscription: Text, hash: BlockHash) -> Json:
    """Start to fetch the extrinsics of a pinned block."""
    found = _following(client, follow_subscription, hash)
    if found is None:
        return LIMIT_REACHED

    def run(ident: str) -> dict[str, Any]:
        extrinsics = node.chain.body(hash)
        if extrinsics is None:
            return {"event": "operationInaccessible", "operationId": ident}
        value = [hexed(data) for data in extrinsics]
        return {"event": "operationBodyDone", "operationId": ident, "value": value}

    return found.operate(run)


@method("chainHead_v1_call")
def call(
    node: Node,
    client: Client,
    follow_subscription: Text,
    hash: BlockHash,
    function: Text,
    call_parameters: Hex,
) -> Json:
    """Start to call a runtime API at a pinned block."""
    found = _following(client, follow_subscription, hash)
    if found is None:
        return LIMIT_REACHED
    if not found.with_runtime:
        raise RpcError(INVALID_RUNTIME_CALL, "The runtime updates flag must be set")

    def run(ident: str) -> dict[str, Any]:
        output = node.runtime_call(function, call_parameters, hash)
        return {"event": "operationCallDone", "operationId": ident, "output": hexed(output)}

    return found.operate(run)


@method("chainHead_v1_storage")
def storage(
    node: Node,
    client: Client,
    follow_subscription: Text,
    hash: BlockHash,
    items: Queries,
    child_trie: Hex | None = None,
) -> Json:
    """Start to read storage at a pinned block; the results come in pages."""
    found = _following(client, follow_subscription, hash)
    if found is None:
        return LIMIT_REACHED
    started = found.list(answers(node.chain.state(hash), items, child_trie))
    return started if started == LIMIT_REACHED else {**started, "discardedItems": 0}


@method("chainHead_v1_continue")
def go_on(node: Node, client: Client, follow_subscription: Text, operation_id: Text) -> Json:
    """Send the next page of an operation that waits for this."""
    found = client.part(Follows).get(follow_subscription)
    if found is not None:
        found.go_on(operation_id)


@method("chainHead_v1_stopOperation")
def stop_operation(node: Node, client: Client, follow_subscription: Text, operation_id: Text) -> Json:
    """Send nothing more of an operation."""
    found = client.part(Follows).get(follow_subscription)
    if found is not None:
        found.end_operation(operation_id)


@method("chainHead_v1_unpin")
def unpin(node: Node, client: Client, follow_subscription: Text, hash_or_hashes: Hashes) -> Json:
    """Let pinned blocks go."""
    found = client.part(Follows).get(follow_subscription)
    if found is not None:
        found.unpin(hash_or_hashes)


def _following(client: Client, ident: str, digest: bytes) -> Follow | None:
    """The subscription, if it is there; raises `RpcError` if the block is not pinned."""
    found = client.part(Follows).get(ident)
    if found is not None:
        found.require_pinned(digest)
    return found
