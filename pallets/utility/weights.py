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
        """Time ~= 37.1 + calls 10.25 µs. Minimum execution time: 35.8 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(37_091_536 + 10_247_874 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 35.7 µs. Minimum execution time: 32.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(35_737_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 53.9 + calls 11.16 µs. Minimum execution time: 45.8 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(53_941_621 + 11_164_531 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 51.6 + calls 8.277 µs. Minimum execution time: 34.5 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(51_645_987 + 8_277_367 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 58.3 µs. Minimum execution time: 45.5 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(58_310_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 52.9 µs. Minimum execution time: 45.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(52_888_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 72.7 µs. Minimum execution time: 53.0 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(72_706_000, 0)
