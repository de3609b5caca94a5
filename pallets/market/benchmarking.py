"""What the calls of the pallet market weigh. `columns` are those of the dataset's schema, which is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from frame.benchmarking import Bench, Linear, Measured, benchmark
from pallets.market.pallet import Market
from primitives.data import COLUMNS_MAX, DatasetKind, Tariff, Terms, Windows
from primitives.largest import policy, schema, seal_key

HOUR = 3_600_000
TERMS = Terms.Rent(
    tariff=Tariff(base=10**9, per_gwork=1, per_rho=1),
    windows=Windows(accept_ms=HOUR, result_ms=HOUR, confirm_ms=HOUR),
)


def _dataset(b: Bench[Market], columns: int) -> int:
    datasets: Any = b.pallet.config.datasets
    who = b.endow(b.signer())
    number: int = datasets.next_dataset_id.get()
    datasets.register(
        b.caller(), DatasetKind.Static, schema(columns), bytes(32), 7, 7, seal_key(), policy(who)
    )
    return number


@benchmark(columns=Linear(1, COLUMNS_MAX))
def list(b: Bench[Market], columns: int) -> Iterator[Measured]:
    """A first offer."""
    number = _dataset(b, columns)
    yield b.extrinsic(b.caller(), b.pallet.list.new(number, TERMS))
    assert b.pallet.listings[number].terms == TERMS


@benchmark(columns=Linear(1, COLUMNS_MAX))
def unlist(b: Bench[Market], columns: int) -> Iterator[Measured]:
    """An offer that is there."""
    number = _dataset(b, columns)
    b.pallet.list(b.caller(), number, TERMS)
    yield b.extrinsic(b.caller(), b.pallet.unlist.new(number))
    assert number not in b.pallet.listings
