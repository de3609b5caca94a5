"""Weights of the pallet `sudo`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet sudo`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.61 (0.44 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def sudo() -> Weight:
        """Time ~= 31.0 µs. Minimum execution time: 24.1 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(30_994_000, 32) + db(1, 0)

    @staticmethod
    def set_key() -> Weight:
        """Time ~= 30.6 µs. Minimum execution time: 23.2 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(30_628_000, 32) + db(1, 1)

    @staticmethod
    def sudo_as() -> Weight:
        """Time ~= 32.2 µs. Minimum execution time: 21.7 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(32_216_000, 32) + db(1, 0)

    @staticmethod
    def remove_key() -> Weight:
        """Time ~= 25.7 µs. Minimum execution time: 19.8 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 491 measured.
        """
        return weight(25_691_000, 32) + db(1, 1)
