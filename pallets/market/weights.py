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
        """Time ~= 276.9 + columns 6.895 µs. Minimum execution time: 174.8 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:0 w:1), at most 125 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(276_909_190 + 6_895_295 * columns, 28_350) + db(1, 1)

    @staticmethod
    def unlist(columns: int) -> Weight:
        """Time ~= 174.4 + columns 4.303 µs. Minimum execution time: 133.5 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:1 w:1), at most 125 bytes an entry
        Proof: 30950 bytes at most, 5201 + (85 * columns) measured.
        """
        return weight(174_439_522 + 4_303_060 * columns, 30_950) + db(2, 1)
