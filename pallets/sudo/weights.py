"""Weights of the pallet `sudo`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet sudo`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def sudo() -> Weight:
        """Time ~= 32.9 µs. Minimum execution time: 32.0 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(32_931_000, 32) + db(1, 0)

    @staticmethod
    def set_key() -> Weight:
        """Time ~= 33.4 µs. Minimum execution time: 31.1 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(33_432_000, 32) + db(1, 1)

    @staticmethod
    def sudo_as() -> Weight:
        """Time ~= 41.4 µs. Minimum execution time: 33.7 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(41_448_000, 32) + db(1, 0)

    @staticmethod
    def remove_key() -> Weight:
        """Time ~= 26.4 µs. Minimum execution time: 25.0 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(26_440_000, 32) + db(1, 1)
