"""Weights of the pallet `utility`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet utility`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 12, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def batch(calls: int) -> Weight:
        """Time ~= 429.3 + calls 9.049 µs. Minimum execution time: 27.0 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(429_297_478 + 9_048_636 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 45.6 µs. Minimum execution time: 31.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(45_597_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 134.8 + calls 9.485 µs. Minimum execution time: 28.6 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(134_848_595 + 9_484_642 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 48.8 + calls 7.67 µs. Minimum execution time: 27.3 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(48_815_803 + 7_669_904 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 53.5 µs. Minimum execution time: 35.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(53_471_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 40.6 µs. Minimum execution time: 35.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(40_557_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 72.8 µs. Minimum execution time: 51.6 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(72_787_000, 0)
