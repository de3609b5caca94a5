"""Weights of the pallet `utility`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet utility`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 20, repeat 6
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def batch(calls: int) -> Weight:
        """Time ~= 29.0 + calls 9.629 µs. Minimum execution time: 28.1 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(29_035_000 + 9_628_806 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 34.8 µs. Minimum execution time: 26.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(34_775_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 58.5 + calls 10.92 µs. Minimum execution time: 28.8 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(58_450_644 + 10_915_743 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 30.8 + calls 10.32 µs. Minimum execution time: 28.7 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(30_757_000 + 10_317_636 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 43.8 µs. Minimum execution time: 37.9 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(43_752_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 36.0 µs. Minimum execution time: 33.6 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(36_008_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 53.7 µs. Minimum execution time: 44.1 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(53_720_000, 0)
