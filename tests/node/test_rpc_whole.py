"""Both generations of RPC, whole: the methods that a Substrate node lists, and why some are not here."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from node.service import Node
from tests.node.wire import Wire
from tests.running_node import RunningNode

FAMILIES = {
    "system": """accountNextIndex addLogFilter addReservedPeer chain chainType dryRun dryRunAt health
        localListenAddresses localPeerId name nodeRoles peers properties removeReservedPeer reservedPeers
        resetLogFilter syncState unstable_networkState version""",
    "chain": """getBlock getBlockHash getFinalisedHead getFinalizedHead getHead getHeader getRuntimeVersion
        subscribeAllHeads subscribeFinalisedHeads subscribeFinalizedHeads subscribeNewHead subscribeNewHeads
        subscribeRuntimeVersion unsubscribeAllHeads unsubscribeFinalisedHeads unsubscribeFinalizedHeads
        unsubscribeNewHead unsubscribeNewHeads unsubscribeRuntimeVersion""",
    "state": """call callAt getChildReadProof getKeys getKeysPaged getKeysPagedAt getMetadata getPairs
        getReadProof getRuntimeVersion getStorage getStorageAt getStorageHash getStorageHashAt getStorageSize
        getStorageSizeAt queryStorage queryStorageAt subscribeRuntimeVersion subscribeStorage traceBlock
        unsubscribeRuntimeVersion unsubscribeStorage""",
    "childstate": """getKeys getKeysPaged getKeysPagedAt getStorage getStorageEntries getStorageHash
        getStorageSize""",
    "author": """hasKey hasSessionKeys insertKey pendingExtrinsics removeExtrinsic rotateKeys
        submitAndWatchExtrinsic submitExtrinsic unwatchExtrinsic""",
    "payment": "queryFeeDetails queryInfo",
    "offchain": "localStorageClear localStorageGet localStorageSet",
    "account": "nextIndex",
    "subscribe": "newHead",
    "unsubscribe": "newHead",
    "rpc": "methods",
    "chainSpec_v1": "chainName genesisHash properties",
    "chainHead_v1": "body call continue follow header stopOperation storage unfollow unpin",
    "archive_v1": """body call finalizedHeight genesisHash hashByHeight header stopStorage storage storageDiff
        storageDiff_stopStorageDiff""",
    "transaction_v1": "broadcast stop",
    "transactionWatch_v1": "submitAndWatch unwatch",
    "engine": "createBlock finalizeBlock",
    "dev": "newBlock setBlockBuildMode setHead setStorage timeTravel",
}
NOT_HERE = {
    "author_hasSessionKeys": "no session keys: nobody votes",
    "author_rotateKeys": "no session keys: nobody votes",
    "state_traceBlock": "no tracing of the runtime",
    "system_addReservedPeer": "no peers",
    "system_removeReservedPeer": "no peers",
    "system_unstable_networkState": "no network",
}


def test_what_substrate_lists_is_listed(node: Node) -> None:
    listed = set(Wire(node).ask("rpc_methods")["methods"])
    wanted = {f"{family}_{name}" for family, names in FAMILIES.items() for name in names.split()}
    assert wanted - listed == set(NOT_HERE)


@pytest.mark.parametrize("workers", [0, 1])
def test_over_a_socket_the_answer_comes_before_its_events(workers: int) -> None:
    async def talk(url: str) -> list[Any]:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:

            async def ask(ident: int, method: str, *params: Any) -> None:
                await ws.send_str(
                    json.dumps({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})
                )

            await ask(1, "chainHead_v1_follow", True)
            heard = [await ws.receive_json(timeout=20) for _ in range(3)]
            ident = heard[0]["result"]
            genesis = heard[1]["params"]["result"]["finalizedBlockHashes"][0]
            query = {"key": "0x3a636f6465", "type": "hash"}
            await ask(2, "chainHead_v1_storage", ident, genesis, [query])
            await ask(3, "archive_v1_storage", genesis, [query])
            return heard + [await ws.receive_json(timeout=20) for _ in range(6)]

    with RunningNode(f"--rpc-workers={workers}") as node:
        heard = asyncio.run(talk(node.ws))
    told = [m.get("id") or m["params"]["result"]["event"] for m in heard]
    assert told == [
        1,
        "initialized",
        "bestBlockChanged",
        2,
        "operationStorageItems",
        "operationStorageDone",
        3,
        "storage",
        "storageDone",
    ]
