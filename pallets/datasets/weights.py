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
        """Time ~= 61.2 + columns 14.29 µs. Minimum execution time: 269.3 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:0 w:1), at most 25875 bytes an entry
        `Datasets::NextDatasetId` (r:1 w:1), at most 4 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 6031 bytes at most, 1056 measured.
        """
        return weight(61_239_177 + 14_291_153 * columns, 6_031) + db(3, 4)

    @staticmethod
    def update(columns: int) -> Weight:
        """Time ~= 235.5 + columns 4.212 µs. Minimum execution time: 149.9 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(235_471_933 + 4_211_600 * columns, 28_350) + db(1, 1)

    @staticmethod
    def set_policy(columns: int) -> Weight:
        """Time ~= 228.3 + columns 4.311 µs. Minimum execution time: 199.0 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(228_337_112 + 4_311_200 * columns, 28_350) + db(1, 1)

    @staticmethod
    def close(columns: int) -> Weight:
        """Time ~= 262.3 + columns 4.06 µs. Minimum execution time: 215.9 µs.

        `columns` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Datasets::Datasets` (r:1 w:1), at most 25875 bytes an entry
        `Datasets::Ledger` (r:1 w:0), at most 40 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        Proof: 36892 bytes at most, 5656 + (85 * columns) measured.
        """
        return weight(262_278_200 + 4_059_998 * columns, 36_892) + db(4, 3)
