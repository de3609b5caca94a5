"""Weights of the pallet `sudo`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet sudo`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def sudo() -> Weight:
        """Time ~= 41.4 µs. Minimum execution time: 38.8 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(41_408_000, 32) + db(1, 0)

    @staticmethod
    def set_key() -> Weight:
        """Time ~= 43.8 µs. Minimum execution time: 41.3 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(43_812_000, 32) + db(1, 1)

    @staticmethod
    def sudo_as() -> Weight:
        """Time ~= 47.1 µs. Minimum execution time: 43.0 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(47_108_000, 32) + db(1, 0)

    @staticmethod
    def remove_key() -> Weight:
        """Time ~= 36.1 µs. Minimum execution time: 33.6 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(36_088_000, 32) + db(1, 1)
