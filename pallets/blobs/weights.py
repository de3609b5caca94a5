"""Weights of the pallet `blobs`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet blobs`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def declare(pieces: int) -> Weight:
        """Time ~= 209.8 + pieces 0.9201 µs. Minimum execution time: 106.9 µs.

        `pieces` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1024 measured.
        """
        return weight(209_783_832 + 920_091 * pieces, 8_643) + db(4, 4)

    @staticmethod
    def put(data: int) -> Weight:
        """Time ~= 225.2 + data 0.0165 µs. Minimum execution time: 183.5 µs.

        `data` is in [1, 262144].

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:1 w:1), at most 8242 bytes an entry
        Proof: 13325 bytes at most, 8983 measured.
        """
        return weight(225_156_208 + 16_496 * data, 13_325) + db(2, 2)

    @staticmethod
    def remove() -> Weight:
        """Time ~= 175.8 µs. Minimum execution time: 121.0 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(175_791_000, 8_643) + db(4, 4)

    @staticmethod
    def expire() -> Weight:
        """Time ~= 124.8 µs. Minimum execution time: 111.0 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(124_775_000, 8_643) + db(4, 4)
