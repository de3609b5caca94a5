"""Weights of the pallet `market`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet market`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.58 (0.38 to 0.99)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def list(columns: int) -> Weight:
        """Time ~= 146.8 + columns 5.224 µs. Minimum execution time: 127.2 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:0 w:1), at most 125 bytes an entry
        Proof: 28350 bytes at most, 4954 + (85 * columns) measured.
        """
        return weight(146_768_589 + 5_223_659 * columns, 28_350) + db(1, 1)

    @staticmethod
    def unlist(columns: int) -> Weight:
        """Time ~= 106.9 + columns 3.517 µs. Minimum execution time: 87.0 µs.

        `columns` is in [1, 256].

        `Datasets::Datasets` (r:1 w:0), at most 25875 bytes an entry
        `Market::Listings` (r:1 w:1), at most 125 bytes an entry
        Proof: 30950 bytes at most, 5201 + (85 * columns) measured.
        """
        return weight(106_929_596 + 3_516_759 * columns, 30_950) + db(2, 1)
