"""Weights of the pallet `datasets`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet datasets`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def register(columns: int) -> Weight:
        """Time ~= 312.6 + columns 9.78 µs. Minimum execution time: 276.2 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:0 w:1), at most 25875 bytes an entry
        `Datasets::NextDatasetId` (r:1 w:1), at most 4 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6031 bytes at most, 1056 measured.
        """
        return weight(312_579_713 + 9_780_204 * columns, 6_031) + db(3, 4)

    @staticmethod
    def update(columns: int) -> Weight:
        """Time ~= 247.1 + columns 3.829 µs. Minimum execution time: 165.1 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(247_116_888 + 3_828_616 * columns, 28_350) + db(1, 1)

    @staticmethod
    def set_policy(columns: int) -> Weight:
        """Time ~= 249.0 + columns 3.568 µs. Minimum execution time: 192.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(249_000_075 + 3_567_875 * columns, 28_350) + db(1, 1)

    @staticmethod
    def close(columns: int) -> Weight:
        """Time ~= 269.1 + columns 4.462 µs. Minimum execution time: 241.9 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:0), at most 40 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 36892 bytes at most, 5656 + (85 * columns) measured.
        """
        return weight(269_127_970 + 4_462_367 * columns, 36_892) + db(4, 3)
