"""Weights of the pallet `sudo`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet sudo`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 10, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, db, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def sudo() -> Weight:
        """Time ~= 24.4 µs. Minimum execution time: 21.0 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(24_387_000, 32) + db(1, 0)

    @staticmethod
    def set_key() -> Weight:
        """Time ~= 21.7 µs. Minimum execution time: 20.3 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(21_692_000, 32) + db(1, 1)

    @staticmethod
    def sudo_as() -> Weight:
        """Time ~= 24.3 µs. Minimum execution time: 22.6 µs.

        `Sudo::Key` (r:1 w:0), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(24_306_000, 32) + db(1, 0)

    @staticmethod
    def remove_key() -> Weight:
        """Time ~= 19.1 µs. Minimum execution time: 16.3 µs.

        `Sudo::Key` (r:1 w:1), at most 32 bytes an entry
        Proof: 32 bytes at most, 425 measured.
        """
        return weight(19_086_000, 32) + db(1, 1)
