"""Weights of the pallet `transaction_payment`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet transaction_payment`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def on_finalize() -> Weight:
        """Time ~= 44.0 µs. Minimum execution time: 42.7 µs.

        `TransactionPayment::NextFeeMultiplier` (r:1 w:1), at most 16 bytes an entry
        Proof: 16 bytes at most, 529 measured.
        """
        return weight(43_971_000, 16) + db(1, 1)
