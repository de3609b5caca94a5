"""Blocks on demand, and a developer's powers over their chain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.authoring import Author
from node.keystore import Keystore
from node.rpc.session import Limits
from node.service import Node
from primitives.trie import verify_child_proof, verify_proof
from tests.node.wire import Wire
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
TIME = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
Sign = Callable[[str], Signer]


@pytest.fixture
def wire(node: Node) -> Wire:
    return Wire(node)


def moment(wire: Wire) -> int:
    return int.from_bytes(bytes.fromhex(wire.ask("state_getStorage", TIME)[2:]), "little")


def free(wire: Wire, who: Signer) -> int:
    from primitives.hashing import blake2_128_concat, twox_128

    key = twox_128(b"System") + twox_128(b"Account") + blake2_128_concat(who.account)
    value = wire.ask("state_getStorage", "0x" + key.hex())
    return 0 if value is None else int.from_bytes(bytes.fromhex(value[2:])[16:32], "little")


def test_a_block_on_demand(wire: Wire, node: Node, signer: Sign) -> None:
    error = wire.ask("engine_createBlock", False, True)
    assert error["code"] == 12_000 and error["message"].startswith("Transaction pool is empty, set create")
    made = wire.ask("engine_createBlock", True, True)
    assert made["hash"] == wire.ask("chain_getBlockHash") and made["aux"]["isNewBest"] is True
    node.submit(signer("//Alice").sign(remark()))
    made = wire.ask("engine_createBlock", False, False)
    assert len(wire.ask("chain_getBlock", made["hash"])["block"]["extrinsics"]) == 2
    assert wire.ask("chain_getFinalizedHead") != made["hash"]
    assert wire.ask("engine_finalizeBlock", made["hash"], None) is True
    assert wire.ask("chain_getFinalizedHead") == made["hash"]


def test_a_block_on_another_parent(wire: Wire, author: Author) -> None:
    first = wire.ask("engine_createBlock", True, True)["hash"]
    wire.ask("engine_createBlock", True, False)
    second = wire.ask("engine_createBlock", True, False, first)["hash"]
    assert wire.ask("chain_getHeader")["parentHash"] == first and wire.ask("chain_getBlockHash", 2) == second
    genesis = wire.ask("chain_getBlockHash", 0)
    assert wire.ask("engine_createBlock", True, False, genesis)["code"] == 11_000, "that is final"
    nowhere = "0x" + "00" * 32
    assert wire.ask("engine_createBlock", True, False, nowhere)["code"] == 13_000
    assert wire.ask("engine_finalizeBlock", nowhere)["code"] == 16_000


def test_new_blocks_by_count_height_and_content(wire: Wire, signer: Sign) -> None:
    last = wire.ask("dev_newBlock")
    assert wire.ask("chain_getBlockHash", 1) == last
    assert wire.ask("dev_newBlock", {"count": 3}) == wire.ask("chain_getBlockHash", 4)
    assert wire.ask("dev_newBlock", {"to": 9}) == wire.ask("chain_getBlockHash", 9)
    extrinsic = "0x" + signer("//Alice").sign(remark()).hex()
    block = wire.ask("dev_newBlock", {"transactions": [extrinsic]})
    assert extrinsic in wire.ask("chain_getBlock", block)["block"]["extrinsics"]
    for wrong in ({"count": 10_000}, {"dmp": []}, {"count": "x"}, [1], {"transactions": "0x"}):
        assert wire.ask("dev_newBlock", wrong)["code"] == -32602
    assert wire.ask("dev_newBlock", {"transactions": ["0x00"]})["code"] == 1002
    assert wire.ask("chain_getBlockHash") == block


def test_storage_set_raw_and_by_type(wire: Wire, node: Node, signer: Sign) -> None:
    alice, poor = signer("//Alice"), signer("//Nobody")
    block = wire.ask("dev_setStorage", [["0x1234", "0xabcd"], [TIME, "0x" + "01" * 8]])
    assert block == wire.ask("chain_getBlockHash") and wire.ask("state_getStorage", "0x1234") == "0xabcd"
    root = node.chain.head.header.state_root
    proof = [bytes.fromhex(item[2:]) for item in wire.ask("state_getReadProof", ["0x1234"])["proof"]]
    assert verify_proof(root, proof, b"\x12\x34") == b"\xab\xcd"
    wire.ask("dev_setStorage", [["0x1234", None]])
    assert wire.ask("state_getStorage", "0x1234") is None
    rich = {"nonce": 7, "data": {"free": str(5 * GRIST), "flags": 1 << 127}, "providers": 1}
    wire.ask("dev_setStorage", {"System": {"Account": [[[poor.pair.address], rich]]}})
    assert free(wire, poor) == 5 * GRIST and wire.ask("system_accountNextIndex", poor.pair.address) == 7
    poor.nonce = 7
    node.submit(poor.sign(transfer(alice.account, GRIST)))
    wire.ask("dev_newBlock")
    assert free(wire, poor) < 4 * GRIST
    wire.ask("dev_setStorage", {"system": {"$removePrefix": ["blockHash"]}, "Timestamp": {"now": "1,234"}})
    assert moment(wire) == 1234


@pytest.mark.parametrize(
    "values",
    [
        5,
        "x",
        [["0x12"]],
        [["0x12", 5]],
        [["zz", "0x"]],
        [["0x" + b":child_storage:default:a".hex(), "0x" + "00" * 32]],
        [["0x" + "00" * 5000, "0x00"]],
        [[TIME, "0x00"]],
        {"Nope": {}},
        {"System": {"Nope": 1}},
        {"System": {"Account": [[["x"], {}]]}},
        {"System": {"Account": [[[], {}]]}},
        {"System": {"Account": [["0x" + "00" * 32, {"nope": 1}]]}},
        {"System": {"Number": -1}},
        {"System": {"Number": "many"}},
    ],
)
def test_storage_that_makes_no_sense_is_refused(wire: Wire, values: Any) -> None:
    head = wire.ask("chain_getBlockHash")
    assert wire.ask("dev_setStorage", values)["code"] in (1, -32602)
    assert wire.ask("chain_getBlockHash") == head


def test_going_back(wire: Wire) -> None:
    wire.ask("dev_newBlock", {"count": 5})
    second = wire.ask("chain_getBlockHash", 2)
    assert wire.ask("dev_setHead", 4) == wire.ask("chain_getBlockHash") == wire.ask("chain_getBlockHash", 4)
    assert wire.ask("dev_setHead", -1) == wire.ask("chain_getBlockHash", 3)
    assert wire.ask("dev_setHead", second) == second == wire.ask("chain_getFinalizedHead")
    assert wire.ask("dev_setHead", 77)["code"] == 1 and wire.ask("dev_setHead", "x")["code"] == -32602
    assert wire.ask("chain_getBlockHash") == second


def test_going_through_time(wire: Wire) -> None:
    assert wire.ask("dev_timeTravel", NOW) == NOW
    wire.ask("dev_newBlock")
    assert NOW <= moment(wire) < NOW + 60_000
    assert wire.ask("dev_timeTravel", "2031-02-03T04:05:06Z") == 1_927_857_906_000
    assert wire.ask("dev_timeTravel", "Feb 3, 2031") == 1_927_843_200_000
    wire.ask("dev_newBlock")
    assert moment(wire) // 1_000_000 == 1_927_843
    for wrong in ("tomorrow", -1, None, [], 1 << 60):
        assert wire.ask("dev_timeTravel", wrong)["code"] in (1, -32602)


def test_build_modes_change_the_driver(wire: Wire, node: Node) -> None:
    wire.ask("dev_setBlockBuildMode", "Manual")
    assert node.sealing.name == "manual"
    wire.ask("dev_setBlockBuildMode", "Instant")
    assert node.sealing.name == "instant"
    assert wire.ask("dev_setBlockBuildMode", "instant")["message"] == "Invalid mode instant"


def test_what_cannot_be_decoded_is_no_verdict_of_a_dry_run(wire: Wire) -> None:
    """The runtime fails on such bytes; an InvalidTransaction would say that it has read them."""
    for unreadable in ("0x00", "0x0c010203", "0x10040000ff"):
        error = wire.ask("system_dryRun", unreadable)
        assert (error["code"], error["message"]) == (1, "Unable to dry run extrinsic."), error
        assert wire.ask("payment_queryInfo", unreadable)["code"] == 1
    assert wire.ask("system_dryRun", "0x")["code"] == 2


def test_none_of_this_is_for_strangers(node: Node) -> None:
    stranger = Wire(node, Limits(unsafe=False))
    head = node.chain.head
    for method in (
        "dev_newBlock",
        "dev_setStorage",
        "dev_setHead",
        "dev_timeTravel",
        "dev_setBlockBuildMode",
        "engine_createBlock",
        "engine_finalizeBlock",
        "system_dryRun",
        "state_getPairs",
        "state_getKeys",
        "state_queryStorage",
        "state_getStorageSize",
        "author_removeExtrinsic",
        "state_subscribeStorage",
    ):
        refusal = {"code": -32601, "message": "RPC call is unsafe to be called externally"}
        assert stranger.ask(method) == refusal, method
    listed = set(stranger.ask("rpc_methods")["methods"])
    assert "dev_newBlock" not in listed and "state_getStorage" in listed
    assert node.chain.head == head


def test_transactions_are_thrown_out_of_the_pool(wire: Wire, node: Node, signer: Sign) -> None:
    alice = signer("//Alice")
    extrinsics = ["0x" + alice.sign(remark(bytes([i]))).hex() for i in range(3)]
    hashes = [wire.ask("author_submitExtrinsic", extrinsic) for extrinsic in extrinsics]
    assert wire.ask("author_removeExtrinsic", [{"hash": hashes[2]}]) == [hashes[2]]
    assert wire.ask("author_removeExtrinsic", [{"hash": hashes[2]}, {"extrinsic": "0x1234"}]) == []
    assert set(wire.ask("author_removeExtrinsic", [{"extrinsic": extrinsics[0]}])) == set(hashes[:2])
    assert wire.ask("author_pendingExtrinsics") == []
    for wrong in ([{"nope": "0x"}], [{}], {}, [5], [{"hash": 5}]):
        assert wire.ask("author_removeExtrinsic", wrong)["code"] == -32602


def test_log_levels_change_while_it_runs(wire: Wire) -> None:
    import logging

    before = logging.getLogger().level
    try:
        assert wire.ask("system_addLogFilter", "pool=debug,rpc=error") is None
        assert logging.getLogger("pool").level == logging.DEBUG
        assert wire.ask("system_addLogFilter", "pool=info,rpc=loud")["code"] == -32603
        assert logging.getLogger("pool").level == logging.DEBUG
        assert wire.ask("system_resetLogFilter") is None
        assert logging.getLogger("pool").level == logging.NOTSET
    finally:
        logging.getLogger().setLevel(before)


def test_offchain_values_belong_to_the_node(wire: Wire, node: Node) -> None:
    head = node.chain.head
    assert wire.ask("offchain_localStorageGet", "PERSISTENT", "0x01") is None
    assert wire.ask("offchain_localStorageSet", "PERSISTENT", "0x01", "0xabcd") is None
    assert wire.ask("offchain_localStorageGet", "PERSISTENT", "0x01") == "0xabcd"
    wire.ask("offchain_localStorageClear", "PERSISTENT", "0x01")
    assert wire.ask("offchain_localStorageGet", "PERSISTENT", "0x01") is None
    assert wire.ask("offchain_localStorageGet", "LOCAL", "0x01")["code"] == 5001
    assert wire.ask("offchain_localStorageGet", "elsewhere", "0x01")["code"] == -32602
    assert node.chain.head == head


def test_child_tries_read_like_the_top_one(wire: Wire, node: Node, author: Author) -> None:
    """No pallet has a child trie of its own yet: one is put under a block, as the host would."""
    from node.chain import OpenBlock

    block = OpenBlock(node.chain, NOW)
    pairs = {bytes([i, 1]): b"v" * (i + 1) for i in range(5)}
    for key, value in pairs.items():
        block._builder.machine.overlay.put((b"mine", key), value)
    block.seal()
    child = "0x" + b":child_storage:default:mine".hex()
    keys = ["0x" + key.hex() for key in pairs]
    assert wire.ask("childstate_getKeys", child, "0x") == keys
    assert wire.ask("childstate_getKeysPaged", child, "0x", 2, keys[0]) == keys[1:3]
    assert wire.ask("childstate_getStorage", child, keys[2]) == "0x" + b"vvv".hex()
    assert wire.ask("childstate_getStorageEntries", child, [keys[0], "0x99"]) == ["0x" + b"v".hex(), None]
    assert wire.ask("childstate_getStorageSize", child, keys[4]) == 5
    assert len(wire.ask("childstate_getStorageHash", child, keys[4])) == 66
    assert wire.ask("childstate_getStorage", "0x1234", keys[0])["message"] == (
        "Client error: Invalid child storage key"
    )
    proof = wire.ask("state_getChildReadProof", child, [keys[1]])["proof"]
    raw = [bytes.fromhex(item[2:]) for item in proof]
    root = node.chain.head.header.state_root
    assert verify_child_proof(root, raw, b"mine", bytes.fromhex(keys[1][2:])) == b"vv"
    wire.ask(
        "archive_v1_storage",
        "0x" + node.chain.head.hash.hex(),
        [{"key": "0x", "type": "descendantsValues"}],
        "0x" + b"mine".hex(),
    )
    *found, done = wire.events()
    assert [item["key"] for item in found] == keys and done == {"event": "storageDone"}
    assert {item["childTrieKey"] for item in found} == {"0x" + b"mine".hex()}
    diff = [{"returnType": "hash", "childTrieKey": "0x" + b"mine".hex()}]
    wire.ask("archive_v1_storageDiff", "0x" + node.chain.head.hash.hex(), diff)
    *found, done = wire.events()
    assert [(item["key"], item["type"]) for item in found] == [(key, "added") for key in keys]
    assert wire.ask("childstate_getStorage", child, keys[0], "0x" + node.chain.genesis_hash.hex()) is None


def test_keys_in_the_keystore(wire: Wire, node: Node, tmp_path: Path) -> None:
    public = "0x" + "ab" * 32
    for folder in (None, tmp_path / "chains" / "dev" / "keystore"):
        node.keystore = Keystore(folder)
        assert wire.ask("author_hasKey", public, "aura") is False
        assert wire.ask("author_insertKey", "aura", "//Alice", public) is None
        assert wire.ask("author_hasKey", public, "aura") is True
        assert wire.ask("author_hasKey", public, "gran") is False
    file = tmp_path / "chains" / "dev" / "keystore" / ("61757261" + "ab" * 32)
    assert file.read_text() == '"//Alice"' and file.stat().st_mode & 0o777 == 0o600
    for wrong in (("au", "//Alice", public), ("aura", "//Alice", "0x"), ("aura", "x" * 5000, public)):
        assert wire.ask("author_insertKey", *wrong)["code"] == 1040
    assert wire.ask("author_hasKey", public, "../../")["code"] == 1040
    assert len(list(file.parent.iterdir())) == 1
