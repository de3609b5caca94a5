"""What the hook of the pallet transaction_payment weighs."""

from __future__ import annotations

from collections.abc import Iterator

from frame.benchmarking import Bench, Measured, benchmark
from frame.call import DispatchClass
from frame.weights import PICOS_PER_SECOND, weight
from pallets.transaction_payment.pallet import TransactionPayment


@benchmark()
def on_finalize(b: Bench[TransactionPayment]) -> Iterator[Measured]:
    """Move the multiplier after a full block."""
    before = b.pallet.multiplier()
    b.pallet.system.register_extra_weight(weight(PICOS_PER_SECOND, 0), DispatchClass.Normal)
    yield lambda: b.pallet.on_finalize(1)
    assert b.pallet.multiplier() > before
