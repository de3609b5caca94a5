"""Weights of the pallet `utility`, measured. Do not edit, but run
`gristmill benchmark pallet --pallet utility`.

2026-11-25, AMD EPYC, 2 cores, CPython 3.11.7
steps 50, repeat 20; reference time: timings × 0.65 (0.37 to 1.00)
"""

from __future__ import annotations

from frame.weights import Weight, WeightTable, weight


class Weights(WeightTable):
    """One function a benchmark."""

    @staticmethod
    def batch(calls: int) -> Weight:
        """Time ~= 27.6 + calls 6.493 µs. Minimum execution time: 21.3 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(27_609_039 + 6_493_119 * calls, 0)

    @staticmethod
    def as_derivative() -> Weight:
        """Time ~= 23.5 µs. Minimum execution time: 15.7 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(23_535_000, 0)

    @staticmethod
    def batch_all(calls: int) -> Weight:
        """Time ~= 30.1 + calls 7.406 µs. Minimum execution time: 21.4 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(30_057_307 + 7_406_003 * calls, 0)

    @staticmethod
    def force_batch(calls: int) -> Weight:
        """Time ~= 27.6 + calls 6.317 µs. Minimum execution time: 20.2 µs.

        `calls` is in [0, 1000].

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(27_587_238 + 6_317_026 * calls, 0)

    @staticmethod
    def dispatch_as() -> Weight:
        """Time ~= 33.8 µs. Minimum execution time: 24.4 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(33_793_000, 0)

    @staticmethod
    def dispatch_as_fallible() -> Weight:
        """Time ~= 33.4 µs. Minimum execution time: 18.8 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(33_402_000, 0)

    @staticmethod
    def if_else() -> Weight:
        """Time ~= 41.8 µs. Minimum execution time: 30.5 µs.

        Proof: 0 bytes at most, 0 measured.
        """
        return weight(41_777_000, 0)
