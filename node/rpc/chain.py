"""`chain_*`: headers, blocks, their hashes, and the streams of heads."""

from __future__ import annotations

from node.chain import Finalized, Imported
from node.rpc.params import BlockHash, Numbers
from node.rpc.table import Cancel, Json, Sink, method, subscription, together
from node.rpc.wire import block_json, header_json, hexed
from node.service import Node


@method("chain_getHeader")
def get_header(node: Node, hash: BlockHash | None = None) -> Json:
    """The header of a block, by default of the best one; null for an unknown hash."""
    header = node.chain.header(hash or node.chain.head.hash)
    return None if header is None else header_json(header)


@method("chain_getBlock")
def get_block(node: Node, hash: BlockHash | None = None) -> Json:
    """The whole block; null for an unknown hash."""
    digest = hash or node.chain.head.hash
    header, body = node.chain.header(digest), node.chain.body(digest)
    return None if header is None or body is None else block_json(header, body)


@method("chain_getBlockHash", aliases=["chain_getHead"])
def get_block_hash(node: Node, list_or_value: Numbers | None = None) -> Json:
    """The hash at a number, or a list for a list; the best block's without one."""
    if list_or_value is None:
        return hexed(node.chain.head.hash)
    if isinstance(list_or_value, list):
        return [_hash_at(node, number) for number in list_or_value]
    return _hash_at(node, list_or_value)


def _hash_at(node: Node, number: int) -> Json:
    digest = node.chain.hash_at(number)
    return None if digest is None else hexed(digest)


@method("chain_getFinalizedHead", aliases=["chain_getFinalisedHead"])
def get_finalized_head(node: Node) -> Json:
    """The hash of the last finalized block."""
    return _hash_at(node, node.chain.finalized_number)


@subscription(
    "chain_subscribeNewHeads",
    "chain_newHead",
    "chain_unsubscribeNewHeads",
    aliases=["chain_subscribeNewHead", "subscribe_newHead"],
    unsubscribe_aliases=["chain_unsubscribeNewHead", "unsubscribe_newHead"],
)
def subscribe_new_heads(node: Node, sink: Sink) -> Cancel:
    """The best header now, and each one that follows."""
    return _heads(node, sink)


@subscription("chain_subscribeAllHeads", "chain_allHead", "chain_unsubscribeAllHeads")
def subscribe_all_heads(node: Node, sink: Sink) -> Cancel:
    """Every imported header; there is one chain, so these are the new heads."""
    return _heads(node, sink)


@subscription(
    "chain_subscribeFinalizedHeads",
    "chain_finalizedHead",
    "chain_unsubscribeFinalizedHeads",
    aliases=["chain_subscribeFinalisedHeads"],
    unsubscribe_aliases=["chain_unsubscribeFinalisedHeads"],
)
def subscribe_finalized_heads(node: Node, sink: Sink) -> Cancel:
    """The finalized header now, and each one that follows."""
    _send_header(node, sink, node.chain.hash_at(node.chain.finalized_number))

    def tell(finalized: Finalized) -> None:
        for digest in finalized.hashes:
            _send_header(node, sink, digest)

    return node.chain.on_finalized(tell)


def _send_header(node: Node, sink: Sink, digest: bytes | None) -> None:
    header = None if digest is None else node.chain.header(digest)
    if header is not None:
        sink.send(header_json(header))


def _heads(node: Node, sink: Sink) -> Cancel:
    sink.send(header_json(node.chain.head.header))

    def tell(imported: Imported) -> None:
        sink.send(header_json(imported.header))

    return together(
        node.chain.subscribe(tell),
        node.chain.on_reverted(lambda reverted: sink.send(header_json(reverted.head.header))),
    )
