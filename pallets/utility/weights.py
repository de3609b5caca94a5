"""Weights of the pallet `utility`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet utility`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 10, repeat 5
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def batch(calls: int) -> Weight:
        """Time ~= 21.3 + calls 10.29 µs. Minimum execution time: 20.0 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(21_272_000 + 10_289_286 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 18.7 µs. Minimum execution time: 16.9 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(18_697_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 480.5 + calls 12.18 µs. Minimum execution time: 19.9 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(480_519_945 + 12_180_863 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 186.1 + calls 16.55 µs. Minimum execution time: 19.4 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(186_146_750 + 16_552_794 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 29.6 µs. Minimum execution time: 26.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(29_577_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 26.3 µs. Minimum execution time: 24.8 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(26_290_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 41.8 µs. Minimum execution time: 36.2 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(41_810_000, 0)
