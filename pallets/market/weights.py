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
        """Time ~= 235.7 + columns 5.81 µs. Minimum execution time: 158.5 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:0 w:1), at most 125 bytes an entry
        Proof: 28350 bytes at most, 4888 + (85 * columns) measured.
        """
        return weight(235_675_234 + 5_809_831 * columns, 28_350) + db(1, 1)

    @staticmethod
    def unlist(columns: int) -> Weight:
        """Time ~= 113.9 + columns 3.705 µs. Minimum execution time: 114.4 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:1 w:1), at most 125 bytes an entry
        Proof: 30950 bytes at most, 5135 + (85 * columns) measured.
        """
        return weight(113_859_414 + 3_705_087 * columns, 30_950) + db(2, 1)
