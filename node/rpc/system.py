"""`system_*` and `rpc_methods`: who this node is and how it fares."""

from __future__ import annotations

from node import log
from node.errors import BadOption, NodeError
from node.rpc.errors import INTERNAL_ERROR, RUNTIME_ERROR, RpcError
from node.rpc.params import Account, BlockHash, Hex, Text
from node.rpc.payment import readable
from node.rpc.table import Client, Json, method, names
from node.rpc.wire import hexed
from node.service import Node


@method("rpc_methods")
def rpc_methods(node: Node, client: Client) -> Json:
    """What this client may call, and nothing else: clients detect features by it."""
    return {"methods": names(client.unsafe)}


@method("system_name")
def name(node: Node) -> Json:
    """The product."""
    return "Gristmill Node"


@method("system_version")
def version(node: Node) -> Json:
    """The product's version."""
    return node.version


@method("system_chain")
def chain(node: Node) -> Json:
    """The chain's name, as its spec has it."""
    return node.identity.name


@method("system_chainType")
def chain_type(node: Node) -> Json:
    """Development, Local or Live."""
    return node.identity.chain_type


@method("system_properties")
def properties(node: Node) -> Json:
    """Token symbol, decimals and address prefix."""
    return node.identity.properties


@method("system_health")
def health(node: Node) -> Json:
    """One node: no peers wanted, never behind."""
    return {"peers": 0, "isSyncing": False, "shouldHavePeers": False}


@method("system_nodeRoles")
def node_roles(node: Node) -> Json:
    """It seals blocks."""
    return ["Authority"]


@method("system_peers", unsafe=True)
def peers(node: Node) -> Json:
    """None: one node today."""
    return []


@method("system_reservedPeers")
def reserved_peers(node: Node) -> Json:
    """None: one node today."""
    return []


@method("system_addLogFilter", unsafe=True)
def add_log_filter(node: Node, directives: Text) -> Json:
    """More detail, or less, of some part, as with `-l`: `txpool=debug,rpc=trace`."""
    try:
        log.direct(directives)
    except BadOption as error:
        raise RpcError(INTERNAL_ERROR, str(error)) from None


@method("system_resetLogFilter", unsafe=True)
def reset_log_filter(node: Node) -> Json:
    """The log as it was when the node started."""
    log.reset()


@method("system_localPeerId")
def local_peer_id(node: Node) -> Json:
    """The id of the node's key, in libp2p's form, though nobody dials it."""
    return node.peer_id


@method("system_localListenAddresses")
def local_listen_addresses(node: Node) -> Json:
    """None: nothing listens for peers."""
    return []


@method("system_syncState")
def sync_state(node: Node) -> Json:
    """Where it started and where it is."""
    number = node.chain.head.number
    return {"startingBlock": node.started_at, "currentBlock": number, "highestBlock": number}


@method("system_accountNextIndex", aliases=["account_nextIndex"])
def account_next_index(node: Node, account: Account) -> Json:
    """The nonce for the account's next transaction, those in the pool counted."""
    try:
        answer = node.runtime_call("AccountNonceApi_account_nonce", account, None)
    except NodeError as error:
        raise RpcError(RUNTIME_ERROR, "Unable to query nonce.", str(error)) from None
    return node.pool.next_index(account, int.from_bytes(answer[:4], "little"))


@method("system_dryRun", aliases=["system_dryRunAt"], unsafe=True)
def dry_run(node: Node, extrinsic: Hex, at: BlockHash | None = None) -> Json:
    """The SCALE ApplyExtrinsicResult that a block on top of `at` would have; nothing is kept."""
    what = "Unable to dry run extrinsic."
    try:
        return hexed(node.dry_run(readable(extrinsic, what), node.clock.now(), at))
    except NodeError as error:
        raise RpcError(RUNTIME_ERROR, what, str(error)) from None
