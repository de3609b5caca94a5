"""Drivers decide when a block is made, never what is in it; and the head can go back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import node.chain as chain_module
from chain_spec import resolve
from node.authoring import Author
from node.chain import Finalized, Head, Imported, Reverted
from node.clock import Clock
from node.database import Database
from node.errors import BadBlock, BadOption, UnknownBlock
from node.pool import Limits, Phase, Status
from node.run import open_node
from node.sealing.instant import LONGEST
from node.service import Node
from runtime import GristmillRuntime
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
Sign = Callable[[str], Signer]


@contextmanager
def fresh_node(folder: Path, gristmill: GristmillRuntime) -> Iterator[Node]:
    with Database.open(folder, sync=False) as database:
        yield open_node(resolve("dev"), database, gristmill)


async def sealed_by(driver: str, node: Node, load: list[bytes]) -> list[Head]:
    """Each extrinsic in a block of its own, at times that the test says, made by the driver."""
    times = iter(range(NOW, NOW + 1_000_000, 7))
    node.clock = Clock(lambda: next(times))
    node.sealing.choose(driver)
    made: asyncio.Queue[Imported] = asyncio.Queue()
    node.chain.subscribe(made.put_nowait)
    waiting = iter(load)
    node.submit(next(waiting))
    node.chain.subscribe(lambda _: node.submit(next(waiting)) if len(load) > node.chain.head.number else None)
    running = asyncio.create_task(node.sealing.run())
    heads = []
    try:
        while len(heads) < len(load):
            if driver == "manual":
                await asyncio.sleep(0)
                node.author.seal(node.clock.now())
            block = await asyncio.wait_for(made.get(), 10)
            heads.append(Head(block.number, block.hash, block.header))
    finally:
        running.cancel()
    return heads


def test_the_same_extrinsics_and_times_give_the_same_headers_under_each_driver(
    tmp_path: Path, gristmill: GristmillRuntime
) -> None:
    load: list[bytes] = []
    chains: dict[str, list[Head]] = {}
    for driver in ("manual", "instant", "interval=10"):
        with fresh_node(tmp_path / driver, gristmill) as node:
            if not load:
                alice, bob = (Signer(uri, node.chain.genesis_hash) for uri in ("//Alice", "//Bob"))
                load = [alice.sign(transfer(bob.account, i * GRIST)) for i in range(1, 5)]
                load += [bob.sign(remark(bytes(i))) for i in range(4)]
            chains[driver] = asyncio.run(sealed_by(driver, node, load))
    assert chains["manual"] == chains["instant"] == chains["interval=10"]
    assert [head.number for head in chains["manual"]] == list(range(1, 9))


def test_the_driver_may_change_while_the_node_runs(node: Node, signer: Sign) -> None:
    alice = signer("//Alice")

    async def height_above(height: int) -> int:
        async with asyncio.timeout(20):
            while node.chain.head.number <= height:
                await asyncio.sleep(0.005)
        return node.chain.head.number

    async def course() -> None:
        running = asyncio.create_task(node.sealing.run())
        node.sealing.choose("manual")
        await asyncio.sleep(0)
        node.submit(alice.sign(remark()))
        await asyncio.sleep(0.05)
        assert node.chain.head.number == 0
        node.sealing.choose("instant")
        assert await height_above(0) == 1
        node.sealing.choose("manual")
        await asyncio.sleep(0)
        node.submit(alice.sign(remark()))
        await asyncio.sleep(0.05)
        assert node.chain.head.number == 1
        node.sealing.choose("interval=5")
        assert await height_above(2) > 2, "an interval makes empty blocks too"
        running.cancel()

    asyncio.run(course())
    with pytest.raises(BadOption):
        node.sealing.choose("interval")
    assert node.sealing.name == "interval=5"


def test_instant_sealing_waits_while_workers_are_busy_but_not_for_ever(
    node: Node, signer: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, clock = signer("//Alice"), iter(range(1000))
    monkeypatch.setattr("node.sealing.instant.time.monotonic", lambda: next(clock) * LONGEST / 50)

    async def course() -> None:
        node.sealing.choose("instant")
        running = asyncio.create_task(node.sealing.run())
        node.pool.expected = 1
        node.submit(alice.sign(remark()))
        for _ in range(10):
            await asyncio.sleep(0)
        node.submit(alice.sign(remark()))
        assert node.chain.head.number == 0
        node.pool.expected = 0
        while node.chain.head.number == 0:
            await asyncio.sleep(0)
        assert len(node.chain.body(node.chain.head.hash) or ()) == 3
        node.pool.expected = 1  # and nothing comes
        node.submit(alice.sign(remark()))
        async with asyncio.timeout(20):
            while node.chain.head.number == 1:
                await asyncio.sleep(0.001)
        running.cancel()

    asyncio.run(course())


def test_a_defect_of_a_driver_comes_out(node: Node) -> None:
    class Broken:
        async def run(self) -> None:
            raise ZeroDivisionError

    node.sealing._driver = Broken()
    with pytest.raises(ZeroDivisionError):
        asyncio.run(asyncio.wait_for(node.sealing.run(), 5))


def test_time_travel_moves_new_blocks_and_never_back(node: Node, author: Author) -> None:
    node.clock.travel_to(NOW)
    first = author.seal(node.clock.now(), empty=True)
    node.clock.travel_to(0)
    second = author.seal(node.clock.now(), empty=True)
    assert first is not None and second is not None
    moments = [int.from_bytes(block.extrinsics[0][5:], "little") for block in (first, second)]
    assert NOW <= moments[0] < NOW + 60_000 and moments[1] == moments[0] + 1


# ── the head goes back ──────────────────────────────────────────────────────


def sealed(author: Author, count: int) -> list[Imported]:
    blocks = [author.seal(NOW + i, empty=True) for i in range(count)]
    return [block for block in blocks if block is not None]


def test_going_back_tells_everybody_and_the_chain_goes_on_from_there(
    node: Node, author: Author, signer: Sign
) -> None:
    alice, heard, events = signer("//Alice"), list[Status](), list[Reverted]()
    node.chain.on_reverted(events.append)
    first = alice.sign(remark(b"1"))
    node.submit(first, heard.append)
    blocks = sealed(author, 4)
    second = alice.sign(remark(b"2"))
    node.submit(second)
    reverted = node.chain.revert_to(blocks[0].header.parent_hash)
    assert events == [reverted] and reverted is not None
    assert reverted.head.number == 0 == node.chain.head.number == node.chain.finalized.number
    assert reverted.retracted == tuple(block.hash for block in blocks) and reverted.was_final
    assert heard[-1].phase is Phase.FINALIZED, "a watcher that heard the end hears nothing more"
    assert [tx.data for tx in node.pool.pending()] == [first, second] and not len(node.pool.future)
    again = author.seal(NOW)
    assert again is not None and len(again.extrinsics) == 3
    assert node.chain.revert_to(again.hash) is None and len(events) == 1
    for target in (7, b"\1" * 32, blocks[3].hash):
        with pytest.raises(UnknownBlock):
            node.chain.revert_to(target)
    assert node.chain.head.hash == again.hash


def test_what_is_not_final_may_be_built_over(node: Node, author: Author, signer: Sign) -> None:
    alice, heard, final = signer("//Alice"), list[Status](), list[Finalized]()
    node.chain.on_finalized(final.append)
    node.submit(alice.sign(remark()), heard.append)
    one = author.seal(NOW, finalize=False)
    two = author.seal(NOW, empty=True, finalize=False)
    assert one is not None and two is not None
    assert node.chain.finalized.number == 0 and node.chain.head.number == 2 and not final
    assert [status.phase for status in heard] == [Phase.READY, Phase.IN_BLOCK]
    assert node.chain.finalize(one.hash) and not node.chain.finalize(one.hash)
    assert final == [Finalized(1, (one.hash,))] and heard[-1] == Status(Phase.FINALIZED, one.hash)
    assert author.seal(NOW, parent=one.hash) is None and node.chain.head.hash == two.hash
    other = author.seal(NOW + 9, empty=True, parent=one.hash)
    assert other is not None and other.number == 2 and node.chain.hash_at(2) == other.hash != two.hash
    assert final[-1] == Finalized(2, (other.hash,))
    for parent, error in ((one.hash, BadBlock), (two.hash, UnknownBlock)):
        with pytest.raises(error):
            author.seal(NOW, empty=True, parent=parent)
    assert node.chain.head.hash == other.hash


def test_what_lost_blocks_held_comes_back_and_its_watcher_hears_so(
    node: Node, author: Author, signer: Sign
) -> None:
    heard, woken = list[Status](), list[int]()
    alice, bob = signer("//Alice"), signer("//Bob")
    extrinsics = [alice.sign(remark()), bob.sign(remark()), alice.sign(remark(b"2"))]
    node.submit(extrinsics[0], heard.append)
    one = author.seal(NOW, finalize=False)
    for extrinsic in extrinsics[1:]:
        node.submit(extrinsic)
    author.seal(NOW, finalize=False)
    assert one is not None
    node.pool.on_ready = lambda: woken.append(1)
    node.chain.revert_to(0)
    assert not woken, "whoever goes back wants to be there"
    assert [tx.data for tx in node.pool.pending()] == extrinsics
    assert heard[2:] == [Status(Phase.RETRACTED, one.hash), Status(Phase.READY)]
    again = author.seal(NOW)
    assert again is not None and list(again.extrinsics[1:]) == extrinsics
    assert heard[4:] == [Status(Phase.IN_BLOCK, again.hash), Status(Phase.FINALIZED, again.hash)]


def test_what_a_block_in_another_place_holds_comes_back_only_once(
    node: Node, author: Author, signer: Sign
) -> None:
    alice, bob = signer("//Alice"), signer("//Bob")
    first, second, third = alice.sign(remark()), alice.sign(remark(b"2")), bob.sign(remark())
    node.submit(first)
    one = author.seal(NOW, finalize=False)
    node.submit(second)
    two = author.seal(NOW, finalize=False)
    node.submit(third)
    assert one is not None and two is not None
    other = author.seal(NOW + 9, parent=one.hash)
    assert other is not None and other.number == 2 and list(other.extrinsics[1:]) == [third]
    assert [tx.data for tx in node.pool.pending()] == [second]


def test_no_more_comes_back_than_a_pool_may_hold(
    node: Node, author: Author, signer: Sign, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice = signer("//Alice")
    extrinsics = [alice.sign(remark(b"%d" % i)) for i in range(6)]
    for pair in range(3):
        for extrinsic in extrinsics[2 * pair : 2 * pair + 2]:
            node.submit(extrinsic)
        author.seal(NOW)
    monkeypatch.setattr(chain_module, "RETURNED", Limits(3, 10_000))
    node.chain.revert_to(0)
    assert [tx.data for tx in node.pool.pending()] == extrinsics[:3]
