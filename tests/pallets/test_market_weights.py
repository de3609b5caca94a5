"""The weights of the market's pallets are not below what the calls do, in their dearest cases."""

from __future__ import annotations

import pytest

from frame import RuntimeCall, Weight
from frame.weights import db
from pallets.compute.weights import Weights
from primitives.data import DatasetKind
from primitives.job import FailReason, RejectReason
from tests.pallets.samples import (
    ALICE,
    BOB,
    DAVE,
    HOUR,
    POLICY,
    SCHEMA,
    SPEC,
    blob_hash,
    hashes,
    rent,
    seal_key,
)
from tests.pallets.world import ERA, MODEL, RESULT, World

SMALL = b"a blob of one piece"


def assert_covered(world: World, call: RuntimeCall, who: bytes) -> None:
    """What the call declares pays for its reads, its writes and its proof, and so does what is left of that
    when it gives weight back; then does it."""
    reads, writes, size, charged = world.cost(call, who)
    needed = db(reads=reads, writes=writes).ref_time
    for weight in (world.weight(call), charged):
        assert weight.ref_time > needed, f"{call.name}: {reads} reads and {writes} writes"
        assert weight.proof_size >= size, f"{call.name}: {size} bytes read"
    assert charged.ref_time <= world.weight(call).ref_time
    world.do(call, who)


def test_blobs(world: World) -> None:
    blobs = world.blobs
    hash = blob_hash(SMALL)
    assert_covered(world, blobs.declare.new(len(SMALL), hashes(SMALL)), ALICE)
    with world.rehearsal():
        world.wait(HOUR)
        assert_covered(world, blobs.remove.new(hash), ALICE)
    with world.rehearsal():
        world.wait(31 * 24 * HOUR)
        assert_covered(world, blobs.expire.new(hash), BOB)
    assert_covered(world, blobs.put.new(hash, 0, SMALL), BOB)


def test_the_largest_blob(world: World) -> None:
    data = bytes(64 * 2**20)
    world.declare(ALICE, data)
    assert_covered(world, world.blobs.put.new(blob_hash(data), 9, data[: 2**18]), BOB)


def test_datasets_and_listings(world: World) -> None:
    register = world.datasets.register.new(
        DatasetKind.Static, SCHEMA, bytes(32), 1_000, 10, seal_key(), POLICY
    )
    assert_covered(world, register, ALICE)
    assert_covered(world, world.datasets.update.new(0, bytes(32), 100, 1), ALICE)
    assert_covered(world, world.datasets.set_policy.new(0, POLICY), ALICE)
    assert_covered(world, world.market.list.new(0, rent()), ALICE)
    assert_covered(world, world.market.unlist.new(0), ALICE)
    assert_covered(world, world.datasets.close.new(0), ALICE)


@pytest.mark.parametrize("closing", [False, True])
def test_jobs(world: World, closing: bool) -> None:
    """Also when the job's end closes its dataset."""
    compute = world.compute
    world.offer(ALICE)
    world.upload(BOB, MODEL)
    world.upload(ALICE, RESULT)
    assert_covered(world, compute.submit.new(0, blob_hash(MODEL), 1, SPEC, 2**100, seal_key()), BOB)
    if closing:
        world.do(world.datasets.close.new(0), ALICE)
    world.next_block()

    def rehearse(call: RuntimeCall, who: bytes, late: bool = False) -> None:
        with world.rehearsal():
            if late:
                world.wait(HOUR)
            assert_covered(world, call, who)

    rehearse(compute.cancel.new(0), BOB)
    rehearse(compute.reject.new(0, RejectReason.Busy), ALICE)
    rehearse(compute.expire.new(0), DAVE, late=True)
    assert_covered(world, compute.accept.new(0, None), ALICE)
    rehearse(compute.fail.new(0, FailReason.Provider), ALICE)
    rehearse(compute.expire.new(0), DAVE, late=True)
    result = compute.submit_result.new(0, blob_hash(RESULT), len(RESULT), bytes(32))
    assert_covered(world, result, ALICE)
    rehearse(compute.expire.new(0), DAVE, late=True)
    assert_covered(world, compute.confirm.new(0), BOB)
    era = world.rewards.era()
    world.wait(ERA)
    assert_covered(world, world.rewards.claim.new(era, 0), DAVE)


def test_a_job_is_charged_by_the_columns_of_its_dataset(world: World) -> None:
    """Declared for the most columns there can be; the rest is given back."""
    compute, columns = world.compute, len(SCHEMA.columns)
    world.offer(ALICE)
    world.upload(BOB, MODEL)
    world.upload(ALICE, RESULT)
    world.do(compute.submit.new(0, blob_hash(MODEL), 1, SPEC, 2**100, seal_key()), BOB)
    world.next_block()

    def charged(call: RuntimeCall, who: bytes, late: bool = False) -> Weight:
        with world.rehearsal():
            if late:
                world.wait(HOUR)
            return world.cost(call, who)[3]

    result = compute.submit_result.new(0, blob_hash(RESULT), len(RESULT), bytes(32))
    expire = compute.expire.new(0)
    assert charged(compute.cancel.new(0), BOB) == Weights.cancel(columns)
    assert charged(compute.reject.new(0, RejectReason.Busy), ALICE) == Weights.reject(columns)
    assert charged(expire, DAVE, late=True) == Weights.expire_unaccepted(columns)
    world.do(compute.accept.new(0, None), ALICE)
    assert charged(compute.fail.new(0, FailReason.Provider), ALICE) == Weights.fail(columns)
    assert charged(expire, DAVE, late=True) == Weights.expire_undelivered(columns)
    world.do(result, ALICE)
    assert charged(compute.confirm.new(0), BOB) == Weights.confirm(columns)
    assert charged(expire, DAVE, late=True) == Weights.expire_unconfirmed(columns)


def test_proof_sizes_cover_the_largest_entries(world: World) -> None:
    """A dataset with every column and account it may have, a blob with every piece."""
    largest = world.datasets.declaration.storage[0].codec.max_len
    assert largest is not None
    for call in (world.datasets.close.new(0), world.market.list.new(0, rent()), world.compute.cancel.new(0)):
        assert world.weight(call).proof_size > largest
    missing = world.blobs.declaration.storage[1].codec.max_len
    assert missing is not None
    assert world.weight(world.blobs.put.new(bytes(32), 0, b"")).proof_size > missing
