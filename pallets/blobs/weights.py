"""Weights of the pallet `blobs`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet blobs`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def declare(pieces: int) -> Weight:
        """Time ~= 127.0 + pieces 0.5098 µs. Minimum execution time: 106.2 µs.

        `pieces` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 958 measured.
        """
        return weight(126_966_015 + 509_841 * pieces, 8_643) + db(4, 4)

    @staticmethod
    def put(data: int) -> Weight:
        """Time ~= 85.8 + data 0.004769 µs. Minimum execution time: 121.4 µs.

        `data` is in [1, 262144].

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:1 w:1), at most 8242 bytes an entry
        Proof: 13325 bytes at most, 8917 measured.
        """
        return weight(85_828_928 + 4_769 * data, 13_325) + db(2, 2)

    @staticmethod
    def remove() -> Weight:
        """Time ~= 112.4 µs. Minimum execution time: 96.2 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1452 measured.
        """
        return weight(112_430_000, 8_643) + db(4, 4)

    @staticmethod
    def expire() -> Weight:
        """Time ~= 100.9 µs. Minimum execution time: 92.8 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1452 measured.
        """
        return weight(100_928_000, 8_643) + db(4, 4)
