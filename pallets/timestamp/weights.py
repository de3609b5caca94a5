"""Weights of the pallet `timestamp`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet timestamp`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.56 (0.43 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def set() -> Weight:
        """Time ~= 21.0 µs. Minimum execution time: 13.0 µs.

        `Timestamp::DidUpdate` (r:1 w:1), at most 1 bytes an entry
        `Timestamp::Now` (r:1 w:1), at most 8 bytes an entry
        Proof: 9 bytes at most, 334 measured.
        """
        return weight(21_007_000, 9) + db(2, 2)

    @staticmethod
    def on_finalize() -> Weight:
        """Time ~= 10.1 µs. Minimum execution time: 7.3 µs.

        `Timestamp::DidUpdate` (r:1 w:1), at most 1 bytes an entry
        Proof: 1 bytes at most, 327 measured.
        """
        return weight(10_124_000, 1) + db(1, 1)
