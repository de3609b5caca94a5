"""All that makes admission and block making short changes nothing: whatever arrives in whatever order, the
pool answers what the runtime says of each transaction alone, and each block is the one that the plain way
makes of the same extrinsics at the same time.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from chain_spec import resolve
from frame.forms import Form, KnownForm
from frame.runtime import Block
from frame.transaction import InvalidTransaction, Source
from node.authoring import Author
from node.chain import OpenBlock
from node.database import Database
from node.front.verify import Verifier
from node.host import NodeHost, VerdictCache
from node.pool import Limits, PoolConfig, PoolError
from node.pool.ready import ByHeap
from node.run import open_node
from node.service import Node
from primitives.hashing import blake2_256
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Pauper")
BIG = remark(bytes(1_500_000))
"""Two of these fill a block."""


def alone(node: Node, extrinsic: bytes) -> tuple[object, ...]:
    """What the runtime says, asked for this one transaction only, with nothing remembered."""
    chain = node.chain
    try:
        found = chain.runtime.validate(
            chain.state(), Source.External, extrinsic, chain.head.hash, NodeHost(VerdictCache())
        )
    except InvalidTransaction as error:
        return "invalid", error.kind
    return found.priority, tuple(found.requires), tuple(found.provides), found.longevity


class Arrivals:
    """Transactions as they come: due and early ones, dear and cheap, too many for one block, wrong ones."""

    def __init__(self, node: Node, seed: int) -> None:
        self.chance = random.Random(seed)
        self.signers = [Signer(f"//{name}", node.chain.genesis_hash) for name in NAMES]
        self.sent: list[bytes] = []

    def next(self) -> bytes:
        chance = self.chance
        signer, to = chance.choice(self.signers), chance.choice(self.signers)
        call = transfer(to.account, chance.choice([1, GRIST, 10**9 * GRIST]))
        tip = chance.choice([0, 0, 0, 0, 7, GRIST // 10])
        kind = chance.random()
        if kind < 0.6:
            made = signer.sign(call, tip=tip)
        elif kind < 0.75:  # in the place of another, or too early, or too late
            made = signer.sign(call, nonce=max(0, signer.nonce + chance.randrange(-3, 3)), tip=tip)
        elif kind < 0.83:
            made = signer.sign(BIG, tip=tip)
        elif kind < 0.9 and self.sent:
            return chance.choice(self.sent)
        else:
            wrong = bytearray(signer.sign(call, nonce=signer.nonce))
            wrong[chance.randrange(len(wrong))] ^= 1 << chance.randrange(8)
            made = bytes(wrong)
        self.sent.append(made)
        return made


def submit(node: Node, verifier: Verifier, extrinsic: bytes) -> bytes:
    """By its form, as from a worker, if it has one; else plainly."""
    verdict = verifier.verdict(extrinsic)
    if verdict is None or not verdict.good or verdict.form is None:
        return node.submit(extrinsic)
    nonce, form = verdict.form
    digest = blake2_256(extrinsic)
    for error in node.submit_row([extrinsic], [digest], [nonce], [form]).values():
        raise error
    return digest


def arrive(node: Node, verifier: Verifier, extrinsic: bytes) -> None:
    """Submit one, and hold the answer against the runtime's own word."""
    known = {tx.data for tx in node.pool.pending()}
    expected = None if extrinsic in known else alone(node, extrinsic)
    try:
        digest = submit(node, verifier, extrinsic)
    except PoolError as error:
        if expected is not None and expected[0] == "invalid":
            assert error.code in (1001, 1002, 1010), error
        else:
            assert error.code in ((1013,) if expected is None else (1001, 1014, 1016)), error
        return
    assert expected is not None
    tx = node.pool._get(digest)
    assert tx is not None and tx.data == extrinsic
    assert (tx.priority, tx.requires, tx.provides) == expected[:3]


def plainly(other: Node, extrinsics: tuple[bytes, ...], now: int) -> bytes:
    """The hash of the block of these, one by one from their bytes, every signature verified again."""
    other.chain.verdicts = VerdictCache()
    block = OpenBlock(other.chain, now)
    assert block.extrinsics == list(extrinsics[: block.inherents])
    for extrinsic in extrinsics[block.inherents :]:
        block.apply(extrinsic)
    return block.seal().hash


