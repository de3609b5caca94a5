"""The discrete Gaussian: P(z) ∝ exp(−z²/2σ²) on the integers, for any σ² > 0, from random bits alone.

Every draw has a statistical distance below 2⁻¹³⁰ from the distribution, and the same bits give the same
numbers on every machine: floats decide nothing, they only say quickly what integer arithmetic would say.

How a draw is made (rejection from an envelope of buckets):

1. Magnitudes are cut into `BUCKETS` buckets of `width` = 2^s numbers; bucket k is chosen with probability
   ∝ exp(−(k·width)²/2σ²), the largest weight in it. Walker's alias table does that with one look-up:
   12 bits choose a cell, 20 bits are compared with the cell's threshold.
2. s bits choose the number x in the bucket; it is kept with probability exp(−(x² − (k·width)²)/2σ²).
3. One bit is the sign; −0 is thrown away, so that zero is not counted twice.

Where the bits so far do not decide (a tie with a threshold, an acceptance that is close), more bits are taken
and compared exactly, with 224 bits of precision. `Sampler.exact` is the rule, written plainly, and what
settles the rest; `Sampler.fast` is the same for whole arrays where no more bits are needed
(`executor.privacy.fast` does that in wasm), and `Sampler.settle` decides what it left open.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

CELL_BITS = 12
BUCKETS = 1 << CELL_BITS
"""Buckets reach to at least 14σ, beyond which lies less than 2⁻¹⁴⁰ of the weight."""
FRACTION_BITS = 32 - CELL_BITS
ACCEPT_BITS = 15
SLOPE_BITS = 12
NEXT_TO_ACCEPT = 32 - ACCEPT_BITS - SLOPE_BITS
"""What is shifted away of a second word for its acceptance bits and SLOPE_BITS of the bits below them."""
SIGN_BIT = 16
REACH = 14
WIDTH_BITS_MAX = 16
PRECISION = 256
EXTRA = PRECISION - FRACTION_BITS
"""Further bits of a threshold, for ties."""
ACCEPT_EXTRA = 224 - ACCEPT_BITS
CLOSE = 2.0**-40
"""Far above the error of exp in double precision for the arguments here (below 1)."""
UNDECIDED = np.int32(-(2**31))
"""Stands for a draw that the fast path leaves open."""

Words = NDArray[np.uint32]
Draws = NDArray[np.int32]
More = Callable[[int], int]
"""So many further random bits, as an integer."""


class Sampler:
    """Draws for one σ². Building the tables takes some 20 ms."""

    def __init__(self, variance: Fraction) -> None:
        """ValueError unless 0 < σ² ≤ 2⁴⁸."""
        if not 0 < variance <= 1 << 48:
            raise ValueError("the variance of the noise lies above 0 and not above 2^48")
        self.variance = variance
        self.shift = 0
        while (BUCKETS << self.shift) ** 2 < REACH**2 * variance:
            self.shift += 1
        assert self.shift <= WIDTH_BITS_MAX
        self._thresholds, self._aliases = _alias_table(self._bucket_weights())
        self.threshold: NDArray[np.uint32] = np.array([t >> EXTRA for t in self._thresholds], dtype=np.uint32)
        self.alias: NDArray[np.uint32] = np.array(self._aliases, dtype=np.uint32)
        self.bar, self.slope = self._sure()

    # --- tables

    def _bucket_weights(self) -> list[int]:
        """exp(−(k·width)²/2σ²) in units of 2⁻³²⁰: q^(k²), stepwise by q^(2k+1)."""
        one = 1 << 320
        q = _exp_minus(Fraction(1 << 2 * self.shift) / (2 * self.variance), 320)
        weight, step, square = one, q, q * q >> 320
        weights = []
        for _ in range(BUCKETS):
            weights.append(weight)
            weight = weight * step >> 320
            step = step * square >> 320
        return weights

    def _sure(self) -> tuple[int, int]:
        """(bar, slope): acceptance values v keep every number of bucket k while v·2^SLOPE_BITS + (2k+1)·slope
        stays at or below the bar, since exp(−y) ≥ 1 − y. Bits below v may join it: they only raise the sum.
        """
        if not self.shift:  # one number a bucket, always kept
            return (1 << ACCEPT_BITS + SLOPE_BITS) - 1, 0
        share = Fraction(1 << 2 * self.shift) / (2 * self.variance) * (1 << ACCEPT_BITS + SLOPE_BITS)
        slope = -(-share.numerator // share.denominator)
        assert 2 * slope < 1 << 15  # since a bucket's width is the least that reaches so far
        return ((1 << ACCEPT_BITS) - 2 << SLOPE_BITS) - 1, slope

    def _excess(self, bucket: int, x: int) -> Fraction:
        """(x² − (k·width)²)/2σ², the exponent of the acceptance."""
        return Fraction(x * x - (bucket << self.shift) ** 2) / (2 * self.variance)

    # --- the rule

    def exact(self, first: int, second: int, more: More) -> int | None:
        """The draw for two random 32-bit words; None means: rejected, draw anew."""
        cell, fraction = first & BUCKETS - 1, first >> CELL_BITS
        threshold = self._thresholds[cell]
        if fraction == threshold >> EXTRA:
            fraction, threshold = more(EXTRA), threshold & (1 << EXTRA) - 1
        else:
            threshold >>= EXTRA
        bucket = cell if fraction < threshold else self._aliases[cell]
        x = bucket << self.shift | second & (1 << self.shift) - 1
        value = second >> 32 - ACCEPT_BITS
        probability = _exp_minus(self._excess(bucket, x), ACCEPT_BITS + ACCEPT_EXTRA)
        if value == probability >> ACCEPT_EXTRA:
            kept = more(ACCEPT_EXTRA) < probability & (1 << ACCEPT_EXTRA) - 1
        else:
            kept = value < probability >> ACCEPT_EXTRA
        negative = bool(second >> SIGN_BIT & 1)
        if not kept or (negative and not x):
            return None
        return -x if negative else x

    # --- the fast path

    def fast(self, first: Words, second: Words) -> Draws:
        """Draws for pairs of words; UNDECIDED where only `settle` can tell."""
        cell = first & np.uint32(BUCKETS - 1)
        fraction = first >> np.uint32(CELL_BITS)
        threshold = self.threshold[cell]
        bucket = np.where(fraction < threshold, cell, self.alias[cell])
        x = (bucket << np.uint32(self.shift) | second & np.uint32((1 << self.shift) - 1)).view(np.int32)
        minus = -(second >> np.uint32(SIGN_BIT) & np.uint32(1)).view(np.int32)
        drawn: Draws = (x ^ minus) - minus
        open_ = (second >> np.uint32(NEXT_TO_ACCEPT)) + (2 * bucket + 1) * np.uint32(self.slope) > self.bar
        open_ |= fraction == threshold
        open_ |= x == 0
        drawn[open_] = UNDECIDED
        return drawn

    def settle(
        self, first: Words, second: Words, more: Callable[[int], More]
    ) -> tuple[Draws, NDArray[np.bool_]]:
        """Draws that the fast path left open, and which of them are rejected. `more(i)` gives further bits
        for pair i.
        """
        cell = first & np.uint32(BUCKETS - 1)
        fraction = first >> np.uint32(CELL_BITS)
        threshold = self.threshold[cell]
        bucket = np.where(fraction < threshold, cell, self.alias[cell]).astype(np.int64)
        x = bucket << self.shift | (second & np.uint32((1 << self.shift) - 1)).astype(np.int64)
        edge = (bucket << self.shift).astype(np.float64)
        # (x − edge)(x + edge) is exact in double precision: both are below 2³⁰, their product below 2⁵³.
        exponent = (x - edge) * (x + edge) / (2 * float(self.variance))
        probability = np.exp(-exponent) * 2**ACCEPT_BITS
        value = (second >> np.uint32(32 - ACCEPT_BITS)).astype(np.float64)
        slack = CLOSE * 2**ACCEPT_BITS
        accepted = value + 1 <= probability - slack
        rejected = value >= probability + slack
        negative = (second >> np.uint32(SIGN_BIT) & np.uint32(1)).astype(bool)
        rejected |= negative & (x == 0)
        drawn = np.where(negative, -x, x).astype(np.int32)
        tied = fraction == threshold
        for i in np.flatnonzero(tied | ~(accepted | rejected)).tolist():
            bits = more(i)
            if not tied[i]:  # most are decided by the first few of the further bits
                further = bits(ACCEPT_EXTRA)
                closer = float(value[i]) + further / 2**ACCEPT_EXTRA
                if abs(closer - float(probability[i])) > slack:
                    rejected[i] |= closer > float(probability[i])
                    continue
                bits = _constantly(further)
            found = self.exact(int(first[i]), int(second[i]), bits)
            rejected[i] = found is None
            drawn[i] = found or 0
        return drawn, rejected


def _constantly(further: int) -> More:
    return lambda bits: further


def _alias_table(weights: list[int]) -> tuple[list[int], list[int]]:
    """Walker's alias table in Vose's order (Vose 1991): for each cell the threshold in units of
    2^−PRECISION, and whom it goes to above that. Cell i and its shares elsewhere get weight i of the total.
    """
    count, total = len(weights), sum(weights)
    scaled = [(weight * count << PRECISION) // total for weight in weights]
    scaled[0] += (count << PRECISION) - sum(scaled)
    full = 1 << PRECISION
    small = [i for i, share in enumerate(scaled) if share < full]
    large = [i for i, share in enumerate(scaled) if share >= full]
    thresholds, aliases = [full - 1] * count, list(range(count))
    while small and large:
        less, more = small.pop(), large[-1]
        thresholds[less], aliases[less] = scaled[less], more
        scaled[more] -= full - scaled[less]
        if scaled[more] < full:
            small.append(large.pop())
    return thresholds, aliases


def _exp_minus(y: Fraction, bits: int) -> int:
    """⌊exp(−y)·2^bits⌋ but for the last place, for y ≥ 0: Taylor's series after halving y below 1/16."""
    guard = bits + 64
    halvings = max(0, (y.numerator * 16 // y.denominator).bit_length())
    y = y / (1 << halvings)
    total = term = 1 << guard
    n = 1
    while term:
        term = term * y.numerator // (y.denominator * n)
        total += -term if n & 1 else term
        n += 1
    for _ in range(halvings):
        total = total * total >> guard
    return total >> guard - bits
