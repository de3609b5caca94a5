"""`chainSpec_v1_*`: which chain this is."""

from __future__ import annotations

from node.rpc.table import Json, method
from node.rpc.wire import hexed
from node.service import Node


@method("chainSpec_v1_chainName")
def chain_name(node: Node) -> Json:
    """The chain's name, as its spec has it."""
    return node.identity.name


@method("chainSpec_v1_genesisHash")
def genesis_hash(node: Node) -> Json:
    """The hash of block 0."""
    return hexed(node.chain.genesis_hash)


@method("chainSpec_v1_properties")
def properties(node: Node) -> Json:
    """Token symbol, decimals and address prefix."""
    return node.identity.properties
