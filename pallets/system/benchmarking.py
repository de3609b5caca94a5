"""What the calls of the pallet system weigh."""

from __future__ import annotations

from collections.abc import Iterator

from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.system.pallet import HEAP_PAGES, System
from primitives.hashing import blake2_256

LONGEST = 3_932_160 - 256
"""Bytes that an extrinsic may bring: 75 % of 5 MiB, and room for its signature."""


@benchmark(remark=Linear(0, LONGEST))
def remark(b: Bench[System], remark: int) -> Iterator[Measured]:
    """As many bytes as a block takes."""
    yield b.extrinsic(b.caller(), b.pallet.remark.new(bytes(remark)))


@benchmark()
def set_heap_pages(b: Bench[System]) -> Iterator[Measured]:
    """One value and a digest item."""
    yield b.extrinsic(b.root(), b.pallet.set_heap_pages.new(2048))
    assert b.ext.overlay.get(HEAP_PAGES) == (2048).to_bytes(8, "little")


@benchmark(items=Linear(0, 1000))
def set_storage(b: Bench[System], items: int) -> Iterator[Measured]:
    """So many new values."""
    pairs = [(_key(b, number), blake2_256(_key(b, number))) for number in range(items)]
    yield b.extrinsic(b.root(), b.pallet.set_storage.new(pairs))
    assert all(b.ext.overlay.get(key) == value for key, value in pairs)


@benchmark(keys=Linear(0, 1000))
def kill_storage(b: Bench[System], keys: int) -> Iterator[Measured]:
    """So many values that are there."""
    names = _stored(b, keys)
    yield b.extrinsic(b.root(), b.pallet.kill_storage.new(names))
    assert all(b.ext.overlay.get(name) is None for name in names)


@benchmark(subkeys=Linear(0, 1000))
def kill_prefix(b: Bench[System], subkeys: int) -> Iterator[Measured]:
    """So many values under one prefix, one more is left."""
    names = _stored(b, subkeys + 1)
    yield b.extrinsic(b.root(), b.pallet.kill_prefix.new(_prefix(b), subkeys))
    assert sum(b.ext.overlay.get(name) is not None for name in names) == 1


@benchmark(remark=Linear(0, LONGEST))
def remark_with_event(b: Bench[System], remark: int) -> Iterator[Measured]:
    """As many bytes as a block takes, hashed."""
    yield b.extrinsic(b.caller(), b.pallet.remark_with_event.new(bytes(remark)))
    assert isinstance(b.ext.last_event(), System.Remarked)


def _prefix(b: Bench[System]) -> bytes:
    return b.unique("prefix")[:16]


def _key(b: Bench[System], number: int) -> bytes:
    return _prefix(b) + blake2_256(number.to_bytes(4, "little"))


def _stored(b: Bench[System], count: int) -> list[bytes]:
    names = [_key(b, number) for number in range(count)]
    for name in names:
        b.ext.overlay.put(name, bytes(32))
    return names
