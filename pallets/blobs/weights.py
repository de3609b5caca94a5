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
        """Time ~= 183.3 + pieces 0.7078 µs. Minimum execution time: 127.3 µs.

        `pieces` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1024 measured.
        """
        return weight(183_317_825 + 707_756 * pieces, 8_643) + db(4, 4)

    @staticmethod
    def put(data: int) -> Weight:
        """Time ~= 159.8 + data 0.01046 µs. Minimum execution time: 177.5 µs.

        `data` is in [1, 262144].

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:1 w:1), at most 8242 bytes an entry
        Proof: 13325 bytes at most, 8983 measured.
        """
        return weight(159_844_946 + 10_457 * data, 13_325) + db(2, 2)

    @staticmethod
    def remove() -> Weight:
        """Time ~= 125.5 µs. Minimum execution time: 113.4 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(125_534_300, 8_643) + db(4, 4)

    @staticmethod
    def expire() -> Weight:
        """Time ~= 122.4 µs. Minimum execution time: 114.6 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(122_379_300, 8_643) + db(4, 4)
