"""A job's noise: one endless stream of discrete Gaussian integers from the provider's secret key.

The stream is cut into pages of 2¹⁶ numbers. Page p is keyed by H("gm/noise" ‖ noise key ‖ u64 p); attempt r
of the numbers still missing takes, from ChaCha20 stream r under that key, first one word for each, then a
second one for each, in order of place. Further bits for place i in attempt r come from stream 0 under
H("gm/noise-bits" ‖ page key ‖ u32 r ‖ u32 i). So the noise depends on the key and σ alone, not on how many
numbers are taken at once: a retry of the same job adds the same noise, as it must (two different noises on
one result would average out).
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from executor.chacha import WORD, Words
from executor.privacy.fast import FastSampler
from executor.privacy.gaussian import UNDECIDED, Draws, More, Sampler
from primitives.hashing import tagged

PAGE = 1 << 16
Places = NDArray[np.int64]


class Noise:
    """The stream of one job, taken in order."""

    def __init__(self, key: bytes, variance: Fraction) -> None:
        self._key = key
        self._sampler = Sampler(variance)
        self._fast = FastSampler(self._sampler)
        self._page = 0
        self._left: Draws = np.empty(0, dtype=np.int32)

    def take(self, count: int) -> Draws:
        """The next `count` numbers, int32."""
        parts: list[Draws] = []
        while count:
            if not len(self._left):
                self._left = self._drawn(self._page)
                self._page += 1
            parts.append(self._left[:count])
            self._left = self._left[count:]
            count -= len(parts[-1])
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)

    def _drawn(self, page: int) -> Draws:
        """A whole page."""
        key = tagged("noise", self._key, page.to_bytes(8, "little"))
        numbers = self._fast(Words(key), PAGE)
        missing = self._settle(key, 0, numbers, np.flatnonzero(numbers == UNDECIDED))
        attempt = 1
        while len(missing):
            drawn = self._fast(Words(key, attempt), len(missing))
            rejected = self._settle(key, attempt, drawn, np.flatnonzero(drawn == UNDECIDED), missing)
            numbers[missing] = drawn
            missing = missing[rejected]
            attempt += 1
        return numbers

    def _settle(
        self, key: bytes, attempt: int, drawn: Draws, left: Places, places: Places | None = None
    ) -> Places:
        """Decide the draws that are `left` of the last call; returns which of them are rejected. `places` are
        those of the draws in the page, by default as they lie.
        """
        here = left if places is None else places[left]
        further = _further(key, attempt, here.tolist())
        drawn[left], rejected = self._sampler.settle(*self._fast.words(left), further)
        return left[rejected]


def _further(key: bytes, attempt: int, places: list[int]) -> Callable[[int], More]:
    """Further bits for the i-th of `places`."""

    def bits_of(i: int) -> More:
        words = Words(
            tagged("noise-bits", key, attempt.to_bytes(4, "little"), places[i].to_bytes(4, "little"))
        )

        def more(bits: int) -> int:
            taken = words.take(-(-bits // (8 * WORD))).tobytes()
            return int.from_bytes(taken, "little") & (1 << bits) - 1

        return more

    return bits_of
