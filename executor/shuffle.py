"""The order in which an epoch reads the rows.

Rule (part of NUMERICS): for epoch e (from 0) of n rows, start from 0, 1, …, n−1 and, for i = n−1 down to
1, swap places i and j (Fisher–Yates, Durstenfeld's form), where j is drawn evenly from 0 … i: take the
next word w of the ChaCha20 stream 0 keyed by H("gm/shuffle" ‖ seed ‖ u16 e); if w < ⌊2³²/(i+1)⌋·(i+1) then
j = w mod (i+1), else take the next word (so that no place is favoured). n is at most 2³².

Vectors, seed of 32 zero bytes, n = 10: epoch 0 is 6 4 8 1 7 5 2 0 9 3, epoch 1 is 5 8 0 2 6 9 3 4 7 1.
"""

from array import array

import numpy as np
from numpy.typing import NDArray

from executor.chacha import Words
from primitives.hashing import tagged

Order = NDArray[np.int64]
RANGE = 2**32
SLICE = 1 << 16
"""Draws made at once; does not change the result."""


def order(seed: bytes, epoch: int, rows: int, shuffle: bool = True) -> Order:
    """Row numbers in the order in which epoch `epoch` (from 0) reads them, int64 of shape (rows,)."""
    if not shuffle:
        return np.arange(rows, dtype=np.int64)
    words = Words(tagged("shuffle", seed, epoch.to_bytes(2, "little")))
    places = array("q", range(rows))  # eight bytes a row: a set may have many more rows than memory holds
    draws = _Draws(words)
    for top in range(rows - 1, 0, -SLICE):
        bounds = np.arange(top + 1, max(top + 1 - SLICE, 1), -1, dtype=np.uint64)
        for i, j in zip(range(top, 0, -1), draws.below(bounds), strict=False):
            places[i], places[j] = places[j], places[i]
    return np.frombuffer(places, dtype=np.int64).copy()


class _Draws:
    """Even draws below given bounds, by rejection; surplus words are kept for the next draws."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def below(self, bounds: NDArray[np.uint64]) -> list[int]:
        """One draw below each bound (each in 2 … 2³²), in order, one word each plus one for every
        rejection.
        """
        drawn: list[int] = []
        words = np.empty(0, dtype=np.uint64)
        while len(bounds):
            need = len(bounds) - len(words)
            words = np.concatenate([words, self._words.take(need).astype(np.uint64)])
            rejected = np.flatnonzero(words >= RANGE - RANGE % bounds)
            good = int(rejected[0]) if len(rejected) else len(bounds)
            drawn += (words[:good] % bounds[:good]).tolist()
            # After a rejection every later word moves one bound forward.
            words, bounds = words[good + 1 :], bounds[good:]
        return drawn
