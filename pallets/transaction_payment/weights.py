"""Weights of the pallet `transaction_payment`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet transaction_payment`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def on_finalize() -> Weight:
        """Time ~= 38.6 µs. Minimum execution time: 35.0 µs.

        `TransactionPayment::NextFeeMultiplier` (r:1 w:1), at most 16 bytes an entry
        Proof: 16 bytes at most, 463 measured.
        """
        return weight(38_602_000, 16) + db(1, 1)
