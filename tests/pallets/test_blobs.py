"""The blobs pallet: declare, put, remove, expire, and what other pallets ask of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from primitives.data import PIECE, pieces
from tests.pallets.samples import ALICE, BOB, HOUR, blob_hash, hashes
from tests.pallets.world import MIN_STAY, World

DATA = bytes(range(256)) * 2_000
"""Two pieces, the second shorter."""
HASH = blob_hash(DATA)
FIRST, SECOND = DATA[:PIECE], DATA[PIECE:]


@pytest.fixture
def declared(world: World) -> World:
    """A world in which Alice has declared DATA."""
    world.do(world.blobs.declare.new(len(DATA), hashes(DATA)), ALICE)
    return world


def test_declare_holds_a_deposit_for_the_length(world: World) -> None:
    free = world.free(ALICE)
    events = world.do(world.blobs.declare.new(len(DATA), hashes(DATA)), ALICE)
    assert world.blobs.Declared(hash=HASH, owner=ALICE, len=len(DATA)) in events
    deposit = 10**10 + 10**8 * 500
    assert world.held(ALICE) == deposit == free - world.free(ALICE)
    blob = world.blobs.blobs[HASH]
    assert (blob.len, blob.chunks, blob.received, blob.complete) == (len(DATA), 2, 0, False)
    assert blob.expires == world.now() + 30 * 24 * HOUR
    assert world.blobs.length(HASH) is None


@pytest.mark.parametrize(("length", "kib"), [(1, 1), (1024, 1), (1025, 2), (1_023_999, 1_000)])
def test_each_begun_kib_has_its_deposit(world: World, length: int, kib: int) -> None:
    world.do(world.blobs.declare.new(length, hashes(bytes(length))), ALICE)
    assert world.held(ALICE) == 10**10 + kib * 10**8


def test_a_blob_is_complete_with_its_last_piece(declared: World) -> None:
    world = declared
    events = world.do(world.blobs.put.new(HASH, 1, SECOND), ALICE)
    assert events == [world.blobs.PieceStored(hash=HASH, index=1)]
    assert world.blobs.missing[HASH] == [hashes(DATA)[0], bytes(32)]
    events = world.do(world.blobs.put.new(HASH, 0, FIRST), ALICE)
    assert events[-1] == world.blobs.Completed(hash=HASH)
    assert world.blobs.length(HASH) == len(DATA)
    assert HASH not in world.blobs.missing
    assert world.indexed() == [(HASH, 1, SECOND), (HASH, 0, FIRST)]


def test_whoever_has_the_bytes_may_put_them(declared: World) -> None:
    """A squatter who declares first only pays the deposit for others."""
    world = declared
    world.put(BOB, DATA)
    assert world.blobs.length(HASH) == len(DATA)
    assert world.blobs.blobs[HASH].owner == ALICE


@pytest.mark.parametrize(
    ("length", "pieces", "error"),
    [
        (0, [], "BadLength"),
        (64 * 2**20 + 1, hashes(DATA), "BadLength"),
        (len(DATA), hashes(DATA)[:1], "WrongPieces"),
        (len(DATA), [*hashes(DATA), bytes(32)], "WrongPieces"),
        (len(DATA), [hashes(DATA)[0], bytes(32)], "WrongPieces"),
    ],
)
def test_declare_refuses(world: World, length: int, pieces: list[bytes], error: str) -> None:
    world.refused(world.blobs.declare.new(length, pieces), ALICE, error)


def test_declare_refuses_what_is_known_and_who_cannot_pay(declared: World) -> None:
    world = declared
    world.refused(world.blobs.declare.new(len(DATA), hashes(DATA)), BOB, "AlreadyDeclared")
    world.empty(BOB)
    world.refused(world.blobs.declare.new(3, hashes(b"abc")), BOB, "CannotPayDeposit")


def test_the_length_is_part_of_the_hash(world: World) -> None:
    """A wrong length makes another blob, whose last piece then fits no bytes."""
    world.do(world.blobs.declare.new(len(DATA) - 1, hashes(DATA)), ALICE)
    (hash,) = world.blobs.blobs
    assert hash != HASH
    world.refused(world.blobs.put.new(hash, 1, SECOND), ALICE, "WrongPiece")
    world.refused(world.blobs.put.new(hash, 1, SECOND[:-1]), ALICE, "WrongPiece")


def test_put_refuses(declared: World) -> None:
    world = declared
    world.refused(world.blobs.put.new(bytes(32), 0, FIRST), ALICE, "UnknownBlob")
    world.refused(world.blobs.put.new(HASH, 2, FIRST), ALICE, "NoSuchPiece")
    world.refused(world.blobs.put.new(HASH, 1, FIRST), ALICE, "WrongPiece")
    world.refused(world.blobs.put.new(HASH, 0, FIRST[:-1] + b"\0"), ALICE, "WrongPiece")
    world.do(world.blobs.put.new(HASH, 0, FIRST), ALICE)
    world.refused(world.blobs.put.new(HASH, 0, FIRST), ALICE, "PieceKnown")
    world.do(world.blobs.put.new(HASH, 1, SECOND), ALICE)
    world.refused(world.blobs.put.new(HASH, 1, SECOND), ALICE, "PieceKnown")


def test_remove_gives_the_deposit_back_after_a_while(declared: World) -> None:
    world = declared
    world.refused(world.blobs.remove.new(HASH), ALICE, "TooEarly")
    world.wait(MIN_STAY - 1)
    world.refused(world.blobs.remove.new(HASH), ALICE, "TooEarly")
    world.wait(1)
    world.refused(world.blobs.remove.new(HASH), BOB, "NotYourBlob")
    events = world.do(world.blobs.remove.new(HASH), ALICE)
    assert world.blobs.Removed(hash=HASH) in events
    assert world.held(ALICE) == 0
    assert HASH not in world.blobs.blobs and HASH not in world.blobs.missing
    world.refused(world.blobs.remove.new(HASH), ALICE, "UnknownBlob")


def test_a_retained_blob_stays(declared: World) -> None:
    world = declared
    world.put(ALICE, DATA)
    world.blobs.retain(HASH)
    world.wait(31 * 24 * HOUR)
    world.refused(world.blobs.remove.new(HASH), ALICE, "BlobInUse")
    world.refused(world.blobs.expire.new(HASH), BOB, "BlobInUse")
    world.blobs.release(HASH)
    events = world.do(world.blobs.expire.new(HASH), BOB)
    assert world.blobs.Expired(hash=HASH) in events
    assert world.held(ALICE) == 0


def test_an_incomplete_blob_cannot_be_retained(declared: World) -> None:
    with pytest.raises(declared.blobs.UnknownBlob):
        declared.blobs.retain(HASH)


def test_expire_is_for_blobs_past_their_time(declared: World) -> None:
    world = declared
    world.wait(30 * 24 * HOUR)
    world.refused(world.blobs.expire.new(HASH), BOB, "TooEarly")
    world.wait(1)
    world.do(world.blobs.expire.new(HASH), BOB)
    world.refused(world.blobs.expire.new(HASH), BOB, "UnknownBlob")


def test_an_expired_blob_can_be_declared_again(declared: World) -> None:
    world = declared
    world.put(ALICE, DATA)
    world.wait(30 * 24 * HOUR + 1)
    world.do(world.blobs.expire.new(HASH), BOB)
    world.do(world.blobs.declare.new(len(DATA), hashes(DATA)), BOB)
    assert world.blobs.length(HASH) is None


def test_weights_follow_length_and_cover_what_is_read(world: World) -> None:
    assert (
        world.weight(world.blobs.put.new(HASH, 0, FIRST)).ref_time
        > world.weight(world.blobs.put.new(HASH, 0, b"")).ref_time
    )
    many = world.blobs.declare.new(len(DATA), hashes(DATA) * 128)
    assert world.weight(many).ref_time > world.weight(world.blobs.declare.new(1, [])).ref_time


@settings(max_examples=25, deadline=None)
@given(size=st.integers(1, 4 * PIECE), fill=st.binary(min_size=1, max_size=8), data=st.data())
def test_pieces_arrive_in_any_order_from_anybody(size: int, fill: bytes, data: st.DataObject) -> None:
    """Wrong pieces in between change nothing, and what the host was given is the blob."""
    world = World()
    blob = (fill * (size // len(fill) + 1))[:size]
    hash = world.declare(ALICE, blob)
    cut = pieces(blob)
    for index in data.draw(st.permutations(range(len(cut)))):
        wrong = bytes([cut[index][0] ^ 1]) + cut[index][1:]
        world.refused(world.blobs.put.new(hash, index, wrong), BOB, "WrongPiece")
        assert world.blobs.length(hash) is None
        world.do(world.blobs.put.new(hash, index, cut[index]), data.draw(st.sampled_from([ALICE, BOB])))
        world.check()
    assert world.blobs.length(hash) == size
    assert b"".join(piece for _, _, piece in sorted(world.indexed(), key=lambda item: item[1])) == blob
