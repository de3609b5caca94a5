"""Weights of the pallet `datasets`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet datasets`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def register(columns: int) -> Weight:
        """Time ~= 611.2 + columns 10.63 µs. Minimum execution time: 305.1 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:0 w:1), at most 25875 bytes an entry
        `Datasets::NextDatasetId` (r:1 w:1), at most 4 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6031 bytes at most, 1056 measured.
        """
        return weight(611_229_719 + 10_632_063 * columns, 6_031) + db(3, 4)

    @staticmethod
    def update(columns: int) -> Weight:
        """Time ~= 258.6 + columns 3.548 µs. Minimum execution time: 147.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(258_649_411 + 3_548_187 * columns, 28_350) + db(1, 1)

    @staticmethod
    def set_policy(columns: int) -> Weight:
        """Time ~= 247.1 + columns 3.816 µs. Minimum execution time: 209.9 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(247_093_879 + 3_815_637 * columns, 28_350) + db(1, 1)

    @staticmethod
    def close(columns: int) -> Weight:
        """Time ~= 199.8 + columns 4.588 µs. Minimum execution time: 222.1 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:0), at most 40 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 36892 bytes at most, 5656 + (85 * columns) measured.
        """
        return weight(199_826_281 + 4_587_999 * columns, 36_892) + db(4, 3)
