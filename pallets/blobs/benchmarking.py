"""What the calls of the pallet blobs weigh."""

from __future__ import annotations

from collections.abc import Iterator

from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.blobs.pallet import Blobs
from primitives.data import BLOB_MAX, PIECE, blob_hash_of, piece_hash

MOST = BLOB_MAX // PIECE
"""Pieces of the largest blob."""


def _hashes(b: Bench[Blobs], count: int) -> list[bytes]:
    return [b.unique("piece", number) for number in range(count)]


def _largest(b: Bench[Blobs]) -> bytes:
    """Declare a blob of the most pieces, none of which has arrived."""
    hashes = _hashes(b, MOST)
    b.endow(b.signer())
    b.pallet.declare(b.caller(), BLOB_MAX, hashes)
    return blob_hash_of(BLOB_MAX, hashes)


@benchmark(pieces=Linear(1, MOST))
def declare(b: Bench[Blobs], pieces: int) -> Iterator[Measured]:
    """A blob of so many pieces."""
    hashes = _hashes(b, pieces)
    b.endow(b.signer())
    yield b.extrinsic(b.caller(), b.pallet.declare.new(pieces * PIECE, hashes))
    assert b.pallet.missing[blob_hash_of(pieces * PIECE, hashes)] == hashes


@benchmark(data=Linear(1, PIECE))
def put(b: Bench[Blobs], data: int) -> Iterator[Measured]:
    """A piece of so many bytes, of a blob that has the most pieces and lacks this one and another."""
    length = PIECE * (MOST - 1) + data
    last = bytes(data)
    hashes = [*_hashes(b, MOST - 1), piece_hash(MOST - 1, last)]
    b.endow(b.signer())
    b.pallet.declare(b.caller(), length, hashes)
    blob = blob_hash_of(length, hashes)
    yield b.extrinsic(b.caller(), b.pallet.put.new(blob, MOST - 1, last))
    assert b.pallet.blobs[blob].received == 1


@benchmark()
def remove(b: Bench[Blobs]) -> Iterator[Measured]:
    """By its owner, when it may go."""
    blob = _largest(b)
    b.next_block(b.pallet.config.min_stay)
    yield b.extrinsic(b.caller(), b.pallet.remove.new(blob))
    assert blob not in b.pallet.blobs


@benchmark()
def expire(b: Bench[Blobs]) -> Iterator[Measured]:
    """By anybody, past its time."""
    blob = _largest(b)
    b.next_block(b.pallet.config.lifetime + 1)
    yield b.extrinsic(b.caller(1), b.pallet.expire.new(blob))
    assert blob not in b.pallet.blobs
