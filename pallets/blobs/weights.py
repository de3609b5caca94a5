"""Weights of the pallet `blobs`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet blobs`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def declare(pieces: int) -> Weight:
        """Time ~= 189.6 + pieces 0.7844 µs. Minimum execution time: 126.1 µs.

        `pieces` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1024 measured.
        """
        return weight(189_642_799 + 784_414 * pieces, 8_643) + db(4, 4)

    @staticmethod
    def put(data: int) -> Weight:
        """Time ~= 271.2 + data 0.01006 µs. Minimum execution time: 206.6 µs.

        `data` is in [1, 262144].

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:1 w:1), at most 8242 bytes an entry
        Proof: 13325 bytes at most, 8983 measured.
        """
        return weight(271_247_782 + 10_063 * data, 13_325) + db(2, 2)

    @staticmethod
    def remove() -> Weight:
        """Time ~= 144.4 µs. Minimum execution time: 135.7 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(144_379_300, 8_643) + db(4, 4)

    @staticmethod
    def expire() -> Weight:
        """Time ~= 152.9 µs. Minimum execution time: 123.5 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(152_876_300, 8_643) + db(4, 4)
