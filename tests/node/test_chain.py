"""The importer and block production over the real runtime and database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from chain_spec import resolve
from frame.runtime import Block
from node.authoring import Author
from node.chain import OpenBlock
from node.database import Database
from node.errors import BadBlock, UnknownBlock, WrongChain
from node.pool import Phase, Status
from node.pool.errors import BadFormat, Invalid, VerificationFailed
from node.run import open_node
from node.service import Node
from primitives.scale import replace as replaced
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
Sign = Callable[[str], Signer]


def free(node: Node, who: bytes, at: bytes | None = None) -> int:
    from primitives.hashing import blake2_128_concat, twox_128

    key = twox_128(b"System") + twox_128(b"Account") + blake2_128_concat(who)
    value = node.chain.state(at).get(key)
    return 0 if value is None else int.from_bytes(value[16:32], "little")


def test_a_block_takes_all_that_is_ready_and_tells_everybody(
    node: Node, author: Author, signer: Sign
) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    heard: list[Status] = []
    heads: list[int] = []
    node.chain.subscribe(lambda imported: heads.append(imported.number))
    before = free(node, bob.account)
    node.submit(alice.sign(transfer(bob.account, 3 * GRIST)), heard.append)
    node.submit(alice.sign(transfer(bob.account, GRIST)))
    imported = author.seal(NOW)
    assert imported is not None and imported.number == 1 and len(imported.extrinsics) == 3
    assert free(node, bob.account) == before + 4 * GRIST
    assert free(node, bob.account, node.chain.genesis_hash) == before
    assert [status.phase for status in heard] == [Phase.READY, Phase.IN_BLOCK, Phase.FINALIZED]
    assert heads == [1] and node.chain.head.number == 1 and not len(node.pool.ready)


def test_nothing_ready_makes_no_block_unless_asked(node: Node, author: Author) -> None:
    assert author.seal(NOW) is None and node.chain.head.number == 0
    empty = author.seal(NOW, empty=True)
    assert empty is not None and len(empty.extrinsics) == 1


def test_a_block_that_takes_too_long_leaves_the_rest_to_the_next(node: Node, signer: Sign) -> None:
    alice, impatient = signer("//Alice"), Author(node, patience=0)
    for _ in range(3):
        node.submit(alice.sign(remark()))
    for left in (2, 1, 0):
        imported = impatient.seal(NOW)
        assert imported is not None and len(imported.extrinsics) == 2 and len(node.pool.ready) == left


def test_a_full_block_leaves_the_rest_to_the_next(node: Node, author: Author, signer: Sign) -> None:
    alice = signer("//Alice")
    sizes = []
    for _ in range(6):
        node.submit(alice.sign(remark(bytes(1_000_000))))
    while len(node.pool.ready):
        imported = author.seal(NOW)
        assert imported is not None
        sizes.append(len(imported.extrinsics) - 1)
    assert sum(sizes) == 6 and len(sizes) > 1 and min(sizes) > 0


def test_time_grows_strictly_even_if_the_clock_stands(node: Node, author: Author) -> None:
    moments = []
    for _ in range(3):
        imported = author.seal(NOW, empty=True)
        assert imported is not None
        moments.append(imported.extrinsics[0])
    assert len(set(moments)) == 3


def test_another_node_imports_the_same_blocks_to_the_same_state(
    node: Node, author: Author, signer: Sign, tmp_path: Path, gristmill: GristmillRuntime
) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    with Database.open(tmp_path / "other", sync=False) as database:
        other = open_node(resolve("dev"), database, gristmill)
        for i in range(3):
            node.submit(alice.sign(transfer(bob.account, GRIST)))
            node.submit(bob.sign(remark(bytes(i))))
            made = author.seal(NOW + i)
            assert made is not None
            taken = other.chain.import_block(Block(made.header, list(made.extrinsics)))
            assert taken == made, "an empty verdict cache changes nothing"
        assert other.chain.head == node.chain.head
        assert free(other, bob.account) == free(node, bob.account)


def test_a_block_that_is_not_what_its_header_says_changes_nothing(
    node: Node, author: Author, signer: Sign, tmp_path: Path, gristmill: GristmillRuntime
) -> None:
    alice = signer("//Alice")
    node.submit(alice.sign(remark()))
    made = author.seal(NOW)
    assert made is not None
    good = Block(made.header, list(made.extrinsics))
    signature_broken = bytearray(good.extrinsics[1])
    signature_broken[50] ^= 1
    wrong = {
        "state root": replace(good, header=replaced(good.header, state_root=bytes(32))),
        "extrinsics root": replace(good, header=replaced(good.header, extrinsics_root=bytes(32))),
        "number": replace(good, header=replaced(good.header, number=7)),
        "parent": replace(good, header=replaced(good.header, parent_hash=bytes(32))),
        "missing": replace(good, extrinsics=good.extrinsics[:1]),
        "no time": replace(good, extrinsics=good.extrinsics[1:]),
        "twice": replace(good, extrinsics=[*good.extrinsics, good.extrinsics[1]]),
        "signature": replace(good, extrinsics=[good.extrinsics[0], bytes(signature_broken)]),
        "garbage": replace(good, extrinsics=[good.extrinsics[0], b"\x08ab"]),
    }
    with Database.open(tmp_path / "other", sync=False) as database:
        other = open_node(resolve("dev"), database, gristmill)
        for block in wrong.values():
            with pytest.raises(BadBlock):
                other.chain.import_block(block)
            assert other.chain.head.number == 0
        other.chain.import_block(good)
        assert other.chain.head.hash == made.hash


def test_a_node_comes_back_where_it_was(tmp_path: Path, gristmill: GristmillRuntime) -> None:
    spec = resolve("dev")
    with Database.open(tmp_path / "db") as database:
        node = open_node(spec, database, gristmill)
        alice, author = Signer("//Alice", node.chain.genesis_hash), Author(node)
        for i in range(3):
            node.submit(alice.sign(remark()))
            author.seal(NOW + i)
        head = node.chain.head
    with Database.open(tmp_path / "db") as database:
        node = open_node(spec, database, gristmill)
        assert node.chain.head == head and not node.chain.is_new and node.started_at == 3
        node.submit(alice.sign(remark()))
        assert Author(node).seal(NOW) is not None, "a clock that fell behind does not stop the chain"
        assert node.chain.head.number == 4
    with Database.open(tmp_path / "db") as database, pytest.raises(WrongChain):
        open_node(resolve("local"), database, gristmill)


def test_nonces_wait_for_each_other(node: Node, author: Author, signer: Sign) -> None:
    alice = signer("//Alice")
    later, now = alice.sign(remark(), nonce=1), alice.sign(remark(), nonce=0)
    node.submit(later)
    assert author.seal(NOW) is None
    node.submit(now)
    imported = author.seal(NOW)
    assert imported is not None and list(imported.extrinsics[1:]) == [now, later]
    with pytest.raises(Invalid) as caught:
        node.submit(alice.sign(remark(b"again"), nonce=0))
    assert caught.value.data == "Transaction is outdated"


def test_what_turns_invalid_while_the_block_is_built_is_not_in_it(
    node: Node, author: Author, signer: Sign
) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    heard: list[Status] = []
    poorer = alice.sign(transfer(bob.account, free(node, alice.account) - GRIST // 100))
    node.submit(poorer)
    node.submit(alice.sign(remark(bytes(100_000)), tip=GRIST // 50), heard.append)  # cannot be paid any more
    follower = alice.sign(remark())
    node.submit(follower)
    imported = author.seal(NOW)
    assert imported is not None and list(imported.extrinsics[1:]) == [poorer]
    assert [status.phase for status in heard] == [Phase.READY, Phase.INVALID]
    assert not len(node.pool.ready), "nobody waits for one that cannot come"


def test_a_higher_tip_replaces_and_goes_first(node: Node, author: Author, signer: Sign) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    heard: list[Status] = []
    node.submit(alice.sign(remark(), nonce=0), heard.append)
    node.submit(bob.sign(remark(), nonce=0))
    rich = alice.sign(remark(b"rich"), nonce=0, tip=GRIST)
    node.submit(rich)
    assert heard[-1].phase is Phase.USURPED
    imported = author.seal(NOW)
    assert imported is not None and imported.extrinsics[1] == rich and len(imported.extrinsics) == 3


@pytest.mark.parametrize(
    ("mangle", "error"),
    [
        (lambda data: b"", BadFormat),
        (lambda data: data[:-1], BadFormat),
        (lambda data: data + b"\x00", BadFormat),
        (lambda data: b"\x00", VerificationFailed),
        (lambda data: b"\x04\x84", VerificationFailed),
        (lambda data: data[:2] + b"\x99" + data[3:], VerificationFailed),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], Invalid),
    ],
)
def test_malformed_extrinsics_are_refused_and_change_nothing(
    node: Node, author: Author, signer: Sign, mangle: Callable[[bytes], bytes], error: type[Exception]
) -> None:
    with pytest.raises(error):
        node.submit(mangle(signer("//Alice").sign(remark())))
    assert not node.pool.pending() and author.seal(NOW) is None


def test_a_dry_run_keeps_nothing(node: Node, signer: Sign) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    before = free(node, bob.account)
    assert node.dry_run(alice.sign(transfer(bob.account, GRIST), nonce=0), NOW) == b"\x00\x00"
    assert node.dry_run(alice.sign(transfer(bob.account, 10**30), nonce=0), NOW)[:2] == b"\x00\x01"
    assert node.dry_run(alice.sign(remark(), nonce=5), NOW) == b"\x01\x00\x02"
    assert free(node, bob.account) == before and node.chain.head.number == 0


def test_unknown_blocks_have_no_state(node: Node) -> None:
    with pytest.raises(UnknownBlock, match="Header was not found"):
        node.chain.state(bytes(32))


def test_a_forgotten_block_leaves_nothing(node: Node, signer: Sign) -> None:
    block = OpenBlock(node.chain, NOW)
    block.apply(signer("//Alice").sign(remark()))
    block.abandon()
    assert node.chain.head.number == 0
