"""Weights of the pallet `datasets`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet datasets`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def register(columns: int) -> Weight:
        """Time ~= 266.3 + columns 8.415 µs. Minimum execution time: 228.8 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:0 w:1), at most 25875 bytes an entry
        `Datasets::NextDatasetId` (r:1 w:1), at most 4 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6031 bytes at most, 990 measured.
        """
        return weight(266_324_001 + 8_415_193 * columns, 6_031) + db(3, 4)

    @staticmethod
    def update(columns: int) -> Weight:
        """Time ~= 152.7 + columns 3.29 µs. Minimum execution time: 120.7 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4888 + (85 * columns) measured.
        """
        return weight(152_721_572 + 3_290_433 * columns, 28_350) + db(1, 1)

    @staticmethod
    def set_policy(columns: int) -> Weight:
        """Time ~= 167.4 + columns 3.211 µs. Minimum execution time: 157.0 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4888 + (85 * columns) measured.
        """
        return weight(167_446_556 + 3_211_445 * columns, 28_350) + db(1, 1)

    @staticmethod
    def close(columns: int) -> Weight:
        """Time ~= 199.2 + columns 3.312 µs. Minimum execution time: 183.4 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:0), at most 40 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 36892 bytes at most, 5590 + (85 * columns) measured.
        """
        return weight(199_175_417 + 3_311_691 * columns, 36_892) + db(4, 3)
