"""The integer grid on which clipped gradients are added up.

A row's gradient g (over all trained parameters) is scaled to q = round(s·g) with integers, where ‖q‖ ≤ C for
every row whatever its values, so that one row changes the batch's sum by at most C in the Euclidean norm. The
noise is a discrete Gaussian on the same integers (Canonne, Kamath, Steinke 2020, arXiv:2004.00010, theorem
14): sums and noise are exact, and no float rounding can spoil the guarantee.

Rounding to the nearest integer moves a vector of d elements by at most √d/2, so rows are scaled to the
smaller radius R = C − ⌈√d/2⌉ first; what float32 arithmetic may do to the norm is covered by a factor that
the compiler derives from the number of roundings (`margin`).
"""

from dataclasses import dataclass
from fractions import Fraction
from math import isqrt

from executor.errors import TooLarge, UnsupportedSpec
from primitives.spec import Dp

BITS_MAX = 20
"""C ≤ 2²⁰: every element stays below the 2²² up to which float32 arithmetic rounds to whole numbers."""
SIGMA_MAX = 1 << 24
"""Standard deviation of the noise in grid units: 14 of them stay below 2²⁸."""
SUM_MAX = 1 << 30
"""Rows of a batch times C: with the noise the sum fits 32 bits."""
SHARE = 8
"""Rounding may use up to one eighth of the radius."""
CLIP_MIN, CLIP_MAX = Fraction(1, 1 << 20), Fraction(1 << 20)


@dataclass(frozen=True)
class Grid:
    """`bound` is C, `radius` is R; a clipped gradient of norm `clip` becomes one of about R in grid units.
    `variance` is σ² of the noise in grid units, exact.
    """

    bound: int
    radius: int
    clip: Fraction
    variance: Fraction

    @property
    def units(self) -> Fraction:
        """Grid units for 1.0 of gradient, for rows that are not clipped."""
        return self.bound / self.clip

    def value(self, batch: int) -> Fraction:
        """What one grid unit of the noisy sum means as a mean gradient over `batch` rows."""
        return self.clip / (self.bound * batch)


def grid(dp: Dp, batch: int, parameters: int) -> Grid:
    """The finest grid for `parameters` trained numbers and batches of `batch` rows.

    UnsupportedSpec for a clip outside 2⁻²⁰ … 2²⁰, TooLarge when rounding would use up the clip: then fewer
    parameters, smaller batches or less noise help.
    """
    clip = Fraction(dp.clip_num, dp.clip_den)
    if not CLIP_MIN <= clip <= CLIP_MAX:
        raise UnsupportedSpec("the clip of differential privacy lies between 2^-20 and 2^20")
    sigma = Fraction(dp.sigma_milli, 1000)
    bits = BITS_MAX
    while bits and (batch << bits > SUM_MAX or sigma * (1 << bits) > SIGMA_MAX):
        bits -= 1
    bound = 1 << bits
    rounding = -(-isqrt(parameters) // 2) + 1
    if rounding * SHARE > bound:
        raise TooLarge(f"{parameters} parameters are too many for privacy's grid of {bound} steps")
    return Grid(bound, bound - rounding, clip, (sigma * bound) ** 2)


def margin(roundings: int) -> Fraction:
    """By how much a norm that was computed with so many float32 roundings in a row has to be raised, so that
    it is no less than the true one. Twice the first-order bound (Higham 2002, section 3.1).
    """
    return 1 + Fraction(roundings + 16, 1 << 23)
