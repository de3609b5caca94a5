"""Weights of the pallet `sudo`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet sudo`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def sudo() -> Weight:
        """Time ~= 36.0 µs. Minimum execution time: 30.0 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(36_049_000, 32) + db(1, 0)

    @staticmethod
    def set_key() -> Weight:
        """Time ~= 36.7 µs. Minimum execution time: 32.9 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(36_700_000, 32) + db(1, 1)

    @staticmethod
    def sudo_as() -> Weight:
        """Time ~= 40.2 µs. Minimum execution time: 33.4 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(40_237_000, 32) + db(1, 0)

    @staticmethod
    def remove_key() -> Weight:
        """Time ~= 35.9 µs. Minimum execution time: 26.1 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(35_939_000, 32) + db(1, 1)
