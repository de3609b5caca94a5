"""Weights of the pallet `blobs`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet blobs`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.59 (0.32 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def declare(pieces: int) -> Weight:
        """Time ~= 90.9 + pieces 0.7334 µs. Minimum execution time: 57.5 µs.

        `pieces` is in [1, 256].

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1024 measured.
        """
        return weight(90_901_194 + 733_422 * pieces, 8_643) + db(4, 4)

    @staticmethod
    def put(data: int) -> Weight:
        """Time ~= 161.3 + data 0.01306 µs. Minimum execution time: 148.9 µs.

        `data` is in [1, 262144].

        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:1 w:1), at most 8242 bytes an entry
        Proof: 13325 bytes at most, 8983 measured.
        """
        return weight(161_303_577 + 13_058 * data, 13_325) + db(2, 2)

    @staticmethod
    def remove() -> Weight:
        """Time ~= 84.6 µs. Minimum execution time: 57.1 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(84_554_170, 8_643) + db(4, 4)

    @staticmethod
    def expire() -> Weight:
        """Time ~= 84.0 µs. Minimum execution time: 52.4 µs.

        `Balances::Holds` (r:1 w:1), at most 949 bytes an entry
        `Blobs::Blobs` (r:1 w:1), at most 133 bytes an entry
        `Blobs::Missing` (r:0 w:1), at most 8242 bytes an entry
        `System::Account` (r:1 w:1), at most 128 bytes an entry
        `Timestamp::Now` (r:1 w:0), at most 8 bytes an entry
        Proof: 8643 bytes at most, 1518 measured.
        """
        return weight(84_042_170, 8_643) + db(4, 4)
