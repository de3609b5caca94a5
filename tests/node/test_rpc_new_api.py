"""The new JSON-RPC API in one process, as its specification has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chain_spec import resolve
from node.authoring import Author
from node.database import Database, Pruning
from node.database.pruning import Mode
from node.rpc import follow as limits
from node.run import open_node
from node.service import Node
from primitives.hashing import blake2_256, twox_128
from primitives.trie import verify_proof
from runtime import GristmillRuntime
from tests.node.wire import Wire
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
TIME = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
ACCOUNTS = "0x" + (twox_128(b"System") + twox_128(b"Account")).hex()
Sign = Callable[[str], Signer]


@pytest.fixture
def wire(node: Node) -> Wire:
    return Wire(node)


@pytest.fixture
def following(wire: Wire) -> tuple[Wire, str, str]:
    """A connection, its subscription, and the finalized block that it has pinned."""
    ident = wire.ask("chainHead_v1_follow", True)
    [initialized, _] = wire.events()
    return wire, ident, initialized["finalizedBlockHashes"][-1]


def code(error: Any) -> int:
    assert set(error) >= {"code", "message"}, error
    return int(error["code"])


def test_what_chain_it_is(wire: Wire, node: Node) -> None:
    assert wire.ask("chainSpec_v1_chainName") == "Gristmill Development"
    assert wire.ask("chainSpec_v1_genesisHash") == "0x" + node.chain.genesis_hash.hex()
    assert wire.ask("chainSpec_v1_properties")["tokenSymbol"] == "GRIST"


def test_a_follower_hears_of_every_block_in_order(wire: Wire, node: Node, author: Author) -> None:
    ident = wire.ask("chainHead_v1_follow", True)
    assert isinstance(ident, str)
    first, best = wire.events()
    genesis = "0x" + node.chain.genesis_hash.hex()
    assert first["event"] == "initialized" and first["finalizedBlockHashes"] == [genesis]
    spec = first["finalizedBlockRuntime"]["spec"]
    assert first["finalizedBlockRuntime"]["type"] == "valid" and spec["specName"] == "gristmill"
    assert spec["apis"]["0xdf6acb689907609b"] == 5
    assert best == {"event": "bestBlockChanged", "bestBlockHash": genesis}
    block = author.seal(NOW, empty=True)
    assert block is not None
    digest = "0x" + block.hash.hex()
    assert wire.events() == [
        {"event": "newBlock", "blockHash": digest, "parentBlockHash": genesis, "newRuntime": None},
        {"event": "bestBlockChanged", "bestBlockHash": digest},
        {"event": "finalized", "finalizedBlockHashes": [digest], "prunedBlockHashes": []},
    ]
    assert wire.ask("chainHead_v1_unfollow", ident) is True
    author.seal(NOW + 1, empty=True)
    assert wire.events() == []


def test_blocks_that_are_not_final_are_announced_and_finalized_later(
    wire: Wire, node: Node, author: Author
) -> None:
    first = author.seal(NOW, empty=True, finalize=False)
    assert first is not None
    wire.ask("chainHead_v1_follow", False)
    initialized, new, best = wire.events()
    digest = "0x" + first.hash.hex()
    assert initialized == {
        "event": "initialized",
        "finalizedBlockHashes": ["0x" + node.chain.genesis_hash.hex()],
    }
    assert new["blockHash"] == digest and "newRuntime" not in new and best["bestBlockHash"] == digest
    node.chain.finalize(first.hash)
    [finalized] = wire.events()
    assert finalized == {"event": "finalized", "finalizedBlockHashes": [digest], "prunedBlockHashes": []}


def test_going_back_stops_the_followers(following: tuple[Wire, str, str], node: Node, author: Author) -> None:
    wire, ident, genesis = following
    author.seal(NOW, empty=True)
    wire.events()
    node.chain.revert_to(0)
    assert wire.events() == [{"event": "stop"}]
    assert wire.ask("chainHead_v1_header", ident, genesis) is None
    assert wire.ask("chainHead_v1_body", ident, genesis) == {"result": "limitReached"}
    author.seal(NOW, empty=True)
    assert wire.events() == []


def test_header_body_and_call(following: tuple[Wire, str, str], node: Node, author: Author) -> None:
    wire, ident, genesis = following
    block = author.seal(NOW, empty=True)
    assert block is not None
    wire.events()
    digest = "0x" + block.hash.hex()
    header = bytes.fromhex(wire.ask("chainHead_v1_header", ident, digest)[2:])
    assert blake2_256(header) == block.hash
    started = wire.ask("chainHead_v1_body", ident, digest)
    assert started["result"] == "started"
    [done] = wire.events()
    assert done == {
        "event": "operationBodyDone",
        "operationId": started["operationId"],
        "value": ["0x" + data.hex() for data in block.extrinsics],
    }
    wire.ask("chainHead_v1_call", ident, digest, "Core_version", "0x")
    [done] = wire.events()
    assert done["event"] == "operationCallDone" and done["output"] == wire.ask(
        "state_call", "Core_version", "0x"
    )
    wire.ask("chainHead_v1_call", ident, genesis, "No_such", "0x")
    [failed] = wire.events()
    assert failed["event"] == "operationError" and "No_such is not found" in failed["error"]


def test_all_kinds_of_storage_queries(following: tuple[Wire, str, str], node: Node) -> None:
    wire, ident, genesis = following

    def read(key: str, kind: str) -> list[Any]:
        started = wire.ask("chainHead_v1_storage", ident, genesis, [{"key": key, "type": kind}], None)
        assert started["result"] == "started" and started["discardedItems"] == 0
        *items, done = wire.events()
        assert done == {"event": "operationStorageDone", "operationId": started["operationId"]}
        return [item for event in items for item in event["items"]]

    keys = wire.ask("state_getKeysPaged", ACCOUNTS, 1000)
    values = {key: wire.ask("state_getStorage", key) for key in keys}
    hashes = {key: wire.ask("state_getStorageHash", key) for key in keys}
    assert read(keys[0], "value") == [{"key": keys[0], "value": values[keys[0]]}]
    assert read(keys[0], "hash") == [{"key": keys[0], "hash": hashes[keys[0]]}]
    assert read(ACCOUNTS, "value") == [] and read("0x1234", "closestDescendantMerkleValue") == []
    assert {item["key"]: item["value"] for item in read(ACCOUNTS, "descendantsValues")} == values
    assert {item["key"]: item["hash"] for item in read(ACCOUNTS, "descendantsHashes")} == hashes


def test_the_merkle_value_is_that_of_the_node_in_the_proof(
    following: tuple[Wire, str, str], node: Node
) -> None:
    wire, ident, genesis = following
    proof = [bytes.fromhex(item[2:]) for item in wire.ask("state_getReadProof", [ACCOUNTS])["proof"]]
    assert verify_proof(node.chain.head.header.state_root, proof, bytes.fromhex(ACCOUNTS[2:])) is None
    query = [{"key": key, "type": "closestDescendantMerkleValue"} for key in ("0x", ACCOUNTS)]
    wire.ask("chainHead_v1_storage", ident, genesis, query)
    root, accounts = (item["closestDescendantMerkleValue"] for item in wire.events()[0]["items"])
    assert root == "0x" + node.chain.head.header.state_root.hex()
    assert bytes.fromhex(accounts[2:]) in [blake2_256(item) for item in proof]


def test_a_long_answer_waits_to_be_continued(
    following: tuple[Wire, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, ident, genesis = following
    monkeypatch.setattr(limits, "PAGE", 3)
    query = [{"key": ACCOUNTS, "type": "descendantsHashes"}]
    operation = wire.ask("chainHead_v1_storage", ident, genesis, query)["operationId"]
    found: list[str] = []
    while True:
        items, last = wire.events()
        found += [item["key"] for item in items["items"]]
        if last["event"] == "operationStorageDone":
            break
        assert last == {"event": "operationWaitingForContinue", "operationId": operation}
        assert wire.ask("chainHead_v1_continue", ident, operation) is None
    assert found == wire.ask("state_getKeysPaged", ACCOUNTS, 1000)
    assert wire.ask("chainHead_v1_continue", ident, operation) is None, "it is over: nothing to say"
    stopped = wire.ask("chainHead_v1_storage", ident, genesis, query)["operationId"]
    wire.events()
    wire.ask("chainHead_v1_stopOperation", ident, stopped)
    wire.ask("chainHead_v1_continue", ident, stopped)
    assert wire.events() == []


def test_operations_are_bounded(following: tuple[Wire, str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    wire, ident, genesis = following
    monkeypatch.setattr(limits, "PAGE", 1)
    query = [{"key": ACCOUNTS, "type": "descendantsHashes"}]
    for _ in range(limits.MAX_OPERATIONS):
        assert wire.ask("chainHead_v1_storage", ident, genesis, query)["result"] == "started"
    assert wire.ask("chainHead_v1_storage", ident, genesis, query) == {"result": "limitReached"}
    assert wire.ask("chainHead_v1_body", ident, genesis) == {"result": "limitReached"}
    wire.ask("chainHead_v1_stopOperation", ident, "1")
    assert wire.ask("chainHead_v1_body", ident, genesis)["result"] == "started"


def test_pins_are_bounded(
    following: tuple[Wire, str, str], author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, ident, genesis = following
    monkeypatch.setattr(limits, "MAX_PINNED", 3)
    for i in range(2):
        author.seal(NOW + i, empty=True)
    assert [event["event"] for event in wire.events()] == ["newBlock", "bestBlockChanged", "finalized"] * 2
    assert wire.ask("chainHead_v1_unpin", ident, genesis) is None
    author.seal(NOW + 2, empty=True)
    assert wire.events()[0]["event"] == "newBlock"
    author.seal(NOW + 3, empty=True)
    assert wire.events() == [{"event": "stop"}]


def test_an_old_pin_does_not_hold_the_state_for_ever(
    following: tuple[Wire, str, str], author: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire, ident, _ = following
    monkeypatch.setattr(limits, "MAX_BEHIND", 2)
    for i in range(3):
        block = author.seal(NOW + i, empty=True)
        assert block is not None
        wire.ask("chainHead_v1_unpin", ident, ["0x" + block.hash.hex()])
    assert wire.events()[-1] == {"event": "stop"}


def test_unpinned_blocks_are_refused(following: tuple[Wire, str, str]) -> None:
    wire, ident, genesis = following
    nowhere = "0x" + "77" * 32
    assert code(wire.ask("chainHead_v1_header", ident, nowhere)) == -32801
    assert code(wire.ask("chainHead_v1_unpin", ident, [genesis, nowhere])) == -32801
    assert code(wire.ask("chainHead_v1_unpin", ident, [genesis, genesis])) == -32804
    assert wire.ask("chainHead_v1_header", ident, genesis) is not None, "a failing unpin lets nothing go"
    assert wire.ask("chainHead_v1_unpin", ident, [genesis]) is None
    for method, *params in (
        ("header",),
        ("body",),
        ("storage", []),
        ("call", "Core_version", "0x"),
    ):
        assert code(wire.ask(f"chainHead_v1_{method}", ident, genesis, *params)) == -32801


def test_subscriptions_belong_to_their_connection(following: tuple[Wire, str, str], node: Node) -> None:
    _, ident, genesis = following
    other = Wire(node)
    assert other.ask("chainHead_v1_header", ident, genesis) is None
    assert other.ask("chainHead_v1_unpin", ident, genesis) is None
    idents = [other.ask("chainHead_v1_follow", False) for _ in range(limits.MAX_FOLLOWS)]
    assert code(other.ask("chainHead_v1_follow", False)) == -32800
    assert code(other.ask("chainHead_v1_call", idents[0], genesis, "Core_version", "0x")) == -32802
    assert other.ask("chainHead_v1_unfollow", idents[0]) is True
    assert isinstance(other.ask("chainHead_v1_follow", False), str)


def test_the_archive(wire: Wire, node: Node, author: Author) -> None:
    block = author.seal(NOW, empty=True)
    assert block is not None
    digest, genesis = "0x" + block.hash.hex(), "0x" + node.chain.genesis_hash.hex()
    assert wire.ask("archive_v1_genesisHash") == genesis and wire.ask("archive_v1_finalizedHeight") == 1
    assert wire.ask("archive_v1_hashByHeight", 1) == [digest] and wire.ask("archive_v1_hashByHeight", 9) == []
    assert blake2_256(bytes.fromhex(wire.ask("archive_v1_header", digest)[2:])) == block.hash
    assert wire.ask("archive_v1_body", digest) == ["0x" + data.hex() for data in block.extrinsics]
    assert wire.ask("archive_v1_call", digest, "Core_version", "0x")["success"] is True
    failed = wire.ask("archive_v1_call", digest, "No_such", "0x")
    assert failed["success"] is False and "not found" in failed["error"]
    nowhere = "0x" + "00" * 32
    assert wire.ask("archive_v1_header", nowhere) is None and wire.ask("archive_v1_body", nowhere) is None
    assert wire.ask("archive_v1_call", nowhere, "Core_version", "0x") is None


def test_the_archive_reads_storage_in_pages(wire: Wire, node: Node) -> None:
    genesis = "0x" + node.chain.genesis_hash.hex()
    keys = wire.ask("state_getKeysPaged", ACCOUNTS, 1000)
    rest = {"key": ACCOUNTS, "type": "descendantsHashes", "paginationStartKey": keys[1]}
    wire.ask("archive_v1_storage", genesis, [{"key": keys[0], "type": "value"}, rest])
    *found, done = wire.events()
    assert done == {"event": "storageDone"} and found[0]["value"] == wire.ask("state_getStorage", keys[0])
    assert [item["key"] for item in found[1:]] == keys[2:] and all("hash" in item for item in found[1:])
    wire.ask("archive_v1_storage", "0x" + "00" * 32, [rest])
    assert wire.events()[0]["event"] == "storageError"
    wrong = {"key": keys[0], "type": "value", "paginationStartKey": keys[1]}
    assert code(wire.ask("archive_v1_storage", genesis, [wrong])) == -32602


def test_the_difference_between_two_states(wire: Wire, node: Node, author: Author, signer: Sign) -> None:
    alice, new = signer("//Alice"), signer("//Somebody new")
    author.seal(NOW, empty=True)
    node.submit(alice.sign(transfer(new.account, GRIST)))
    block = author.seal(NOW + 1000)
    assert block is not None
    wire.ask("archive_v1_storageDiff", "0x" + block.hash.hex(), [{"key": ACCOUNTS, "returnType": "value"}])
    *found, done = wire.events()
    assert done == {"event": "storageDiffDone"}
    by_account = {item["key"][-64:]: item for item in found}
    assert by_account[new.account.hex()]["type"] == "added"
    assert by_account[alice.account.hex()]["type"] == "modified"
    assert found == [{**item, "value": wire.ask("state_getStorage", item["key"])} for item in found]
    wire.ask("archive_v1_storageDiff", "0x" + block.hash.hex(), None, "0x" + node.chain.genesis_hash.hex())
    assert {item.get("key"): item for item in wire.events()}[TIME]["type"] == "added"


def test_a_watched_transaction_is_validated_included_and_final(
    wire: Wire, node: Node, author: Author, signer: Sign
) -> None:
    extrinsic = signer("//Alice").sign(remark())
    wire.ask("transactionWatch_v1_submitAndWatch", "0x" + extrinsic.hex())
    assert wire.events() == [{"event": "validated"}]
    block = author.seal(NOW)
    assert block is not None
    included = {"hash": "0x" + block.hash.hex(), "index": 1}
    assert wire.events() == [
        {"event": "bestChainBlockIncluded", "block": included},
        {"event": "finalized", "block": included},
    ]


def test_a_watched_transaction_that_is_invalid_says_so_in_an_event(wire: Wire, signer: Sign) -> None:
    assert isinstance(wire.ask("transactionWatch_v1_submitAndWatch", "0x1234"), str)
    [event] = wire.events()
    assert event["event"] == "invalid"
    poor = signer("//Nobody").sign(remark())
    wire.ask("transactionWatch_v1_submitAndWatch", "0x" + poor.hex())
    [event] = wire.events()
    assert event["error"].startswith("Invalid transaction: Inability to pay some fees")


def test_a_broadcast_goes_on_until_the_transaction_is_in(
    wire: Wire, node: Node, author: Author, signer: Sign
) -> None:
    alice = signer("//Alice")
    first, second = alice.sign(remark()), alice.sign(remark(b"2"))
    ident = wire.ask("transaction_v1_broadcast", "0x" + second.hex())
    assert isinstance(ident, str)
    node.pool.on_revert(0, [])
    assert len(node.pool.pending()) == 1
    wire.ask("transaction_v1_broadcast", "0x" + first.hex())
    block = author.seal(NOW)
    assert block is not None and {first, second} <= set(block.extrinsics)
    assert wire.ask("transaction_v1_stop", ident) is None
    assert code(wire.ask("transaction_v1_stop", ident)) == -32602
    assert code(wire.ask("transaction_v1_stop", "nonsense")) == -32602


def test_broadcasts_are_bounded_and_end_with_the_connection(wire: Wire, node: Node, signer: Sign) -> None:
    alice = signer("//Alice")
    alice.nonce = 1  # they wait for a first one that never comes
    idents = [wire.ask("transaction_v1_broadcast", "0x" + alice.sign(remark()).hex()) for _ in range(17)]
    assert all(idents[:16]) and idents[16] is None
    wire.end()
    assert len(node.pool.pending()) == 16, "what is in the pool stays there"


def test_all_of_it_is_listed(wire: Wire) -> None:
    listed = wire.ask("rpc_methods")["methods"]
    assert {"chainHead_v1_follow", "archive_v1_storage", "transactionWatch_v1_submitAndWatch"} <= set(listed)


def test_a_pruned_state_is_an_error_not_an_unknown_block(tmp_path: Path, gristmill: GristmillRuntime) -> None:
    pruning = Pruning(state=Mode.parse("2", "--state-pruning"))
    with Database.open(tmp_path / "pruned", sync=False, pruning=pruning) as database:
        node = open_node(resolve("dev"), database, gristmill)
        wire = Wire(node)
        genesis = "0x" + node.chain.genesis_hash.hex()
        for i in range(200):
            node.author.seal(NOW + i, empty=True)
        assert wire.ask("chain_getHeader", genesis)["number"] == "0x0"
        error = wire.ask("state_getStorage", TIME, genesis)
        assert error["code"] == 4003 and "State already discarded" in error["message"]
        assert wire.ask("archive_v1_call", genesis, "Core_version", "0x")["success"] is False
        wire.ask("archive_v1_storage", genesis, [{"key": TIME, "type": "value"}])
        [event] = wire.events()
        assert event["event"] == "storageError" and "State already discarded" in event["error"]
        head = "0x" + node.chain.head.hash.hex()
        wire.ask("archive_v1_storageDiff", head, None, genesis)
        assert "State already discarded" in wire.events()[-1]["error"]
        ident = wire.ask("chainHead_v1_follow", False)
        hashes = wire.events()[0]["finalizedBlockHashes"]
        assert len(hashes) == 2, "those whose state is kept"
        for i in range(200, 400):
            node.author.seal(NOW + i, empty=True)
        wire.events()
        wire.ask("chainHead_v1_storage", ident, hashes[0], [{"key": TIME, "type": "value"}])
        assert wire.events()[0]["items"], "a pinned state stays"


def test_a_listener_that_fails_stops_nobody(wire: Wire, node: Node, author: Author) -> None:
    def fail(imported: object) -> None:
        raise ValueError("a defect")

    node.chain.subscribe(fail)
    wire.ask("chain_subscribeNewHeads")
    author.seal(NOW, empty=True)
    assert [head["number"] for head in wire.events()] == ["0x0", "0x1"]