@pytest.mark.parametrize("seed", range(2))
def test_blocks_and_answers_are_those_of_the_plain_way(
    tmp_path: Path, gristmill: GristmillRuntime, seed: int
) -> None:
    limits = PoolConfig(ready=Limits(40, 20_000_000), future=Limits(8, 2_000_000), ban_seconds=0)
    with (
        Database.open(tmp_path / "a", sync=False) as a,
        Database.open(tmp_path / "b", sync=False) as b,
        Database.open(tmp_path / "c", sync=False) as c,
    ):
        node, other, third = (
            open_node(resolve("dev"), a, gristmill, limits),
            open_node(resolve("dev"), b, gristmill),
            open_node(resolve("dev"), c, gristmill),
        )
        author, arrivals = Author(node, patience=60), Arrivals(node, seed)
        verifier, formed = Verifier(gristmill, node.chain.genesis_hash), 0
        chance, filled, moved = arrivals.chance, 0, 0
        for turn in range(12):
            for _ in range(chance.randrange(1, 40)):
                arrive(node, verifier, arrivals.next())
            ready = node.pool.ready
            formed += sum(isinstance(tx.checked, KnownForm) for tx in ready)
            order = [tx.data for tx in ByHeap(ready._all, ready._roots)]
            block = author.seal(NOW + turn, empty=True)
            assert block is not None
            taken = list(block.extrinsics[1:])
            assert taken == [data for data in order if data in taken], "in the pool's order"
            verifier.learn(block.number, block.hash)
            filled += len(node.pool.ready) > 0
            moved += len(taken)
            assert plainly(other, block.extrinsics, NOW + turn) == block.hash
            third.chain.import_block(Block(block.header, list(block.extrinsics)))
            for signer in arrivals.signers:
                signer.nonce = max(signer.nonce - 3, 0) if chance.random() < 0.1 else signer.nonce
            if chance.random() < 0.15 and node.chain.head.number > 2:
                back = node.chain.head.number - 1
                for each in (node, other, third):
                    each.chain.revert_to(back)
        assert node.chain.head.hash == other.chain.head.hash == third.chain.head.hash
        assert moved > 60
        assert formed > 30, "some were judged by their forms"
        assert filled, "some blocks were full"


def code_of(error: Exception | None) -> int | None:
    assert error is None or isinstance(error, PoolError)
    return None if error is None else error.code


def one_by_one(node: Node, extrinsics: list[bytes]) -> list[int | None]:
    """The error of each, if any, by the long way."""
    codes = []
    for extrinsic in extrinsics:
        try:
            node.submit(extrinsic)
            codes.append(None)
        except PoolError as error:
            codes.append(code_of(error))
    return codes


def in_rows(node: Node, verifier: Verifier, extrinsics: list[bytes]) -> list[int | None]:
    """The same by the way of a worker: as many in a row as have a form."""
    codes: list[int | None] = []
    row: list[tuple[bytes, bytes, int, Form]] = []

    def send() -> None:
        if row:
            columns = [list(column) for column in zip(*row, strict=True)]
            refused = node.submit_row(*columns)  # type: ignore[arg-type]
            codes.extend(code_of(refused.get(at)) for at in range(len(row)))
            row.clear()

    for extrinsic in extrinsics:
        verdict = verifier.verdict(extrinsic)
        if verdict is not None and verdict.good and verdict.form is not None:
            row.append((extrinsic, blake2_256(extrinsic), *verdict.form))
        else:
            send()
            codes += one_by_one(node, [extrinsic])
    send()
    return codes


@pytest.mark.parametrize("room", [15, 8192])
def test_rows_fill_a_pool_as_one_by_one(tmp_path: Path, gristmill: GristmillRuntime, room: int) -> None:
    limits = PoolConfig(ready=Limits(room, 20_000_000), future=Limits(5, 2_000_000), ban_seconds=60)
    with (
        Database.open(tmp_path / "a", sync=False) as a,
        Database.open(tmp_path / "b", sync=False) as b,
    ):
        one, other = (open_node(resolve("dev"), each, gristmill, limits) for each in (a, b))
        arrivals, verifier = Arrivals(one, 7), Verifier(gristmill, one.chain.genesis_hash)
        said: list[int | None] = []
        for turn in range(5):
            row = [arrivals.next() for _ in range(50)]
            codes = one_by_one(one, row)
            assert in_rows(other, verifier, row) == codes
            assert [tx.data for tx in one.pool.pending()] == [tx.data for tx in other.pool.pending()]
            said += codes
            blocks = [Author(node, patience=60).seal(NOW + turn, empty=True) for node in (one, other)]
            assert blocks[0] is not None and blocks[1] is not None and blocks[0].hash == blocks[1].hash
            verifier.learn(blocks[0].number, blocks[0].hash)
        assert {None, 1010, 1013} <= set(said) and (1016 in said) == (room == 15)
