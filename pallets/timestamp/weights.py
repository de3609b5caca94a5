"""Weights of the pallet `timestamp`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet timestamp`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def set() -> Weight:
        """Time ~= 34.7 µs. Minimum execution time: 27.5 µs.

        `Timestamp::DidUpdate` (r:1 w:1), at most 1 bytes an entry
        `Timestamp::Now` (r:1 w:1), at most 8 bytes an entry
        Proof: 9 bytes at most, 334 measured.
        """
        return weight(34_655_000, 9) + db(2, 2)

    @staticmethod
    def on_finalize() -> Weight:
        """Time ~= 17.5 µs. Minimum execution time: 13.0 µs.

        `Timestamp::DidUpdate` (r:1 w:1), at most 1 bytes an entry
        Proof: 1 bytes at most, 327 measured.
        """
        return weight(17_502_000, 1) + db(1, 1)
