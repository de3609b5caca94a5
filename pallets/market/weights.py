"""Weights of the pallet `market`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet market`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def list(columns: int) -> Weight:
        """Time ~= 212.2 + columns 7.553 µs. Minimum execution time: 169.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:0 w:1), at most 125 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(212_150_490 + 7_552_575 * columns, 28_350) + db(1, 1)

    @staticmethod
    def unlist(columns: int) -> Weight:
        """Time ~= 135.5 + columns 4.053 µs. Minimum execution time: 131.7 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:1 w:1), at most 125 bytes an entry
        Proof: 30950 bytes at most, 5201 + (85 * columns) measured.
        """
        return weight(135_514_973 + 4_052_734 * columns, 30_950) + db(2, 1)
