"""What the calls of the pallet datasets weigh. `columns` are the schema's; policies are the longest."""

from __future__ import annotations

from collections.abc import Iterator

from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.datasets.pallet import Datasets
from primitives.data import COLUMNS_MAX, DatasetKind, DatasetState
from primitives.largest import policy, schema, seal_key


def _registered(b: Bench[Datasets], columns: int) -> int:
    who = b.endow(b.signer())
    number = b.pallet.next_dataset_id.get()
    kind, rows = DatasetKind.Static, 1_000
    b.pallet.register(b.caller(), kind, schema(columns), bytes(32), rows, rows, seal_key(), policy(who))
    return number


@benchmark(columns=Linear(1, COLUMNS_MAX))
def register(b: Bench[Datasets], columns: int) -> Iterator[Measured]:
    """A schema of so many columns."""
    who = b.endow(b.signer())
    call = b.pallet.register.new(
        DatasetKind.Static, schema(columns), bytes(32), 7, 7, seal_key(), policy(who)
    )
    yield b.extrinsic(b.caller(), call)
    assert b.pallet.datasets[b.pallet.next_dataset_id.get() - 1].owner == who


@benchmark(columns=Linear(1, COLUMNS_MAX))
def update(b: Bench[Datasets], columns: int) -> Iterator[Measured]:
    """A new root and more rows."""
    number = _registered(b, columns)
    yield b.extrinsic(b.caller(), b.pallet.update.new(number, bytes(32), 2_000, 2_000))
    assert b.pallet.datasets[number].version == 1


@benchmark(columns=Linear(1, COLUMNS_MAX))
def set_policy(b: Bench[Datasets], columns: int) -> Iterator[Measured]:
    """Another of the longest policies."""
    number = _registered(b, columns)
    new = policy(b.account("friend"))
    yield b.extrinsic(b.caller(), b.pallet.set_policy.new(number, new))
    assert b.pallet.datasets[number].policy == new


@benchmark(columns=Linear(1, COLUMNS_MAX))
def close(b: Bench[Datasets], columns: int) -> Iterator[Measured]:
    """At once: the deposit goes back."""
    number = _registered(b, columns)
    yield b.extrinsic(b.caller(), b.pallet.close.new(number))
    assert b.pallet.datasets[number].state == DatasetState.Closed
