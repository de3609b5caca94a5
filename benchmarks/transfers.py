"""Accounts with money and transfers signed beforehand: what the load of the node's benchmarks is made of."""

from __future__ import annotations

from itertools import islice

from primitives.scale import CompactU32, codec
from tests.running_node import RunningNode
from tests.signing import GRIST, Signer, transfer

BATCH_ALL = b"\x05\x02"
FUNDS = 100 * GRIST
BATCH = 250
_COUNT = codec(CompactU32)


def signers(node: RunningNode, count: int) -> list[Signer]:
    """`count` accounts of their own, each with enough money; waits until they have it."""
    genesis = bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:])
    alice = Signer("//Alice", genesis)
    alice.nonce = node.rpc("system_accountNextIndex", alice.pair.address)
    made = [Signer(f"//load/{i}", genesis) for i in range(count)]
    rest = iter(made)
    while batch := list(islice(rest, BATCH)):
        calls = b"".join(transfer(signer.account, FUNDS) for signer in batch)
        extrinsic = alice.sign(BATCH_ALL + _COUNT.encode(len(batch)) + calls)
        node.rpc("author_submitExtrinsic", "0x" + extrinsic.hex())
    wait_for_nonce(node, alice)
    return made


def wait_for_nonce(node: RunningNode, signer: Signer) -> None:
    """Until a block holds all that `signer` has signed."""
    for number in range(1, 10_000):
        node.wait_for_block(number)
        answer = node.rpc("state_call", "AccountNonceApi_account_nonce", "0x" + signer.account.hex())
        if int.from_bytes(bytes.fromhex(answer[2:]), "little") >= signer.nonce:
            return


def signed_transfers(sources: list[Signer], each: int) -> list[bytes]:
    """`each` transfers of every account to its neighbour, one of every account at a time."""
    return [
        signer.sign(transfer(sources[i - 1].account, GRIST // 1000))
        for _ in range(each)
        for i, signer in enumerate(sources)
    ]
