"""What the call of the pallet rewards weighs. `columns` are those of the dataset's schema, which is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.rewards.pallet import Rewards
from primitives.data import COLUMNS_MAX, DatasetKind
from primitives.largest import policy, schema, seal_key

FEES = 10**12


@benchmark(columns=Linear(1, COLUMNS_MAX))
def claim(b: Bench[Rewards], columns: int) -> Iterator[Measured]:
    """The first claim on an era, which fixes its budget, and not the last."""
    datasets: Any = b.pallet.config.datasets
    owner = b.endow(b.signer())
    b.endow(b.pallet.config.pool_account)
    number: int = datasets.next_dataset_id.get()
    datasets.register(
        b.caller(), DatasetKind.Static, schema(columns), bytes(32), 7, 7, seal_key(), policy(owner)
    )
    era = b.pallet.era()
    b.pallet.burned(number, FEES)
    b.pallet.burned(number + 1, FEES)
    b.next_block(b.pallet.config.era_ms)
    yield b.extrinsic(b.caller(1), b.pallet.claim.new(era, number))
    assert b.pallet.fees.get(era, number) is None
