"""Weights of the pallet `market`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet market`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def list(columns: int) -> Weight:
        """Time ~= 147.1 + columns 6.522 µs. Minimum execution time: 143.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:0 w:1), at most 125 bytes an entry
        Proof: 28350 bytes at most, 4888 + (85 * columns) measured.
        """
        return weight(147_060_585 + 6_521_623 * columns, 28_350) + db(1, 1)

    @staticmethod
    def unlist(columns: int) -> Weight:
        """Time ~= 115.6 + columns 4.102 µs. Minimum execution time: 115.0 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:1 w:1), at most 125 bytes an entry
        Proof: 30950 bytes at most, 5135 + (85 * columns) measured.
        """
        return weight(115_551_499 + 4_102_414 * columns, 30_950) + db(2, 1)
