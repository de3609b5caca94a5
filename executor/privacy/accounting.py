"""What a run costs in privacy, and what that means.

ρ is zero-concentrated differential privacy (Bun, Steinke 2016, arXiv:1605.02635), added up in nano-ρ as
integers rounded up (`primitives.spec.rho_nano`): with fixed, disjoint batches a row takes part in one step an
epoch, so that each epoch costs it 1/(2σ²). Two datasets are neighbours when one arises from the other by
taking away what one row contributes (zero-out adjacency: the number of rows is public).

The better known (ε, δ) follows: ε(δ) = ρ + 2·√(ρ·ln(1/δ)) (Bun, Steinke, proposition 1.3).
"""

from fractions import Fraction
from math import isqrt

NANO = 10**9
PLACES = 10**6
LN10 = Fraction(2302585092994045685, 10**18)
"""ln 10, rounded up."""


def epsilon(rho_nano: int, delta_exponent: int = 5) -> Fraction:
    """ε at δ = 10^−`delta_exponent`, rounded up to millionths; exact integer arithmetic."""
    rho = Fraction(rho_nano, NANO)
    product = 4 * rho * delta_exponent * LN10
    root = isqrt(-(-product.numerator * PLACES**2 // product.denominator)) + 1 if product else 0
    return Fraction(-(-rho.numerator * PLACES // rho.denominator) + root, PLACES)
