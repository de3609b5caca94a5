"""Weights of the pallet `transaction_payment`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet transaction_payment`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.62 (0.43 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def on_finalize() -> Weight:
        """Time ~= 32.4 µs. Minimum execution time: 23.3 µs.

        `TransactionPayment::NextFeeMultiplier` (r:1 w:1), at most 16 bytes an entry
        Proof: 16 bytes at most, 529 measured.
        """
        return weight(32_355_000, 16) + db(1, 1)
