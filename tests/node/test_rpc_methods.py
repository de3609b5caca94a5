"""What single methods answer over the real runtime: fees, nonces, the pool, history, proofs, names."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from node.authoring import Author
from node.rpc import server  # noqa: F401  (fills the table)
from node.rpc.session import Limits, Session
from node.rpc.table import METHODS, method, names, subscription
from node.service import Node
from primitives.trie import verify_proof
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
EVENTS = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"
TIME = "0xf0c365c3cf59d671eb72da0e7a4113c49f1f0515f462cdcf84e0f1d6045dfcbb"
Sign = Callable[[str], Signer]


class Asker:
    """Asks and expects a result."""

    def __init__(self, node: Node) -> None:
        self.session = Session(node, Limits())

    def __call__(self, method: str, *params: Any) -> Any:
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return json.loads(self.session.answer(text))["result"]


@pytest.fixture
def ask(node: Node) -> Asker:
    return Asker(node)


def balance(node: Node, who: bytes) -> int:
    from primitives.hashing import blake2_128_concat, twox_128

    value = node.chain.state().get(twox_128(b"System") + twox_128(b"Account") + blake2_128_concat(who))
    return int.from_bytes((value or bytes(80))[16:32], "little")


def test_the_fee_announced_is_the_fee_charged(node: Node, author: Author, ask: Asker, signer: Sign) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    extrinsic = alice.sign(transfer(bob.account, GRIST), tip=77)
    info = ask("payment_queryInfo", "0x" + extrinsic.hex())
    parts = ask("payment_queryFeeDetails", "0x" + extrinsic.hex())["inclusionFee"]
    assert info["class"] == "normal" and info["weight"]["ref_time"] > 0
    assert sum(int(part, 16) for part in parts.values()) == int(info["partialFee"])
    before = balance(node, alice.account)
    node.submit(extrinsic)
    author.seal(NOW)
    assert before - balance(node, alice.account) == GRIST + 77 + int(info["partialFee"])


def test_the_next_index_counts_the_pool(node: Node, author: Author, ask: Asker, signer: Sign) -> None:
    alice = signer("//Alice")
    first, second = alice.sign(remark()), alice.sign(remark())
    for extrinsic in (first, second):
        ask("author_submitExtrinsic", "0x" + extrinsic.hex())
    assert ask("system_accountNextIndex", alice.pair.address) == 2
    assert ask("account_nextIndex", "0x" + alice.account.hex()) == 2
    assert ask("state_call", "AccountNonceApi_account_nonce", "0x" + alice.account.hex()) == "0x00000000"
    assert ask("author_pendingExtrinsics") == ["0x" + first.hex(), "0x" + second.hex()]
    author.seal(NOW)
    assert ask("author_pendingExtrinsics") == [] and ask("system_accountNextIndex", alice.pair.address) == 2


def test_history_block_by_block(author: Author, ask: Asker) -> None:
    for i in range(3):
        author.seal(NOW + 1000 * i, empty=True)
    hashes = ask("chain_getBlockHash", [0, 1, "0x2", 3, 4])
    assert hashes[4] is None and len(set(hashes[:4])) == 4
    found = ask("state_queryStorage", [TIME, "0x1234"], hashes[0], hashes[3])
    assert [entry["block"] for entry in found] == hashes[:4]
    assert found[0]["changes"] == [[TIME, None], ["0x1234", None]]
    moments = [entry["changes"][0][1] for entry in found[1:]]
    assert moments == ["0x" + (NOW + 1000 * i).to_bytes(8, "little").hex() for i in range(3)]
    assert moments[0] == ask("state_getStorageAt", TIME, hashes[1])
    assert ask("chain_getBlock", hashes[2])["block"]["header"] == ask("chain_getHeader", hashes[2])
    assert ask("system_syncState") == {"startingBlock": 0, "currentBlock": 3, "highestBlock": 3}


def test_a_read_proof_proves_values_and_absence_now_and_then(author: Author, ask: Asker) -> None:
    genesis = ask("chain_getBlockHash", 0)
    author.seal(NOW, empty=True)
    for at in (None, genesis):
        answer = ask("state_getReadProof", [TIME, "0x1234"], at)
        root = bytes.fromhex(ask("chain_getHeader", answer["at"])["stateRoot"][2:])
        proof = [bytes.fromhex(item[2:]) for item in answer["proof"]]
        value = ask("state_getStorage", TIME, at)
        proven = verify_proof(root, proof, bytes.fromhex(TIME[2:]))
        assert proven == (None if value is None else bytes.fromhex(value[2:]))
        assert verify_proof(root, proof, b"\x12\x34") is None


def test_who_the_node_is(ask: Asker) -> None:
    assert ask("system_chain") == "Gristmill Development" and ask("system_chainType") == "Development"
    properties = {"ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "GRIST"}
    assert ask("system_properties") == properties
    assert ask("system_localPeerId").startswith("12D3KooW") and ask("system_peers") == []
    version = ask("state_getRuntimeVersion")
    assert version["specName"] == "gristmill" and version["stateVersion"] == 1
    assert ["0xdf6acb689907609b", 5] in version["apis"]
    assert ask("state_getMetadata").startswith("0x6d6574610e")


def test_the_status_of_a_block_without_transactions_is_final_at_once(author: Author, ask: Asker) -> None:
    author.seal(NOW, empty=True)
    assert ask("chain_getFinalizedHead") == ask("chain_getBlockHash") == ask("chain_getHead")
    assert ask("state_getStorage", EVENTS) is not None


def test_a_name_is_given_once() -> None:
    """A second method of the same name would silently take the place of the first."""
    before = dict(METHODS)
    with pytest.raises(ValueError, match="the RPC method system_peers is in the table twice"):
        method("system_peers")(lambda node: [])
    with pytest.raises(ValueError, match="chain_unsubscribeNewHeads is in the table twice"):
        subscription("test_subscribe", "test_event", "chain_unsubscribeNewHeads")(lambda node, sink: list)
    assert before == METHODS and "test_subscribe" not in names()
