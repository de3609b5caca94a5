"""Weights of the pallet `utility`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet utility`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def batch(calls: int) -> Weight:
        """Time ~= 45.1 + calls 10.5 µs. Minimum execution time: 42.1 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(45_054_000 + 10_498_067 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 71.2 µs. Minimum execution time: 36.5 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(71_244_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 40.1 + calls 12.27 µs. Minimum execution time: 39.7 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(40_115_000 + 12_269_626 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 38.5 + calls 9.747 µs. Minimum execution time: 39.1 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(38_514_432 + 9_747_203 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 67.2 µs. Minimum execution time: 53.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(67_246_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 49.8 µs. Minimum execution time: 44.6 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(49_824_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 62.4 µs. Minimum execution time: 54.7 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(62_367_000, 0)
