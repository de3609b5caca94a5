"""Old states over JSON-RPC: readable and provable in the window of `--state-pruning`, refused in Substrate's
words beyond it, and all there in an archive.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from primitives.hashing import twox_128
from primitives.trie import verify_proof
from tests.running_node import RpcRefusal, RunningNode

NUMBER = "0x" + (twox_128(b"System") + twox_128(b"Number")).hex()
BLOCKS, KEPT = 12, 4


def grown(*flags: str, base_path: Path | None = None) -> RunningNode:
    """A node with some blocks, made by hand."""
    node = RunningNode("--sealing=manual", "--rpc-workers=0", *flags, base_path=base_path)
    for _ in range(BLOCKS):
        node.rpc("engine_createBlock", True, True)
    return node


def check_readable(node: RunningNode, number: int) -> None:
    """Read, proved against the header, and executable there."""
    at = node.rpc("chain_getBlockHash", number)
    value = node.rpc("state_getStorage", NUMBER, at)
    assert value == "0x" + number.to_bytes(4, "little").hex()
    root = bytes.fromhex(node.rpc("chain_getHeader", at)["stateRoot"][2:])
    proof = [bytes.fromhex(item[2:]) for item in node.rpc("state_getReadProof", [NUMBER], at)["proof"]]
    assert verify_proof(root, proof, bytes.fromhex(NUMBER[2:])) == number.to_bytes(4, "little")
    assert node.rpc("state_call", "Core_version", "0x", at) == node.rpc("state_call", "Core_version", "0x")


def test_within_the_window_and_beyond(tmp_path: Path) -> None:
    with grown(f"--state-pruning={KEPT}", base_path=tmp_path) as node:
        for number in range(BLOCKS - KEPT + 1, BLOCKS + 1):
            check_readable(node, number)
        gone = node.rpc("chain_getBlockHash", BLOCKS - KEPT)
        for method, *params in (
            ("state_getStorage", NUMBER, gone),
            ("state_getReadProof", [NUMBER], gone),
            ("state_call", "Core_version", "0x", gone),
            ("state_getKeysPaged", "0x", 5, None, gone),
            ("state_queryStorageAt", [NUMBER], gone),
        ):
            with pytest.raises(RpcRefusal) as caught:
                node.rpc(method, *params)
            assert caught.value.code == 4003, method
            assert caught.value.message == f"Client error: UnknownBlock: State already discarded for {gone}"
        assert node.rpc("chain_getBlock", gone)["block"]["header"]["number"] == hex(BLOCKS - KEPT)
        with pytest.raises(RpcRefusal, match="State already discarded"):
            node.rpc("dev_setHead", gone)
        node.rpc("dev_setHead", node.rpc("chain_getBlockHash", BLOCKS - 1))
        check_readable(node, BLOCKS - 1)
    with RunningNode("--state-pruning=2", base_path=tmp_path) as node:
        check_readable(node, BLOCKS - 1)


def test_an_archive_keeps_all() -> None:
    with grown("--state-pruning=archive") as node:
        for number in (1, 2, BLOCKS // 2, BLOCKS):
            check_readable(node, number)
