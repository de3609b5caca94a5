"""A job's noise: one endless stream of discrete Gaussian integers from the provider's secret key.

The stream is cut into pages of 2¹⁶ numbers. Page p is keyed by H("gm/noise" ‖ noise key ‖ u64 p); attempt r
of the numbers still missing takes, from ChaCha20 stream r under that key, first one word for each, then a
second one for each, in order of place. Further bits for place i in attempt r come from stream 0 under
H("gm/noise-bits" ‖ page key ‖ u32 r ‖ u32 i). So the noise depends on the key and σ alone, not on how many
numbers are taken at once: a retry of the same job adds the same noise, as it must (two different noises on
one result would average out).
"""

from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from itertools import count as from_number

import numpy as np
from numpy.typing import NDArray

from executor.chacha import WORD, Words
from executor.privacy.fast import PAGE, FastSampler, Left
from executor.privacy.gaussian import Draws, More, Sampler
from primitives.hashing import tagged

Places = NDArray[np.uint32]
TOGETHER = 32
"""Pages that are settled together, at most: enough to share what that costs, few enough to bound memory."""


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
        numbers: Draws = np.empty(count, dtype=np.int32)
        self.fill(numbers)
        return numbers

    def fill(self, numbers: Draws) -> None:
        """Put the next numbers into an array of one dimension, as many as it holds."""
        begun = min(len(self._left), len(numbers))
        numbers[:begun] = self._left[:begun]
        self._left = self._left[begun:]
        numbers = numbers[begun:]
        if not len(numbers):
            return
        pages = [numbers[start : start + PAGE] for start in range(0, len(numbers), PAGE)]
        rest = len(numbers) % PAGE
        last = pages[-1]
        if rest:
            pages[-1] = np.empty(PAGE, dtype=np.int32)
        for start in range(0, len(pages), TOGETHER):
            self._draw(pages[start : start + TOGETHER])
        if rest:
            last[:], self._left = pages[-1][:rest], pages[-1][rest:]

    def _draw(self, pages: Sequence[Draws]) -> None:
        """Fill whole pages. What their fast path leaves open is settled for all of them together."""
        keys = [
            tagged("noise", self._key, page.to_bytes(8, "little"))
            for page in range(self._page, self._page + len(pages))
        ]
        self._page += len(pages)
        left = [self._fast(Words(key), page) for key, page in zip(keys, pages, strict=True)]
        for attempt in from_number(1):
            places = self._settle(keys, attempt - 1, pages, left)
            if not any(map(len, places)):
                return
            left = [_again(key, attempt, those) for key, those in zip(keys, places, strict=True)]

    def _settle(
        self, keys: Sequence[bytes], attempt: int, pages: Sequence[Draws], left: Sequence[Left]
    ) -> list[Places]:
        """Decide draws of an attempt; returns, for each page, which of them are rejected."""
        ends = list(accumulate(len(some.places) for some in left))

        def further(i: int) -> More:
            page = bisect_right(ends, i)
            return _further(keys[page], attempt, int(left[page].places[i - ends[page]]))

        drawn, rejected = self._sampler.settle(
            np.concatenate([some.first for some in left]),
            np.concatenate([some.second for some in left]),
            further,
        )
        start, missing = 0, []
        for page, some in zip(pages, left, strict=True):
            end = start + len(some.places)
            page[some.places] = drawn[start:end]
            missing.append(some.places[rejected[start:end]])
            start = end
        return missing


def _again(key: bytes, attempt: int, places: Places) -> Left:
    """Words for a further attempt at the numbers that are missing in a page."""
    words = Words(key, attempt).take(2 * len(places))
    return Left(places, words[: len(places)], words[len(places) :])


def _further(key: bytes, attempt: int, place: int) -> More:
    """Further bits for a number."""
    words = Words(tagged("noise-bits", key, attempt.to_bytes(4, "little") + place.to_bytes(4, "little")))

    def more(bits: int) -> int:
        return int.from_bytes(words.bytes(-(-bits // (8 * WORD))), "little") & (1 << bits) - 1

    return more
