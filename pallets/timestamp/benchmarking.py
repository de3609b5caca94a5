"""What the call and the hook of the pallet timestamp weigh."""

from __future__ import annotations

from collections.abc import Iterator

from frame.benchmarking import Bench, Measured, benchmark
from pallets.timestamp.pallet import Timestamp

NOW = 1_700_000_000_000


@benchmark()
def set(b: Bench[Timestamp]) -> Iterator[Measured]:
    """Later than the block before."""
    b.ext.set_time(NOW)
    yield b.extrinsic(b.none(), b.pallet.set.new(NOW + 6_000))
    assert b.pallet.now() == NOW + 6_000


@benchmark()
def on_finalize(b: Bench[Timestamp]) -> Iterator[Measured]:
    """Take the flag."""
    b.pallet.did_update.put(True)
    yield lambda: b.pallet.on_finalize(1)
    assert not b.pallet.did_update.exists()
