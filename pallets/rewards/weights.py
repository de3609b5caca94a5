"""Weights of the pallet `rewards`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet rewards`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.61 (0.40 to 0.99)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def claim(columns: int) -> Weight:
        """Time ~= 178.4 + columns 3.61 µs. Minimum execution time: 110.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Rewards::Eras` (r:1 w:1), at most 81 bytes an entry
        `Rewards::Fees` (r:1 w:1), at most 44 bytes an entry
        `Rewards::Promised` (r:1 w:1), at most 16 bytes an entry
        `System::Account` (r:2 w:2), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 38655 bytes at most, 6069 + (85 * columns) measured.
        """
        return weight(178_388_468 + 3_610_250 * columns, 38_655) + db(7, 5)
