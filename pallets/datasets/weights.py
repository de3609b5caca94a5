"""Weights of the pallet `datasets`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet datasets`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.58 (0.28 to 0.99)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def register(columns: int) -> Weight:
        """Time ~= 242.0 + columns 8.102 µs. Minimum execution time: 212.2 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:0 w:1), at most 25875 bytes an entry
        `Datasets::NextDatasetId` (r:1 w:1), at most 4 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6031 bytes at most, 1056 measured.
        """
        return weight(241_988_096 + 8_101_916 * columns, 6_031) + db(3, 4)

    @staticmethod
    def update(columns: int) -> Weight:
        """Time ~= 142.2 + columns 3.376 µs. Minimum execution time: 96.0 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(142_193_312 + 3_376_468 * columns, 28_350) + db(1, 1)

    @staticmethod
    def set_policy(columns: int) -> Weight:
        """Time ~= 191.9 + columns 3.383 µs. Minimum execution time: 180.5 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(191_932_009 + 3_383_407 * columns, 28_350) + db(1, 1)

    @staticmethod
    def close(columns: int) -> Weight:
        """Time ~= 184.1 + columns 3.449 µs. Minimum execution time: 161.3 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:0), at most 40 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 36892 bytes at most, 5656 + (85 * columns) measured.
        """
        return weight(184_123_101 + 3_449_108 * columns, 36_892) + db(4, 3)
